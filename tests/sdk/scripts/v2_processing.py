"""sagemaker 2: processing jobs by each of the processors that run a script, one of which fails."""

import sys

import sagemaker
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.s3 import S3Downloader
from sagemaker.sklearn import SKLearn, SKLearnProcessor

data, source = sys.argv[1:]
session = sagemaker.Session()
role = sagemaker.get_execution_role()
bucket = session.default_bucket()
machine = {"role": role, "instance_count": 1, "instance_type": "ml.m5.large"}
inputs = [ProcessingInput(source=f"{data}/train.csv", destination="/opt/ml/processing/input")]


def outputs(name):
    return [
        ProcessingOutput(
            output_name=part,
            source=f"/opt/ml/processing/{part}",
            destination=f"s3://{bucket}/v2/processed/{name}/{part}",
        )
        for part in ("train", "test")
    ]


def lengths(name):
    files = [f"s3://{bucket}/v2/processed/{name}/{part}/{part}.csv" for part in ("train", "test")]
    return [len(S3Downloader.read_file(file).splitlines()) - 1 for file in files]


sklearn = SKLearnProcessor(framework_version="1.2-1", base_job_name="v2-sklearn", **machine)
sklearn.run(
    code=f"{source}/prepare.py", inputs=inputs, outputs=outputs("sklearn"), arguments=["--test-part", "0.25"]
)
print("\nSKLearnProcessor:", lengths("sklearn"))

image = sagemaker.image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1")
script = ScriptProcessor(image_uri=image, command=["python3"], base_job_name="v2-script", **machine)
script.run(
    code=f"{source}/prepare.py",
    inputs=inputs,
    outputs=outputs("script"),
    arguments=["--test-part", "0.5"],
    wait=False,
)
framework = FrameworkProcessor(SKLearn, framework_version="1.2-1", base_job_name="v2-framework", **machine)
framework.run(
    code="prepare.py",
    source_dir=source,
    inputs=inputs,
    outputs=outputs("framework"),
    arguments=["--test-part", "0.125"],
    wait=False,
)
broken = ScriptProcessor(image_uri=image, command=["python3"], base_job_name="v2-broken", **machine)
broken.run(code=f"{source}/prepare.py", inputs=inputs, arguments=["--test-part", "2"], wait=False)
script.latest_job.wait(logs=False)
print("\nScriptProcessor:", lengths("script"))
framework.latest_job.wait(logs=False)
print("\nFrameworkProcessor:", lengths("framework"))
try:
    broken.latest_job.wait(logs=False)
except UnexpectedStatusException as error:
    print("\nfailed:", str(error).replace("\n", " "))
