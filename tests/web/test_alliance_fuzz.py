"""The interface of models, specialists, studies and the alliance is asked whatever its document allows: never a 500."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given
from hypothesis import settings as trying

from consilium.web.app import create_app
from consilium.web.context import Signed
from consilium.web.settings import Settings
from tests.web.an_alliance import home, put_models, put_people, put_terms

__all__ = ["home"]
ROOMS = r"^/api/v1/(models|model-|specialists|datasets|studies|compute)"


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")  # of the libraries that make up requests
def test_whatever_is_asked_it_is_answered(shipped_models: None, home: Path, settings: Settings) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="requests are made up by schemathesis (extra dev)")
    pytest.importorskip("model_signing", reason="the library needs model_signing (extra library)")
    put_people(home)
    put_terms(home)
    put_models(home).catalogue.close()
    signed = Signed(person="tang", roles=frozenset(), csrf="", lang="en")
    hosts = (*settings.hosts, "localhost", "127.0.0.1")
    app: FastAPI = create_app(replace(settings, hosts=hosts), lambda _request: signed)
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    found, faults = set(), []
    for one in schema.include(path_regex=ROOMS).get_all_operations():
        operation = one.ok()
        found.add(operation.label)
        _ask(operation, faults)
    assert not faults, faults[:3]
    assert {
        "GET /api/v1/models",
        "POST /api/v1/specialists",
        "POST /api/v1/studies",
        "GET /api/v1/compute/jobs",
    } <= found


def _ask(operation: Any, faults: list[tuple[str, str]]) -> None:
    @given(case=operation.as_strategy())
    @trying(max_examples=10, suppress_health_check=list(HealthCheck), database=None)
    def asked(case: Any) -> None:
        answer = case.call()
        if answer.status_code >= 500:
            faults.append((operation.label, answer.text[:300]))

    asked()
