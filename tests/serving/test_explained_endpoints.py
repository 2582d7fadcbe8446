"""Online explainability as boto3 sees it: predictions with attributions from an endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from botocore.exceptions import ClientError
from explained_house import SEED, Census, Explaining, attributions, csv, explainer, json_lines
from serving_house import BUCKET, kill_workers

from clary import clarify

JSON_LINES = {"ContentType": "application/jsonlines", "Accept": "application/jsonlines"}


@pytest.fixture(scope="module")
def census() -> Census:
    return Census.read()


@pytest.fixture(scope="module")
def serving(clary: Any, census: Census) -> Iterator[Explaining]:
    found = Explaining(clary)
    found.model("booster", census.booster_archive())
    found.model("people", census.script_archive())
    yield found
    for endpoint in found.sagemaker.list_endpoints(MaxResults=100)["Endpoints"]:
        found.delete(endpoint["EndpointName"])


@pytest.fixture(scope="module")
def booster(serving: Explaining, census: Census) -> str:
    """XGBoost against the mean person; every feature has a name."""
    names = census.numbers.columns.tolist()
    baseline = csv(census.numbers.mean().to_frame().T)
    serving.explained("booster", "booster", explainer(baseline, inference={"FeatureHeaders": names}))
    return "booster"


@pytest.fixture(scope="module")
def people(serving: Explaining, census: Census) -> str:
    """A script against three people, in S3."""
    serving.s3.put_object(Bucket=BUCKET, Key="baseline.csv", Body=csv(census.people.head(3)))
    config = explainer(
        None,
        inference={
            "ProbabilityIndex": 1,
            "FeaturesAttribute": "person",
            "ContentTemplate": '{"person":$features}',
            "ProbabilityAttribute": "chance",
            "LabelAttribute": "names",
        },
        NumberOfSamples=500,
        ShapBaselineConfig={"ShapBaselineUri": f"s3://{BUCKET}/baseline.csv"},
    )
    serving.explained("people", "people", config | {"EnableExplanations": "`true`"})
    return "people"


def error(call: Any, *arguments: Any, **members: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **members)
    return dict(caught.value.response)


def test_a_prediction_comes_with_what_each_feature_adds(
    serving: Explaining, booster: str, census: Census
) -> None:
    rows = census.numbers.iloc[:3]
    found = serving.answer(booster, csv(rows))
    assert found.keys() == {"version", "predictions", "explanations"}
    assert found["version"] == "1.0"
    scores = census.booster.inplace_predict(rows.to_numpy())
    assert found["predictions"]["content_type"] == "text/csv"
    assert found["predictions"]["data"] == ",".join(map(str, scores.tolist()))
    mean = census.numbers.mean().to_frame().T
    expected = census.booster.inplace_predict(mean.to_numpy())[0]
    for explanation, score, at in zip(found["explanations"]["kernel_shap"], scores, range(3), strict=True):
        assert [feature["feature_header"] for feature in explanation] == list(rows.columns)
        assert all(feature.keys() == {"feature_header", "attributions"} for feature in explanation)
        values = attributions(explanation)
        assert values.sum() + expected == pytest.approx(score, abs=1e-6)
        same = clarify.explain(
            rows.iloc[at : at + 1],
            lambda frame: census.booster.inplace_predict(frame.to_numpy(dtype=float)),
            clarify.Shap(baseline=mean, seed=SEED),
        )
        assert values == pytest.approx(same.values[0], abs=1e-9)


def test_the_expected_value_is_the_baselines_prediction(
    serving: Explaining, booster: str, census: Census
) -> None:
    """As AWS's notebook asks for it, without Accept."""
    mean = census.numbers.mean().to_frame().T
    answer = serving.runtime.invoke_endpoint(
        EndpointName=booster, ContentType="text/csv", Body=csv(mean), EnableExplanations="`false`"
    )
    found = json.load(answer["Body"])
    assert found["explanations"] == {}
    expected = census.booster.inplace_predict(mean.to_numpy())[0]
    assert float(found["predictions"]["data"]) == pytest.approx(expected)


