"""Pictures for the eye: a cell's, its thumbnail, each of its objects. All can be made again from what is kept.

They lie in a folder beside the files, so that a page of 46 chromosomes is drawn once and not for every reader. Losing
the folder costs the time to draw them again, and nothing else.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from consilium.errors import NotFound
from consilium.karyotype.editing.cell import CellObject
from consilium.karyotype.editing.sprite import sprite, sprite_key
from consilium.karyotype.straighten import dark_on_light
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.images import read_content

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.analysis.tables import CellRow

MOST_PAGES = 12
"""Pictures of cells that a process holds decoded: one or two megabytes each."""

MOST_DRAWN = 20_000
"""Objects of which a process knows how large their picture is."""

THUMBNAIL = 360
"""Pixels of a thumbnail's longer side."""

_CENTROMERE = "centromere"
_KEY = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """The picture of an object: what names it, its size in pixels, the row of its centromere."""

    key: str
    width: int
    height: int
    centromere: int


class Pictures:
    """Pictures that this process can serve.

    Args:
        files: where pictures of cells lie; what is drawn lies beside them, in `drawn`.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._folder = files.folder / "drawn"
        self._lock = Lock()
        self._pages: OrderedDict[tuple[str, bool], NDArray[np.uint8]] = OrderedDict()
        self._drawn: OrderedDict[str, Drawn] = OrderedDict()

    def drawn(self, session: Session, row: CellRow, objects: Sequence[CellObject]) -> dict[str, Drawn]:
        """The pictures of some objects of a cell, by their ids; what was not drawn before is drawn.

        Raises:
            OutputError: the picture of the cell is missing, or was changed.
        """
        digest = _picture(session, row)
        return {one.id: self._draw(one, digest, inverted=row.inverted) for one in objects}

    def sprite(self, session: Session, row: CellRow, key: str, objects: Callable[[], Iterable[CellObject]]) -> bytes:
        """The picture of an object as a PNG file, by its key.

        Args:
            session: to look with.
            row: the cell.
            key: of the picture.
            objects: gives those of the cell, should it have to be drawn.

        Raises:
            NotFound: no object has this picture.
        """
        if not _KEY.fullmatch(key):
            raise NotFound("there is no such picture")
        with suppress(OSError):
            return self._path(key).read_bytes()
        digest = _picture(session, row)
        for one in objects():
            if sprite_key(one, digest) == key:
                with self._lock:
                    self._drawn.pop(key, None)
                self._draw(one, digest, inverted=row.inverted)
                return self._path(key).read_bytes()
        raise NotFound("no object has this picture any more", way_out="Read the cell again.")

    def sprites(self, session: Session, row: CellRow, objects: Sequence[CellObject]) -> dict[str, bytes]:
        """The pictures of some objects of a cell as PNG files, by their keys.

        Raises:
            OutputError: the picture of the cell is missing, or was changed.
        """
        drawn = self.drawn(session, row, objects)
        return {one.key: self.sprite(session, row, one.key, lambda: objects) for one in drawn.values()}

    def whole(self, session: Session, row: CellRow) -> bytes:
        """The picture of a cell as a PNG file: 8 bits of grey, as it was taken."""
        digest = _picture(session, row)
        return self._kept(f"{digest[:38]}-w", lambda: _png(read_content(self._files.read(digest))[1]))

    def thumbnail(self, session: Session, row: CellRow) -> bytes:
        """The picture of a cell, small and dark on light, as a PNG file."""
        digest = _picture(session, row)
        kind = "i" if row.inverted else "t"

        def make() -> bytes:
            small = Image.fromarray(self._page(digest, inverted=row.inverted))
            small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
            return _png(np.asarray(small, dtype=np.uint8))

        return self._kept(f"{digest[:38]}-{kind}", make)

    def _draw(self, one: CellObject, digest: str, *, inverted: bool) -> Drawn:
        key = sprite_key(one, digest)
        with self._lock:
            if key in self._drawn:
                self._drawn.move_to_end(key)
                return self._drawn[key]
        found = self._known(key)
        if found is None:
            made = sprite(self._page(digest, inverted=inverted), one)
            height, width = made.pixels.shape
            found = Drawn(key=key, width=width, height=height, centromere=made.centromere)
            self._write(key, _png(made.pixels, centromere=made.centromere))
        with self._lock:
            self._drawn[key] = found
            while len(self._drawn) > MOST_DRAWN:
                self._drawn.popitem(last=False)
        return found

    def _known(self, key: str) -> Drawn | None:
        """What the file of a picture says of itself."""
        with (
            suppress(OSError, ValueError, KeyError, SyntaxError),
            Image.open(self._path(key), formats=["PNG"]) as image,
        ):
            assert isinstance(image, PngImagePlugin.PngImageFile)
            return Drawn(key=key, width=image.width, height=image.height, centromere=int(image.text[_CENTROMERE]))
        return None

    def _page(self, digest: str, *, inverted: bool) -> NDArray[np.uint8]:
        name = (digest, inverted)
        with self._lock:
            if name in self._pages:
                self._pages.move_to_end(name)
                return self._pages[name]
        page = dark_on_light(read_content(self._files.read(digest))[1], inverted=inverted)
        with self._lock:
            self._pages[name] = page
            while len(self._pages) > MOST_PAGES:
                self._pages.popitem(last=False)
        return page

    def _kept(self, name: str, make: Callable[[], bytes]) -> bytes:
        with suppress(OSError):
            return self._path(name).read_bytes()
        content = make()
        self._write(name, content)
        return content

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}.png"

    def _write(self, name: str, content: bytes) -> None:
        """Whole or not at all; a loss of power may take it, since it can be drawn again."""
        place = self._path(name)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        half, path = tempfile.mkstemp(prefix=".half-", dir=place.parent)
        with os.fdopen(half, "wb") as stream:
            stream.write(content)
        Path(path).replace(place)


def _picture(session: Session, row: CellRow) -> str:
    """Which file the picture of a cell is."""
    from consilium.laboratory.analysis.tables import ImageRow

    return session.get_one(ImageRow, row.image_id).sha256


def _png(pixels: NDArray[np.uint8], *, centromere: int | None = None) -> bytes:
    stream = io.BytesIO()
    told = PngImagePlugin.PngInfo()
    if centromere is not None:
        told.add_text(_CENTROMERE, str(centromere))
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, format="PNG", pnginfo=told)
    return stream.getvalue()
