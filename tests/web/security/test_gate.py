"""Nobody gets past the gate unknown, whatever route is added; and no other site acts in somebody's name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from consilium.web.security.gate import OPEN
from consilium.web.security.headers import HEADERS
from tests.web.security.conftest import PASSWORD, Seat

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
PARTS = b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\nwrong\r\n--x--\r\n'
NO_SESSION_NEEDED = {"/api/v1/session", "/language", "/sign-in"}
"""Signing in; reading in another language. Both change nothing of anybody's."""


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path of the app, with something in the place of its parameters."""
    for route in flat(app.routes):
        path = getattr(route, "path", None)
        if path is None:
            continue
        filled = re.sub(r"\{[^}]*\}", "1", path)
        for method in sorted(getattr(route, "methods", None) or {"GET"}):
            yield method, filled


def flat(found: list[object]) -> Iterator[object]:
    """Routes, those of routers that were included too."""
    for route in found:
        inner = getattr(route, "routes", None)
        original = getattr(route, "original_router", None)
        if original is not None:
            prefix = getattr(getattr(route, "include_context", None), "prefix", "")
            for one in flat(original.routes):
                yield _Prefixed(prefix, one)
        elif inner and not isinstance(route, APIRoute) and not hasattr(route, "app"):
            yield from flat(inner)
        else:
            yield route


class _Prefixed:
    def __init__(self, prefix: str, route: object) -> None:
        self.path = prefix + getattr(route, "path", "")
        self.methods = getattr(route, "methods", None)
        self.route = route


def test_routes_are_found(app: FastAPI) -> None:
    known = set(routes(app))
    assert {("POST", "/api/v1/session"), ("GET", "/account"), ("DELETE", "/api/v1/tokens/1")} <= known
    in_document = {(method.upper(), re.sub(r"\{[^}]*\}", "1", path)) for path, item in app.openapi()["paths"].items()
                   for method in item}  # fmt: skip
    assert in_document <= known
    assert len(known) > len(in_document)


def test_without_a_login_nothing_is_answered_but_what_is_listed(app: FastAPI, seat: Seat) -> None:
    nobody = seat()
    for method, path in routes(app):
        answer = nobody.request(method, path)
        if path in OPEN or path.startswith("/static"):
            assert answer.status_code != 500, (method, path)
        elif path.startswith("/api/"):
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"
        else:
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/sign-in?next="), (method, path)
    # An open path that only looks who it is, and what is no route at all.
    for method, path in (("GET", "/api/v1/session"), ("DELETE", "/api/v1/session"), ("GET", "/api/v1/nothing"),
                         ("GET", "/api/v1/health/"), ("GET", "/api/v1/../v1/staff"), ("OPTIONS", "/api/v1/staff"),
                         ("TRACE", "/api/v1/staff"), ("GET", "/api/v1//health")):  # fmt: skip
        assert nobody.request(method, path).status_code == 401, (method, path)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer consilium_wrong"}, {"Authorization": "Bearer"}, {"Authorization": "Basic dGFuZzp4"},
        {"Cookie": "consilium_session=wrong"}, {"Cookie": "consilium_session="}, {"X-Person": "tang"},
        {"Authorization": "Bearer \u00e9"}, {"Cookie": "consilium_session=" + "x" * 5000},
    ],
)  # fmt: skip
def test_what_is_no_session_and_no_token_is_nobody(seat: Seat, headers: dict[str, str]) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    assert seat().get("/api/v1/sessions", headers=encoded).status_code == 401


def test_a_wrong_token_is_nobody_even_beside_a_session(seat: Seat) -> None:
    assert seat("tang").get("/api/v1/session", headers={"Authorization": "Bearer consilium_x"}).status_code == 401


def test_no_request_changes_anything_without_the_token_of_a_page_of_ours(app: FastAPI, seat: Seat) -> None:
    both = seat("both")
    right = both.headers["X-CSRF-Token"]
    other = seat("tang").headers["X-CSRF-Token"]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    tried = 0
    for method, path in routes(app):
        if method not in UNSAFE or (path in NO_SESSION_NEEDED and method != "DELETE"):
            continue
        del both.headers["X-CSRF-Token"]
        for headers, content in (
            ({}, b""), ({"X-CSRF-Token": ""}, b""), ({"X-CSRF-Token": "wrong"}, b""), ({"X-CSRF-Token": other}, b""),
            ({"Content-Type": "text/plain"}, b"{}"), ({"Content-Type": "application/json"}, b"{}"),
            (form, b""), (form, b"csrf=wrong"), (form, f"csrf={other}".encode()),
            (form | {"X-CSRF-Token": "wrong"}, f"csrf={right}".encode()),
            ({"Content-Type": "multipart/form-data; boundary=x"}, PARTS),
        ):  # fmt: skip
            answer = both.request(method, path, headers=headers, content=content)
            assert answer.status_code == 403, (method, path, headers, answer.status_code)
        both.headers["X-CSRF-Token"] = right
        answer = both.request(method, path, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403, (method, path)
        tried += 1
    assert tried >= 10
    # Nothing of it signed her out.
    assert both.get("/api/v1/session").status_code == 200


def test_the_token_in_a_form_is_enough(seat: Seat) -> None:
    tang = seat("tang")
    token = tang.headers.pop("X-CSRF-Token")
    assert tang.post("/account/language", data={"lang": "zh", "csrf": token}).status_code == 303
    assert tang.get("/api/v1/session").json()["language"] == "zh"


def test_a_session_is_in_a_cookie_that_no_script_reads_and_no_other_site_sends(seat: Seat) -> None:
    answer = seat().post("/api/v1/session", json={"person": "tang", "password": PASSWORD})
    (cookie,) = answer.headers.get_list("set-cookie")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert parts == {"httponly", "samesite=strict", "path=/"}
    assert cookie.split("=")[1].split(";")[0] not in answer.text


def test_under_tls_cookies_travel_no_other_way_and_browsers_stay_with_it(settings: object) -> None:
    from dataclasses import replace

    from fastapi.testclient import TestClient

    from consilium.web.app import create_app

    with TestClient(create_app(replace(settings, secure=True)), base_url="https://testserver") as browser:  # type: ignore[type-var]
        answer = browser.post("/api/v1/session", json={"person": "tang", "password": PASSWORD})
        assert "secure" in answer.headers["set-cookie"].lower()
        assert answer.headers["strict-transport-security"].startswith("max-age=63072000")
        assert "secure" in browser.get("/sign-in").headers.get("set-cookie", "secure").lower()


@pytest.mark.parametrize(
    "path",
    ["/api/v1/health", "/api/v1/nothing", "/sign-in", "/account", "/static/base.css", "/nothing", "/api/v1/staff"],
)
@pytest.mark.parametrize("person", ["", "tang"])
def test_every_answer_tells_the_browser_what_not_to_do(seat: Seat, person: str, path: str) -> None:
    answer = seat(person).get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "unsafe" not in answer.headers["content-security-policy"]
    expected = "immutable" if path.startswith("/static") else "no-store"
    assert expected in answer.headers["cache-control"]


def test_a_defect_is_answered_with_the_same_headers_and_tells_nothing(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    from fastapi.testclient import TestClient

    @app.get("/api/v1/health/broken")
    def broken() -> None:
        raise RuntimeError("secret of the machine")

    with TestClient(app, raise_server_exceptions=False) as browser:
        made = browser.post("/api/v1/session", json={"person": "tang", "password": PASSWORD})
        assert made.status_code == 201
        answer = browser.get("/api/v1/health/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "testserver.elsewhere.example", "", "testserver@elsewhere.example"]
)
def test_a_request_for_another_name_is_refused(seat: Seat, host: str) -> None:
    assert seat().get("/api/v1/health", headers={"Host": host}).status_code == 400


# How large a request may be


@pytest.mark.parametrize(
    ("person", "kind", "size", "status"),
    [
        ("", "application/json", 70_000, 413), ("", "multipart/form-data; boundary=x", 70_000, 413),
        ("tang", "application/json", 3_000_000, 413), ("tang", "application/json", 1_000_000, 422),
        ("", "application/json", 60_000, 422),
    ],
)  # fmt: skip
@pytest.mark.parametrize("told", [True, False], ids=["length told", "in chunks"])
def test_what_is_too_large_is_refused(seat: Seat, person: str, kind: str, size: int, status: int, told: bool) -> None:
    content = b'{"person": "' + b"x" * size + b'", "password": "x"}'

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(content), 50_000):
            yield content[start : start + 50_000]

    answer = seat(person).post(
        "/api/v1/session", content=content if told else chunks(), headers={"Content-Type": kind}
    )  # fmt: skip
    assert answer.status_code == status


def test_an_upload_has_a_limit_of_its_own(settings: object) -> None:
    from dataclasses import replace

    from fastapi.testclient import TestClient

    from consilium.web.app import create_app

    with TestClient(create_app(replace(settings, largest_request=5_000_000))) as browser:  # type: ignore[type-var]
        made = browser.post("/api/v1/session", json={"person": "tang", "password": PASSWORD})
        headers = {"X-CSRF-Token": made.json()["csrf"]}
        for size, status in ((4_000_000, 422), (6_000_000, 413)):
            answer = browser.post("/account/tokens", files={"file": ("a.png", b"x" * size)}, headers=headers)
            assert answer.status_code == status


# Who has to change the password first


def test_a_one_time_password_opens_nothing_but_its_change(app: FastAPI, seat: Seat) -> None:
    made = seat("ada").post("/api/v1/staff/password", json={"person": "ren"}).json()
    ren = seat()
    begun = ren.post("/api/v1/session", json={"person": "ren", "password": made["one_time_password"]})
    assert begun.json()["must_change"] is True
    ren.headers["X-CSRF-Token"] = begun.json()["csrf"]
    for method, path in routes(app):
        if path.startswith(("/static", "/sign-out")) or path in OPEN or path in ("/api/v1/session/password", "/account",
                                                                                "/account/password"):  # fmt: skip
            continue
        answer = ren.request(method, path)
        expected = (403,) if path.startswith("/api/") else (303,)
        assert answer.status_code in expected, (method, path, answer.status_code)
    assert "autofocus" in ren.get("/account").text
    new = "four lamps beside the quiet sea"
    changed = ren.put("/api/v1/session/password", json={"old": made["one_time_password"], "new": new})
    assert changed.status_code == 200, changed.text
    assert changed.json()["must_change"] is False
    assert ren.get("/api/v1/sessions").status_code == 200
