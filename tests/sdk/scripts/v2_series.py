"""sagemaker 2: a forecaster of one's own, and what its forecasts of unemployment rest on."""

import json
import sys

import sagemaker
from sagemaker import clarify
from sagemaker.s3 import S3Downloader
from sagemaker.sklearn import SKLearn

data, source = sys.argv[1:]
session = sagemaker.Session()
role = sagemaker.get_execution_role()
bucket = session.default_bucket()
train = session.upload_data(f"{data}/quarters.csv", key_prefix="v2/series/train")
explained = session.upload_data(f"{data}/turns.json", key_prefix="v2/series/data")

estimator = SKLearn(
    entry_point="forecaster.py",
    source_dir=source,
    framework_version="1.2-1",
    instance_type="ml.m5.large",
    role=role,
    sagemaker_session=session,
)
estimator.fit({"train": train}, logs=False)
model = estimator.create_model()
model.name = "v2-series-model"
session.create_model(model.name, role, model.prepare_container_def("ml.m5.large"))

processor = clarify.SageMakerClarifyProcessor(
    role=role, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session
)
output = f"s3://{bucket}/v2/series/explained"
processor.run_explainability(
    data_config=clarify.DataConfig(
        s3_data_input_path=explained,
        s3_output_path=output,
        dataset_type="application/json",
        headers=["turn", "quarter", "unemployment", "inflation", "interest", "era"],
        time_series_data_config=clarify.TimeSeriesDataConfig(
            target_time_series="[].unemp",
            item_id="[].turn",
            timestamp="[].quarter",
            related_time_series=["[].infl", "[].tbilrate"],
            static_covariates=["[].era"],
            dataset_format=clarify.TimeSeriesJSONDatasetFormat.TIMESTAMP_RECORDS,
        ),
    ),
    model_config=clarify.ModelConfig(
        model_name=model.name,
        instance_type="ml.m5.large",
        instance_count=1,
        content_type="application/json",
        accept_type="application/json",
        content_template='{"instances": $records}',
        record_template='{"start": $start_time, "target": $target_time_series, '
        '"dynamic_feat": $related_time_series, "cat": $static_covariates}',
        time_series_model_config=clarify.TimeSeriesModelConfig(forecast="predictions[*].mean"),
    ),
    explainability_config=clarify.AsymmetricShapleyValueConfig(
        direction="chronological",
        granularity="fine_grained",
        num_samples=9,
        baseline={
            "target_time_series": "mean",
            "related_time_series": "zero",
            "static_covariates": {"1981": [1], "1990": [1], "2008": [0]},
        },
    ),
    job_name="v2-series",
)
job = processor.latest_job
print("\njob:", job.job_name, job.describe()["ProcessingJobStatus"])
print("files:", sorted(file.removeprefix(output + "/") for file in S3Downloader.list(output)))
analysis = json.loads(S3Downloader.read_file(f"{output}/analysis.json"))
found = analysis["explanations"]["asymmetric_shapley_value"]
print("values at:", found["explanation_results_path"])
