"""Who am I, and temporary credentials."""

from __future__ import annotations

import re
from typing import Any

from clary.ports.identity import STUDIO_ROLE, Credentials, InvalidToken
from clary.ports.world import Call
from clary.wire.errors import AwsError

HOUR = 3600
DAY = 24 * HOUR
_ROLE = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/[\w+=,.@/-]+", re.ASCII)
_ASSUME_ROLE = (
    "Policy", "PolicyArns", "Tags", "TransitiveTagKeys", "SerialNumber", "TokenCode", "SourceIdentity",
    "ProvidedContexts",
)  # fmt: skip


def get_caller_identity(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    who = call.principal
    return {"UserId": who.user_id, "Account": who.account, "Arn": who.arn}


def assume_role(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    _refuse(request, "AssumeRole", _ASSUME_ROLE)
    if not _ROLE.fullmatch(request["RoleArn"]):
        raise AwsError("ValidationError", f"{request['RoleArn']} is invalid: it is not the ARN of a role")
    return _session(call, request["RoleArn"], request)


def assume_role_with_web_identity(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """The Studio's sign-in: the token is the one of the link that `clary up` and `clary link` print."""
    _refuse(request, "AssumeRoleWithWebIdentity", ("Policy", "PolicyArns", "ProviderId"))
    try:
        call.world.identity.redeem(request["WebIdentityToken"])
    except InvalidToken as error:
        raise AwsError("InvalidIdentityToken", str(error)) from error
    # Whatever role is asked for: a sign-in link is good for the Studio's and no other.
    role = f"arn:aws:iam::{call.world.account}:role/{STUDIO_ROLE}"
    return _session(call, role, {"DurationSeconds": 12 * HOUR, **request})


def get_session_token(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    _refuse(request, "GetSessionToken", ("SerialNumber", "TokenCode"))
    role, _, session = call.principal.arn.rpartition(":")[2].removeprefix("assumed-role/").partition("/")
    seconds = request.get("DurationSeconds", 12 * HOUR)
    return {"Credentials": _written(call.world.identity.assume(f"role/{role}", session or role, seconds))}


def _session(call: Call, role_arn: str, request: dict[str, Any]) -> dict[str, Any]:
    seconds = request.get("DurationSeconds", HOUR)
    if not 900 <= seconds <= DAY:
        raise AwsError("ValidationError", "DurationSeconds must be between 900 and 86400")
    session = request["RoleSessionName"]
    made = call.world.identity.assume(role_arn, session, seconds)
    key = call.world.identity.key(made.access_key_id, made.session_token)
    assert key is not None
    user = {"AssumedRoleId": key.principal.user_id, "Arn": key.principal.arn}
    return {"Credentials": _written(made), "AssumedRoleUser": user}


def _written(made: Credentials) -> dict[str, Any]:
    return {
        "AccessKeyId": made.access_key_id,
        "SecretAccessKey": made.secret_access_key,
        "SessionToken": made.session_token,
        "Expiration": made.expires,
    }


def _refuse(request: dict[str, Any], operation: str, names: tuple[str, ...]) -> None:
    for name in names:
        if request.get(name):
            raise AwsError("NotImplemented", f"sts:{operation}: {name} is not built in Clary", 501)
