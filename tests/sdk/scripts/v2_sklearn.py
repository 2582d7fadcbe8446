"""sagemaker 2: a scikit-learn script trained, looked at, deployed, asked, deleted, as tutorials have it."""

import sys

import pandas as pd
import sagemaker
from botocore.exceptions import ClientError
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer, JSONSerializer
from sagemaker.sklearn import SKLearn

data, source = sys.argv[1:]

session = sagemaker.Session()
role = sagemaker.get_execution_role()
bucket = session.default_bucket()
print("role:", role)
print("bucket:", bucket)

train = session.upload_data(f"{data}/train.csv", key_prefix="v2/diabetes")
estimator = SKLearn(
    entry_point="diabetes.py",
    source_dir=source,
    framework_version="1.2-1",
    instance_type="ml.m5.large",
    role=role,
    sagemaker_session=session,
    hyperparameters={"inverse-penalty": 0.5, "note": 'a "quoted" word'},
    metric_definitions=[{"Name": "train:accuracy", "Regex": "train_accuracy=([0-9.]+);"}],
    tags=[{"Key": "team", "Value": "clinic"}],
    base_job_name="v2-sklearn",
)
estimator.fit({"train": train}, logs=True)
name = estimator.latest_training_job.name
job = estimator.latest_training_job.describe()
print("metrics:", {m["MetricName"]: round(m["Value"], 4) for m in job["FinalMetricDataList"]})

attached = SKLearn.attach(name)
assert attached.model_data == estimator.model_data
assert attached.hyperparameters()["inverse-penalty"] == "0.5", attached.hyperparameters()
assert attached.entry_point == "diabetes.py", attached.entry_point
assert attached.tags == [{"Key": "team", "Value": "clinic"}], attached.tags
assert Estimator.attach(name).image_uri == estimator.training_image_uri()
session.logs_for_job(name)
found = session.sagemaker_client.list_training_jobs(NameContains="v2-sklearn", StatusEquals="Completed")
assert name in [each["TrainingJobName"] for each in found["TrainingJobSummaries"]]
session.download_data("downloaded", bucket, f"{name}/output/model.tar.gz")

rows = pd.read_csv(f"{data}/train.csv").drop(columns="target").head(3).to_numpy()
predictor = estimator.deploy(
    initial_instance_count=1,
    instance_type="ml.m5.large",
    serializer=CSVSerializer(),
    deserializer=CSVDeserializer(),
)
by_json = Predictor(
    predictor.endpoint_name, session, serializer=JSONSerializer(), deserializer=JSONDeserializer()
)
print("by CSV:", [round(float(each), 6) for row in predictor.predict(rows) for each in row])
print("by JSON:", [round(each, 6) for each in by_json.predict(rows.tolist())])
try:
    predictor.predict("one,two")
except ClientError as error:
    print("refused:", str(error).replace("\n", " "))
predictor.delete_model()
predictor.delete_endpoint()
left = session.sagemaker_client.list_endpoints(NameContains=predictor.endpoint_name)["Endpoints"]
print("endpoints left:", [each["EndpointStatus"] for each in left if each["EndpointStatus"] != "Deleting"])
