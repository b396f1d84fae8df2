"""A laboratory that has partners, and messages for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from consilium.laboratory.laboratory import Laboratory
from tests.laboratory.conftest import database, extras, founded, postgres, url

__all__ = ["database", "extras", "postgres", "url"]

CODES = {"KARYO-B": "constitutional_blood", "KARYO-M": "bone_marrow"}
SPECIMENS = {"BMAR": "bone_marrow", "AMN": "amniotic_flask"}


@pytest.fixture(autouse=True)
def packages() -> None:
    """What the exchange needs."""
    for module in ("hl7", "fhir.resources", "pynetdicom", "highdicom", "dicomweb_client"):
        pytest.importorskip(module, reason=f"the exchange needs {module} (extra exchange)")


def exchanging(made: Laboratory, **more: object) -> Laboratory:
    from consilium.laboratory.exchange.partners import Partners, settle

    settled: dict[str, object] = {"services": CODES, "specimens": SPECIMENS, "facility": "CYTO", **more}
    with made.changing("ada") as change:
        settle(change, Partners(**settled), reason="test")  # type: ignore[arg-type]
    return made


@pytest.fixture
def partnered(tmp_path: Path) -> Iterator[Laboratory]:
    """On SQLite."""
    made = exchanging(founded(f"sqlite:///{tmp_path / 'records.db'}"))
    yield made
    made.close()


@pytest.fixture
def both(url: str) -> Iterator[Laboratory]:
    """On SQLite and on PostgreSQL."""
    made = exchanging(founded(url))
    yield made
    made.close()


def oml(
    number: str = "ORD-1", *, control: str = "NW", message: str = "M1", service: str = "KARYO-B", patient: str = "HN-1",
    name: str = "欧阳^娜娜", birth: str = "19990909", sex: str = "F", indication: str = "short stature",
    priority: str = "R", kind: str = "OML^O21^OML_O21",
    specimen: str = "SPM|1|||BLD^blood^HL70487|||||||||||||202603010830", charset: str = "UNICODE UTF-8",
    processing: str = "P", version: str = "2.5.1", reason: str = "",
) -> str:  # fmt: skip
    lines = [
        f"MSH|^~\\&|HIS|HOSP|CONSILIUM|CYTO|20260302090000||{kind}|{message}|{processing}|{version}||||||{charset}",
        f"PID|1||{patient}^^^^MR||{name}||{birth}|{sex}",
        f"ORC|{control}|{number}||||||||||D1^Li^Wei||||{reason}",
        f"TQ1|1||||||||{priority}",
        f"OBR|1|{number}||{service}^Karyotype^L|||||||||{indication}|||D1^Li^Wei",
        *([specimen] if specimen else []),
    ]
    return "\r".join(lines) + "\r"
