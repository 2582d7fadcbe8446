"""List requests: filters, sort and page tokens, as SageMaker's List operations name them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.ports.records import Query, Record, Store, sort_value
from clary.wire.errors import AwsError, validation

DEFAULT_PAGE = 10
_MICROS = re.compile(r"-?[0-9]{1,18}")
_TEXT = re.compile(r"[ -~]*")
_SORT = {"Name": "name", "CreationTime": "created", "LastModifiedTime": "modified", "Status": "status"}
_KNOWN = frozenset(
    {
        "NextToken",
        "MaxResults",
        "SortBy",
        "SortOrder",
        "NameContains",
        "StatusEquals",
        "CreationTimeAfter",
        "CreationTimeBefore",
        "LastModifiedTimeAfter",
        "LastModifiedTimeBefore",
    }
)


def query(
    kind: str,
    request: dict[str, Any],
    descending: bool,
    filters: Mapping[str, str],
    ignored: Mapping[str, str],
) -> Query:
    """The store's query for a List request; AwsError for a filter that is not built or a strange token."""
    unknown = request.keys() - _KNOWN - filters.keys()
    if unknown:
        name = min(unknown)
        raise validation(
            f"List{kind}s: the filter {name} is not built in Clary. {ignored.get(name, '')}".strip()
        )
    order = request.get("SortOrder")
    found = Query(
        kind=kind,
        limit=request.get("MaxResults", DEFAULT_PAGE),
        sort=_SORT[request.get("SortBy", "CreationTime")],
        descending=descending if order is None else order == "Descending",
        name_contains=request.get("NameContains"),
        statuses=[request["StatusEquals"]] if "StatusEquals" in request else None,
        created_after=request.get("CreationTimeAfter"),
        created_before=request.get("CreationTimeBefore"),
        modified_after=request.get("LastModifiedTimeAfter"),
        modified_before=request.get("LastModifiedTimeBefore"),
        matches={member: request[name] for name, member in filters.items() if name in request},
    )
    token = request.get("NextToken")
    return replace(found, after=_read_token(token, found)) if token else found


def fetch(store: Store, query: Query) -> tuple[list[Record], str | None]:
    """One page and the token of the next."""
    rows = store.query(replace(query, limit=query.limit + 1))
    if len(rows) <= query.limit:
        return rows, None
    last = rows[query.limit - 1]
    content = [query.kind, query.sort, query.descending, sort_value(last, query.sort), last.name]
    return rows[: query.limit], base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def _read_token(token: str, query: Query) -> tuple[str, str]:
    try:
        kind, sort, descending, value, name = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError, RecursionError) as error:
        raise _invalid("send the one of the page before, unchanged") from error
    if (kind, sort, descending) != (query.kind, query.sort, query.descending):
        raise _invalid("it belongs to another list, SortBy or SortOrder")
    for text, form in ((value, _MICROS if sort in ("created", "modified") else _TEXT), (name, _TEXT)):
        if not isinstance(text, str) or not form.fullmatch(text):
            raise _invalid("send the one of the page before, unchanged")
    return value, name


def _invalid(why: str) -> AwsError:
    return validation(f"Invalid NextToken: {why}")
