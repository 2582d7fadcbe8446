"""sagemaker 2: built-in XGBoost deployed with Clarify's explainer before it, and asked for reasons."""

import sys

import numpy as np
import pandas as pd
import sagemaker
from sagemaker import image_uris
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.explainer import (
    ClarifyExplainerConfig,
    ClarifyInferenceConfig,
    ClarifyShapBaselineConfig,
    ClarifyShapConfig,
    ExplainerConfig,
)
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer

data, _ = sys.argv[1:]
session = sagemaker.Session()
role = sagemaker.get_execution_role()
bucket = session.default_bucket()
table = pd.read_csv(f"{data}/label-first.csv", header=None).drop(columns=0)
names = pd.read_csv(f"{data}/train.csv", nrows=1).columns.drop("target").tolist()

estimator = Estimator(
    image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1"),
    role,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{bucket}/v2/explained/models",
    sagemaker_session=session,
    base_job_name="v2-explained",
)
estimator.set_hyperparameters(objective="binary:logistic", num_round=20, max_depth=3)
train = session.upload_data(f"{data}/label-first.csv", key_prefix="v2/explained")
estimator.fit({"train": TrainingInput(train, content_type="text/csv")}, logs=False)

baseline = CSVSerializer().serialize(table.mean().tolist())
explainer_config = ExplainerConfig(
    clarify_explainer_config=ClarifyExplainerConfig(
        enable_explanations="[0]>=`0`",
        inference_config=ClarifyInferenceConfig(feature_headers=names),
        shap_config=ClarifyShapConfig(
            shap_baseline_config=ClarifyShapBaselineConfig(mime_type="text/csv", shap_baseline=baseline),
            seed=7,
        ),
    )
)
predictor = estimator.deploy(
    1,
    "ml.m5.large",
    serializer=CSVSerializer(),
    deserializer=JSONDeserializer(),
    explainer_config=explainer_config,
)
rows = table.head(2).to_numpy()
answer = predictor.predict(rows)
first = answer["explanations"]["kernel_shap"][0]
print("headers:", [feature["feature_header"] for feature in first])
print("predictions:", [float(each) for each in answer["predictions"]["data"].split(",")])
sums = [
    float(np.sum([each["attribution"] for feature in record for each in feature["attributions"]]))
    for record in answer["explanations"]["kernel_shap"]
]
print("sums:", sums)
off = predictor.predict(np.array([table.mean().tolist()]), initial_args={"EnableExplanations": "`false`"})
print("off:", off["explanations"], float(off["predictions"]["data"]))
described = session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)
print("described:", described["ExplainerConfig"]["ClarifyExplainerConfig"]["EnableExplanations"])
predictor.delete_model()
predictor.delete_endpoint()
