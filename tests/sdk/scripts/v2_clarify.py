"""sagemaker 2: Clarify on a model of one's own, bias by sex and SHAP; as in AWS's fairness notebook."""

import json
import sys

import pandas as pd
import sagemaker
from sagemaker import clarify
from sagemaker.s3 import S3Downloader
from sagemaker.sklearn import SKLearn

data, source = sys.argv[1:]
session = sagemaker.Session()
role = sagemaker.get_execution_role()
bucket = session.default_bucket()
train = session.upload_data(f"{data}/train.csv", key_prefix="v2/clarify")
explained = session.upload_data(f"{data}/explained.csv", key_prefix="v2/clarify")
table = pd.read_csv(f"{data}/explained.csv")

estimator = SKLearn(
    entry_point="diabetes.py",
    source_dir=source,
    framework_version="1.2-1",
    instance_type="ml.m5.large",
    role=role,
    sagemaker_session=session,
)
estimator.fit({"train": train}, logs=False)
model = estimator.create_model()
model.name = "v2-clarify-model"
session.create_model(model.name, role, model.prepare_container_def("ml.m5.large"))

processor = clarify.SageMakerClarifyProcessor(
    role=role, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session
)
bias = clarify.BiasConfig(label_values_or_threshold=[1], facet_name="sex", facet_values_or_threshold=[1])


def results(name):
    return clarify.DataConfig(
        s3_data_input_path=explained,
        s3_output_path=f"s3://{bucket}/v2/clarify/{name}",
        label="target",
        headers=table.columns.tolist(),
        dataset_type="text/csv",
    )


processor.run_pre_training_bias(
    results("before"), bias, methods="all", wait=False, logs=False, job_name="v2-before"
)
processor.run_bias_and_explainability(
    data_config=results("both"),
    model_config=clarify.ModelConfig(
        model_name=model.name,
        instance_type="ml.m5.large",
        instance_count=1,
        content_type="text/csv",
        accept_type="text/csv",
    ),
    explainability_config=clarify.SHAPConfig(
        baseline=[table.drop(columns="target").mean().round(3).tolist()],
        num_samples=50,
        agg_method="mean_abs",
    ),
    bias_config=bias,
    pre_training_methods="all",
    post_training_methods="all",
    model_predicted_label_config=clarify.ModelPredictedLabelConfig(probability_threshold=0.5),
    job_name="v2-both",
)
job = processor.latest_job
print("\njob:", job.job_name, job.describe()["ProcessingJobStatus"], job.outputs[0].destination)
sagemaker.processing.ProcessingJob.from_processing_name(session, "v2-before").wait(logs=False)
for name in ("before", "both"):
    files = S3Downloader.list(f"s3://{bucket}/v2/clarify/{name}")
    print(f"{name}:", sorted(file.rpartition("/")[2] for file in files))
analysis = json.loads(S3Downloader.read_file(f"s3://{bucket}/v2/clarify/both/analysis.json"))
print("parts:", sorted(analysis))
