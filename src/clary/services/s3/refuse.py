"""Parameters of S3 that are not built: refused by name, unless they ask for what is so anyway."""

from __future__ import annotations

from typing import Any

from clary.ports.world import Call
from clary.wire.errors import AwsError

_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "ACL": ("private", "bucket-owner-full-control"),
    "StorageClass": ("STANDARD",),
    # The SageMaker SDK asks for it with every source it uploads. The answer does not claim it was done.
    "ServerSideEncryption": ("AES256", "aws:kms"),
    "RequestPayer": ("requester",),
    "ObjectOwnership": ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"),
    "ObjectLockEnabledForBucket": (False,),
    "BucketKeyEnabled": (False,),
    "VersionId": ("null",),
}
_NEVER = (
    "SSECustomerAlgorithm",
    "SSECustomerKey",
    "SSEKMSKeyId",
    "SSEKMSEncryptionContext",
    "CopySourceSSECustomerAlgorithm",
    "GrantFullControl",
    "GrantRead",
    "GrantReadACP",
    "GrantWrite",
    "GrantWriteACP",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "ObjectLockLegalHoldStatus",
    "WebsiteRedirectLocation",
    "WriteOffsetBytes",
    "IfMatchInitiatedTime",
    "MFA",
    "ObjectLockEventHold",
    "ObjectLockEventHoldDurationDays",
    "ObjectLockEventHoldDurationYears",
    "AnnotationDirective",
    "BucketNamespace",
)


def check(call: Call, request: dict[str, Any]) -> None:
    """AwsError NotImplemented for a parameter that would be ignored; AccessDenied for a wrong owner."""
    for name, allowed in _DEFAULTS.items():
        if name in request and request[name] not in allowed:
            raise _not_built(name, request[name])
    members(request, *_NEVER)
    for name in ("ExpectedBucketOwner", "ExpectedSourceBucketOwner"):
        if request.get(name, call.world.account) != call.world.account:
            raise AwsError("AccessDenied", f"Access Denied: the bucket is not owned by {request[name]}", 403)


def members(request: dict[str, Any], *names: str) -> None:
    """AwsError NotImplemented where one of these is given."""
    for name in names:
        if request.get(name):
            raise _not_built(name, request[name])


def _not_built(name: str, value: Any) -> AwsError:
    return AwsError("NotImplemented", f"s3: {name} ({value}) is not built in Clary: leave it out", 501)
