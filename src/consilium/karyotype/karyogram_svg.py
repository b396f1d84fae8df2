"""The karyogram as a self-contained SVG: crops embedded, no script, no outside resource."""

from __future__ import annotations

import base64
import hashlib
import io
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from consilium.karyotype.karyogram import Bracket, Karyogram, Place
from consilium.karyotype.metaphase import CLASSES, UNSURE
from consilium.karyotype.wording import LANGUAGES, Language, percentage, phrase, sentence

FONTS = (
    "'Helvetica Neue',Arial,'Noto Sans','Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',"
    "'WenQuanYi Zen Hei',sans-serif"
)
MARK = "#c2410c"
"""Burnt orange: against black, white and grey it also keeps its brightness contrast for colour-blind readers."""


def to_svg(karyogram: Karyogram, lang: Language) -> str:
    """Draw a karyogram.

    Args:
        karyogram: the layout.
        lang: language of titles and texts.

    Returns:
        One `<svg>` element. Each chromosome is a `<g>` with `data-index` (its index in the cell), an `id` that is
        unique to image and index, and a `<title>` with label, confidence and flags.
    """
    key = image_key(karyogram.image)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {karyogram.width:.0f} {karyogram.height:.0f}" '
        f'width="{karyogram.width:.0f}" height="{karyogram.height:.0f}" role="img" font-family="{FONTS}" '
        f'aria-label="{escape(karyogram.image)}: {escape(karyogram.karyotype)}">'
    )
    parts = [
        opening,
        f'<rect width="{karyogram.width:.0f}" height="{karyogram.height:.0f}" fill="#fff"/>',
        _header(karyogram, lang),
    ]
    for left, right, y in karyogram.centromere_lines:
        parts.append(
            f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d5dbe3" '
            'stroke-width="1" stroke-dasharray="1 5"/>'
        )
    parts += [_place(place, key, lang) for place in karyogram.places]
    parts += [_bracket(bracket, lang) for bracket in karyogram.brackets]
    parts.append(_footer(karyogram, lang))
    if karyogram.synthetic:
        parts.append(_watermark(karyogram, lang))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def image_key(image: str) -> str:
    """Return a short name for an image that is safe in ids and unique within a case."""
    return "c" + hashlib.sha256(image.encode()).hexdigest()[:10]


def png_uri(picture: NDArray[np.uint8]) -> str:
    """Return a grey picture, (H, W) uint8, as a lossless PNG data URI."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(picture)).decode("ascii")


def png_bytes(picture: NDArray[np.uint8]) -> bytes:
    """Return a grey picture, (H, W) uint8, as a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def title(place: Place, lang: Language) -> str:
    """Say what stands in a place: its name, confidence, and each flag on a line of its own."""
    if place.index is None:
        return f"{phrase('chromosome', lang, label=place.label)}: {phrase('empty_place', lang)}"
    named = place.label in CLASSES
    name = phrase("chromosome", lang, label=place.label) if named else phrase("unnamed", lang)
    name = phrase("chromosome", lang, label=place.written) if place.written else name
    first = f"{name}, {phrase('confidence', lang, confidence=percentage(place.confidence))}"
    return "\n".join([first, *(sentence(flag, lang) for flag in place.flags)])


def mark_shape(x: float, top: float, size: float) -> tuple[tuple[float, float], ...]:
    """The three corners of a warning triangle centred on x."""
    return ((x, top), (x + size * 0.58, top + size), (x - size * 0.58, top + size))


def watermark_size(words: str, width: float) -> float:
    """Return the font size at which the words span most of a page of the given width.

    Chinese letters are as wide as the size, bold Latin capitals about 0.7 of it.
    """
    ems = sum(1.0 if ord(letter) > 0x2E80 else 0.7 for letter in words)
    return min(0.8 * width / ems, 92.0)


