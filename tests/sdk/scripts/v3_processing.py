"""sagemaker 3: processing jobs by its processors."""

import sys

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)

data, source = sys.argv[1:]
session = Session()
role = get_execution_role()
bucket = session.default_bucket()
image = image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1")
machine = {"role": role, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": session}
train = session.upload_data(f"{data}/train.csv", key_prefix="v3/processing")
inputs = [
    ProcessingInput(
        input_name="table",
        s3_input=ProcessingS3Input(
            s3_uri=train,
            local_path="/opt/ml/processing/input",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
        ),
    )
]


def outputs(name):
    return [
        ProcessingOutput(
            output_name=part,
            s3_output=ProcessingS3Output(
                s3_uri=f"s3://{bucket}/v3/processed/{name}/{part}",
                local_path=f"/opt/ml/processing/{part}",
                s3_upload_mode="EndOfJob",
            ),
        )
        for part in ("train", "test")
    ]


def lengths(name):
    keys = [f"v3/processed/{name}/{part}/{part}.csv" for part in ("train", "test")]
    return [len(session.read_s3_file(bucket, key).splitlines()) - 1 for key in keys]


framework = FrameworkProcessor(image_uri=image, command=["python3"], base_job_name="v3-framework", **machine)
framework.run(
    code="prepare.py",
    source_dir=source,
    inputs=inputs,
    outputs=outputs("framework"),
    arguments=["--test-part", "0.125"],
    wait=False,
    logs=False,
)
script = ScriptProcessor(image_uri=image, command=["python3"], base_job_name="v3-script", **machine)
script.run(
    code=f"{source}/prepare.py",
    inputs=inputs,
    outputs=outputs("script"),
    arguments=["--test-part", "0.5"],
    logs=True,
)
print("\nScriptProcessor:", lengths("script"))
framework.latest_job.wait(poll=1)
print("FrameworkProcessor:", lengths("framework"))
