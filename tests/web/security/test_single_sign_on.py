"""Single sign-on against a provider that runs: what is believed, and everything that is not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient

from consilium.errors import InputError
from consilium.web.app import create_app
from consilium.web.security.accounts import Accounts, disable
from consilium.web.security.audit import events
from consilium.web.security.single_sign_on import SingleSignOn
from consilium.web.settings import Settings
from tests.web.security.provider import CLIENT, FAULTS, SECRET


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Address of a provider in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.web.security.provider"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def sso(issuer: str, settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "secret").write_text(SECRET + "\n", encoding="utf-8")
    httpx.post(issuer + "/person", json={"person": "tang"})
    httpx.post(issuer + "/fault", content="")
    service = SingleSignOn(issuer=issuer, client_id=CLIENT, client_secret_file=tmp_path / "secret", title="Hospital")
    return replace(settings, single_sign_on=service)


@pytest.fixture
def browser(sso: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(sso), follow_redirects=False) as made:
        yield made


def away(browser: TestClient, back: str = "/account") -> str:
    """Go to the provider, sign in there: the address to which it sends the browser back."""
    sent = browser.get("/sign-in/oidc", params={"next": back})
    assert sent.status_code == 303, sent.text
    return str(httpx.get(sent.headers["location"]).headers["location"])


def test_the_page_offers_it_and_whoever_the_hospital_knows_is_let_in(browser: TestClient) -> None:
    assert "Sign in with Hospital" in browser.get("/sign-in").text
    answer = browser.get(away(browser))
    assert answer.status_code == 200
    # Not a redirect: the session's cookie would not travel with one that another site began.
    assert 'content="0;url=/account"' in answer.text
    told = browser.get("/api/v1/session").json()
    assert (told["person"], told["roles"], told["must_change"]) == ("tang", ["technologist"], False)


def test_somebody_of_the_laboratory_needs_no_account_before(browser: TestClient, issuer: str, sso: Settings) -> None:
    from consilium.laboratory.laboratory import Laboratory, put_staff

    records = Laboratory(sso.database)
    with records.changing("ada") as change:
        put_staff(change, "newcomer", ["reviewer"])
    records.close()
    httpx.post(issuer + "/person", json={"person": "newcomer"})
    browser.get(away(browser))
    assert browser.get("/api/v1/session").json()["roles"] == ["reviewer"]
    # She has no password, so none lets her in.
    assert TestClient(browser.app).post(
        "/api/v1/session", json={"person": "newcomer", "password": "anything at all, really"}
    ).status_code == 403  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_token_that_does_not_hold_is_refused(browser: TestClient, issuer: str, fault: str, sso: Settings) -> None:
    back = away(browser)
    httpx.post(issuer + "/fault", content=fault)
    answer = browser.get(back)
    assert answer.status_code == 403, fault
    assert "consilium_session" not in answer.headers.get("set-cookie", "")
    assert browser.get("/api/v1/session").status_code == 401
    accounts = Accounts(sso.database)
    with accounts.reading() as session:
        newest = events(session, newest=1)[0]
    accounts.close()
    assert newest.what == "sign-in failed" and newest.detail.startswith("single sign-on: ")


@pytest.mark.parametrize("person", ["stranger", "", 7, ["tang"], "tang\n", "ta\0ng"])
def test_whoever_does_not_work_here_is_refused(browser: TestClient, issuer: str, person: object) -> None:
    httpx.post(issuer + "/person", json={"person": person})
    assert browser.get(away(browser)).status_code == 403
    assert browser.get("/api/v1/session").status_code == 401


def test_an_account_that_is_disabled_lets_nobody_in_this_way_either(browser: TestClient, sso: Settings) -> None:
    accounts = Accounts(sso.database)
    disable(accounts, "tang", True, by="ada")
    accounts.close()
    assert browser.get(away(browser)).status_code == 403


def test_a_return_is_good_once_and_for_the_browser_that_left(browser: TestClient, sso: Settings) -> None:
    back = away(browser)
    stranger = TestClient(browser.app, follow_redirects=False)
    # Somebody else's return, forced on a browser that never left, or that left for itself.
    assert stranger.get(back).status_code == 403
    away(stranger)
    assert stranger.get(back).status_code == 403
    assert browser.get(back).status_code == 200
    browser.post("/sign-out", headers={"X-CSRF-Token": browser.get("/api/v1/session").json()["csrf"]})
    state = parse_qs(urlsplit(back).query)["state"][0]
    browser.cookies.set("consilium_leaves", state, path="/sign-in/oidc", domain="testserver.local")
    assert browser.get(back).status_code == 403


@pytest.mark.parametrize(
    "query", ["", "?state=", "?state=x&code=y", "?code=y", "?error=access_denied&state=x", "?state=%00"]
)
def test_a_return_without_a_leaving_is_refused(browser: TestClient, query: str) -> None:
    assert browser.get("/sign-in/oidc/back" + query).status_code == 403


def test_a_code_that_is_not_the_providers_is_refused(browser: TestClient) -> None:
    back = away(browser)
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert browser.get(back.replace(code, "made-up")).status_code == 403


def test_an_intercepted_code_is_of_no_use_without_the_verifier(browser: TestClient, issuer: str) -> None:
    code = parse_qs(urlsplit(away(browser)).query)["code"][0]
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://testserver/sign-in/oidc/back",
             "code_verifier": "guessed"}  # fmt: skip
    assert httpx.post(issuer + "/token", data=given, auth=(CLIENT, "s3cret%3A%20with%20%2F%20signs")).status_code == 400


def test_a_new_key_of_the_provider_is_fetched(
    browser: TestClient, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from consilium.web.security import single_sign_on

    browser.get(away(browser))
    httpx.post(issuer + "/new-key", content="")
    moment = single_sign_on.monotonic() + 60
    monkeypatch.setattr(single_sign_on, "monotonic", lambda: moment)
    other = TestClient(browser.app, follow_redirects=False)
    assert other.get(away(other)).status_code == 200


def test_wrong_tokens_do_not_make_it_ask_the_provider_again_and_again(browser: TestClient, issuer: str) -> None:
    browser.get(away(browser))
    before = httpx.get(issuer + "/asked").json()["keys"]
    for _ in range(5):
        back = away(browser)
        httpx.post(issuer + "/fault", content="other key")
        assert browser.get(back).status_code == 403
    assert httpx.get(issuer + "/asked").json()["keys"] <= before + 1


def test_an_address_that_was_not_verified_is_no_name(browser: TestClient, issuer: str, sso: Settings) -> None:
    assert sso.single_sign_on is not None
    by_mail = replace(sso, single_sign_on=replace(sso.single_sign_on, claim="email"))
    with TestClient(create_app(by_mail), follow_redirects=False) as asked:
        httpx.post(issuer + "/person", json={"person": "tang", "verified": False})
        assert asked.get(away(asked)).status_code == 403
        httpx.post(issuer + "/person", json={"person": "tang", "verified": True})
        assert asked.get(away(asked)).status_code == 200


def test_a_provider_that_is_not_there_is_told(settings: Settings) -> None:
    away_from_here = replace(settings, single_sign_on=SingleSignOn(issuer="http://127.0.0.1:9", client_id="x"))
    with TestClient(create_app(away_from_here), follow_redirects=False) as browser:
        answer = browser.get("/sign-in/oidc")
        assert answer.status_code == 503
        assert "does not answer" in answer.text


def test_a_provider_of_another_name_is_not_believed(sso: Settings) -> None:
    assert sso.single_sign_on is not None
    other = replace(sso, single_sign_on=replace(sso.single_sign_on, issuer=sso.single_sign_on.issuer + "/"))
    with TestClient(create_app(other), follow_redirects=False) as browser:
        assert browser.get("/sign-in/oidc").status_code == 503


def test_without_single_sign_on_there_is_none(settings: Settings) -> None:
    with TestClient(create_app(settings), follow_redirects=False) as browser:
        assert browser.get("/sign-in/oidc").status_code == 422
        assert "oidc" not in browser.get("/sign-in").text


@pytest.mark.parametrize("issuer", ["http://login.hospital.example", "ftp://x", "login.hospital.example", ""])
def test_a_provider_is_asked_by_tls_alone_but_on_this_machine(issuer: str) -> None:
    with pytest.raises(InputError):
        SingleSignOn(issuer=issuer, client_id="x")
