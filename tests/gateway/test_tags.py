"""Tags: on creation and later, their limits, and what becomes of them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def tags(**pairs: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def many(count: int) -> list[dict[str, str]]:
    return tags(**{f"key{number}": "x" for number in range(count)})


@pytest.fixture
def sagemaker(clary: Any) -> Any:
    return clary.client("sagemaker")


def model(clary: Any, **further: Any) -> str:
    """The ARN of a new one."""
    made = clary.client("sagemaker").create_model(
        ModelName=f"tags-{uuid.uuid4().hex[:12]}",
        PrimaryContainer={"Image": IMAGE},
        ExecutionRoleArn=clary.role,
        **further,
    )
    return str(made["ModelArn"])


def listed(sagemaker: Any, arn: str) -> dict[str, str]:
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def test_on_creation_and_later(clary: Any, sagemaker: Any) -> None:
    arn = model(clary, Tags=tags(team="a", größe="ü:/=+-@ 1", empty=""))
    assert listed(sagemaker, arn) == {"team": "a", "größe": "ü:/=+-@ 1", "empty": ""}
    added = sagemaker.add_tags(ResourceArn=arn, Tags=tags(team="b", more="c"))
    assert {tag["Key"]: tag["Value"] for tag in added["Tags"]} == listed(sagemaker, arn)
    assert listed(sagemaker, arn)["team"] == "b"
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team", "never-there"])
    assert listed(sagemaker, arn).keys() == {"größe", "empty", "more"}


def test_fifty_at_most(clary: Any, sagemaker: Any) -> None:
    arn = model(clary, Tags=many(50))
    sagemaker.add_tags(ResourceArn=arn, Tags=tags(key7="changed"))
    assert len(listed(sagemaker, arn)) == 50
    with pytest.raises(ClientError, match=r"ValidationException.*50 tags"):
        sagemaker.add_tags(ResourceArn=arn, Tags=tags(another="x"))
    with pytest.raises(ClientError, match=r"ValidationException.*tags.*length less than or equal to 50"):
        model(clary, Tags=many(51))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ([{"Key": "aws:mine", "Value": "x"}], "'aws:' are reserved"),
        ([{"Key": "AWS:mine", "Value": "x"}], "'aws:' are reserved"),
        ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "'a' is there twice"),
        ([{"Key": "a" * 129, "Value": "1"}], "length less than or equal to 128"),
        ([{"Key": "a", "Value": "1" * 257}], "length less than or equal to 256"),
        ([{"Key": "a<b>", "Value": "1"}], "regular expression pattern"),
    ],
)
def test_tags_that_are_none(clary: Any, sagemaker: Any, wrong: list[dict[str, str]], words: str) -> None:
    arn = model(clary)
    for attempt in (
        lambda: model(clary, Tags=wrong),
        lambda: sagemaker.add_tags(ResourceArn=arn, Tags=wrong),
    ):
        with pytest.raises(ClientError, match=words) as error:
            attempt()
        assert error.value.response["Error"]["Code"] == "ValidationException"
    assert listed(sagemaker, arn) == {}


def test_of_what_is_not_there(clary: Any, sagemaker: Any) -> None:
    arn = model(clary)
    calls = (
        lambda arn: sagemaker.list_tags(ResourceArn=arn),
        lambda arn: sagemaker.add_tags(ResourceArn=arn, Tags=tags(a="b")),
        lambda arn: sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a"]),
    )
    for wrong in (f"{arn}x", arn.replace(":model/", ":endpoint/"), arn.replace("us-east-1", "eu-west-1")):
        for call in calls:
            with pytest.raises(ClientError, match=r"ValidationException.*Could not find"):
                call(wrong)
    for wrong in ("x", "arn:aws:s3:::bucket"):
        for call in calls:
            with pytest.raises(ClientError, match=r"ValidationException.*resourceArn.*pattern"):
                call(wrong)


def test_they_go_with_their_resource(clary: Any, sagemaker: Any) -> None:
    arn = model(clary, Tags=tags(a="b"))
    name = arn.rpartition("/")[2]
    sagemaker.delete_model(ModelName=name)
    with pytest.raises(ClientError, match="Could not find"):
        sagemaker.list_tags(ResourceArn=arn)
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=clary.role)
    assert listed(sagemaker, arn) == {}
