"""One declarative row per noun, and the operations that a record alone can answer.

What botocore's model states (members, filters, sort orders, errors, page sizes) is read from it; what AWS
does not state there is a field of the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clary.ports.records import AlreadyExists, Body, NotFound, Record, Unavailable
from clary.ports.world import Call
from clary.resources import page
from clary.wire import arn, model
from clary.wire.errors import AwsError, validation

Operation = Callable[[Call, dict[str, Any]], dict[str, Any]]
View = Callable[[Call, Record], Body]


def _as_it_is(call: Call, record: Record) -> Body:
    return {}


def _always(record: Record) -> None:
    """Nothing speaks against deleting it."""


@dataclass(frozen=True)
class Resource:
    """A noun of a service. `operations` names which of Describe, List and Delete the row answers."""

    kind: str
    path: str
    """What stands before the name in its ARN: `training-job`."""
    operations: tuple[str, ...] = ("Describe", "List", "Delete")
    service: str = "sagemaker"
    descending: bool = True
    """The order of a List that asks for none, as AWS's documentation states it for this noun."""
    view: View = field(default=_as_it_is, repr=False)
    """Members of Describe's answer that are not in the record's body."""
    before_delete: Callable[[Record], None] = field(default=_always, repr=False)
    """Raises AwsError where the record must not be deleted now."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Further filters of List: input member -> string member of the body that must be equal."""
    ignored_filters: Mapping[str, str] = field(default_factory=dict)
    """Members of List's input that cannot narrow anything here, with the reason."""
    not_found: str = ""
    """AWS's own words for a missing `{name}`, where its answer is not the error that the model declares."""
    taken: str = ""
    """AWS's own words for a name that is taken by `{arn}`."""

    @property
    def name_member(self) -> str:
        return f"{self.kind}Name"

    @property
    def arn_member(self) -> str:
        return f"{self.kind}Arn"

    @property
    def status_member(self) -> str:
        return f"{self.kind}Status"

    def arn(self, call: Call, name: str) -> str:
        return arn.write(self.service, call.world.region, call.world.account, f"{self.path}/{name}")

    def built(self) -> dict[str, Operation]:
        """Operation name -> function, for the dispatch table."""
        plural = f"{self.kind}s"
        found: dict[str, Operation] = {}
        if "Describe" in self.operations:
            found[f"Describe{self.kind}"] = self.describe
        if "List" in self.operations:
            found[f"List{plural}"] = self.list
        if "Delete" in self.operations:
            found[f"Delete{self.kind}"] = self.delete
        return found

    def create(self, call: Call, request: Body, status: str = "", **further: Any) -> Record:
        """Insert a record of a request (its Tags apart); AwsError if the name is taken."""
        name = request[self.name_member]
        now = datetime.now(UTC)
        body = {k: v for k, v in request.items() if k not in ("Tags", self.name_member)} | further
        record = Record(
            self.kind, name, self.arn(call, name), body, now, now, status, principal=call.principal.arn
        )
        try:
            call.world.store.insert(record, tags_of(request))
        except AlreadyExists as error:
            raise self._taken(record.arn) from error
        except Unavailable:
            # Perhaps it is written down, and only the database's answer was lost.
            call.world.wake(self.kind, name)
            raise
        return record

    def get(self, call: Call, name: str, operation: str | None = None) -> Record:
        """The record; AwsError in the words of `operation` (Describe's by default) where there is none."""
        record = call.world.store.get(self.kind, name)
        if record is None:
            raise self.missing(call, name, operation or f"Describe{self.kind}")
        return record

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        record = self.get(call, request[self.name_member])
        return {**self.summary(record), **self.view(call, record)}

    def list(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        operation = f"List{self.kind}s"
        query = page.query(self.kind, request, self.descending, self.filters, self.ignored_filters)
        records, token = page.fetch(call.world.store, query)
        answer: dict[str, Any] = {_list_member(self.service, operation): [self.summary(r) for r in records]}
        return answer | ({"NextToken": token} if token else {})

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        name = request[self.name_member]
        operation = f"Delete{self.kind}"
        self.before_delete(self.get(call, name, operation))
        try:
            call.world.store.delete(self.kind, name)
        except NotFound as error:
            raise self.missing(call, name, operation) from error
        call.world.wake(self.kind, name)
        return {}

    def summary(self, record: Record) -> Body:
        """The record as AWS shows it; the gateway projects it onto each answer's shape."""
        return {
            **record.body,
            self.name_member: record.name,
            self.arn_member: record.arn,
            self.status_member: record.status or None,
            "CreationTime": record.created,
            "LastModifiedTime": record.modified,
        }

    def missing(self, call: Call, name: str, operation: str) -> AwsError:
        if self.not_found:
            return validation(self.not_found.format(name=name))
        if _declares(self.service, operation, "ResourceNotFound"):
            return AwsError("ResourceNotFound", f"Requested resource not found: {self.arn(call, name)}")
        return validation(f'Could not find {self._words} "{self.arn(call, name)}".')

    def _taken(self, taken: str) -> AwsError:
        if _declares(self.service, f"Create{self.kind}", "ResourceInUse"):
            words = self.taken or "A resource with this name already exists ({arn})"
            return AwsError("ResourceInUse", words.format(arn=taken))
        return validation(f'Cannot create already existing {self._words} "{taken}".')

    @property
    def _words(self) -> str:
        return self.path.replace("endpoint-config", "endpoint configuration").replace("-", " ")


def tags_of(request: Body) -> dict[str, str]:
    """A request's Tags as a dict; AwsError for a key twice or a reserved one."""
    found: dict[str, str] = {}
    for tag in request.get("Tags") or ():
        if tag["Key"] in found:
            raise validation(f"Tag keys must be unique: {tag['Key']!r} is there twice")
        if tag["Key"].lower().startswith("aws:"):
            raise validation("Tag keys that start with 'aws:' are reserved")
        found[tag["Key"]] = tag["Value"]
    return found


def _declares(service: str, operation: str, error: str) -> bool:
    found = model.operation(service, operation)
    return found is not None and any(shape.name == error for shape in found.error_shapes)


def _list_member(service: str, operation: str) -> str:
    found = model.operation(service, operation)
    assert found is not None
    return next(name for name, m in model.members(found.output_shape).items() if m.type_name == "list")
