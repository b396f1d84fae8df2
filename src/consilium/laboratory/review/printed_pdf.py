"""A report as PDF: typeset by Typst from `printed.typ`, the same bytes for the same report.

Values reach the template as data, a JSON file beside it, never as its text; the file is PDF/A-2u, for archives.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path

from consilium.errors import MissingFont, StorageBroken
from consilium.laboratory.review.content import Lang
from consilium.laboratory.review.printed import Report, printed
from consilium.typesetting.fonts import FONT_WAY_OUT, find_chinese_font, usual_font_folders
from consilium.typesetting.pdf import LATIN, compiled, families_in, fonts_beside, typst_module


def report_pdf(
    report: Report,
    pictures: Mapping[str, bytes],
    lang: Lang,
    *,
    font_folders: Iterable[Path] | None = None,
    scratch: Path | None = None,
) -> bytes:
    """Typeset a revision of a report.

    Args:
        report: with everything that is printed of it.
        pictures: PNG files of its karyograms, by their SHA-256.
        lang: of the report.
        font_folders: where to look for a Chinese font; the platform's folders when left out.
        scratch: a folder in which what Typst reads lies for a moment; the system's folder when left out.

    Raises:
        MissingFont: no font has the letters of the report.
        MissingExtra: Typst is not installed.
        OutputError: Typst failed otherwise.
        StorageBroken: a picture is not the one that its hash names, or is missing.
    """
    typst_module()
    chinese = find_chinese_font(usual_font_folders() if font_folders is None else font_folders)
    if chinese is None and lang == "zh":
        raise MissingFont("no font with Chinese characters was found", way_out=FONT_WAY_OUT)
    with tempfile.TemporaryDirectory(prefix="consilium-report-", dir=scratch) as name:
        folder = Path(name)
        fonts = fonts_beside(folder, chinese)
        families = families_in(fonts)
        data = printed(report, lang)
        data["fonts"] = [*families, LATIN] if lang == "zh" else [LATIN, *families]
        for number, one in enumerate(data["karyograms"]):
            one["file"] = f"karyogram-{number}.png"
            (folder / one["file"]).write_bytes(checked_picture(pictures, one["sha256"]))
        moment = datetime.fromisoformat(data["moment"])
        data["moment"] = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        template = resources.files("consilium.laboratory.review").joinpath("printed.typ").read_bytes()
        (folder / "printed.typ").write_bytes(template)
        return compiled(
            folder / "printed.typ", fonts, created=moment.isoformat(timespec="seconds"), chinese=chinese is not None
        )


def checked_picture(pictures: Mapping[str, bytes], sha256: str) -> bytes:
    """A picture by its hash.

    Raises:
        StorageBroken: it is missing, or another one.
    """
    found = pictures.get(sha256)
    if found is None or hashlib.sha256(found).hexdigest() != sha256:
        told = "is missing" if found is None else "is not the one that was signed"
        raise StorageBroken(f"a karyogram of this report {told}", where=sha256[:16], way_out="Bring back a backup.")
    return found
