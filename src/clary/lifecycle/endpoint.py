"""An endpoint from its record to its workers: deploy, keep alive, exchange, take down.

The record says what shall be; the runner and the sockets say what is; each step brings the two together.
So a new server finds the workers of the one before it, and goes on with them.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from functools import partial

from clary.lifecycle import endpoint_workers, environments
from clary.lifecycle.endpoint_model import code_folder, environment, prepare
from clary.lifecycle.endpoint_state import KIND, LOG_GROUP, Crash, Deployment, State, change, read, with_crash
from clary.lifecycle.endpoint_workers import Worker, answers, put_down, surplus, workers
from clary.lifecycle.job_state import JobFailure
from clary.ports.records import NotFound, Query, Record
from clary.ports.routes import Route, Target
from clary.ports.runner import RunnerError
from clary.ports.world import World

WATCH_SECONDS = 0.5
SOON_SECONDS = 0.05
SETTLE_SECONDS = 1.0
"""Between the new routes and the end of the old workers: a call that has chosen one is under way by then."""
HANGING_GRACE_SECONDS = 1.0
MANY_CRASHES = 5
LONGEST_BACKOFF_SECONDS = 30.0
CALM_SECONDS = 60.0
"""Without a crash for so long, a failed endpoint whose workers answer is in service again."""


def resume(world: World) -> None:
    """At the server's start: every endpoint is known at once, and its workers are looked for."""
    for record in world.store.query(Query(kind=KIND, limit=100_000)):
        if record.status != "Deleting":
            world.routes.set(record.name, Route((), record.status))
        world.wake(KIND, record.name)


def step(world: World, name: str) -> float | None:
    record = world.store.get(KIND, name)
    if record is None:
        world.routes.remove(name)
        return None
    try:
        if record.status == "Deleting":
            return _take_down(world, record)
        return _tend(world, record, read(record))
    except NotFound:
        return 0.0


def _tend(world: World, record: Record, state: State) -> float | None:
    delays: list[float] = []
    if state.live is not None:
        delays.append(_keep_alive(world, record, state, state.live))
    else:
        world.routes.set(record.name, Route((), record.status))
    if state.coming is not None:
        delays.append(_advance(world, record, state.coming))
    for deployment in state.old:
        delays.append(_retire(world, record, deployment))
    return min(delays) if delays else None


# A deployment comes.


def _advance(world: World, record: Record, coming: Deployment) -> float:
    """One look at a deployment that shall serve: files, then workers, then routes."""
    try:
        if not _prepared(world, record, coming):
            return SOON_SECONDS
        ready = [_ready_first_time(world, worker) for worker in workers(record, coming)]
    except (JobFailure, RunnerError, OSError) as failure:
        _give_up(world, record, coming, str(failure))
        return 0.0
    if not all(ready):
        return SOON_SECONDS
    _promote(world, record, coming)
    return 0.0


def _prepared(world: World, record: Record, coming: Deployment) -> bool:
    done = True
    for variant in coming.variants:
        place = endpoint_workers.place(world, record, coming, variant)
        key = prepare(world, variant, place, coming.explainer)
        if key is not None:
            log = world.logs.file(LOG_GROUP.format(name=record.name), f"{variant.name}/requirements")
            code = code_folder(variant, place / "ml")
            done = environments.build(world, key, code, log, variant.network) and done
    return done


def _ready_first_time(world: World, worker: Worker) -> bool:
    """Whether it answers; JobFailure where it never will."""
    found = world.runner.look(worker.id)
    name = worker.variant.name
    if found is None or found.lost:
        world.runner.forget(worker.id)
        endpoint_workers.start(world, worker)
        return False
    if not found.running:
        raise JobFailure(
            f"The worker of production variant {name} ended before it passed the ping health check: "
            f"{endpoint_workers.why(world, worker, found)}"
        )
    if answers(world, worker):
        return True
    if endpoint_workers.age(world, worker) > worker.variant.startup_seconds:
        raise JobFailure(
            f"The worker of production variant {name} did not pass the ping health check within "
            f"{worker.variant.startup_seconds} seconds (ContainerStartupHealthCheckTimeoutInSeconds allows "
            f"more). Its log is the stream {worker.log_stream} of {LOG_GROUP.format(name=worker.record.name)}"
        )
    return False


def _promote(world: World, record: Record, coming: Deployment) -> None:
    def alter(state: State) -> State:
        if state.coming is None or state.coming.generation != coming.generation:
            return state
        gone = (replace(state.live, since=time.time()),) if state.live else ()
        return replace(state, live=coming, coming=None, old=state.old + gone)

    changed = change(world, record.name, alter, "InService", reason="")
    if changed.status != "Deleting":
        _route(world, changed, list(workers(record, coming)))


def _give_up(world: World, record: Record, coming: Deployment, why: str) -> None:
    """Back to what served before, if anything did; the reason stays in the record."""
    back = read(record).live is not None

    def alter(state: State) -> State:
        if state.coming is None or state.coming.generation != coming.generation:
            return state
        return replace(state, coming=None, old=(*state.old, coming))

    if not back:
        # Before the record says so: who has read there that it failed is told the same by a call.
        world.routes.set(record.name, Route((), "Failed"))
    undone = f"The update to {coming.config} failed and was rolled back. {why}"
    change(world, record.name, alter, "InService" if back else "Failed", reason=undone if back else why)


# A deployment serves.


