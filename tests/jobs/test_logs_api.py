"""CloudWatch Logs over a job's real log."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from jobs.conftest import TRAINING_LOGS, Jobs


@pytest.fixture(scope="module")
def job(jobs: Jobs) -> str:
    request = jobs.script("for i in range(25): print('line', i, 'odd' if i % 2 else 'even number')")
    jobs.run(request)
    return str(request["TrainingJobName"])


def stream(jobs: Jobs, job: str) -> str:
    found = jobs.logs.describe_log_streams(logGroupName=TRAINING_LOGS, logStreamNamePrefix=f"{job}/")
    assert len(found["logStreams"]) == 1
    return str(found["logStreams"][0]["logStreamName"])


def test_forwards_in_pages_until_the_same_token_comes_back(jobs: Jobs, job: str) -> None:
    place = {"logGroupName": TRAINING_LOGS, "logStreamName": stream(jobs, job)}
    seen: list[str] = []
    page = jobs.logs.get_log_events(**place, startFromHead=True, limit=10)
    while True:
        seen += [event["message"] for event in page["events"]]
        following = jobs.logs.get_log_events(**place, nextToken=page["nextForwardToken"], limit=10)
        if following["nextForwardToken"] == page["nextForwardToken"]:
            assert following["events"] == []
            break
        page = following
    assert [line.split()[1] for line in seen[1:]] == [str(i) for i in range(25)]


def test_backwards_from_the_end(jobs: Jobs, job: str) -> None:
    place = {"logGroupName": TRAINING_LOGS, "logStreamName": stream(jobs, job)}
    last = jobs.logs.get_log_events(**place, limit=5)
    assert [event["message"].split()[1] for event in last["events"]] == ["20", "21", "22", "23", "24"]
    before = jobs.logs.get_log_events(**place, nextToken=last["nextBackwardToken"], limit=100)
    assert [event["message"].split()[1] for event in before["events"]][1:] == [str(i) for i in range(20)]
    first = jobs.logs.get_log_events(**place, nextToken=before["nextBackwardToken"])
    assert first["events"] == []
    assert first["nextBackwardToken"] == before["nextBackwardToken"]
    again = jobs.logs.get_log_events(**place, nextToken=before["nextForwardToken"], limit=100)
    assert [event["message"] for event in again["events"]] == [event["message"] for event in last["events"]]


def test_times_are_a_window(jobs: Jobs, job: str) -> None:
    place: dict[str, Any] = {"logGroupName": TRAINING_LOGS, "logStreamName": stream(jobs, job)}
    events = jobs.logs.get_log_events(**place, startFromHead=True)["events"]
    start, end = events[0]["timestamp"], events[-1]["timestamp"]
    assert jobs.logs.get_log_events(**place, startTime=end + 1)["events"] == []
    within = jobs.logs.get_log_events(**place, startTime=start, endTime=end + 1, startFromHead=True)["events"]
    assert within == events


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("odd", 12),
        ('"even number"', 13),
        ("line -odd", 13),
        ("?odd ?even", 25),
        ('"line 1"', 11),
        ("nothing", 0),
        ("", 26),
    ],
)
def test_filters(jobs: Jobs, job: str, pattern: str, count: int) -> None:
    pages = jobs.logs.get_paginator("filter_log_events").paginate(
        logGroupName=TRAINING_LOGS, logStreamNamePrefix=f"{job}/", filterPattern=pattern,
        PaginationConfig={"PageSize": 7},
    )  # fmt: skip
    found = [event for page in pages for event in page["events"]]
    assert len(found) == count
    assert len({event["eventId"] for event in found}) == count
    assert all(event["logStreamName"].startswith(f"{job}/") for event in found)


def test_groups_and_streams(jobs: Jobs, job: str) -> None:
    groups = jobs.logs.describe_log_groups(logGroupNamePrefix="/aws/sagemaker/Training")["logGroups"]
    assert [group["logGroupName"] for group in groups] == [TRAINING_LOGS]
    pages = jobs.logs.get_paginator("describe_log_streams").paginate(
        logGroupName=TRAINING_LOGS, orderBy="LastEventTime", descending=True, PaginationConfig={"PageSize": 1}
    )
    streams = [each for page in pages for each in page["logStreams"]]
    times = [each["lastEventTimestamp"] for each in streams if "lastEventTimestamp" in each]
    assert times == sorted(times, reverse=True)
    assert stream(jobs, job) in [each["logStreamName"] for each in streams]


def test_what_is_not_there_and_what_is_not_built(jobs: Jobs, job: str) -> None:
    with pytest.raises(jobs.logs.exceptions.ResourceNotFoundException):
        jobs.logs.describe_log_streams(logGroupName="/none")
    with pytest.raises(jobs.logs.exceptions.ResourceNotFoundException):
        jobs.logs.get_log_events(logGroupName=TRAINING_LOGS, logStreamName="none")
    with pytest.raises(jobs.logs.exceptions.InvalidParameterException):
        jobs.logs.get_log_events(
            logGroupName=TRAINING_LOGS, logStreamName=stream(jobs, job), nextToken="strange"
        )
    with pytest.raises(jobs.logs.exceptions.InvalidParameterException, match="words and quoted phrases"):
        jobs.logs.filter_log_events(logGroupName=TRAINING_LOGS, filterPattern='{ $.a = "b" }')
    with pytest.raises(ClientError, match="not built"):
        jobs.logs.create_log_group(logGroupName="/mine")
