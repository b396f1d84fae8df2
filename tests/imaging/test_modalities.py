from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import UID

from consilium.errors import InputError
from consilium.imaging.modalities import Modality, modalities, modality, modality_of_dicom, statuses
from consilium.imaging.normalise.choose import _PREPARED

STORAGE = "1.2.840.10008.5.1.4.1.1."
NINETEEN = (
    "ct mr us xr mg dx-dental xa pt nm op opt es dms xc sm cyto smear karyo fluo"
)  # fmt: skip


def test_there_are_nineteen_in_the_order_of_the_table() -> None:
    assert [entry.id for entry in modalities()] == NINETEEN.split()


@pytest.mark.parametrize("entry", modalities(), ids=lambda entry: entry.id)
class TestEveryModality:
    def test_is_fully_described(self, entry: Modality) -> None:
        assert entry.name_en
        assert entry.normaliser
        assert any("\u4e00" <= letter <= "\u9fff" for letter in entry.name_zh)
        assert entry.native_form in ("plane", "volume", "frames", "slide", "channels")
        assert entry.dicom_modalities

    def test_names_storage_classes_that_there_are(self, entry: Modality) -> None:
        for sop_class in entry.sop_classes:
            # pydicom gives a name to what is in the standard and the UID itself to anything else.
            assert UID(sop_class).name != sop_class
            assert UID(sop_class).type == "SOP Class"

    def test_has_a_normaliser(self, entry: Modality) -> None:
        assert entry.id in _PREPARED

    def test_is_found_by_its_id(self, entry: Modality) -> None:
        assert modality(entry.id) is entry


@pytest.mark.parametrize(
    ("term", "sop_class", "found"),
    [
        ("CT", "2", "ct"),
        ("ct ", "2.1", "ct"),
        ("CT", "7", "ct"),
        ("", "4.1", "mr"),
        ("CR", "1", "xr"),
        ("DX", "1.1", "xr"),
        ("DX", "1.1.1", "xr"),
        ("MG", "13.1.3", "mg"),
        ("IO", "1.3", "dx-dental"),
        ("PX", "1.1", "dx-dental"),
        ("CT", "13.1.2", "dx-dental"),
        ("RF", "12.2", "xa"),
        ("PT", "130", "pt"),
        ("IVOCT", "14.1", "opt"),
        ("OP", "77.1.5.1", "op"),
        ("ES", "77.1.1.1", "es"),
        ("SM", "77.1.6", "sm"),
        ("GM", "77.1.8", "fluo"),
        ("CFM", "", "fluo"),
        ("GM", "77.1.2", None),
        ("GM", "77.1.3", None),
        ("OT", "7", None),
        ("", "", None),
    ],
)
def test_what_a_dicom_header_names(term: str, sop_class: str, found: str | None) -> None:
    named = modality_of_dicom(term, STORAGE + sop_class if sop_class else "")
    assert (named.id if named else None) == found


def test_an_unknown_id_is_answered_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"'xray'.*ct, mr, us"):
        modality("xray")


class TestStatuses:
    def test_follow_from_the_cards(self) -> None:
        found = statuses([("karyo",), (), ("us", "xr")])
        assert [identifier for identifier, status in found.items() if status == "trained"] == ["us", "xr", "karyo"]
        assert found["pt"] == "accepted, untrained"
        assert list(found) == NINETEEN.split()

    def test_refuse_a_card_that_names_no_modality(self) -> None:
        with pytest.raises(InputError, match="'chromosomes'"):
            statuses([("chromosomes",)])


def test_the_reference_page_has_the_table_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "modalities.md").read_text(encoding="utf-8")
    for entry in modalities():
        classes = ", ".join("." + sop_class.removeprefix(STORAGE) for sop_class in entry.sop_classes)
        terms = ", ".join(entry.dicom_modalities)
        row = f"| `{entry.id}` | {entry.name_en} | {entry.name_zh} | {terms} | {classes} | {entry.native_form} |"
        assert f"{row} {entry.normaliser} |" in page
