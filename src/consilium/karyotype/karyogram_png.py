"""The karyogram as a PNG, for slides, printers and systems that show no SVG."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from consilium.karyotype.karyogram import Bracket, Karyogram, Place
from consilium.karyotype.karyogram_svg import MARK, mark_shape, watermark_size
from consilium.karyotype.metaphase import UNSURE
from consilium.karyotype.wording import LANGUAGES, Language, percentage, phrase
from consilium.typesetting.fonts import find_chinese_font, usual_font_folders

ENLARGEMENT = 2
"""Pixels of the PNG a canvas unit: sharp on a high-density screen and at 200 dpi on A4."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
GREY, BLACK, PALE = "#5b6675", "#111111", "#d5dbe3"


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A PNG file and, where it is not what was asked for, a note in English that says so."""

    data: bytes
    note: str | None


def to_png(karyogram: Karyogram, lang: Language, *, font_folders: Iterable[Path] | None = None) -> Picture:
    """Draw a karyogram as a grey-and-orange PNG.

    Args:
        karyogram: the layout.
        lang: language of the texts; Chinese needs an installed font and falls back to English without one.
        font_folders: where to look for fonts; the platform's usual folders when left out.

    Returns:
        The file and a note where the language had to be changed.
    """
    font_file = find_chinese_font(usual_font_folders() if font_folders is None else font_folders)
    note = None
    if lang == "zh" and font_file is None:
        lang, note = "en", "no font with Chinese characters was found: the PNG karyograms are labelled in English"
    sheet = _Sheet(karyogram, lang, font_file)
    sheet.draw_all()
    stream = io.BytesIO()
    sheet.image.save(stream, format="PNG", compress_level=3)
    return Picture(data=stream.getvalue(), note=note)


class _Sheet:
    """One PNG under the pen."""

    def __init__(self, karyogram: Karyogram, lang: Language, font_file: Path | None) -> None:
        self.karyogram, self.lang, self.font_file = karyogram, lang, font_file
        size = (round(karyogram.width * ENLARGEMENT), round(karyogram.height * ENLARGEMENT))
        self.image = Image.new("RGB", size, "white")
        self.pen = ImageDraw.Draw(self.image)

    def draw_all(self) -> None:
        for left, right, y in self.karyogram.centromere_lines:
            self._dashes((left, y), (right, y), dash=1, gap=5, fill=PALE)
        for place in self.karyogram.places:
            self._place(place)
        for bracket in self.karyogram.brackets:
            self._bracket(bracket)
        self._texts()
        if self.karyogram.synthetic:
            self._watermark()

    def _font(self, size: float) -> Font:
        # Pillow's own face needs no file, so that an English picture looks the same on every machine.
        if self.font_file is None or self.lang == "en":
            return ImageFont.load_default(size * ENLARGEMENT)
        return ImageFont.truetype(str(self.font_file), size * ENLARGEMENT)

    def _text(self, at: tuple[float, float], words: str, size: float, *, anchor: str, fill: str, bold: bool) -> None:
        place = (at[0] * ENLARGEMENT, at[1] * ENLARGEMENT)
        self.pen.text(place, words, font=self._font(size), anchor=anchor, fill=fill, stroke_width=0.6 if bold else 0)

    def _dashes(
        self, start: tuple[float, float], end: tuple[float, float], *, dash: float, gap: float, fill: str
    ) -> None:
        length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
        direction = ((end[0] - start[0]) / max(length, 1e-6), (end[1] - start[1]) / max(length, 1e-6))
        for position in np.arange(0, length, dash + gap):
            stop = min(position + dash, length)
            ends = [
                ((start[0] + direction[0] * at) * ENLARGEMENT, (start[1] + direction[1] * at) * ENLARGEMENT)
                for at in (position, stop)
            ]
            self.pen.line(ends, fill=fill, width=ENLARGEMENT)

    def _place(self, place: Place) -> None:
        left, top, right, bottom = place.x, place.y, place.x + place.width, place.y + place.height
        if place.picture is None:
            corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
            for start, end in itertools.pairwise(corners):
                self._dashes(start, end, dash=4, gap=3, fill="#9aa4b2")
            return
        size = (max(round(place.width * ENLARGEMENT), 1), max(round(place.height * ENLARGEMENT), 1))
        crop = Image.fromarray(np.ascontiguousarray(place.picture)).resize(size, Image.Resampling.BICUBIC)
        self.image.paste(crop, (round(left * ENLARGEMENT), round(top * ENLARGEMENT)))
        if place.flags:
            self._mark((left + right) / 2, top - 17)
            self._text(
                ((left + right) / 2, top - 20), percentage(place.confidence), 10, anchor="ms", fill=MARK, bold=False
            )

    def _mark(self, x: float, top: float) -> None:
        self.pen.polygon([(a * ENLARGEMENT, b * ENLARGEMENT) for a, b in mark_shape(x, top, 13.0)], fill=MARK)
        self._text((x, top + 11.5), "!", 9.5, anchor="ms", fill="white", bold=True)

    def _bracket(self, bracket: Bracket) -> None:
        big = bracket.kind == "group"
        colour = GREY if big else BLACK
        foot = [
            (bracket.left, bracket.y - 3),
            (bracket.left, bracket.y),
            (bracket.right, bracket.y),
            (bracket.right, bracket.y - 3),
        ]
        self.pen.line([(x * ENLARGEMENT, y * ENLARGEMENT) for x, y in foot], fill=colour, width=ENLARGEMENT)
        words = phrase("unsure", self.lang) if bracket.text == UNSURE else bracket.text
        centre = ((bracket.left + bracket.right) / 2, bracket.y + 15)
        self._text(centre, words, 13 if big else 14, anchor="ms", fill=colour, bold=big)

    def _texts(self) -> None:
        picture = self.karyogram
        count = phrase("chromosomes", self.lang, count=picture.count)
        self._text((36, 42), picture.karyotype, 24, anchor="ls", fill=BLACK, bold=True)
        withheld = f" · {phrase('sex_withheld', self.lang)}" if picture.sex_withheld else ""
        told = f"{self._writable(picture.image)} · {count}{withheld}"
        self._text((36, 64), told, 13, anchor="ls", fill=GREY, bold=False)
        y = picture.footer_y
        self._mark(42, y - 2)
        self._text((56, y + 10), phrase("legend", self.lang), 12, anchor="ls", fill=GREY, bold=False)
        spoken = [one for one in LANGUAGES if one == self.lang or (one == "en" or self.font_file is not None)]
        x = 36.0
        for one in sorted(spoken, key=lambda language: language != self.lang):
            words = phrase("prompt", one)
            font = self._font(12) if one == "en" or self.font_file is None else self._chinese(12)
            self.pen.text((x * ENLARGEMENT, (y + 32) * ENLARGEMENT), words, font=font, anchor="ls", fill=GREY)
            x += font.getlength(words) / ENLARGEMENT + 14

    def _chinese(self, size: float) -> Font:
        return ImageFont.truetype(str(self.font_file), size * ENLARGEMENT)

    def _writable(self, words: str) -> str:
        """Replace what the English face has no glyph for (a Chinese file name), visibly."""
        if self.lang == "zh":
            return words
        return "".join(letter if letter.isprintable() and ord(letter) < 256 else "?" for letter in words)

    def _watermark(self) -> None:
        words = " · ".join(dict.fromkeys([phrase("synthetic", "en"), phrase("synthetic", self.lang)]))
        height = watermark_size(words, self.karyogram.width)
        font = self._font(height)
        size = (round(font.getlength(words)), round(1.4 * height * ENLARGEMENT))
        # Only as large as the words: turning a layer the size of the page would take half of the drawing time.
        layer = Image.new("L", size)
        ImageDraw.Draw(layer).text((size[0] / 2, size[1] / 2), words, font=font, anchor="mm", fill=34)
        turned = layer.rotate(24, resample=Image.Resampling.BILINEAR, expand=True)
        corner = ((self.image.width - turned.width) // 2, (self.image.height - turned.height) // 2)
        self.image.paste((37, 99, 235), corner, turned)
        self._text((self.karyogram.width - 36, 42), words, 14, anchor="rs", fill="#1d4ed8", bold=True)
