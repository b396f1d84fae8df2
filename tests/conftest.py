"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from consilium.settings import DATA_VARIABLE, data_folder

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
