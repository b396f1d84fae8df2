from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from consilium.settings import DATA_VARIABLE, FONTS_VARIABLE, HOME_VARIABLE, data_folder, font_folders, home_folder


def test_home_is_what_the_environment_says(tmp_path: Path) -> None:
    assert home_folder({HOME_VARIABLE: str(tmp_path)}) == tmp_path


@pytest.mark.parametrize("environ", [{}, {HOME_VARIABLE: ""}, {HOME_VARIABLE: "  "}])
def test_home_defaults_to_the_user_data_folder(environ: dict[str, str]) -> None:
    folder = home_folder(environ)
    assert folder.is_absolute()
    assert folder.name == "consilium"


def test_home_expands_the_tilde() -> None:
    assert home_folder({HOME_VARIABLE: "~/case-store"}) == Path.home() / "case-store"


def test_home_creates_nothing(tmp_path: Path) -> None:
    home_folder({HOME_VARIABLE: str(tmp_path / "new")})
    assert not (tmp_path / "new").exists()


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    assert home_folder() == tmp_path / "home"
    assert data_folder() == tmp_path / "data"


def test_data_is_none_when_unset_or_empty() -> None:
    assert data_folder({}) is None
    assert data_folder({DATA_VARIABLE: ""}) is None


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, consilium, consilium.settings, consilium.errors\n"
        "heavy = {'numpy', 'cv2', 'PIL', 'onnxruntime', 'click', 'importlib.metadata'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert consilium.__version__[0].isdigit()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_font_folders_are_parted_like_a_path(tmp_path: Path) -> None:
    assert font_folders({}) == ()
    named = os.pathsep.join([str(tmp_path / "a"), "", "~/fonts"])
    assert font_folders({FONTS_VARIABLE: named}) == (tmp_path / "a", Path.home() / "fonts")