def test_only_some_records_are_explained(serving: Explaining, booster: str, census: Census) -> None:
    rows = census.numbers.iloc[:30]
    high = census.booster.inplace_predict(rows.to_numpy()) > 0.5
    assert 0 < high.sum() < 30
    found = serving.answer(booster, csv(rows), EnableExplanations="[0]>`0.5`")["explanations"]["kernel_shap"]
    assert [each is not None for each in found] == high.tolist()
    alone = serving.answer(booster, csv(rows.iloc[[int(high.argmax())]]))["explanations"]["kernel_shap"]
    assert found[high.argmax()] == alone[0], "a record's values depend on no other record"


@pytest.mark.parametrize("way", ["csv", "json lines"])
def test_a_script_with_words_and_several_baseline_records(
    serving: Explaining, people: str, census: Census, way: str
) -> None:
    rows, base = census.people.iloc[10:14], census.people.head(3)
    chance = census.pipeline.predict_proba(rows)[:, 1]
    expected = census.pipeline.predict_proba(base)[:, 1].mean()
    lines = way == "json lines"
    found = (
        serving.answer(people, json_lines(rows), **JSON_LINES) if lines else serving.answer(people, csv(rows))
    )
    assert found.get("label_headers") == (["<=50K", ">50K"] if lines else None)
    for at, explanation in enumerate(found["explanations"]["kernel_shap"]):
        values = attributions(explanation)
        assert values.shape == (6, 2 if lines else 1)
        assert values[:, -1].sum() + expected == pytest.approx(chance[at])
        if lines:
            assert values[:, 0] == pytest.approx(-values[:, 1])
        same = clarify.explain(
            rows.iloc[at : at + 1],
            lambda frame: census.pipeline.predict_proba(frame)[:, 1],
            clarify.Shap(baseline=base, num_samples=500, seed=SEED),
        )
        assert values[:, -1] == pytest.approx(same.values[0, :, 0], abs=1e-9)
        assert "feature_header" not in explanation[0]


def test_filters_see_the_models_json(serving: Explaining, people: str, census: Census) -> None:
    rows = census.people.iloc[:20]
    rich = census.pipeline.predict_proba(rows)[:, 1] > 0.5
    assert 0 < rich.sum() < 20
    wanted = "!contains(chance[:-1], max(chance))"
    found = serving.answer(people, json_lines(rows), **JSON_LINES, EnableExplanations=wanted)
    assert [each is not None for each in found["explanations"]["kernel_shap"]] == rich.tolist()


@pytest.mark.parametrize(
    ("expression", "words"),
    [("[0]>", "is not a JMESPath"), ("[0", "is not a JMESPath"), ("$", "is not a JMESPath")],
)
def test_an_expression_that_is_none_is_refused(
    serving: Explaining, booster: str, census: Census, expression: str, words: str
) -> None:
    found = error(serving.answer, booster, csv(census.numbers.iloc[:1]), EnableExplanations=expression)
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("ValidationError", 400)
    assert words in found["Error"]["Message"]


@pytest.mark.parametrize("expression", ["[0]", "[7]>`0.5`", "max([0])", "`null`"])
def test_an_expression_of_another_result_is_an_error_of_the_call(
    serving: Explaining, booster: str, census: Census, expression: str
) -> None:
    found = error(serving.answer, booster, csv(census.numbers.iloc[:1]), EnableExplanations=expression)
    assert (found["Error"]["Code"], found["OriginalStatusCode"]) == ("ModelError", 400)
    assert "is not true or false of what the model answers" in found["OriginalMessage"]


