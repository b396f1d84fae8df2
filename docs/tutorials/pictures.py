"""Make the pictures of the tutorial from the running program: `python docs/tutorials/pictures.py` (a minute).

A demo laboratory is founded in an empty folder and served by `consilium serve`; its first case goes from the worklist
to an amended report as whoever follows the tutorial takes it there, by the same pages and keys. Chromium of the machine
takes the pictures, and pdftoppm draws the page of the PDF. All cells are synthetic, and say so.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

FOLDER = Path(__file__).parent / "pictures"
CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT = 1280, 800
LARGEST = 200_000
"""Bytes of a picture: a repository is no album."""
CELLS, KARYOTYPE = 6, "47,XX,+21"
"""Of the first case of the demo laboratory."""
CHROMOSOMES = 60
"""No cell has more that are doubtful."""
_WAIT_MS = 60_000
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
    expect.set_options(timeout=_WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        bench, reader, director = (_seat(browser, address, one) for one in ("technologist", "reviewer", "director"))
        for person, page in (("technologist", bench), ("reviewer", reader), ("director", director)):
            _sign_in(page, person, passwords[person])
        for picture in (_worklist, _reception, _editor, _cells):
            picture(bench)
        _pass_on(bench)
        _second_reading(reader)
        _review(reader)
        for picture in (_text, _signature, _printed, _reopened):
            picture(director)
        _pass_on(bench)
        _second_reading(reader, agreed=True)
        _amended(director)
        browser.close()


def _seat(browser: Browser, address: str, person: str) -> Page:
    """A window of somebody."""
    shape = {"width": WIDTH, "height": HEIGHT}
    page = browser.new_context(base_url=address, viewport=shape, locale="en-GB").new_page()  # type: ignore[arg-type]
    page.set_default_timeout(_WAIT_MS)
    page.on("pageerror", lambda fault: click.echo(f"{person}, {page.url}: {fault}", err=True))
    return page


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


def _editor(page: Page) -> None:
    """Look at every doubtful chromosome of the cells that show all chromosomes, one key each."""
    # Cells are drawn and read while the laboratory is served already.
    for _ in range(120):
        if len(page.request.get(f"/api/v1{_case(page)}/cells").json()) == CELLS:
            break
        page.wait_for_timeout(2000)
    for number, cell in enumerate(_right(page)):
        page.goto(f"/cells/{cell}")
        expect(page.locator("#editor")).not_to_have_attribute("aria-busy", "true")
        if number == 0:
            page.wait_for_timeout(2000)
            _keep(page, "editor")
        for _ in range(CHROMOSOMES):
            if not _cell(page, cell)["doubtful"]:
                break
            page.keyboard.press("Enter")
            page.wait_for_timeout(300)
        if _cell(page, cell)["doubtful"]:
            raise click.ClickException(f"cell {cell} still has doubtful chromosomes")


def _cells(page: Page) -> None:
    """Count, analyse and karyotype the cells that were looked at."""
    right = _right(page)
    page.goto(_case(page))
    for number in right:
        cell = page.locator(f"#cell-{number}")
        for name in ("Count", "Analyse", "Karyotype"):
            cell.get_by_role("button", name=name, exact=True).click()
            expect(cell.get_by_role("button", name=name, exact=True)).to_have_count(0)
    _wait_for_thumbnails(page)
    page.evaluate("() => document.getElementById('sheet').scrollIntoView()")
    _keep(page, "cells")


def _pass_on(page: Page) -> None:
    page.goto(_case(page))
    page.get_by_role("button", name="Analysis is done").click()
    expect(page.locator("h1 .tag").last).to_have_text("analysed")


def _second_reading(page: Page, *, agreed: bool = False) -> None:
    """Read two cells and the case; the first time one cell is read otherwise than by the first reader."""
    page.goto(f"{_case(page)}/review")
    first, second = page.locator("article.cell").all()[:2]
    for form, count, karyotype in (
        (first, "47", KARYOTYPE), (second, *(("47", KARYOTYPE) if agreed else ("46", "46,XX"))),
        (page.locator("#case"), "", KARYOTYPE),
    ):  # fmt: skip
        if count:
            form.locator("[name=count]").fill(count)
        form.locator("[name=karyotype]").fill(karyotype)
        form.get_by_role("button", name="Record my reading").click()
        page.wait_for_load_state()
    if agreed:
        page.get_by_role("button", name="Review is done").click()
        page.wait_for_url("**/report*")


def _review(page: Page) -> None:
    """Settle what differs; the picture is taken while one is open."""
    rows = page.locator("#differences tbody tr")
    for number in range(rows.count()):
        row = rows.nth(number)
        row.locator("summary").click()
        row.locator("[name=kept][value=first]").check()
        row.locator("[name=reason]").fill("counted together once more: 47, three of them 21")
        if number == rows.count() - 1:
            page.evaluate("() => scrollTo(0, 0)")
            _keep(page, "review")
        row.get_by_role("button", name="Decide").click()
        page.wait_for_load_state()
    page.get_by_role("button", name="Review is done").click()
    page.wait_for_url("**/report*")


def _text(page: Page) -> None:
    """Take the drafts over, and tell why few cells were read."""
    page.goto(f"{_case(page)}/report")
    for reason in page.locator("input[name^=reason_]").all():
        reason.fill("a demonstration with six drawn cells")
    page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    _keep(page, "report")
    page.get_by_role("button", name="Keep the text").click()
    expect(page.locator("ol.blockers")).to_have_count(0)


def _signature(page: Page) -> None:
    page.get_by_role("button", name="Sign…").click()
    page.locator("#sign-password").fill(_SECRET)
    _keep(page, "sign")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.locator("article.revision .tag.good")).to_have_count(1)


def _printed(page: Page) -> None:
    """The first page of the signed PDF, as large as a picture of a page here."""
    address = page.locator("article.revision a[href*='file.pdf?lang=en']").first.get_attribute("href")
    pdf = page.request.get(str(address)).body()
    drawn = subprocess.run(
        ["pdftoppm", "-png", "-f", "1", "-l", "1", "-r", "100", "-"], input=pdf, capture_output=True, check=True
    )
    _save(Image.open(io.BytesIO(drawn.stdout)), "printed")


def _reopened(page: Page) -> None:
    page.goto(f"{_case(page)}/report")
    page.locator("summary", has_text="Amend this report").click()
    page.locator("[name=reason]").fill("advice on the parents' karyotypes was left out")
    page.get_by_role("button", name="Amend this report").click()
    page.wait_for_load_state()
    text = page.locator("[name=interpretation_en]")
    text.fill(f"{text.input_value()}\nThe karyotypes of both parents should be looked at.")
    text = page.locator("[name=interpretation_zh]")
    text.fill(f"{text.input_value()}\n建议父母双方进行染色体核型检查。")
    page.get_by_role("button", name="Keep the text").click()
    page.wait_for_load_state()


def _amended(page: Page) -> None:
    page.goto(f"{_case(page)}/report")
    page.get_by_role("button", name="Sign…").click()
    page.locator("#sign-password").fill(_SECRET)
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.locator("article.revision .tag.good")).to_have_count(2)
    _keep(page, "amended")


def _right(page: Page) -> list[int]:
    """Cells of the case that were read with the karyotype that they were drawn with."""
    answer = page.request.get(f"/api/v1{_case(page)}/cells").json()
    found = [int(one["cell"]) for one in answer if one["karyotype"] == KARYOTYPE]
    if len(found) < 2:
        raise click.ClickException(f"{len(found)} cells are read as {KARYOTYPE}, and a second reading needs two")
    return found


def _cell(page: Page, cell: int) -> dict[str, Any]:
    """A cell as the server has it."""
    told: dict[str, Any] = page.request.get(f"/api/v1/cells/{cell}").json()
    return told


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
    _save(Image.open(io.BytesIO(page.screenshot())), name)


def _save(picture: Image.Image, name: str) -> None:
    """Keep a picture with few colours: pages have no more, and the file is half as large."""
    path = FOLDER / f"{name}.png"
    picture.convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise click.ClickException(f"{path.name} has {path.stat().st_size} bytes")
    click.echo(f"{path.name}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
