"""The house's own roles. Roles and policies of the user's making are not built yet."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from clary.ports.identity import EXECUTION_ROLE, STUDIO_ROLE
from clary.ports.world import Call
from clary.wire.errors import AwsError

T = TypeVar("T")
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def get_role(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    name = request["RoleName"]
    if name not in (EXECUTION_ROLE, STUDIO_ROLE):
        raise AwsError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
    return {"Role": _role(call, name)}


def list_roles(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    names = [EXECUTION_ROLE, STUDIO_ROLE] if request.get("PathPrefix", "/") == "/" else []
    shown, more = _page(names, request)
    return {"Roles": [_role(call, name) for name in shown], **more}


def simulate_principal_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Every principal of the house may do everything until policies are built, and that is what is told."""
    resources = request.get("ResourceArns") or ["*"]
    results = [
        {"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": "allowed"}
        for action in request["ActionNames"]
        for resource in resources
    ]
    shown, more = _page(results, request)
    return {"EvaluationResults": shown, **more}


def _page(rows: list[T], request: dict[str, Any]) -> tuple[list[T], dict[str, Any]]:
    """The rows behind Marker, which is how many were shown."""
    marker, most = request.get("Marker", "0"), request.get("MaxItems", 100)
    if not re.fullmatch(r"[0-9]{1,9}", marker):
        raise AwsError("ValidationError", "Invalid Marker: send the one of the page before, unchanged")
    start = int(marker)
    end = start + most
    more = {"IsTruncated": True, "Marker": str(end)} if end < len(rows) else {"IsTruncated": False}
    return rows[start:end], more


def _role(call: Call, name: str) -> dict[str, Any]:
    return {
        "Path": "/",
        "RoleName": name,
        "RoleId": f"AROA{name.upper()[:16]:A<16}",
        "Arn": f"arn:aws:iam::{call.world.account}:role/{name}",
        "CreateDate": datetime.fromtimestamp((call.world.home / "credentials.json").stat().st_mtime, UTC),
        "AssumeRolePolicyDocument": quote(json.dumps(_TRUST)),
        "MaxSessionDuration": 43200,
    }
