"""Serves one model over HTTP/1.1 on a unix socket, by SageMaker's container contract."""
