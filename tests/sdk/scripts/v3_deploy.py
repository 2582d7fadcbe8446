"""sagemaker 3: a model deployed by the resource classes and by ModelBuilder, and looked at by Clarify."""

import sys
import tarfile
from pathlib import Path

import pandas as pd
from botocore.exceptions import ClientError
from sagemaker.core import clarify, image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, ProcessingJob
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant
from sagemaker.core.training.configs import Compute, InputData, SourceCode
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer

data, source = sys.argv[1:]
session = Session()
role = get_execution_role()
bucket = session.default_bucket()
image = image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1")
lines = Path(data, "train.csv").read_text().splitlines()
rows = [line.rpartition(",")[0] for line in lines[1:4]]
csv = {"body": "\n".join(rows), "content_type": "text/csv", "accept": "text/csv"}

script = SourceCode(source_dir=source, entry_script="diabetes.py")
trainer = ModelTrainer(
    training_image=image,
    source_code=script,
    compute=Compute(instance_type="ml.m5.large"),
    hyperparameters={"inverse-penalty": 0.5},
    base_job_name="v3-deploy",
    role=role,
)
trainer.train(
    input_data_config=[InputData(channel_name="train", data_source=f"{data}/train.csv")], logs=False
)
model_data = trainer._latest_training_job.model_artifacts.s3_model_artifacts

with tarfile.open("sourcedir.tar.gz", "w:gz") as packed:
    packed.add(f"{source}/diabetes.py", "diabetes.py")
model = Model.create(
    model_name="v3-resources",
    primary_container=ContainerDefinition(
        image=image,
        model_data_url=model_data,
        environment={
            "SAGEMAKER_PROGRAM": "diabetes.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": session.upload_data("sourcedir.tar.gz", key_prefix="v3/source"),
        },
    ),
    execution_role_arn=role,
)
config = EndpointConfig.create(
    endpoint_config_name="v3-resources",
    production_variants=[
        ProductionVariant(
            variant_name="all",
            model_name="v3-resources",
            initial_instance_count=1,
            instance_type="ml.m5.large",
        )
    ],
)
endpoint = Endpoint.create(endpoint_name="v3-resources", endpoint_config_name="v3-resources")
endpoint.wait_for_status("InService", poll=1)
print("resources:", endpoint.invoke(**csv).body.read().decode().split())
try:
    endpoint.invoke_with_response_stream(**csv)
except ClientError as error:
    print("streaming:", error)
for kind in (Model, EndpointConfig, Endpoint):
    for resource in kind.get_all(name_contains="v3-resources"):
        resource.refresh()
endpoint.delete()
endpoint.wait_for_delete(poll=1)
config.delete()
print("left:", [each.endpoint_name for each in Endpoint.get_all(name_contains="v3-resources")])

table = pd.read_csv(f"{data}/explained.csv")
processor = clarify.SageMakerClarifyProcessor(
    role=role, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session
)
processor.run_bias_and_explainability(
    data_config=clarify.DataConfig(
        s3_data_input_path=session.upload_data(f"{data}/explained.csv", key_prefix="v3/clarify"),
        s3_output_path=f"s3://{bucket}/v3/clarify/both",
        label="target",
        headers=table.columns.tolist(),
        dataset_type="text/csv",
    ),
    model_config=clarify.ModelConfig(
        model_name="v3-resources",
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
    bias_config=clarify.BiasConfig(
        label_values_or_threshold=[1], facet_name="sex", facet_values_or_threshold=[1]
    ),
    pre_training_methods="all",
    post_training_methods="all",
    model_predicted_label_config=clarify.ModelPredictedLabelConfig(probability_threshold=0.5),
    job_name="v3-both",
    wait=False,
    logs=False,
)

builder = ModelBuilder(
    s3_model_data_url=model_data,
    image_uri=image,
    role_arn=role,
    instance_type="ml.m5.large",
    source_code=script,
    sagemaker_session=session,
)
builder.build(model_name="v3-builder")
built = builder.deploy(endpoint_name="v3-builder", initial_instance_count=1, instance_type="ml.m5.large")
print("builder:", built.invoke(**csv).body.read().decode().split())
built.delete()

clarified = ProcessingJob.get("v3-both")
clarified.wait(poll=1)
print("Clarify:", clarified.processing_job_status)
model.delete()
