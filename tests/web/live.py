"""A running workstation and a browser that looks at it. Take them in a test module by their names:

    from tests.web.live import browser, live  # noqa: F401

`live.records` are its records, opened beside the server; `live.kill()` and `live.start()` are what a power cut does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from consilium.laboratory.laboratory import Laboratory, put_staff
from tests.laboratory.conftest import PEOPLE, PROFILE

if TYPE_CHECKING:
    import httpx
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
_START_WITHIN = 30.0


@dataclass(kw_only=True)
class Live:
    """A workstation as its own process.

    Attributes:
        folder: with its records, its files and what else it keeps (`CONSILIUM_HOME`).
        records: the same records, opened here.
        server: the module that serves: one that believes a header, or one where people sign in.
    """

    folder: Path
    records: Laboratory
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    environ: dict[str, str] = field(default_factory=dict)
    server: str = "tests.web.live_server"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> str:
        """URL of its records."""
        return f"sqlite:///{self.folder / 'records.db'}"

    @property
    def files(self) -> Path:
        """Where pictures are."""
        return self.folder / "files"

    def start(self) -> None:
        """Start it, on the port that it had before if there was one."""
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        environ = os.environ | {"CONSILIUM_HOME": str(self.folder / "home"), "OMP_NUM_THREADS": "1"} | self.environ
        environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT), environ.get("PYTHONPATH", "")])
        command = [
            sys.executable, "-m", self.server, self.database, str(self.files), str(port_file),
            str(self.port),
        ]  # fmt: skip
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
        until = time.monotonic() + _START_WITHIN
        while not port_file.exists():
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                pytest.fail(f"the workstation did not start: {self.log()[-2000:]}")
            time.sleep(0.05)
        self.port = int(port_file.read_text(encoding="ascii"))
        self._wait(until)

    def _wait(self, until: float) -> None:
        import httpx

        while True:
            try:
                if httpx.get(f"{self.url}/api/v1/health", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > until:
                pytest.fail(f"the workstation does not answer: {self.log()[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut does, with no time to tidy up."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def client(self, person: str) -> httpx.Client:
        """Asks it as one of its people."""
        import httpx

        headers = {"x-person": person, "x-csrf-token": "csrf"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)


@contextmanager
def running(folder: Path, server: str = "tests.web.live_server") -> Iterator[Live]:
    """A founded laboratory with the people of `PEOPLE`, served from a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    records = Laboratory(f"sqlite:///{folder / 'records.db'}")
    records.begin("ada", PROFILE)
    with records.changing("ada") as change:
        for name, roles in PEOPLE.items():
            put_staff(change, name, roles)  # type: ignore[arg-type]
    made = Live(folder=folder, records=records, server=server)
    try:
        made.start()
        yield made
    finally:
        made.kill()
        records.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A workstation of its own for one test."""
    for module in ("fastapi", "uvicorn", "httpx"):
        pytest.importorskip(module, reason=f"a running workstation needs {module} (extras web and dev)")
    with running(tmp_path / "live") as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium, of a module: each imports this fixture as its own, and two of them at once are refused."""
    api = pytest.importorskip("playwright.sync_api", reason="browser tests need playwright (extra dev)")
    if not CHROMIUM.exists():
        pytest.skip(f"browser tests need Chromium at {CHROMIUM}")
    with api.sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=str(CHROMIUM), headless=True,
            args=[
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",
            ],
        )  # fmt: skip
        yield made
        made.close()


@contextmanager
def reading(
    browser: Browser, live: Live, person: str, *, lang: str = "en", width: int = 1280, height: int = 800
) -> Iterator[Page]:
    """A page of a person who reads in a language; a script error, or one of the policy, fails the test."""
    context: BrowserContext = browser.new_context(
        base_url=live.url, viewport={"width": width, "height": height}, extra_http_headers={"x-person": person},
        locale={"en": "en-GB", "zh": "zh-CN"}[lang], timezone_id="Asia/Shanghai",
    )  # fmt: skip
    context.add_cookies([{"name": "consilium_lang", "value": lang, "url": live.url}])
    shown = context.new_page()
    faults: list[str] = []
    shown.on("pageerror", lambda fault: faults.append(f"{shown.url}: {fault}"))
    shown.on("console", lambda said: faults.append(f"{shown.url}: {said.text}") if _is_fault(said) else None)
    try:
        yield shown
        assert not faults, faults
    finally:
        context.close()


def _is_fault(said: Any) -> bool:
    # The browser itself writes a line for every answer of 400 and above, which a test may well ask for.
    return said.type == "error" and "Failed to load resource" not in said.text


def follow(shown: Page, what: Locator) -> None:
    """Press what leads to another page, or to the same one anew, and wait until that page is there.

    A click alone returns, on a busy machine, before the browser has turned the page.
    """
    with shown.expect_navigation():
        what.click()


def check_accessible(shown: Page) -> None:
    """Hold a page against WCAG 2.2 A and AA with axe: nothing serious, nothing critical."""
    module = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    found = module.Axe().run(shown, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    serious = [
        f"{one['id']}: {one['help']} ({'; '.join(str(node['target']) for node in one['nodes'][:3])})"
        for one in found.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not serious, f"{shown.url}: {serious}"
