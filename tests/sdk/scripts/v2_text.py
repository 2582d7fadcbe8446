"""sagemaker 2: Clarify explains a text model's reading of reviews, asked in three formats."""

import sys

import sagemaker
from sagemaker import clarify
from sagemaker.model import Model
from sagemaker.s3 import S3Downloader

data, _ = sys.argv[1:]
session = sagemaker.Session()
role = sagemaker.get_execution_role()
bucket = session.default_bucket()
uploaded = {
    name: session.upload_data(f"{data}/{name}", key_prefix="v2/text")
    for name in ("reviews.csv", "reviews.jsonl", "text-model.tar.gz")
}
region = session.boto_region_name
image = (
    f"763104351884.dkr.ecr.{region}.amazonaws.com/huggingface-pytorch-inference:2.6.0-cpu-py312-ubuntu22.04"
)
model = Model(image, uploaded["text-model.tar.gz"], role, name="v2-text", sagemaker_session=session)
model.deploy(1, "ml.m5.large", endpoint_name="v2-text")

processor = clarify.SageMakerClarifyProcessor(
    role=role, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session
)
CSV = {"content_type": "text/csv", "accept_type": "text/csv"}
LINES = {
    "content_type": "application/jsonlines",
    "accept_type": "application/jsonlines",
    "content_template": "$features_kvp",
}
JSON = {
    "content_type": "application/json",
    "accept_type": "application/json",
    "content_template": '{"inputs": $records}',
    "record_template": "$features_kvp",
}


def explain(name, file, kind, how, granularity, path):
    processor.run_explainability(
        data_config=clarify.DataConfig(
            s3_data_input_path=uploaded[file],
            s3_output_path=f"s3://{bucket}/v2/text/{name}",
            headers=["text"],
            dataset_type=kind,
        ),
        model_config=clarify.ModelConfig(endpoint_name="v2-text", **how),
        explainability_config=clarify.SHAPConfig(
            baseline=[[""]] if kind == "text/csv" else [{"text": ""}],
            num_samples=60,
            seed=1,
            text_config=clarify.TextConfig(granularity=granularity, language="english"),
        ),
        model_scores=clarify.ModelPredictedLabelConfig(
            probability=path, label_headers=["negative", "positive"]
        ),
        job_name=f"v2-text-{name}",
        wait=False,
        logs=False,
    )


explain("csv", "reviews.csv", "text/csv", CSV, "token", None)
explain("lines", "reviews.jsonl", "application/jsonlines", LINES, "token", "probabilities")
explain("json", "reviews.csv", "text/csv", JSON, "sentence", "[].probabilities")
for name in ("csv", "lines", "json"):
    job = sagemaker.processing.ProcessingJob.from_processing_name(session, f"v2-text-{name}")
    job.wait(logs=False)
    print(f"\n{name}:", job.describe()["ProcessingJobStatus"])
session.delete_endpoint("v2-text")
files = S3Downloader.list(f"s3://{bucket}/v2/text/csv")
print("files:", sorted(file.rpartition("/")[2] for file in files))
