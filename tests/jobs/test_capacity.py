"""Who may start: hand-computed cases and what must always hold."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from clary.lifecycle.capacity import Claim, next_ones
from clary.lifecycle.instances import memory_mib, vcpus
from jobs.conftest import jobs_of, wait
from running import Clary, free_port


def claim(name: str, principal: str, cores: int, held: bool = False, order: float = 0.0) -> Claim:
    return Claim("TrainingJob", name, principal, cores, held, order)


def names(found: list[Claim], cores: int) -> list[str]:
    return [admitted.name for admitted in next_ones(found, cores)]


def test_what_fits_starts_and_the_rest_waits() -> None:
    waiting = [claim("a", "p", 2, order=1), claim("b", "p", 2, order=2), claim("c", "p", 2, order=3)]
    assert names(waiting, 4) == ["a", "b"]
    assert names([claim("x", "p", 3, held=True), *waiting], 4) == []


def test_principals_take_turns() -> None:
    many = [claim(f"a{i}", "ann", 1, order=i) for i in range(4)]
    assert names([*many, claim("b0", "bob", 1, order=10)], 2) == ["a0", "b0"]
    held = [claim("h", "ann", 1, held=True, order=5)]
    assert names([*held, *many, claim("b0", "bob", 1, order=10)], 2) == ["b0"]


def test_equal_holders_take_turns_by_their_last_grant() -> None:
    held = [claim("h1", "ann", 1, held=True, order=5), claim("h2", "bob", 1, held=True, order=4)]
    assert names([*held, claim("a", "ann", 1, order=1), claim("b", "bob", 1, order=2)], 3) == ["b"]


def test_a_large_job_is_not_passed_by_small_ones() -> None:
    held = [claim("h", "cat", 2, held=True)]
    assert names([*held, claim("large", "ann", 4, order=1), claim("small", "bob", 1, order=2)], 4) == []


def test_a_machine_that_lost_cores_still_runs_what_was_asked_before() -> None:
    assert names([claim("a", "p", 16)], 2) == ["a"]


claims = st.lists(
    st.builds(
        claim,
        name=st.uuids().map(str),
        principal=st.sampled_from("abc"),
        cores=st.integers(1, 8),
        held=st.booleans(),
        order=st.floats(0, 100),
    ),
    max_size=12,
)


@given(found=claims, cores=st.integers(1, 8))
def test_never_more_than_there_is_and_never_nobody_on_an_idle_machine(found: list[Claim], cores: int) -> None:
    admitted = next_ones(found, cores)
    used = sum(each.cores for each in found if each.held)
    assert sum(min(each.cores, cores) for each in admitted) <= max(0, cores - used)
    if not used and any(not each.held for each in found):
        assert admitted


def test_instance_types() -> None:
    assert [
        vcpus(f"ml.{t}") for t in ("t3.medium", "m5.large", "m5.xlarge", "c5.18xlarge", "p4d.24xlarge")
    ] == [
        2,
        2,
        4,
        72,
        96,
    ]
    assert memory_mib("ml.m5.xlarge") == 16 * 1024
    assert memory_mib("ml.c5.xlarge") == 8 * 1024
    assert memory_mib("ml.r5.large") == 16 * 1024


def test_cpus_of_the_start_bound_what_jobs_hold_together(tmp_path: Path) -> None:
    clary = Clary(tmp_path / "home", free_port(), ("--cpus", "1"))
    clary.start()
    try:
        jobs = jobs_of(clary)
        text = "import os, time\nprint('cores:', os.environ['SM_NUM_CPUS'], flush=True)\ntime.sleep(60)"
        first = jobs.train(jobs.script(text))
        jobs.logged(first, "cores: 1")
        second = jobs.train(jobs.script("print('second')"))
        waiting = wait(lambda: (d := jobs.describe(second))["SecondaryStatus"] == "Pending" and d)
        assert (
            f"1 of the 1 cores for jobs, and 1 are in use by {first}"
            in (waiting["SecondaryStatusTransitions"][-1]["StatusMessage"])
        )
        jobs.sagemaker.stop_training_job(TrainingJobName=first)
        assert jobs.end(second)["TrainingJobStatus"] == "Completed"
    finally:
        clary.stop()
