"""Page tokens of CloudWatch Logs' lists."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from clary.wire.errors import AwsError

T = TypeVar("T")


def page(
    rows: Sequence[T], name: Callable[[T], str], request: dict[str, Any], most: int
) -> tuple[Sequence[T], dict[str, str]]:
    """The rows behind the request's nextToken (the name of the last row shown), and the next token."""
    start = 0
    if token := request.get("nextToken"):
        last = read_token(token)
        start = next((i + 1 for i, row in enumerate(rows) if name(row) == last), 0)
        if start == 0:
            raise invalid_token()
    limit = min(request.get("limit", most), most)
    shown = rows[start : start + limit]
    more = start + limit < len(rows)
    return shown, {"nextToken": write_token(name(shown[-1]))} if more else {}


def write_token(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def read_token(token: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, RecursionError) as error:
        raise invalid_token() from error


def invalid_token() -> AwsError:
    return AwsError("InvalidParameterException", "The specified nextToken is invalid.")


def refuse(request: dict[str, Any], *members: str) -> None:
    """AwsError for a member that is set and means nothing here."""
    for member in members:
        if request.get(member):
            raise AwsError("InvalidParameterException", f"{member} is not built in Clary. Leave it out.")
