"""The server is killed while clients work. Their own assertions tell what they compared."""

import pytest

pytest.register_assert_rewrite(
    "survival.ledger",
    "survival.object_client",
    "survival.record_client",
    "survival.job_client",
    "survival.endpoint_client",
    "survival.home",
)
