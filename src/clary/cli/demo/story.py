"""The steps of the main job."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from clary.cli.demo import jobs, serving
from clary.cli.demo.data import Census, prepare
from clary.cli.demo.display import Display
from clary.cli.demo.jobs import Clients, DemoError
from clary.hub import catalogue, datasets

HUB_MODEL = "clary-tc-minilm-l6-v2-amazon-reviews"
SENTENCE = "I love this banana slicer"


@dataclass(frozen=True)
class Names:
    """One run's names: they carry its time, so that runs do not meet."""

    sklearn: str
    xgboost: str
    clarify: str
    text: str

    @staticmethod
    def fresh() -> Names:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        return Names(*(f"demo-{what}-{stamp}" for what in ("sklearn", "xgboost", "clarify", "banana-slicer")))


def tell(clients: Clients) -> None:
    """The story, step by step."""
    display = Display()
    names = Names.fresh()
    try:
        census = bring_data(clients, display)
        train(clients, display, names, census)
        clarify(clients, display, names, census)
        serve_census(clients, display, names, census)
        serve_text(clients, display, names)
    finally:
        tidy(clients, names)
    display.table()
    where_to_look(clients, names)


def cache() -> Path:
    return Path(os.environ.get("CLARY_CACHE") or Path.home() / ".cache" / "clary")


def bring_data(clients: Clients, display: Display) -> Census:
    with display.step("Census data to S3"):
        adult = datasets.adult(cache())
        census = prepare(adult, cache() / "demo")
        if clients.bucket not in [b["Name"] for b in clients.s3.list_buckets()["Buckets"]]:
            clients.s3.create_bucket(Bucket=clients.bucket)
        for path, key in (
            (census.train, "data/train.csv"),
            (census.test, "data/test.csv"),
            (census.whole, "data/census.csv"),
            (census.xgboost_train, "data/xgboost/train.csv"),
            (census.xgboost_test, "data/xgboost/test.csv"),
        ):
            clients.upload(path, key)
        display.outcome(f"{census.rows:,} rows in {clients.uri('data/')}")
    return census


def train(clients: Clients, display: Display, names: Names, census: Census) -> None:
    with display.step("Train with scikit-learn (script mode)"):
        jobs.train_sklearn(clients, names.sklearn, census)
        job = jobs.follow(clients, "training", names.sklearn, display)
        metrics = {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
        display.outcome(
            f"accuracy {metrics['test:accuracy']:.3f}, AUC {metrics['test:auc']:.3f} on the test part"
        )
    serving.script_model(clients, names.sklearn, _archive(job), jobs.SKLEARN_IMAGE)
    with display.step("Train with built-in XGBoost"):
        jobs.train_xgboost(clients, names.xgboost)
        job = jobs.follow(clients, "training", names.xgboost, display, lines=8)
        metrics = {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
        display.outcome(f"AUC {metrics['validation:auc']:.3f} on the test part")
    serving.plain_model(clients, names.xgboost, _archive(job), jobs.XGBOOST_IMAGE)


def clarify(clients: Clients, display: Display, names: Names, census: Census) -> None:
    with display.step("Clarify: bias by sex, and what drives the predictions"):
        jobs.clarify(clients, names.clarify, names.sklearn, census)
        jobs.follow(clients, "processing", names.clarify, display)
        result = f"{clients.prefix}/{names.clarify}/result"
        found = clients.s3.list_objects_v2(Bucket=clients.bucket, Prefix=result + "/")["Contents"]
        files = {item["Key"].removeprefix(result + "/") for item in found}
        missing = {"analysis.json", "report.html", "report.ipynb"} - files
        if missing:
            raise DemoError(f"Clarify left out {', '.join(sorted(missing))}")
        body = clients.s3.get_object(Bucket=clients.bucket, Key=f"{result}/analysis.json")["Body"].read()
        display.outcome(_findings(json.loads(body)))


def _findings(analysis: dict[str, object]) -> str:
    """The demographic disparity of labels and predictions, and the three strongest features."""
    found = json.loads(json.dumps(analysis))
    pre = found["pre_training_bias_metrics"]["facets"]["Sex"][0]["metrics"]
    post = found["post_training_bias_metrics"]["facets"]["Sex"][0]["metrics"]
    dpl = next(m["value"] for m in pre if m["name"] == "DPL")
    dppl = next(m["value"] for m in post if m["name"] == "DPPL")
    label = next(iter(found["explanations"]["kernel_shap"].values()))
    strongest = sorted(label["global_shap_values"].items(), key=lambda item: -item[1])[:3]
    words = ", ".join(name for name, _ in strongest)
    return f"women: DPL {dpl:.3f} in the data, DPPL {dppl:.3f} in the predictions; strongest: {words}"


def serve_census(clients: Clients, display: Display, names: Names, census: Census) -> None:
    with display.step("Deploy both census models and ask them"):
        serving.deploy(clients, names.sklearn)
        serving.deploy(clients, names.xgboost)
        answers = serving.ask(clients, names.sklearn, "\n".join(census.asked), "text/csv", "text/csv").split()
        if len(answers) != len(census.asked):
            raise DemoError(f"Asked about {len(census.asked)} people, the endpoint answered {answers}")
        started = time.perf_counter()
        serving.ask(clients, names.sklearn, census.asked[0], "text/csv", "text/csv")
        milliseconds = 1000 * (time.perf_counter() - started)
        row = census.xgboost_test.open().readline().partition(",")[2]
        boosted = float(serving.ask(clients, names.xgboost, row, "text/csv", "text/csv"))
        display.outcome(
            f"first person earns more than 50K: {float(answers[0]):.3f} (scikit-learn), "
            f"{boosted:.3f} (XGBoost); one answer in {milliseconds:.0f} ms"
        )


def serve_text(clients: Clients, display: Display, names: Names) -> None:
    with display.step("A hub text model reads a review"):
        archive = catalogue.materialise(HUB_MODEL, cache(), display.line)
        uri = clients.upload(archive, f"hub/{HUB_MODEL}/model.tar.gz")
        serving.plain_model(clients, names.text, uri, serving.HUB_IMAGE)
        serving.deploy(clients, names.text)
        label, probability = serving.ask_text(clients, names.text, SENTENCE)
        display.outcome(f'"{SENTENCE}": {label}, {probability:.0%}')
        if label != "positive":
            raise DemoError(f"The model calls {SENTENCE!r} {label}")


def tidy(clients: Clients, names: Names) -> None:
    """Take down what was deployed: an endpoint that nobody asks costs memory."""
    for name in (names.sklearn, names.xgboost, names.text):
        try:
            serving.take_down(clients, name)
        except ClientError:
            continue  # it never came up


def where_to_look(clients: Clients, names: Names) -> None:
    report = clients.s3.generate_presigned_url(
        "get_object",
        Params={"Bucket": clients.bucket, "Key": f"{clients.prefix}/{names.clarify}/result/report.html"},
        ExpiresIn=24 * 3600,
    )
    print("\nWhere to look (the endpoints are deleted again)")
    print(f"  the report        {report}")
    print(f"  everything in S3  s3://{clients.bucket}/{clients.prefix}/")
    print(f"  the Studio        {clients.url}  (sign in with `clary link{clients.home}`)")
    print(f"  by boto3 or CLI   clary run{clients.home} -- aws sagemaker list-training-jobs", flush=True)


def _archive(job: dict[str, dict[str, str]]) -> str:
    return job["ModelArtifacts"]["S3ModelArtifacts"]
