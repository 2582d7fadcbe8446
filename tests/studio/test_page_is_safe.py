"""What users store cannot act as the Studio, and what the Studio gives out says what it may do."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import Page, expect

from clary.wire import model
from clary.wire.serialise import serialise
from gateway.signed import Answer, Wire

CLARIFY = "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"
EVIL = """<html><head><title>report</title></head><body><h1>A report</h1>
<img src=x onerror="parent.document.title='owned'">
<script>parent.document.title='owned'; fetch('/owned-by-script'); parent.location='/owned-by-script'</script>
<a href="javascript:parent.document.title='owned'" id="evil">here</a></body></html>"""


def test_a_report_with_a_script_runs_nothing(page: Page, clary: Any) -> None:
    """Whatever a program, or a cell of its data, puts into a report."""
    bucket, name = f"evil-{uuid.uuid4().hex[:8]}", f"evil-{uuid.uuid4().hex[:8]}"
    s3, sagemaker = clary.client("s3"), clary.client("sagemaker")
    s3.create_bucket(Bucket=bucket)
    place = {
        "S3Uri": f"s3://{bucket}/out",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=clary.role,
        AppSpecification={
            "ImageUri": CLARIFY,
            "ContainerEntrypoint": ["true"],
        },
        ProcessingOutputConfig={"Outputs": [{"OutputName": "analysis_result", "S3Output": place}]},
        ProcessingResources={
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
    )
    sagemaker.get_waiter("processing_job_completed_or_stopped").wait(
        ProcessingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    s3.put_object(Bucket=bucket, Key="out/report.html", Body=EVIL, ContentType="text/html")
    s3.put_object(Bucket=bucket, Key="out/analysis.json", Body=b"{}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{clary.url}/#/reports/{name}")
    expect(page.frame_locator("iframe.report").get_by_role("heading", name="A report")).to_be_visible()
    page.frame_locator("iframe.report").locator("#evil").click()
    time.sleep(0.5)
    assert page.title() != "owned"
    assert not any("owned-by-script" in url for url in asked)


def test_a_stored_page_is_shut_in(clary: Any, page: Page) -> None:
    """A link to an object that is a page opens on the Studio's own origin: it may run nothing there."""
    s3 = clary.client("s3")
    s3.create_bucket(Bucket="evil-pages")
    evil = "<script>document.title = 'owned'</script><h1>A page</h1>"
    s3.put_object(Bucket="evil-pages", Key="x.html", Body=evil, ContentType="text/html")
    page.goto(s3.generate_presigned_url("get_object", {"Bucket": "evil-pages", "Key": "x.html"}))
    expect(page.get_by_role("heading", name="A page")).to_be_visible()
    assert page.title() != "owned"
    with pytest.raises(Exception, match="sessionStorage"):
        page.evaluate("sessionStorage.length")


def fetched(clary: Any, url: str, **headers: str) -> Answer:
    parts = urlsplit(url)
    return Wire(clary).send("GET", f"{parts.path}?{parts.query}".rstrip("?"), headers)


def test_headers_of_the_page_and_of_answers(clary: Any) -> None:
    page = fetched(clary, "/")
    policy = dict(
        part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == policy["connect-src"] == "'self'"
    assert "script-src" not in policy
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert (page.headers["x-content-type-options"], page.headers["referrer-policy"]) == (
        "nosniff",
        "no-referrer",
    )
    assert "set-cookie" not in page.headers
    for url in ("/nothing/here", "/assets/none.js"):
        answer = fetched(clary, url, Origin="https://evil.example")
        assert (answer.status, answer.headers["content-security-policy"]) == (403, "sandbox")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert not {"set-cookie", "access-control-allow-credentials"} & answer.headers.keys()


def test_answers_are_not_split(clary: Any) -> None:
    s3 = clary.client("s3")
    s3.create_bucket(Bucket="split")
    s3.put_object(Bucket="split", Key="k", Body=b"x", Metadata={"note": "a b"})
    evil = "attachment\r\nSet-Cookie: owned=1\r\n\r\n<script>\x01\x7f"
    params = {"Bucket": "split", "Key": "k", "ResponseContentDisposition": evil, "ResponseContentType": evil}
    answer = fetched(clary, s3.generate_presigned_url("get_object", params))
    assert (answer.status, "set-cookie" in answer.headers) == (400, False)
    # A model's own program chooses these two.
    operation = model.operation("sagemaker-runtime", "InvokeEndpoint")
    assert operation is not None
    output = {"Body": b"1", "ContentType": evil, "CustomAttributes": evil, "InvokedProductionVariant": "a"}
    made = serialise(operation, output, "id", "rest-json")
    assert not any(c < " " or c == "\x7f" for value in made.headers.values() for c in value)


def test_a_sign_in_link_that_several_open_at_once_lets_one_in(clary: Any) -> None:
    command = [sys.executable, "-m", "clary.cli", "link", "--home", str(clary.home)]
    link = subprocess.run(command, capture_output=True, text=True, check=True, env=clary.environment).stdout
    token = link.strip().partition("#token=")[2]
    got: list[str] = []

    def sign_in() -> None:
        try:
            clary.client("sts", retries=0).assume_role_with_web_identity(
                RoleArn="arn:aws:iam::000000000000:role/ClaryStudio",
                RoleSessionName="studio",
                WebIdentityToken=token,
            )
            got.append("ok")
        except ClientError as error:
            got.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=sign_in) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == ["InvalidIdentityToken"] * 7 + ["ok"]
