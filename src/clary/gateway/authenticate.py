"""Who are you: checks a request's signature against the identity port, with each protocol's own errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clary.ports.identity import Identity, InvalidToken, Key, Principal
from clary.wire import sigv4
from clary.wire.errors import AwsError
from clary.wire.request import Request

UNSIGNED_OPERATIONS = frozenset({("sts", "AssumeRoleWithWebIdentity"), ("sts", "AssumeRoleWithSAML")})
ANONYMOUS = Principal("arn:aws:iam:::anonymous", "anonymous", "")


@dataclass(frozen=True, slots=True)
class _Words:
    """One problem's error code and status in each family of protocols."""

    s3: tuple[str, int]
    query: tuple[str, int]
    json: tuple[str, int]

    def error(self, protocol: str, message: str) -> AwsError:
        code, status = {"rest-xml": self.s3, "query": self.query, "ec2": self.query}.get(protocol, self.json)
        return AwsError(code, message, status)


_MISSING = _Words(
    ("AccessDenied", 403), ("MissingAuthenticationToken", 403), ("MissingAuthenticationTokenException", 403)
)
_MALFORMED = _Words(
    ("AuthorizationHeaderMalformed", 400), ("IncompleteSignature", 400), ("IncompleteSignatureException", 403)
)
_MALFORMED_URL = _Words(
    ("AuthorizationQueryParametersError", 400),
    ("IncompleteSignature", 400),
    ("IncompleteSignatureException", 403),
)
_UNSUPPORTED = _Words(
    ("InvalidRequest", 400), ("IncompleteSignature", 400), ("IncompleteSignatureException", 403)
)
_UNKNOWN = _Words(
    ("InvalidAccessKeyId", 403), ("InvalidClientTokenId", 403), ("UnrecognizedClientException", 403)
)
_TOKEN = _Words(("InvalidToken", 400), ("InvalidClientTokenId", 403), ("UnrecognizedClientException", 403))
_EXPIRED_TOKEN = _Words(("ExpiredToken", 400), ("ExpiredToken", 403), ("ExpiredTokenException", 403))
_WRONG = _Words(
    ("SignatureDoesNotMatch", 403), ("SignatureDoesNotMatch", 403), ("InvalidSignatureException", 403)
)
_SKEW = _Words(
    ("RequestTimeTooSkewed", 403), ("SignatureDoesNotMatch", 403), ("InvalidSignatureException", 403)
)
_EXPIRED = _Words(("AccessDenied", 403), ("SignatureDoesNotMatch", 403), ("InvalidSignatureException", 403))


def read(request: Request, protocol: str) -> sigv4.Signature | None:
    """The signature a request carries, None for an unsigned one; AwsError for a malformed one."""
    try:
        return sigv4.read(request)
    except sigv4.UnsupportedError as error:
        raise _UNSUPPORTED.error(protocol, str(error)) from error
    except sigv4.MalformedError as error:
        words = _MALFORMED if "authorization" in request.headers else _MALFORMED_URL
        raise words.error(protocol, str(error)) from error


def missing(protocol: str) -> AwsError:
    """What an unsigned request gets."""
    return _MISSING.error(
        protocol, "Access Denied" if protocol == "rest-xml" else "Missing Authentication Token"
    )


def find_key(signature: sigv4.Signature, identity: Identity, protocol: str) -> Key:
    """The key that signed, in time; AwsError for an unknown key, a wrong token or a time out of bounds."""
    try:
        key = identity.key(signature.access_key_id, signature.token)
    except InvalidToken as error:
        raise _TOKEN.error(protocol, str(error)) from error
    if key is None:
        s3 = "The AWS Access Key Id you provided does not exist in our records."
        other = "The security token included in the request is invalid."
        raise _UNKNOWN.error(protocol, s3 if protocol == "rest-xml" else other)
    now = datetime.now(UTC)
    if key.expires is not None and key.expires < now:
        raise _EXPIRED_TOKEN.error(protocol, "The security token included in the request is expired")
    _check_time(signature, now, protocol)
    return key


def check(request: Request, signature: sigv4.Signature, key: Key, payload_hash: str, protocol: str) -> None:
    """AwsError where the signature is not the one that `key` gives."""
    if not sigv4.matches(request, signature, key.secret, payload_hash):
        raise _WRONG.error(
            protocol,
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
        )


def check_headers(request: Request, signature: sigv4.Signature, protocol: str) -> None:
    """AwsError where a header that may change what is asked for is not covered by the signature."""
    names = ", ".join(sigv4.unsigned_headers(request, signature))
    if names and protocol == "rest-xml":
        message = "There were headers present in the request which were not signed"
        raise AwsError("AccessDenied", message, 403, HeadersNotSigned=names)
    if names:
        message = f"{names} must be a 'SignedHeader' in the AWS Authorization."
        raise _WRONG.error(protocol, message)


def _check_time(signature: sigv4.Signature, now: datetime, protocol: str) -> None:
    sent = signature.time
    if signature.presigned:
        assert signature.expires is not None
        if now > sent + timedelta(seconds=signature.expires):
            raise _EXPIRED.error(protocol, "Request has expired")
        if sent > now + sigv4.MAX_SKEW:
            raise _SKEW.error(protocol, "Request is not valid yet")
    elif abs(now - sent) > sigv4.MAX_SKEW:
        if protocol == "rest-xml":
            message = "The difference between the request time and the current time is too large."
        else:
            word = "earlier" if sent < now else "later"
            message = (
                f"Signature expired: {signature.timestamp} is now {word} than {now:%Y%m%dT%H%M%SZ} (15 min.)"
            )
        raise _SKEW.error(protocol, message)
