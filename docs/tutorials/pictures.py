"""Make the pictures of the tutorial from the running program: `python docs/tutorials/pictures.py` (two minutes).

A demo laboratory is founded in an empty folder and served by `consilium serve`; its cells are drawn and read as whoever
follows the tutorial has them read. Chromium of the machine takes the pictures. All cells are synthetic, and say so.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from playwright.sync_api import Page, expect, sync_playwright

FOLDER = Path(__file__).parent / "pictures"
CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT = 1280, 800
LARGEST = 200_000
"""Bytes of a picture: a repository is no album."""
_WAIT_MS = 240_000
_SECRET = "a quiet river in the morning"


def main() -> None:
    """Serve, look, and keep the pictures."""
    with TemporaryDirectory(prefix="consilium-tutorial-") as home:
        environment = os.environ | {"CONSILIUM_HOME": home}
        log = Path(home) / "serve.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "consilium", "serve", "--port", "0"],
                env=environment,
                stdout=stream,
                stderr=stream,
            )
        try:
            address, passwords = _told(log, process)
            _look(address, passwords)
        finally:
            process.terminate()
            process.wait(30)


def _told(log: Path, process: subprocess.Popen[bytes]) -> tuple[str, dict[str, str]]:
    """Where it is served, and the passwords for the first sign-in, as it prints them."""
    for _ in range(600):
        text = log.read_text(encoding="utf-8", errors="replace")
        address = re.search(r"Consilium is at (\S+)", text)
        if address is not None:
            return address[1], dict(re.findall(r"^  (\S+)\s+(\S+)$", text, re.MULTILINE))
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise click.ClickException(f"the workstation does not start: {log.read_text()[-1000:]}")


def _look(address: str, passwords: dict[str, str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        shape = {"width": WIDTH, "height": HEIGHT}
        page = browser.new_context(base_url=address, viewport=shape, locale="en-GB").new_page()  # type: ignore[arg-type]
        page.set_default_timeout(_WAIT_MS)
        expect.set_options(timeout=_WAIT_MS)
        _sign_in(page, "technologist", passwords["technologist"])
        for picture in (_worklist, _reception, _reading, _cells, _editor, _report):
            picture(page)
        browser.close()


def _sign_in(page: Page, person: str, password: str) -> None:
    """Sign in, and choose the password that the first sign-in asks for."""
    page.goto("/sign-in")
    page.fill('input[name="person"]', person)
    page.fill('input[type="password"]', password)
    page.press('input[type="password"]', "Enter")
    page.wait_for_url("**/account")
    page.fill('input[name="old"]', password)
    for name in ("new", "again"):
        page.fill(f'input[name="{name}"]', _SECRET)
    page.press('input[name="again"]', "Enter")
    page.wait_for_load_state()


def _worklist(page: Page) -> None:
    page.goto("/worklist?view=waiting")
    _keep(page, "worklist")


def _reception(page: Page) -> None:
    page.goto("/reception")
    _keep(page, "reception")


def _reading(page: Page) -> None:
    # Cells are drawn while the laboratory is served already.
    for _ in range(120):
        page.goto(_case(page))
        if page.locator("[data-live] progress, li.cell").count():
            break
        page.wait_for_timeout(1000)
    page.evaluate("() => (document.getElementById('cells') ?? document.getElementById('images')).scrollIntoView()")
    _keep(page, "reading")


def _cells(page: Page) -> None:
    for _ in range(120):
        page.goto(_case(page))
        if page.locator("li.cell").count() == 6:
            break
        page.wait_for_timeout(2000)
    expect(page.locator("li.cell")).to_have_count(6)
    for number in range(2):
        for name in ("Count", "Analyse", "Karyotype"):
            cell = page.locator("li.cell").nth(number)
            cell.get_by_role("button", name=name, exact=True).click()
            expect(cell.get_by_role("button", name=name, exact=True)).to_have_count(0)
    _wait_for_thumbnails(page)
    page.evaluate("() => document.getElementById('sheet').scrollIntoView()")
    _keep(page, "cells")


def _editor(page: Page) -> None:
    page.locator("li.cell a").first.click()
    page.wait_for_url("**/cells/*")
    page.wait_for_timeout(4000)
    _keep(page, "editor")


def _report(page: Page) -> None:
    page.goto(f"{_case(page)}/report")
    _keep(page, "report")


def _case(page: Page) -> str:
    """The first case of the demo laboratory: trisomy 21, six cells."""
    answer = page.request.get("/api/v1/find?q=DEMO-1")
    return f"/cases/{answer.json()['case']}"


def _wait_for_thumbnails(page: Page) -> None:
    loaded: Callable[[], bool] = lambda: page.evaluate(  # noqa: E731
        "() => [...document.querySelectorAll('li.cell img')].slice(0, 5).every((one) => one.complete)"
    )
    for _ in range(50):
        if loaded():
            return
        page.wait_for_timeout(200)


def _keep(page: Page, name: str) -> None:
    path = FOLDER / f"{name}.png"
    page.screenshot(path=str(path))
    from PIL import Image

    # Pages have few colours: a palette halves the file and nobody sees it.
    Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise click.ClickException(f"{path.name} has {path.stat().st_size} bytes")
    click.echo(f"{path.name}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