def _place(place: Place, key: str, lang: Language) -> str:
    box = f'x="{place.x:.2f}" y="{place.y:.2f}" width="{place.width:.2f}" height="{place.height:.2f}"'
    note = f"<title>{escape(title(place, lang))}</title>"
    if place.picture is None:
        frame = f'<rect {box} rx="5" fill="none" stroke="#9aa4b2" stroke-dasharray="4 3"/>'
        return f'<g class="empty" data-label="{escape(place.label)}">{note}{frame}</g>'
    picture = f'<image {box} preserveAspectRatio="none" href="{png_uri(place.picture)}"/>'
    flagged = _mark(place) if place.flags else ""
    return (
        f'<g id="{key}-{place.index}" data-index="{place.index}" data-label="{escape(place.label)}" '
        f'class="{"chromosome flagged" if place.flags else "chromosome"}">{note}{picture}{flagged}</g>'
    )


def _mark(place: Place) -> str:
    x, size = place.x + place.width / 2, 13.0
    top = place.y - size - 4
    corners = " ".join(f"{a:.1f},{b:.1f}" for a, b in mark_shape(x, top, size))
    return (
        f'<polygon points="{corners}" fill="{MARK}"/>'
        f'<text x="{x:.1f}" y="{top + 11.2:.1f}" font-size="9.5" font-weight="700" text-anchor="middle" '
        'fill="#fff">!</text>'
        f'<text x="{x:.1f}" y="{top - 3:.1f}" font-size="10" text-anchor="middle" '
        f'fill="{MARK}">{percentage(place.confidence)}</text>'
    )


def _bracket(bracket: Bracket, lang: Language) -> str:
    text = phrase("unsure", lang) if bracket.text == UNSURE else bracket.text
    big = bracket.kind == "group"
    return (
        f'<path d="M{bracket.left:.1f} {bracket.y - 3:.1f}v3H{bracket.right:.1f}v-3" fill="none" '
        f'stroke="{"#5b6675" if big else "#111"}" stroke-width="1"/>'
        f'<text x="{(bracket.left + bracket.right) / 2:.1f}" y="{bracket.y + 15:.1f}" text-anchor="middle" '
        f'font-size="{13 if big else 14}" font-weight="{700 if big else 400}" '
        f'fill="{"#5b6675" if big else "#111"}">{escape(text)}</text>'
    )


def _header(karyogram: Karyogram, lang: Language) -> str:
    count = phrase("chromosomes", lang, count=karyogram.count)
    withheld = f" · {phrase('sex_withheld', lang)}" if karyogram.sex_withheld else ""
    return (
        f'<text x="36" y="42" font-size="24" font-weight="700" fill="#111">{escape(karyogram.karyotype)}</text>'
        f'<text x="36" y="64" font-size="13" fill="#5b6675">{escape(karyogram.image)} · {count}{withheld}</text>'
    )


def _footer(karyogram: Karyogram, lang: Language) -> str:
    y = karyogram.footer_y
    corners = " ".join(f"{a:.1f},{b:.1f}" for a, b in mark_shape(42.0, y - 1, 12.0))
    both = "  ".join(phrase("prompt", language) for language in sorted(LANGUAGES, key=lambda one: one != lang))
    return (
        f'<polygon points="{corners}" fill="{MARK}"/>'
        f'<text x="42" y="{y + 9.5:.1f}" font-size="8.5" font-weight="700" text-anchor="middle" fill="#fff">!</text>'
        f'<text x="56" y="{y + 10:.1f}" font-size="12" fill="#5b6675">{phrase("legend", lang)}</text>'
        f'<text x="36" y="{y + 32:.1f}" font-size="12" fill="#5b6675">{both}</text>'
    )


def _watermark(karyogram: Karyogram, lang: Language) -> str:
    x, y = karyogram.width / 2, karyogram.height / 2
    words = " · ".join(dict.fromkeys([phrase("synthetic", "en"), phrase("synthetic", lang)]))
    size = watermark_size(words, karyogram.width)
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size:.0f}" font-weight="700" text-anchor="middle" '
        f'fill="#2563eb" fill-opacity="0.13" pointer-events="none" '
        f'transform="rotate(-24 {x:.0f} {y:.0f})">{words}</text>'
        f'<text x="{karyogram.width - 36:.0f}" y="42" font-size="14" font-weight="700" text-anchor="end" '
        f'fill="#1d4ed8">{words}</text>'
    )
