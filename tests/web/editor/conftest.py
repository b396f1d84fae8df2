"""A workstation in a process of its own that can be killed, and a browser that works with it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from consilium.karyotype.metaphase import Metaphase
from tests.web.editor.faulty_reading import FaultyReading, faulty_reading

for _module, _extra in (("sqlalchemy", "laboratory"), ("fastapi", "web"), ("uvicorn", "web"), ("argon2", "web")):
    pytest.importorskip(_module, reason=f"the workstation needs {_module} (extra {_extra})")


CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE = 60.0
ROOT = Path(__file__).parents[3]
PASSWORD = "seven otters under a green piano"
CELLS = 56


@dataclass
class Workstation:
    """A served workstation; `kill` is SIGKILL, and `start` opens it again on the same port and records."""

    folder: Path
    port: int
    tokens: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
        with (self.folder / "server.log").open("ab") as told:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.web.editor.serve", str(self.folder), str(self.port)], cwd=ROOT,
                stdout=told, stderr=told,
                env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f"{self.address}/api/v1/health", timeout=5):
                    return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    pytest.fail((self.folder / "server.log").read_text(errors="replace")[-4000:])
                time.sleep(0.1)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=20)

    def get(self, path: str) -> Any:
        asked = urllib.request.Request(
            f"{self.address}/api/v1{path}", headers={"Cookie": f"consilium_session={self.tokens['tang']}"}
        )  # fmt: skip
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return json.load(answer)

    def cookie(self, who: str) -> dict[str, str]:
        """By which a browser is signed in."""
        return {"name": "consilium_session", "value": self.tokens[who], "url": self.address}

    def cell(self, cell: int) -> dict[str, Any]:
        told: dict[str, Any] = self.get(f"/cells/{cell}")
        return told

    def commands(self, cell: int) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self.get(f"/cells/{cell}/commands")
        return told


@pytest.fixture(scope="session")
def reading() -> FaultyReading:
    return faulty_reading()


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory, reading: FaultyReading) -> tuple[Path, list[int], int]:
    """A laboratory's folder; the cells of a case that is worked on, all alike; a cell of one that was withdrawn."""
    from consilium.laboratory.analysis.files import Files
    from consilium.laboratory.casework import withdraw_case
    from consilium.laboratory.found import case_called
    from tests.laboratory.conftest import founded
    from tests.web.editor.serve import settings_in

    folder = tmp_path_factory.mktemp("workstation")
    settings = settings_in(folder)
    records = founded(settings.database)
    files = Files(settings.files)
    _, cells = case_of(records, files, folder, reading.metaphase, CELLS)
    closed, (locked,) = case_of(records, files, folder, reading.metaphase, 1)
    with records.changing("both") as change:
        withdraw_case(change, case_called(change.session, closed), reason="for a test")
    records.close()
    return folder, cells, locked


def case_of(records: Any, files: Any, folder: Path, metaphase: Metaphase, count: int) -> tuple[str, list[int]]:
    """A case with cells that the machine has read, all alike; its number, and the cells' numbers."""
    from consilium.laboratory.analysis.images import add_image
    from consilium.laboratory.analysis.runs import ask_for_run
    from consilium.laboratory.analysis.take_in import take_in
    from consilium.laboratory.found import case_called
    from tests.laboratory.analysis.conftest import cell_ids, png, written
    from tests.laboratory.conftest import received

    _, number, _ = received(records)
    cells = []
    for index in range(count):
        pixels = metaphase.pixels.copy()
        # The same picture twice would be one.
        pixels[0, 0] = index
        cells.append(replace(metaphase, image=f"{index:02d}.png", pixels=pixels))
    with records.changing("tang") as change:
        case = case_called(change.session, number)
        for cell in cells:
            add_image(change, files, case, cell.image, png(cell))
        take_in(change, files, case, ask_for_run(change, case), written(cells, folder / number))
    return number, cell_ids(records, number)


@pytest.fixture(scope="session")
def workstation(laid_out: tuple[Path, list[int], int]) -> Iterator[Workstation]:
    from consilium.web.security.accounts import Accounts, change_password, reset_password
    from consilium.web.security.sign_in import sign_in
    from tests.web.editor.serve import settings_in

    folder, _, _ = laid_out
    accounts = Accounts(settings_in(folder).database)
    tokens = {}
    for person in ("tang", "both"):
        reset_password(accounts, person, by="ada")
        change_password(accounts, person, new=PASSWORD)
        tokens[person] = sign_in(accounts, person=person, password=PASSWORD, address="127.0.0.1").token
    accounts.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Workstation(folder=folder, port=port, tokens=tokens)
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="session")
def cells(laid_out: tuple[Path, list[int], int]) -> Iterator[int]:
    """Cells that no test has touched."""
    return iter(laid_out[1])