BAD_CALLS: list[tuple[dict[str, Any], int, str]] = [
    ({"Body": ""}, 400, "There is no record in the text/csv"),
    ({"Body": "39,13"}, 400, "Record 1 has 2 features, a record of the SHAP baseline has 6"),
    ({"Body": b"\xff\xfe"}, 400, "is not UTF-8"),
    ({"Body": "{}", "ContentType": "application/json"}, 415, "send one of text/csv, application/jsonlines"),
    ({"Body": "{", "ContentType": "application/jsonlines"}, 400, "is not JSON"),
    ({"Body": '{"man":[1]}', "ContentType": "application/jsonlines"}, 400, "FeaturesAttribute 'person'"),
    (
        {"Body": "-1,13,Divorced,Sales,Male,40"},
        500,
        "ValueError: nobody is that young (inference.py, line 19)",
    ),
    (
        {"Body": "-2,13,Divorced,Sales,Male,40\n30,9,Divorced,Sales,Male,40"},
        500,
        "1 predictions for 2 records",
    ),
]


@pytest.mark.parametrize(("members", "status", "words"), BAD_CALLS)
def test_calls_that_cannot_be_explained(
    serving: Explaining, people: str, members: dict[str, Any], status: int, words: str
) -> None:
    found = error(
        serving.runtime.invoke_endpoint, EndpointName=people, **{"ContentType": "text/csv", **members}
    )
    assert (found["Error"]["Code"], found["OriginalStatusCode"]) == ("ModelError", status)
    assert words in found["OriginalMessage"]


def test_two_clients_at_once_and_a_killed_worker(serving: Explaining, booster: str, census: Census) -> None:
    rows = [csv(census.numbers.iloc[at : at + 1]) for at in range(20)]
    alone = [serving.answer(booster, row) for row in rows]
    kill_workers(booster)
    found: dict[int, list[Any]] = {}

    def ask(client: int) -> None:
        found[client] = [serving.answer(booster, row) for row in rows]

    clients = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert found == {0: alone, 1: alone}, "the worker that was started again explains alike"


def test_an_update_adds_and_removes_the_explainer(serving: Explaining, census: Census) -> None:
    sagemaker, row = serving.sagemaker, csv(census.numbers.iloc[:1])
    serving.config("plain", {"VariantName": "AllTraffic", "ModelName": "booster"})
    serving.explained_config("with", "booster", explainer(csv(census.numbers.head(1)), NumberOfSamples=40))
    sagemaker.create_endpoint(EndpointName="changing", EndpointConfigName="plain")
    assert "ExplainerConfig" not in serving.settled("changing")
    plain = serving.ask("changing", row)
    refused = error(serving.ask, "changing", row, EnableExplanations="`true`")
    assert refused["Error"]["Code"] == "ValidationError"
    assert "has no ExplainerConfig" in refused["Error"]["Message"]
    sagemaker.update_endpoint(EndpointName="changing", EndpointConfigName="with")
    described = serving.settled("changing")
    config = sagemaker.describe_endpoint_config(EndpointConfigName="with")
    assert described["ExplainerConfig"] == config["ExplainerConfig"]
    assert config["ExplainerConfig"]["ClarifyExplainerConfig"]["ShapConfig"]["NumberOfSamples"] == 40
    assert serving.answer("changing", row)["predictions"]["data"] == plain
    sagemaker.update_endpoint(EndpointName="changing", EndpointConfigName="plain")
    serving.settled("changing")
    assert serving.ask("changing", row) == plain


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"ShapConfig": {"ShapBaselineConfig": {}}}, "needs ShapBaseline or ShapBaselineUri"),
    (explainer("1", ShapBaselineConfig={"ShapBaseline": "1", "ShapBaselineUri": "s3://a/b"}), "and not both"),
    (explainer("1", ShapBaselineConfig={"ShapBaselineUri": "https://a/b"}), "s3://bucket/key"),
    (
        explainer("1", ShapBaselineConfig={"ShapBaseline": "1", "MimeType": "image/png"}),
        "must be one of text/csv",
    ),
    (explainer("1") | {"EnableExplanations": "[0]>"}, "EnableExplanations '[0]>' is not a JMESPath"),
    (explainer("1", inference={"FeaturesAttribute": "a."}), "FeaturesAttribute 'a.' is not a JMESPath"),
    (explainer("1", inference={"ContentTemplate": '{"a":1}'}), "ContentTemplate must hold $features once"),
    (explainer("1", inference={"FeatureTypes": ["numerical"]}), "FeatureTypes needs at least one 'text'"),
    (explainer("1", inference={"FeatureTypes": ["text"]}), "so ShapConfig needs TextConfig"),
    (explainer("1", inference={"MaxPayloadInMB": 26}), "maxPayloadInMB"),
    (explainer("1", inference={"LabelHeaders": ["a"] * 17}), "labelHeaders"),
]


