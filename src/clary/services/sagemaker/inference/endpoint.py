"""Endpoints: what CreateEndpoint and its like write down for the lifecycle to carry out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from clary.lifecycle import endpoint_state
from clary.lifecycle.endpoint_state import Deployment, State, Variant
from clary.ports.records import NotFound, Record
from clary.ports.routes import Route
from clary.ports.world import Call
from clary.resources.resource import Resource
from clary.services.sagemaker.inference import endpoint_config, endpoint_view, model, refuse
from clary.wire.errors import AwsError, validation

ENDPOINT = Resource("Endpoint", "endpoint", ("Describe", "List"), view=endpoint_view.view)
_AT_REST = ("InService", "Failed")


def create_endpoint(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.members("CreateEndpoint", request, "DeploymentConfig")
    config = request["EndpointConfigName"]
    state = State(generation=1, coming=_deployment(call, config, "CreateEndpoint"))
    record = ENDPOINT.create(call, request, "Creating", **endpoint_state.body(state))
    call.world.routes.set(record.name, Route((), "Creating"))
    call.world.wake(ENDPOINT.kind, record.name)
    return {"EndpointArn": record.arn}


def update_endpoint(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    what = "UpdateEndpoint"
    refuse.members(what, request, "DeploymentConfig", "RetainDeploymentConfig")
    fresh = _deployment(call, request["EndpointConfigName"], what)
    excluded = {item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties") or ()}

    def alter(state: State) -> State:
        kept = (
            _retained(fresh.variants, state.live, excluded)
            if request.get("RetainAllVariantProperties")
            else fresh.variants
        )
        generation = state.generation + 1
        return replace(
            state, generation=generation, coming=replace(fresh, generation=generation, variants=kept)
        )

    return _updating(call, request["EndpointName"], what, alter)


def update_endpoint_weights_and_capacities(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    what = "UpdateEndpointWeightsAndCapacities"
    asked = request["DesiredWeightsAndCapacities"]
    wishes = {wish["VariantName"]: wish for wish in asked}
    if len(wishes) < len(asked):
        raise validation(f"{what}: the VariantNames must be unique")
    for wish in wishes.values():
        refuse.members(what, wish, "ServerlessUpdateConfig")

    def alter(state: State) -> State:
        if state.live is None:
            raise validation(
                f"{what}: the endpoint has nothing in service; update it to a configuration that works"
            )
        variants = tuple(_rescaled(variant, wishes.get(variant.name, {})) for variant in state.live.variants)
        strange = wishes.keys() - {variant.name for variant in variants}
        if strange:
            raise validation(f"{what}: the endpoint has no variant {min(strange)!r}")
        if not any(variant.weight for variant in variants):
            raise validation(f"{what}: one DesiredWeight at least must be more than 0")
        return replace(state, live=replace(state.live, variants=variants))

    return _updating(call, request["EndpointName"], what, alter)


def delete_endpoint(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """At any time: also while it is being created or updated, which AWS refuses."""
    name = request["EndpointName"]
    record = ENDPOINT.get(call, name, "DeleteEndpoint")

    def apply(present: Record) -> Record:
        return replace(present, status="Deleting", modified=datetime.now(UTC))

    if record.status != "Deleting":
        try:
            call.world.store.update(ENDPOINT.kind, name, apply)
        except NotFound as error:
            raise ENDPOINT.missing(call, name, "DeleteEndpoint") from error
    call.world.routes.remove(name)
    call.world.wake(ENDPOINT.kind, name)
    return {}


def _updating(call: Call, name: str, what: str, alter: Any) -> dict[str, Any]:
    def apply(record: Record) -> Record:
        if record.status not in _AT_REST:
            raise validation(f'Cannot update in-progress endpoint "{record.arn}".')
        changed = {**record.body, **endpoint_state.body(alter(endpoint_state.read(record)))}
        changed.pop("FailureReason", None)
        return replace(record, body=changed, status="Updating", modified=datetime.now(UTC))

    try:
        record = call.world.store.update(ENDPOINT.kind, name, apply)
    except NotFound as error:
        raise ENDPOINT.missing(call, name, what) from error
    call.world.wake(ENDPOINT.kind, name)
    return {"EndpointArn": record.arn}


def _deployment(call: Call, config: str, what: str) -> Deployment:
    """The configuration with its models, as they are now: later changes do not reach it."""
    found = call.world.store.get(endpoint_config.ENDPOINT_CONFIG.kind, config)
    if found is None:
        raise endpoint_config.ENDPOINT_CONFIG.missing(call, config, what)
    isolated = bool(found.body.get("EnableNetworkIsolation"))
    variants = tuple(_variant(call, variant, isolated, what) for variant in found.body["ProductionVariants"])
    return Deployment(1, config, variants, explainer=found.body.get("ExplainerConfig") or None)


def _variant(call: Call, asked: Mapping[str, Any], isolated: bool, what: str) -> Variant:
    name = asked["ModelName"]
    found = call.world.store.get(model.MODEL.kind, name)
    if found is None:
        raise model.MODEL.missing(call, name, what)
    container = model.primary(found.body)
    return Variant(
        name=asked["VariantName"],
        model=name,
        image=container["Image"],
        instance_type=asked["InstanceType"],
        count=asked["InitialInstanceCount"],
        weight=endpoint_config.weight(asked),
        source=model.data_source(container),
        environment=container.get("Environment") or {},
        network=not (isolated or found.body.get("EnableNetworkIsolation")),
        random=endpoint_config.random(asked),
        startup_seconds=asked.get(
            "ContainerStartupHealthCheckTimeoutInSeconds", endpoint_state.STARTUP_SECONDS
        ),
    )


def _retained(
    variants: tuple[Variant, ...], live: Deployment | None, excluded: set[str]
) -> tuple[Variant, ...]:
    before = {variant.name: variant for variant in live.variants} if live else {}
    return tuple(
        replace(
            variant,
            weight=variant.weight if "DesiredWeight" in excluded else before[variant.name].weight,
            count=variant.count if "DesiredInstanceCount" in excluded else before[variant.name].count,
        )
        if variant.name in before
        else variant
        for variant in variants
    )


def _rescaled(variant: Variant, wish: Mapping[str, Any]) -> Variant:
    count = wish.get("DesiredInstanceCount", variant.count)
    if count < 1:
        raise AwsError(
            "ValidationException", "DesiredInstanceCount must be 1 or more: zero workers cannot answer"
        )
    return replace(
        variant,
        count=count,
        weight=float(wish.get("DesiredWeight", variant.weight)),
        highest=max(variant.highest, variant.wanted),
    )
