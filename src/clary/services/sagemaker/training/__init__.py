"""SageMaker's chapter on training."""