def _keep_alive(world: World, record: Record, state: State, live: Deployment) -> float:
    present = world.routes.get(record.name)
    routed = {target.socket for target in present.targets} if present else set()
    delay = WATCH_SECONDS
    ready: list[Worker] = []
    for worker in workers(record, live):
        found = world.runner.look(worker.id)
        if found is not None and not found.running:
            _crashed(world, worker, endpoint_workers.why(world, worker, found))
            world.runner.forget(worker.id)
            return 0.0
        if found is None:
            delay = min(delay, _start_when_due(world, state, worker))
        elif worker.socket(world) in routed and endpoint_workers.hangs(world, worker):
            delay = SOON_SECONDS
            _end(world, worker, f"no answer to /ping for {endpoint_workers.SILENT_SECONDS:g} seconds")
        elif worker.socket(world) in routed or answers(world, worker):
            ready.append(worker)
        else:
            delay = SOON_SECONDS
            _end_if_late(world, worker)
    _route(world, record, ready)
    for worker in surplus(record, live):
        put_down(world, worker)
    _judge(world, record, state, live, ready)
    return delay


def _start_when_due(world: World, state: State, worker: Worker) -> float:
    """Start a worker that is not there, at once after its first crash, later after more of them."""
    now = time.time()
    crashes = state.recent(now, worker.deployment.generation, worker.variant.name, worker.index)
    if crashes:
        wait = crashes[-1].at + backoff(len(crashes)) - now
        if wait > 0:
            return wait
        endpoint_workers.note(world, worker, f"started again (restart {len(crashes)} in ten minutes)")
    try:
        endpoint_workers.start(world, worker)
    except (RunnerError, OSError) as error:
        _crashed(world, worker, f"it could not be started: {error}")
    return SOON_SECONDS


def backoff(crashes: int) -> float:
    """Seconds before the next start: 0, 1, 2, 4, ... 30."""
    return 0.0 if crashes < 2 else min(LONGEST_BACKOFF_SECONDS, 2.0 ** (crashes - 2))


def _end_if_late(world: World, worker: Worker) -> None:
    limit = worker.variant.startup_seconds
    if endpoint_workers.age(world, worker) > limit:
        _end(world, worker, f"no answer to /ping within {limit} seconds of its start")


def _end(world: World, worker: Worker, why: str) -> None:
    endpoint_workers.note(world, worker, f"stopped: {why}")
    world.runner.stop(worker.id, HANGING_GRACE_SECONDS)


def _crashed(world: World, worker: Worker, why: str) -> None:
    endpoint_workers.note(world, worker, f"the worker ended: {why}")
    crash = Crash(worker.deployment.generation, worker.variant.name, worker.index, time.time(), why)
    change(world, worker.record.name, partial(with_crash, crash=crash))


def _judge(world: World, record: Record, state: State, live: Deployment, ready: list[Worker]) -> None:
    """The status that the workers' health stands for, where nothing is being exchanged."""
    if state.coming is not None:
        return
    broken = _broken(state, live, {worker.variant.name for worker in ready})
    if broken is not None:
        if record.status != "Failed":
            change(world, record.name, _same, "Failed", reason=broken)
        return
    everyone = len(ready) == sum(variant.wanted for variant in live.variants)
    calm = time.time() - max((crash.at for crash in state.crashes), default=0.0) > CALM_SECONDS
    if everyone and (record.status == "Updating" or (record.status == "Failed" and calm)):
        change(world, record.name, _same, "InService", reason="")


def _broken(state: State, live: Deployment, answering: set[str]) -> str | None:
    """Why the endpoint has failed, where the workers of a variant do nothing but crash."""
    for variant in live.variants:
        crashes = state.recent(time.time(), live.generation, variant.name)
        if len(crashes) >= MANY_CRASHES and variant.name not in answering:
            return (
                f"Production variant {variant.name}: its worker ended {len(crashes)} times in ten minutes; "
                f"it is started again every {LONGEST_BACKOFF_SECONDS:g} seconds. Last: {crashes[-1].why}"
            )
    return None


def _same(state: State) -> State:
    return state


def _route(world: World, record: Record, ready: list[Worker]) -> None:
    targets = tuple(
        Target(
            worker.variant.name,
            worker.socket(world),
            worker.variant.weight,
            worker.variant.random,
            worker.deployment.explainer is not None,
        )
        for worker in ready
    )
    route = Route(targets, record.status)
    if world.routes.get(record.name) != route:
        world.routes.set(record.name, route)


# A deployment goes.


def _retire(world: World, record: Record, deployment: Deployment) -> float:
    wait = deployment.since + SETTLE_SECONDS - time.time()
    if wait > 0:
        return wait
    if not _put_all_down(world, record, deployment):
        return SOON_SECONDS
    place = endpoint_workers.folder(world, record) / str(deployment.generation)
    shutil.rmtree(place, ignore_errors=True)

    def alter(state: State) -> State:
        return replace(state, old=tuple(d for d in state.old if d.generation != deployment.generation))

    change(world, record.name, alter)
    return 0.0


def _put_all_down(world: World, record: Record, deployment: Deployment) -> bool:
    """Its workers, and what is still being installed for them; whether all are gone."""
    gone = [put_down(world, worker) for worker in surplus(record, deployment, all_of_them=True)]
    for variant in deployment.variants:
        key = environment(endpoint_workers.place(world, record, deployment, variant))
        if key is not None and not environments.ready(world.home, key):
            gone.append(environments.give_up(world, key, record.arn))
    return all(gone)


def _take_down(world: World, record: Record) -> float | None:
    world.routes.remove(record.name)
    gone = [_put_all_down(world, record, deployment) for deployment in read(record).everything()]
    if not all(gone):
        return SOON_SECONDS
    shutil.rmtree(endpoint_workers.folder(world, record), ignore_errors=True)
    world.store.delete(KIND, record.name)
    return None
