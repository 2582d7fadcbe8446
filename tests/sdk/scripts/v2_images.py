"""sagemaker 2: Clarify on images, as in AWS's notebook of image classification, with a model of digits."""

import sys

import sagemaker
from sagemaker import clarify
from sagemaker.s3 import S3Downloader
from sagemaker.sklearn import SKLearn

data, source = sys.argv[1:]
session = sagemaker.Session()
role = sagemaker.get_execution_role()
bucket = session.default_bucket()
images = session.upload_data(f"{data}/digits", key_prefix="v2/images/data")

estimator = SKLearn(
    entry_point="digits.py",
    source_dir=source,
    framework_version="1.2-1",
    instance_type="ml.m5.large",
    role=role,
    sagemaker_session=session,
)
estimator.fit(logs=False)
model = estimator.create_model()
model.name = "v2-images-model"
session.create_model(model.name, role, model.prepare_container_def("ml.m5.large"))

results = f"s3://{bucket}/v2/images/results"
processor = clarify.SageMakerClarifyProcessor(
    role=role, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session
)
processor.run_explainability(
    data_config=clarify.DataConfig(
        s3_data_input_path=images, s3_output_path=results, dataset_type="application/x-image"
    ),
    model_config=clarify.ModelConfig(
        model_name=model.name,
        instance_type="ml.m5.large",
        instance_count=1,
        content_type="application/x-npy",
        accept_type="application/json",
    ),
    model_scores=clarify.ModelPredictedLabelConfig(
        probability="predictions", label_headers=[f"digit {i}" for i in range(10)]
    ),
    explainability_config=clarify.SHAPConfig(
        num_samples=120,
        seed=1,
        image_config=clarify.ImageConfig(
            model_type="IMAGE_CLASSIFICATION",
            num_segments=20,
            feature_extraction_method="segmentation",
            segment_compactness=5,
        ),
    ),
    job_name="v2-images",
)
job = processor.latest_job.describe()
print("\njob:", job["ProcessingJobStatus"])
print("files:", sorted(file.removeprefix(f"{results}/") for file in S3Downloader.list(results)))
