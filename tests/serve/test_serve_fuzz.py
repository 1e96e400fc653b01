"""Whatever is sent, nothing is answered with 500: requests made from the OpenAPI document, valid and not."""

import warnings

import pytest
from hypothesis import HealthCheck, settings
from tiny_voice import fake_voice

from glowvox.serve.application import create_app

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    schemathesis = pytest.importorskip("schemathesis")

SCHEMA = schemathesis.openapi.from_dict(create_app([fake_voice()]).openapi())


@SCHEMA.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_is_a_defect(case, server):
    response = case.call(base_url=server.url)
    # 501: this server's voices cannot align, and it says so
    assert response.status_code < 500 or response.status_code == 501, response.text
    if response.status_code >= 400:
        assert "\n" not in response.json()["error"]["message"]