@pytest.mark.parametrize(("config", "words"), WRONG)
def test_configurations_that_are_refused(serving: Explaining, config: dict[str, Any], words: str) -> None:
    found = error(serving.explained_config, "refused", "booster", config)
    assert found["Error"]["Code"] == "ValidationException"
    assert words.lower() in found["Error"]["Message"].lower()


FAILING: list[tuple[dict[str, Any], str]] = [
    (
        explainer(None, ShapBaselineConfig={"ShapBaselineUri": f"s3://{BUCKET}/none.csv"}),
        "Could not find the SHAP baseline",
    ),
    (explainer("1,2\n3"), "The records of the SHAP baseline have 1 to 2 features"),
    (explainer("1,2", inference={"FeatureHeaders": ["one"]}), "FeatureHeaders has 1 names"),
    (
        explainer("1", ShapBaselineConfig={"ShapBaseline": "1,", "MimeType": "application/jsonlines"}),
        "is not JSON",
    ),
]


@pytest.mark.parametrize(("config", "words"), FAILING)
def test_endpoints_that_fail_say_why(serving: Explaining, config: dict[str, Any], words: str) -> None:
    serving.explained_config("failing", "booster", config)
    serving.sagemaker.create_endpoint(EndpointName="failing", EndpointConfigName="failing")
    found = serving.settled("failing")
    assert found["EndpointStatus"] == "Failed"
    assert words in found["FailureReason"]
    serving.delete("failing")
    serving.sagemaker.delete_endpoint_config(EndpointConfigName="failing")


def test_the_baseline_is_read_when_the_endpoint_is_created(serving: Explaining, people: str) -> None:
    serving.s3.delete_object(Bucket=BUCKET, Key="baseline.csv")
    kill_workers(people)
    row = pd.DataFrame([[30, 9, "Divorced", "Sales", "Male", 40]])
    values = attributions(serving.answer(people, csv(row))["explanations"]["kernel_shap"][0])
    assert np.isfinite(values).all()


def test_a_worker_that_ends_on_the_records_of_an_explanation(serving: Explaining, people: str) -> None:
    row = "-3,13,Divorced,Sales,Male,40"
    found = error(serving.answer, people, row)
    assert (found["Error"]["Code"], found["OriginalStatusCode"]) == ("ModelError", 0)
    assert "The worker ended while it had the request" in found["OriginalMessage"]
    assert serving.answer(people, row, EnableExplanations="`false`")["explanations"] == {}


def test_a_server_that_is_started_again_goes_on_explaining(own_clary: Any, census: Census) -> None:
    serving = Explaining(own_clary)
    serving.model("booster", census.booster_archive())
    serving.explained("kept", "booster", explainer(csv(census.numbers.head(1)), NumberOfSamples=50))
    row = csv(census.numbers.iloc[3:4])
    before = serving.answer("kept", row)
    own_clary.kill()
    own_clary.start()
    assert serving.answer("kept", row, EnableExplanations="[0]>=`0`") == before
    serving.delete("kept")
