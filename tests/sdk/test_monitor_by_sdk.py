"""Model Monitor's baselines as its SDK asks for them, and its jobs on a batch that drifts."""

from __future__ import annotations

import json

import pytest

from running import Clary
from sdk.script import Script

pytestmark = pytest.mark.timeout(600)
Scripts = dict[str, Script]


def test_baselines_are_constraints(scripts: Scripts) -> None:
    parts = "['mitigation', 'post_training_bias_metrics', 'pre_training_bias_metrics', 'version']"
    shap = "['explanations', 'version']"
    assert scripts["v2_monitor"].told("constraints") == f"{{'bias': {parts}, 'shap': {shap}}}"


@pytest.mark.parametrize("kind", ["bias", "shap"])
def test_a_job_on_a_drifted_batch_is_completed_with_violations(scripts: Scripts, kind: str) -> None:
    script = scripts["v2_monitor"]
    found = json.loads(script.told(f"{kind} violations"))
    number = len(found)
    assert script.told(f"{kind} job") == (
        f"Completed CompletedWithViolations: Job completed successfully with {number} violations."
    )
    if kind == "shap":
        (violation,) = found
        assert violation["constraint_check_type"] == "feature_attribution_drift_check"
        assert violation["label"] == "label0"
    else:
        assert {v["facet_value"] for v in found} == {"1"}
        assert "DPPL" in {v["metric_name"] for v in found}


def test_schedules_are_refused_by_name(watched: Clary) -> None:
    """The jobs are there; what would start them every hour is not."""
    sagemaker = watched.client("sagemaker")
    with pytest.raises(sagemaker.exceptions.ClientError, match="ListMonitoringSchedules"):
        sagemaker.list_monitoring_schedules()
