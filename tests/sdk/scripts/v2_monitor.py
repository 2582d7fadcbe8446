"""sagemaker 2: Model Monitor's baselines of bias and attributions, then jobs on a batch that drifts."""

import json
import sys

import pandas as pd
import sagemaker
from sagemaker import clarify
from sagemaker.model_monitor import ModelBiasMonitor, ModelExplainabilityMonitor
from sagemaker.model_monitor.clarify_model_monitoring import ClarifyMonitoringExecution
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor
from sagemaker.s3 import S3Uploader
from sagemaker.sklearn import SKLearn

data, source = sys.argv[1:]
session = sagemaker.Session()
role = sagemaker.get_execution_role()
home = f"s3://{session.default_bucket()}/v2/monitor"
train = session.upload_data(f"{data}/train.csv", key_prefix="v2/monitor")
explained = session.upload_data(f"{data}/explained.csv", key_prefix="v2/monitor")
table = pd.read_csv(f"{data}/explained.csv")
features = table.drop(columns="target")

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
model.name = "v2-monitor-model"
session.create_model(model.name, role, model.prepare_container_def("ml.m5.large"))


def data_config(name):
    return clarify.DataConfig(
        s3_data_input_path=explained,
        s3_output_path=f"{home}/{name}",
        label="target",
        headers=table.columns.tolist(),
        dataset_type="text/csv",
    )


model_config = clarify.ModelConfig(
    model_name=model.name,
    instance_type="ml.m5.large",
    instance_count=1,
    content_type="text/csv",
    accept_type="text/csv",
)
bias_monitor = ModelBiasMonitor(role=role, sagemaker_session=session, max_runtime_in_seconds=1800)
bias_monitor.suggest_baseline(
    data_config=data_config("bias"),
    bias_config=clarify.BiasConfig([1], "sex", [1]),
    model_config=model_config,
    model_predicted_label_config=clarify.ModelPredictedLabelConfig(probability_threshold=0.5),
    job_name="v2-bias-baseline",
)
shap_monitor = ModelExplainabilityMonitor(role=role, sagemaker_session=session)
shap_monitor.suggest_baseline(
    data_config=data_config("shap"),
    explainability_config=clarify.SHAPConfig(
        baseline=[features.mean().round(3).tolist()], num_samples=50, agg_method="mean_abs"
    ),
    model_config=model_config,
    job_name="v2-shap-baseline",
)
for monitor in (bias_monitor, shap_monitor):
    monitor.latest_baselining_job.wait(logs=False)
constraints = {
    "bias": bias_monitor.suggested_constraints(),
    "shap": shap_monitor.suggested_constraints(),
}
print("\nconstraints:", {name: sorted(found.body_dict) for name, found in constraints.items()})


def captured(rows, answers):
    """Requests and answers as data capture keeps them, merged with the truth."""
    lines = [
        {
            "captureData": {
                "endpointInput": {
                    "observedContentType": "text/csv",
                    "mode": "INPUT",
                    "data": ",".join(map(str, row)),
                    "encoding": "CSV",
                },
                "endpointOutput": {
                    "observedContentType": "text/csv",
                    "mode": "OUTPUT",
                    "data": str(answer),
                    "encoding": "CSV",
                },
            },
            "groundTruthData": {"data": str(truth), "encoding": "CSV"},
            "eventMetadata": {"eventId": f"e{i}", "inferenceTime": "2026-11-24T10:30:00Z"},
            "eventVersion": "0",
        }
        for i, (row, answer, truth) in enumerate(zip(rows, answers, table["target"], strict=True))
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)


def execute(name, monitor, records):
    """What a schedule of Model Monitor starts: the job that it describes, started by hand."""
    config = json.dumps(monitor.latest_baselining_job_config.analysis_config._to_dict())
    uris = {
        "analysis_config": f"{home}/{name}-config/analysis_config.json",
        "endpoint_input_1": f"{home}/{name}-merged/AllTraffic/2026/11/24/10/part-0.jsonl",
    }
    S3Uploader.upload_string_as_file_body(config, uris["analysis_config"], sagemaker_session=session)
    S3Uploader.upload_string_as_file_body(records, uris["endpoint_input_1"], sagemaker_session=session)
    processor = Processor(
        role=role,
        image_uri=monitor.image_uri,
        instance_count=1,
        instance_type="ml.m5.large",
        sagemaker_session=session,
        env={
            "baseline_constraints": "/opt/ml/processing/baseline/constraints/analysis.json",
            "dataset_format": json.dumps({"sagemakerMergeJson": {"captureIndexNames": ["endpointInput"]}}),
            "dataset_source": "/opt/ml/processing/input_data",
            "output_path": "/opt/ml/processing/output",
        },
    )
    where = "/opt/ml/processing"
    inputs = [
        ProcessingInput(uris["analysis_config"], f"{where}/input/config", "analysis_config"),
        ProcessingInput(f"{home}/{name}-merged", f"{where}/input_data", "endpoint_input_1"),
        ProcessingInput(constraints[name].file_s3_uri, f"{where}/baseline/constraints", "constraints"),
    ]
    output = ProcessingOutput(f"{where}/output", f"{home}/{name}-now", "monitoring_output")
    processor.run(inputs, [output], wait=False, logs=False, job_name=f"v2-{name}-execution")
    return processor.latest_job


# The truth for men and "no" for women; and bmi, blood pressure and lipids that are always as at the baseline.
unfair = table["target"].where(table["sex"] != 1, 0)
usual = features.assign(**features.mean().round(3)[["bmi", "bp", "s1", "s2", "s3", "s5"]])
jobs = {
    "bias": execute("bias", bias_monitor, captured(features.itertuples(index=False), unfair)),
    "shap": execute("shap", shap_monitor, captured(usual.itertuples(index=False), unfair)),
}
for name, job in jobs.items():
    job.wait(logs=False)
    described = job.describe()
    print(f"\n{name} job:", described["ProcessingJobStatus"], described["ExitMessage"])
    execution = ClarifyMonitoringExecution.from_processing_arn(session, described["ProcessingJobArn"])
    print(f"{name} violations:", json.dumps(execution.constraint_violations().body_dict["violations"]))
