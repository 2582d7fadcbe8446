"""sagemaker 3: starts a training job, and waits for it by hand."""

import sys

from sagemaker.core import image_uris
from sagemaker.core.training.configs import Compute, InputData, SourceCode
from sagemaker.train import ModelTrainer

data, source = sys.argv[1:]
trainer = ModelTrainer(
    training_image=image_uris.retrieve("sklearn", "us-east-1", version="1.2-1"),
    source_code=SourceCode(source_dir=source, entry_script="diabetes.py"),
    compute=Compute(instance_type="ml.m5.large"),
)
channel = InputData(channel_name="train", data_source=f"{data}/train.csv")
trainer.train(input_data_config=[channel], wait=False, logs=False)
job = trainer._latest_training_job
job.wait(poll=1)
print("started:", job.training_job_name)
