"""sagemaker 3: ModelTrainer with a script, the built-in XGBoost, a look at the jobs, and what goes wrong."""

import logging
import sys

from botocore.exceptions import ClientError
from sagemaker.core import image_uris
from sagemaker.core.analytics import TrainingJobAnalytics
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.parameter import ContinuousParameter
from sagemaker.core.resources import Pipeline, TrainingJob
from sagemaker.core.shapes import MetricDefinition, Tag
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig, SourceCode
from sagemaker.core.utils.exceptions import FailedStatusError
from sagemaker.train import ModelTrainer
from sagemaker.train.tuner import HyperparameterTuner

logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(message)s")
logging.getLogger("sagemaker.core.resources").setLevel(logging.INFO)  # where the jobs' logs appear
data, source = sys.argv[1:]
session = Session()
role = get_execution_role()
bucket = session.default_bucket()
print("role:", role)
print("bucket:", bucket)


def trainer(**hyperparameters):
    made = ModelTrainer(
        training_image=image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1"),
        source_code=SourceCode(source_dir=source, entry_script="diabetes.py"),
        compute=Compute(instance_type="ml.m5.large"),
        hyperparameters=hyperparameters,
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/v3/models"),
        base_job_name="v3-trainer",
        tags=[Tag(key="team", value="clinic")],
        role=role,
    )
    return made.with_metric_definitions(
        [MetricDefinition(name="train:accuracy", regex="train_accuracy=([0-9.]+);")]
    )


def attempt(name, what):
    try:
        what()
    except (ClientError, FailedStatusError) as error:
        print(f"{name}:", str(error).replace("\n", " "))


local = [InputData(channel_name="train", data_source=f"{data}/train.csv")]
good = trainer(**{"inverse-penalty": 0.5, "note": 'a "quoted" word'})
good.train(input_data_config=local, wait=True, logs=True)
job = TrainingJob.get(good._latest_training_job.training_job_name)
print("metrics:", {m.metric_name: round(m.value, 4) for m in job.final_metric_data_list})
print("model:", job.model_artifacts.s3_model_artifacts)

in_s3 = session.upload_data(f"{data}/label-first.csv", key_prefix="v3/xgboost")
boost = ModelTrainer(
    training_image=image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1"),
    compute=Compute(instance_type="ml.m5.large"),
    hyperparameters={"num_round": 20, "objective": "binary:logistic", "eval_metric": "auc"},
    role=role,
)
boost.train(
    input_data_config=[InputData(channel_name="train", data_source=in_s3, content_type="text/csv")],
    wait=False,
)

broken = trainer(**{"inverse-penalty": -1})
attempt("user's mistake", lambda: broken.train(input_data_config=local, logs=False))
boosting = boost._latest_training_job
boosting.wait(poll=1)
print("boosted:", boosting.training_job_status, [m.metric_name for m in boosting.final_metric_data_list])
found = {each.training_job_name: each.training_job_status for each in TrainingJob.get_all()}
print("statuses:", [found[each._latest_training_job.training_job_name] for each in (good, broken, boost)])

ranges = {"inverse-penalty": ContinuousParameter(0.1, 1)}
metric = {"Name": "train:accuracy", "Regex": "train_accuracy=([0-9.]+);"}
tuner = HyperparameterTuner(trainer(), metric["Name"], ranges, metric_definitions=[metric], max_jobs=2)
attempt("tuner", lambda: tuner.tune(inputs=local))
attempt("analytics", lambda: TrainingJobAnalytics(job.training_job_name, [metric["Name"]]).dataframe())
attempt("pipelines", lambda: list(Pipeline.get_all()))
