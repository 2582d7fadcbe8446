"""Amazon SageMaker Runtime: the data path of endpoints."""