@pytest.fixture(scope="session")
def locked_cell(laid_out: tuple[Path, list[int], int]) -> int:
    """A cell of a case that is withdrawn."""
    return laid_out[2]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Closed with its module: other modules have a browser of their own, and two at once are refused."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET), headless=True)
        yield opened
        opened.close()


class Editor:
    """A page with the editor, and what a person does with it."""

    def __init__(self, page: Any, workstation: Workstation, cell: int) -> None:
        self.page, self.workstation, self.cell = page, workstation, cell
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.on("response", lambda answer: answer.status >= 500 and self.faults.append(f"{answer.status} {answer.url}"))

    def _hear(self, kind: str, text: str) -> None:
        # A browser says by itself that a server is not there or refuses; the tests of that look at the page.
        if kind == "error" and "Failed to load resource" not in text:
            self.faults.append(text)

    def open(self, query: str = "") -> Editor:
        self.page.goto(f"{self.workstation.address}/cells/{self.cell}{query}")
        self.page.wait_for_selector(".chromosome")
        self.page.wait_for_selector(".stage .ideogram, .inspector .soft")
        return self

    def module(self, name: str, expression: str, *values: Any) -> Any:
        """The value of an expression with a module of the editor as `it` and the values as `given`."""
        return self.page.evaluate(
            f"""async given => {{
                const own = document.querySelector('script[src$="/editor.js"]').src;
                const it = await import(new URL('./{name}.js', own));
                return {expression}; }}""",
            list(values),
        )

    def key(self, *keys: str) -> None:
        for one in keys:
            self.page.keyboard.press(one)
            # As fast as a quick hand, slower than a scanner.
            if len(one.rpartition("+")[2]) == 1 and one != " ":
                self.page.wait_for_timeout(70)

    def choose(self, *ids: str) -> None:
        for index, one in enumerate(ids):
            self.button(one).click(modifiers=["Shift"] if index else [])

    def button(self, id_: str) -> Any:
        return self.page.locator(f'.sheet .chromosome[data-id="{id_}"]')

    def outline(self, id_: str) -> Any:
        return self.page.locator(f'.metaphase .outline[data-id="{id_}"]')

    def chosen(self) -> str:
        found: str = self.page.locator(".chromosome[data-chosen]").get_attribute("data-id")
        return found

    def saved(self) -> Editor:
        """Wait until everything is stored."""
        # What a closing dialog asks for is asked in the browser's next turn.
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        self.page.wait_for_selector('.saved[data-state="saved"]')
        return self

    def told(self) -> dict[str, Any]:
        """The cell as the server has it, once everything is stored."""
        self.saved()
        return self.workstation.cell(self.cell)

    def object(self, id_: str) -> dict[str, Any]:
        return next(one for one in self.told()["objects"] if one["id"] == id_)

    def last(self) -> dict[str, Any]:
        """The last command of the log."""
        self.saved()
        command: dict[str, Any] = self.workstation.commands(self.cell)[-1]["command"]
        return command

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the picture is on the screen."""
        where = self.page.evaluate(
            """([x, y]) => { const m = document.querySelector('.metaphase').getScreenCTM();
               const p = new DOMPoint(x + .5, y + .5).matrixTransform(m); return [p.x, p.y]; }""",
            [x, y],
        )
        return where[0], where[1]

    def draw(self, points: list[tuple[float, float]]) -> None:
        """Press at the first point of the picture, go along the others, let go."""
        first, *others = [self.at(*point) for point in points]
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for point in others:
            self.page.mouse.move(*point, steps=4)
        self.page.mouse.up()

    def drag(self, id_: str, to: tuple[float, float], *, alt: bool = False) -> None:
        box = self.button(id_).bounding_box()
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()
        if alt:
            self.page.keyboard.down("Alt")
        self.page.mouse.move(*to, steps=6)
        self.page.mouse.up()
        if alt:
            self.page.keyboard.up("Alt")

    def slot(self, label: str) -> dict[str, float]:
        box: dict[str, float] = self.page.locator(f'.slot[data-label="{label}"]').bounding_box()
        return box


Open = Callable[..., Editor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the laboratory to be laid out, longer where others use the machine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture
def editor(browser: Any, workstation: Workstation, cells: Iterator[int]) -> Iterator[Open]:
    """`editor()` opens a cell that nobody has touched; `editor(cell=7, who="both")` this one as somebody else."""
    opened: list[Editor] = []
    contexts: list[Any] = []

    def opening(
        *, cell: int | None = None, who: str = "tang", lang: str = "en", size: tuple[int, int] = (1280, 800)
    ) -> Editor:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        language = {"name": "consilium_lang", "value": lang, "url": workstation.address}
        context.add_cookies([workstation.cookie(who), language])
        contexts.append(context)
        made = Editor(context.new_page(), workstation, next(cells) if cell is None else cell)
        opened.append(made)
        return made.open()

    yield opening
    faults = [fault for one in opened for fault in one.faults]
    for context in contexts:
        context.close()
    assert not faults
