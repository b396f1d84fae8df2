"""The interface is asked what its own document allows and what it does not: no defect, no answer it does not document.

Bounded and always the same; more with CONSILIUM_FUZZ_EXAMPLES. No operation is left out.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest

pytest.importorskip("schemathesis", reason="the interface is fuzzed with schemathesis (extra dev)")

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from consilium.laboratory.laboratory import put_staff
from consilium.laboratory.permissions import ROLES
from consilium.web.app import create_app
from consilium.web.security.policy import SignInPolicy
from consilium.web.settings import Settings
from tests.web.security.conftest import PASSWORD, Seat
from tests.web.security.world import METHODS, PARAMETERS, World, build, operations

EXAMPLES = int(os.environ.get("CONSILIUM_FUZZ_EXAMPLES", "3"))
MODES = ("positive", "negative")

LEFT_OUT = {
    "positive_data_acceptance": "an entry of the right form may still be of no record, or too late",
    "negative_data_rejection": "an identifier that is no text, such as 0, is a text in an address",
    "ignored_auth": "every operation is tried without a login in test_gate.py",
    "unsupported_method": "it is tried there too",
    "missing_required_header": "no header is required but those of the login",
    "use_after_free": "nothing is deleted here: it is withdrawn and stays",
    "ensure_resource_availability": "the same",
}
"""Checks of schemathesis that are not asked, and why."""


@schemathesis.serializer("application/hl7-v2")
def as_message(_context: Any, value: Any) -> bytes:
    """A message of HL7 version 2 is text; whatever else was made up is sent as it is written."""
    return str(value).encode("utf-8", "replace")


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """One in which a person has every role and may mistype as often as she likes."""
    from dataclasses import replace

    patient = SignInPolicy(account_failures=1_000_000, address_failures=1_000_000)
    made = create_app(replace(settings, sign_in=patient))
    with made.state.records.changing("ada") as change:
        put_staff(change, "both", ROLES)
    return made


def names_of(world: World, path: str) -> dict[str, Any]:
    """What is really there, by the names of an operation's parameters."""
    found = PARAMETERS | world.names
    if "/patients/" in path:
        found["number"] = world.names["patient"]
    if "/sessions/" in path or "/messages/" in path:
        found["number"] = 1
    return found


@pytest.mark.timeout(900)
def test_no_question_makes_it_fail_and_every_answer_is_documented(app: FastAPI, seat: Seat) -> None:
    world, both = build(app, seat), seat("both")
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    asked = [schema[path][method.upper()] for method, path in _listed(app)]
    checks = [
        check for name, check in _checks().items() if name not in LEFT_OUT
    ]  # fmt: skip
    faults: dict[str, str] = {}
    answers = Counter[int]()
    for operation in asked:
        for mode in MODES:
            _ask(operation, mode, world, both, checks, faults, answers)
    assert not faults, "\n\n".join(f"{where}:\n{what}" for where, what in faults.items())
    # It means something only where it got in and found something.
    assert len(asked) > 50 and not answers[401]
    assert sum(count for status, count in answers.items() if status < 300) > len(asked) // 2
    assert answers[422] > len(asked) // 2


def _listed(app: FastAPI) -> list[tuple[str, str]]:
    return [(method, path) for method, path, _ in operations(app) if method.lower() in METHODS]


def _checks() -> dict[str, Any]:
    names = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
             "response_headers_conformance")  # fmt: skip
    return {
        name: getattr(schemathesis.checks, name, None) or schemathesis.checks.CHECKS.get_one(name) for name in names
    }


def _ask(
    operation: Any,
    mode: str,
    world: World,
    browser: Any,
    checks: list[Any],
    faults: dict[str, str],
    answers: Counter[int],
) -> None:
    where = f"{operation.method.upper()} {operation.path} ({mode})"
    strategy = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))

    @bounds(
        max_examples=EXAMPLES, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy, st.booleans())
    def question(case: Any, real: bool) -> None:
        if real:
            known = names_of(world, operation.path)
            case.path_parameters = {
                name: known.get(name, value) for name, value in (case.path_parameters or {}).items()
            }  # fmt: skip
        headers, cookies = signed_in(browser)
        answer = case.call(headers=headers, cookies=cookies)
        answers[answer.status_code] += 1
        case.validate_response(answer, checks=checks)

    try:
        question()
    except (Exception, BaseExceptionGroup) as problem:
        if "Unsatisfiable" not in type(problem).__name__:
            told = "\n".join(str(one) for one in getattr(problem, "exceptions", (problem,)))
            faults[where] = told[:1500]


def signed_in(browser: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and cookie of somebody who is signed in, anew where a question ended the session."""
    if browser.get("/api/v1/session").status_code == 401:
        begun = browser.post("/api/v1/session", json={"person": "both", "password": PASSWORD})
        browser.headers["X-CSRF-Token"] = begun.json()["csrf"]
    return (
        {"X-CSRF-Token": browser.headers["X-CSRF-Token"], "Host": "testserver"},
        {"consilium_session": browser.cookies["consilium_session"]},
    )
