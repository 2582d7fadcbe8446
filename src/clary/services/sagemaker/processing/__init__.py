"""SageMaker's chapter on processing."""
