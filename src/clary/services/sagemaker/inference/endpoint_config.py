"""Endpoint configurations: which models, on how many workers, with which share of the traffic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.ports.world import Call
from clary.resources.resource import Resource
from clary.services.sagemaker.inference import explainer, model, refuse
from clary.wire.errors import validation

ENDPOINT_CONFIG = Resource("EndpointConfig", "endpoint-config")
LEAST, RANDOM = "LEAST_OUTSTANDING_REQUESTS", "RANDOM"
_CONFIG = (
    "ShadowProductionVariants",
    "AsyncInferenceConfig",
    "VpcConfig",
    "KmsKeyId",
    "MetricsConfig",
    "CrossRegionTrafficConfig",
)
_VARIANT = (
    "ServerlessConfig",
    "InstancePools",
    "VariantInstanceProvisionTimeoutInSeconds",
    "AcceleratorType",
    "CoreDumpConfig",
    "EnableSSMAccess",
    "InferenceAmiVersion",
    "CapacityReservationConfig",
    "AcceleratorPartitionLayouts",
)


def create_endpoint_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    what = "CreateEndpointConfig"
    refuse.members(what, request, *_CONFIG)
    capture = request.get("DataCaptureConfig") or {}
    if capture.get("EnableCapture", bool(capture)):
        refuse.members(what, request, "DataCaptureConfig")
    explainer.check(what, request.get("ExplainerConfig") or {})
    variants = request["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise validation(f"{what}: the VariantNames must be unique: {', '.join(names)}")
    for variant in variants:
        _check(call, what, variant)
    if not any(weight(variant) for variant in variants):
        raise validation(f"{what}: one InitialVariantWeight at least must be more than 0")
    complete = [{"InitialVariantWeight": 1.0, **variant} for variant in variants]
    body = {"EnableNetworkIsolation": False, **request, "ProductionVariants": complete}
    return {"EndpointConfigArn": ENDPOINT_CONFIG.create(call, body).arn}


def random(variant: Mapping[str, Any]) -> bool:
    """Whether a worker is drawn, instead of the one with the fewest calls under way."""
    return (variant.get("RoutingConfig") or {}).get("RoutingStrategy") == RANDOM


def weight(variant: Mapping[str, Any]) -> float:
    return float(variant.get("InitialVariantWeight", 1.0))


def _check(call: Call, what: str, variant: Mapping[str, Any]) -> None:
    refuse.members(what, variant, *_VARIANT)
    if (variant.get("ManagedInstanceScaling") or {}).get("Status") == "ENABLED":
        refuse.members(what, variant, "ManagedInstanceScaling")
    routing = variant.get("RoutingConfig") or {}
    if routing.get("RoutingStrategy", LEAST) not in (LEAST, RANDOM):
        strategy = routing["RoutingStrategy"]
        raise validation(f"{what}: RoutingStrategy {strategy} is not built in Clary; leave RoutingConfig out")
    refuse.members(what, routing, "PrefixAwareRoutingConfig")
    name = variant["VariantName"]
    if not variant.get("ModelName"):
        raise validation(
            f"{what}: variant {name} has no ModelName; inference components are not built in Clary"
        )
    if not variant.get("InstanceType") or not variant.get("InitialInstanceCount"):
        raise validation(f"{what}: variant {name} needs InstanceType and InitialInstanceCount")
    if call.world.store.get(model.MODEL.kind, variant["ModelName"]) is None:
        raise model.MODEL.missing(call, variant["ModelName"], what)
