"""Signed reports of cases that are in the records, as tests need them."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
from PIL import Image

from consilium.laboratory.exchange.report import OutgoingReport, Person
from consilium.laboratory.review.content import Karyogram, content_sha256
from tests.laboratory.review.content_examples import content

PERSON = Person(name="欧阳娜娜Zzyzx", birth_date="1999-09-09", hospital_number="HN-77077", sex="female")
SECRETS = ("欧阳", "Zzyzx", "1999-09-09", "19990909", "HN-77077")
PDF = b"%PDF-1.7\n" + bytes(range(256)) + b"\n%%EOF\n"


def picture(seed: int) -> bytes:
    """A PNG that stands for a karyogram."""
    levels = np.random.default_rng(seed).integers(0, 255, (60, 80), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, "PNG")
    return stream.getvalue()


def signed(
    *, person: Person | None = None, pdf: bytes | None = None, pictures: bool = False, **entries: Any
) -> OutgoingReport:
    drawn = {"01.png": picture(1), "02.png": picture(2)}
    entries.setdefault("case_number", "K26-00001")
    entries.setdefault("order_number", "ORD-1@HIS")
    told = content(
        karyograms=tuple(
            Karyogram(
                cell=cell, karyotype="46,XX", sha256=hashlib.sha256(data).hexdigest(), interactions=3, synthetic=True
            )
            for cell, data in drawn.items()
        ),
        **entries,
    )
    return OutgoingReport(
        content=told, sha256=content_sha256(told), signer="dai", at="2026-03-20T08:00:00.000Z", person=person, pdf=pdf,
        pictures=drawn if pictures else {},
    )  # fmt: skip


def amended(report: OutgoingReport, **entries: Any) -> OutgoingReport:
    return signed(revision=2, supersedes=report.sha256, amendment_reason="a band was misnamed", **entries)
