"""sagemaker 2: starts a training job and does not wait."""

import sys

import sagemaker
from sagemaker.sklearn import SKLearn

data, source = sys.argv[1:]
session = sagemaker.Session()
estimator = SKLearn(
    entry_point="diabetes.py",
    source_dir=source,
    framework_version="1.2-1",
    instance_type="ml.m5.large",
    role=sagemaker.get_execution_role(),
    sagemaker_session=session,
)
estimator.fit({"train": session.upload_data(f"{data}/train.csv", key_prefix="start")}, wait=False)
print("started:", estimator.latest_training_job.name)
