"""What DescribeEndpoint tells of an endpoint's variants: how many workers answer, and who crashed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from clary.lifecycle import endpoint_state
from clary.lifecycle.endpoint_state import Deployment, State, Variant
from clary.ports.records import Record
from clary.ports.world import Call

MESSAGE_LIMIT = 1024


def view(call: Call, record: Record) -> dict[str, Any]:
    state = endpoint_state.read(record)
    route = call.world.routes.get(record.name)
    ready = [target.variant for target in route.targets] if route else []
    found: dict[str, Any] = {}
    if state.shown is not None:
        found["ProductionVariants"] = [
            _variant(record, state, state.shown, variant, ready.count(variant.name) if state.live else 0)
            for variant in state.shown.variants
        ]
        if state.shown.explainer is not None:
            found["ExplainerConfig"] = dict(state.shown.explainer)
    if state.live is not None and state.coming is not None:
        found["PendingDeploymentSummary"] = {
            "EndpointConfigName": state.coming.config,
            "ProductionVariants": [
                _variant(record, state, state.coming, variant, 0) | {"InstanceType": variant.instance_type}
                for variant in state.coming.variants
            ],
            "StartTime": record.modified,
        }
    return found


def _variant(
    record: Record, state: State, deployment: Deployment, variant: Variant, ready: int
) -> dict[str, Any]:
    image = {
        "SpecifiedImage": variant.image,
        "ResolvedImage": variant.image,
        "ResolutionTime": record.created,
    }
    shown: dict[str, Any] = {
        "VariantName": variant.name,
        "DeployedImages": [image],
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.weight,
        "CurrentInstanceCount": ready,
        "DesiredInstanceCount": variant.count,
    }
    if variant.random:
        shown["RoutingConfig"] = {"RoutingStrategy": "RANDOM"}
    status = _status(record, state, deployment, variant, ready)
    return shown | ({"VariantStatus": [status]} if status else {})


def _status(
    record: Record, state: State, deployment: Deployment, variant: Variant, ready: int
) -> dict[str, Any] | None:
    """None for a variant with nothing to tell."""
    crashes = state.recent(time.time(), deployment.generation, variant.name)
    words = []
    if crashes:
        count = f"{len(crashes)} times" if len(crashes) > 1 else "once"
        words.append(
            f"A worker ended {count} in the last ten minutes and was started again; {crashes[-1].why}."
        )
    if variant.count > variant.wanted:
        words.append(
            f"{variant.wanted} of the {variant.count} instances asked for are run: this machine has "
            f"{variant.wanted} cores."
        )
    if deployment is state.coming:
        code = "Creating"
    elif record.status == "Deleting":
        code = "Deleting"
    elif ready < variant.wanted:
        code = "Updating"
        words.insert(0, f"{ready} of {variant.wanted} workers answer.")
    elif words:
        code = "Baking"
    else:
        return None
    since = datetime.fromtimestamp(crashes[-1].at, UTC) if crashes else record.modified
    message = {"StatusMessage": " ".join(words)[:MESSAGE_LIMIT]} if words else {}
    return {"Status": code, "StartTime": since, **message}
