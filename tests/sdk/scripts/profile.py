"""boto3 by the profile alone: S3, a look at training jobs with its own waiter and paginator, an endpoint."""

import sys

import boto3

endpoint, name = sys.argv[1:]
s3 = boto3.resource("s3")
s3.Object(name, "boto3/ü").put(Body=b"from Python")
assert s3.Object(name, "boto3/ü").get()["Body"].read() == b"from Python"
sagemaker = boto3.client("sagemaker")
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
pages = sagemaker.get_paginator("list_training_jobs").paginate(PaginationConfig={"PageSize": 2})
assert name in list(pages.search("TrainingJobSummaries[].TrainingJobName"))
answer = boto3.client("sagemaker-runtime").invoke_endpoint(
    EndpointName=endpoint, ContentType="text/csv", Body="59,2,32.1,101,157,93.2,38,4,4.8598,87"
)
print("answer:", answer["Body"].read().decode())
