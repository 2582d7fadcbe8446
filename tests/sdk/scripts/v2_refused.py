"""sagemaker 2: what goes wrong, and what Clary does not have, is told in words that help."""

import sys

import sagemaker
from botocore.exceptions import ClientError
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.serverless import ServerlessInferenceConfig
from sagemaker.sklearn import SKLearn, SKLearnModel
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner

data, source = sys.argv[1:]
session = sagemaker.Session()
role = sagemaker.get_execution_role()
bucket = session.default_bucket()
train = session.upload_data(f"{data}/train.csv", key_prefix="v2/refused")
metric = {"Name": "train:accuracy", "Regex": "train_accuracy=([0-9.]+);"}


def estimator(**further):
    return SKLearn(
        entry_point="diabetes.py",
        source_dir=source,
        framework_version="1.2-1",
        instance_type="ml.m5.large",
        role=role,
        sagemaker_session=session,
        metric_definitions=[metric],
        **further,
    )


def attempt(name, what):
    try:
        what()
    except (ClientError, UnexpectedStatusException) as error:
        print(f"\n{name}:", str(error).replace("\n", " "))


broken = estimator(hyperparameters={"inverse-penalty": -1})
attempt("user's mistake", lambda: broken.fit({"train": train}))
missing = estimator()
attempt("no data", lambda: missing.fit({"train": f"s3://{bucket}/nothing/here"}, logs=False))
attempt("spot", lambda: estimator(use_spot_instances=True, max_wait=86400).fit({"train": train}))
ranges = {"inverse-penalty": ContinuousParameter(0.1, 1)}
tuner = HyperparameterTuner(estimator(), metric["Name"], ranges, metric_definitions=[metric], max_jobs=2)
attempt("tuner", lambda: tuner.fit({"train": train}))
name = broken.latest_training_job.name
attempt("analytics", lambda: TrainingJobAnalytics(name, [metric["Name"]]).dataframe())
model = SKLearnModel(
    model_data=train,
    role=role,
    entry_point=f"{source}/diabetes.py",
    framework_version="1.2-1",
    sagemaker_session=session,
)
attempt("transform", lambda: model.transformer(1, "ml.m5.large").transform(train, content_type="text/csv"))
attempt("register", lambda: model.register(["text/csv"], ["text/csv"], model_package_group_name="group"))
serverless = ServerlessInferenceConfig(memory_size_in_mb=2048, max_concurrency=1)
attempt("serverless", lambda: model.deploy(serverless_inference_config=serverless))
