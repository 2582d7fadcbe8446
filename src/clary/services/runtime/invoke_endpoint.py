"""InvokeEndpoint: chooses a worker from the routes in memory, and hands the request on as it came."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clary.lifecycle import endpoint_state
from clary.ports.invoker import Reply, WorkerLost, WorkerTimeout, WorkerUnreachable
from clary.ports.routes import Route, Target
from clary.ports.world import Call
from clary.wire import arn
from clary.wire.errors import AwsError
from clary.wire.expression import problem

BODY_LIMIT = 25 * 1024 * 1024
TIMEOUT_SECONDS = 60.0
PATIENCE_SECONDS = 15.0
"""How long a call waits for a worker that is being started again: longer than most starts take."""
LOOK_SECONDS = 0.02
_REFUSED = (
    "TargetModel",
    "TargetContainerHostname",
    "InferenceComponentName",
    "SessionId",
    "PrefixAwareId",
)
_PASSED = {
    "ContentType": "content-type",
    "Accept": "accept",
    "CustomAttributes": "x-amzn-sagemaker-custom-attributes",
    "InferenceId": "x-amzn-sagemaker-inference-id",
    "EnableExplanations": "x-amzn-sagemaker-enable-explanations",
}

_outstanding: Counter[Path] = Counter()
"""Calls under way by socket. Used by the event loop's thread only."""


async def invoke_endpoint(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    for name in _REFUSED:
        if name in request:
            raise _invalid(f"{name} is not built in Clary; leave it out")
    endpoint, wish = request["EndpointName"], request.get("TargetVariant")
    wanted = request.get("EnableExplanations")
    body = await request["Body"].read(BODY_LIMIT)
    headers = {header: request[name] for name, header in _PASSED.items() if name in request}
    deadline = asyncio.get_running_loop().time() + TIMEOUT_SECONDS
    patience = deadline - TIMEOUT_SECONDS + PATIENCE_SECONDS
    while True:
        target = choose(_route(call, endpoint), wish)
        if target is not None:
            if wanted is not None:
                _check_expression(endpoint, target, wanted)
            try:
                reply = await _send(call, target, body, headers, deadline)
                return _answer(call, endpoint, target, reply)
            except WorkerUnreachable:
                # Nothing was sent: another worker may have it, or the same one when it is back.
                call.world.wake("Endpoint", endpoint)
            except WorkerTimeout as error:
                raise _timeout(call, endpoint, target) from error
            except WorkerLost as error:
                call.world.wake("Endpoint", endpoint)
                raise _lost(call, endpoint, target, error) from error
        elif wish:
            await asyncio.to_thread(_check_wish, call, endpoint, wish)
        if asyncio.get_running_loop().time() > patience:
            raise _no_worker(endpoint, wish)
        await asyncio.sleep(LOOK_SECONDS)


def choose(route: Route, wish: str | None) -> Target | None:
    """A variant by weight (or by wish), and of its workers the one with the fewest calls under way, or any.

    None where none of them is ready.
    """
    targets = [t for t in route.targets if t.variant == wish] if wish else _by_weight(route.targets)
    if not targets:
        return None
    if len(targets) == 1 or targets[0].random:
        return random.choice(targets)  # noqa: S311
    return min(targets, key=lambda target: (_outstanding[target.socket], random.random()))  # noqa: S311


def _by_weight(targets: Sequence[Target]) -> Sequence[Target]:
    weights = {target.variant: target.weight for target in targets}
    if len(weights) < 2:
        return targets
    if not any(weights.values()):
        return targets
    chosen = random.choices(list(weights), list(weights.values()))[0]  # noqa: S311
    return [target for target in targets if target.variant == chosen]


def _route(call: Call, endpoint: str) -> Route:
    route = call.world.routes.get(endpoint)
    if route is None:
        raise _invalid(f"Endpoint {endpoint} of account {call.world.account} not found.")
    if not route.targets and route.status in ("Creating", "Failed"):
        raise _invalid(
            f"Endpoint {endpoint} of account {call.world.account} is not in service: it is {route.status}. "
            "DescribeEndpoint says more."
        )
    return route


def _check_wish(call: Call, endpoint: str, wish: str) -> None:
    """Only where no worker of the variant answers is it asked whether there is such a variant."""
    record = call.world.store.get(endpoint_state.KIND, endpoint)
    live = endpoint_state.read(record).live if record else None
    names = [variant.name for variant in live.variants] if live else []
    if wish not in names:
        raise _invalid(f"Endpoint {endpoint} has no variant {wish}; it has {', '.join(names) or 'none'}")


def _check_expression(endpoint: str, target: Target, expression: str) -> None:
    if not target.explained:
        raise _invalid(
            f"EnableExplanations needs an explainer, but the configuration of endpoint {endpoint} has no "
            "ExplainerConfig"
        )
    why = problem(expression)
    if why is not None:
        raise _invalid(f"EnableExplanations {expression!r} is not a JMESPath: {why}")


async def _send(
    call: Call, target: Target, body: bytes, headers: Mapping[str, str], deadline: float
) -> Reply:
    left = deadline - asyncio.get_running_loop().time()
    _outstanding[target.socket] += 1
    try:
        return await call.world.invoker.invoke(target.socket, body, headers, left)
    finally:
        _outstanding[target.socket] -= 1
        if not _outstanding[target.socket]:
            del _outstanding[target.socket]


def _answer(call: Call, endpoint: str, target: Target, reply: Reply) -> dict[str, Any]:
    if not 200 <= reply.status < 300:
        raise _model_error(call, endpoint, target, reply.status, reply.body.decode("utf-8", "replace"))
    answer: dict[str, Any] = {
        "Body": reply.body,
        "ContentType": reply.headers.get("content-type", "application/octet-stream"),
        "InvokedProductionVariant": target.variant,
    }
    attributes = reply.headers.get("x-amzn-sagemaker-custom-attributes")
    return answer | ({"CustomAttributes": attributes} if attributes else {})


def _timeout(call: Call, endpoint: str, target: Target) -> AwsError:
    text = (
        f"Your invocation timed out while waiting for a response from container primary: no answer within "
        f"{TIMEOUT_SECONDS:g} seconds"
    )
    return _model_error(call, endpoint, target, 0, text)


def _lost(call: Call, endpoint: str, target: Target, error: Exception) -> AwsError:
    text = (
        f"The worker ended while it had the request ({error}). It is started again; its log says why it ended"
    )
    return _model_error(call, endpoint, target, 0, text)


def _model_error(call: Call, endpoint: str, target: Target, status: int, text: str) -> AwsError:
    """424, which no client tries again by itself: the model may have done its work."""
    side = "client" if 400 <= status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    message = (
        f'Received {side} error ({status}) from primary with message "{text[:1024]}". See '
        f"{call.world.url}/#/logs?group={group} in account {call.world.account} for more information."
    )
    return AwsError(
        "ModelError",
        message,
        424,
        OriginalStatusCode=status,
        OriginalMessage=text[:2048],
        LogStreamArn=arn.write("logs", call.world.region, call.world.account, f"log-group:{group}"),
    )


def _no_worker(endpoint: str, wish: str | None) -> AwsError:
    what = f"variant {wish} of endpoint {endpoint}" if wish else f"endpoint {endpoint}"
    return AwsError(
        "ServiceUnavailable", f"No worker of {what} answers now; DescribeEndpoint says why. Try again.", 503
    )


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message, 400)
