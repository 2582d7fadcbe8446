"""sagemaker 2: XGBoost as the built-in algorithm, and as a framework with a script whose log is followed."""

import sys

import pandas as pd
import sagemaker
from sagemaker import image_uris
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer
from sagemaker.xgboost import XGBoost

data, source = sys.argv[1:]
session = sagemaker.Session()
role = sagemaker.get_execution_role()
bucket = session.default_bucket()
train = session.upload_data(f"{data}/label-first.csv", key_prefix="v2/xgboost")
rows = pd.read_csv(f"{data}/label-first.csv", header=None).drop(columns=0).head(3).to_numpy()


def ask(estimator, label):
    predictor = estimator.deploy(
        1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer(), wait=False
    )
    session.wait_for_endpoint(predictor.endpoint_name, poll=1)
    print(f"\n{label}:", [round(float(each), 4) for row in predictor.predict(rows) for each in row])
    predictor.delete_model()
    predictor.delete_endpoint()


builtin = Estimator(
    image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1"),
    role,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{bucket}/v2/xgboost/models",
    sagemaker_session=session,
)
builtin.set_hyperparameters(objective="binary:logistic", num_round=20, max_depth=3, eval_metric="auc")
builtin.fit({"train": TrainingInput(train, content_type="text/csv")})
final = builtin.latest_training_job.describe()["FinalMetricDataList"]
print("\nmetrics:", {m["MetricName"]: round(m["Value"], 4) for m in final})
ask(builtin, "built-in")

framework = XGBoost(
    entry_point="boost.py",
    source_dir=source,
    framework_version="1.7-1",
    role=role,
    instance_count=1,
    instance_type="ml.m5.large",
    sagemaker_session=session,
    hyperparameters={"num_round": 20, "seconds": 12},
    output_path=f"s3://{bucket}/v2/xgboost/models",
)
framework.fit({"train": TrainingInput(train, content_type="text/csv")})
ask(framework, "framework")
print("slow job:", framework.latest_training_job.name)
