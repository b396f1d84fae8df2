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
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.web.editor.faulty_reading import FaultyReading, faulty_reading

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE = 60.0
SERVER = Path(__file__).with_name("standin_server.py")


@dataclass
class Workstation:
    """A served workstation; `kill` is SIGKILL, and `start` opens it again on the same port and records."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    log: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        root = Path(__file__).parents[3]
        path = os.pathsep.join([str(root / "src"), str(root), os.environ.get("PYTHONPATH", "")])
        with (self.folder / "server.log").open("ab") as told:
            self.process = subprocess.Popen(
                [sys.executable, str(SERVER), str(self.port), str(self.folder)], cwd=root, stdout=told, stderr=told,
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
        with urllib.request.urlopen(f"{self.address}/api/v1{path}", timeout=20) as answer:
            return json.load(answer)

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
def workstation(tmp_path_factory: pytest.TempPathFactory, reading: FaultyReading) -> Iterator[Workstation]:
    folder = tmp_path_factory.mktemp("workstation")
    Image.fromarray(reading.cell.pixels).save(folder / "cell.png")
    (folder / "entry.json").write_text(json.dumps(reading.entry), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Workstation(folder=folder, port=port)
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="session")
def cells() -> Iterator[int]:
    """Cells that no test has touched."""
    return iter(count(1))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
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

    def open(self) -> Editor:
        self.page.goto(f"{self.workstation.address}/cells/{self.cell}")
        self.page.wait_for_selector(".chromosome")
        self.page.wait_for_selector(".stage .ideogram, .inspector .soft")
        return self

    def key(self, *keys: str) -> None:
        for one in keys:
            self.page.keyboard.press(one)

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


@pytest.fixture
def editor(browser: Any, workstation: Workstation, cells: Iterator[int]) -> Iterator[Open]:
    """`editor()` opens a cell that nobody has touched; `editor(cell=7, who="wu")` this one as somebody else."""
    opened: list[Editor] = []
    contexts: list[Any] = []

    def opening(
        *, cell: int | None = None, who: str = "tang", lang: str = "en", size: tuple[int, int] = (1280, 800), **cookies: str
    ) -> Editor:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        named = {"who": who, "consilium_lang": lang, **cookies}
        context.add_cookies([{"name": name, "value": value, "url": workstation.address} for name, value in named.items()])
        contexts.append(context)
        made = Editor(context.new_page(), workstation, next(cells) if cell is None else cell)
        opened.append(made)
        return made.open()

    yield opening
    faults = [fault for one in opened for fault in one.faults]
    for context in contexts:
        context.close()
    assert not faults
