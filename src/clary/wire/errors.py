"""AWS's errors as one exception: code, message, HTTP status and the fields that the error's shape names."""

from __future__ import annotations

from typing import Any


class AwsError(Exception):
    """Raised anywhere below the gateway, which writes it in the caller's protocol."""

    def __init__(self, code: str, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields
        """Further members of the error's shape (or of S3's error element), such as BucketName or Resource."""


def validation(message: str) -> AwsError:
    """What AWS answers to a request that breaks the model or a rule that the model does not state."""
    return AwsError("ValidationException", message)


_CODES = {
    "rest-xml": {
        "ValidationException": "InvalidArgument",
        "SerializationException": "InvalidArgument",
        "InternalFailure": "InternalError",
    },
    "query": {"ValidationException": "ValidationError", "SerializationException": "MalformedInput"},
    "logs": {"ValidationException": "InvalidParameterException"},
    "sagemaker-runtime": {"ValidationException": "ValidationError"},
}


def in_words_of(error: AwsError, service: str, protocol: str) -> AwsError:
    """The same error under the code that a service, or all of a protocol, has for it."""
    codes = _CODES.get(service) or _CODES.get(protocol) or {}
    return AwsError(codes.get(error.code, error.code), error.message, error.status, **error.fields)


def not_built(service: str, operation: str) -> AwsError:
    """The honest answer of an operation that does not exist here."""
    return AwsError(
        "NotImplemented",
        f"{service}:{operation} is not built in Clary. docs/coverage.md lists the operations that are.",
        501,
    )
