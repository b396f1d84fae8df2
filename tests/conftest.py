"""What every test may ask for."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from consilium.settings import DATA_VARIABLE, data_folder

# How long one example takes says how busy the machine is; what is to be quick has a benchmark.
settings.register_profile("consilium", deadline=None)
settings.load_profile("consilium")

_folder = data_folder()
_reason = (
    f"{DATA_VARIABLE} is not set: it names the folder of real test data"
    if _folder is None
    else f"{DATA_VARIABLE} names {_folder}, which is not a folder"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if _folder is not None and _folder.is_dir():
        return
    for item in items:
        if item.get_closest_marker("real_data"):
            item.add_marker(pytest.mark.skip(reason=_reason))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real test data; only tests marked `real_data` may ask for it."""
    if _folder is None or not _folder.is_dir():
        pytest.skip(_reason)
    return _folder


@pytest.fixture(scope="session")
def shipped_models() -> None:
    """The models that come with the package; a test that needs them asks for this."""
    from consilium.errors import ModelError
    from consilium.karyotype.models import model_references

    try:
        model_references()
    except ModelError as missing:
        pytest.skip(f"the shipped models are not in this checkout: {missing}")


STAND_IN = Path(__file__).parent / "stand_in" / "stand_in_stages.py"


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Stages that need no model, and the cells they can read; worker processes find them too."""
    monkeypatch.syspath_prepend(STAND_IN.parent)
    return import_module(STAND_IN.stem)


@pytest.fixture
def stand_in_command() -> list[str]:
    """The beginning of a command line that is `consilium` with those stages."""
    return [sys.executable, str(STAND_IN)]


BAD_IMAGES = {
    "blank": "NoMetaphase",
    "nucleus": "NoMetaphase",
    "chest": "NoMetaphase",
    "truncated": "UnreadableImage",
    "no_image": "UnreadableImage",
    "one_pixel": "ImageOutOfBounds",
    "huge": "ImageOutOfBounds",
}
"""Pictures that are no metaphase, and the error that each is."""


@pytest.fixture(params=sorted(BAD_IMAGES))
def bad_image(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """One picture after the other that is no metaphase: (file, name of the error)."""
    return draw_bad_image(request.param, tmp_path / "bad" / f"{request.param}.png"), BAD_IMAGES[request.param]


def draw_bad_image(kind: str, path: Path) -> Path:
    """Draw one of `BAD_IMAGES`."""
    import cv2
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    page = rng.normal(225, 1.5, (600, 700))
    if kind == "nucleus":
        cv2.ellipse(page, (350, 300), (120, 100), 20, 0, 360, (120,), -1)
        page = cv2.GaussianBlur(page, (0, 0), 3) + rng.normal(0, 3, page.shape)
    elif kind == "chest":
        page = _chest(page.shape, rng)
    elif kind == "one_pixel":
        page = page[:1, :1]
    elif kind == "huge":
        page = np.full((40, 20_000), 225.0)
    Image.fromarray(np.clip(page, 0, 255).astype(np.uint8)).save(path)
    if kind == "truncated":
        path.write_bytes(path.read_bytes()[:2000])
    elif kind == "no_image":
        path.write_bytes(b"Dear colleague, the slides are in the post.")
    return path


def _chest(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Two dark lungs with ribs across them in a bright body: smooth, large, and thin structures on top."""
    import cv2

    page = np.full(shape, 20.0)
    cv2.ellipse(page, (350, 330), (300, 330), 0, 0, 360, (170,), -1)
    for x in (230, 470):
        cv2.ellipse(page, (x, 310), (95, 210), 0, 0, 360, (60,), -1)
        for y in range(140, 480, 48):
            cv2.ellipse(page, (x, y + 60), (110, 60), 0, 190, 350, (115,), 12)
    cv2.rectangle(page, (325, 60), (375, 600), (215,), -1)
    cv2.ellipse(page, (400, 430), (100, 80), -20, 0, 360, (190,), -1)
    return cv2.GaussianBlur(page, (0, 0), 4) + rng.normal(0, 4, shape)
