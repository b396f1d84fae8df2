"""What is told with a specimen is read whole, or refused without repeating it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consilium.errors import InputError
from consilium.karyotype.request import IDENTIFIERS, LONGEST, Request, read_request

SECRET = "Zhang-San-4711"


def _file(folder: Path, told: object) -> Path:
    path = folder / "told.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return path


def test_everything_can_be_told_in_a_file(tmp_path: Path) -> None:
    told = {key: f"{key} 张" for key in IDENTIFIERS}
    told |= {"birth_date": "1990-01-31", "received": "2026-11-01", "reported": "2026-11-24"}
    whole = {
        **told,
        "specimen": "bone_marrow",
        "neoplastic": False,
        "sex": "female",
        "withhold_sex": True,
        "band_level": 400,
    }
    request = read_request(_file(tmp_path, whole))
    assert {key: getattr(request, key) for key in whole} == whole
    assert request.sex_chromosomes == "XX" and not request.looks_for_acquired


def test_nothing_has_to_be_told() -> None:
    assert read_request(None) == Request()
    assert not Request().looks_for_acquired and Request().sex_chromosomes is None
    assert Request(specimen="bone_marrow").looks_for_acquired


def test_the_command_line_adds_and_may_not_contradict(tmp_path: Path) -> None:
    file = _file(tmp_path, {"sex": "male", "patient_name": SECRET})
    assert read_request(file, sex="male", specimen="bone_marrow").specimen == "bone_marrow"
    with pytest.raises(InputError, match="'sex' is another one") as error:
        read_request(file, sex="female")
    assert "mix-up" in str(error.value)
    with pytest.raises(InputError, match="'neoplastic' is another one"):
        read_request(_file(tmp_path, {"neoplastic": True}), neoplastic=False)
    with pytest.raises(InputError, match="'withhold_sex' is another one"):
        read_request(_file(tmp_path, {"withhold_sex": True}), withhold_sex=False)
    assert read_request(_file(tmp_path, {"withhold_sex": True})).withhold_sex
    assert not read_request(None).withhold_sex and read_request(None, withhold_sex=True).withhold_sex


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"patient": SECRET}, "'patient', which is unknown"),
        ({"patient_name": 4711}, "'patient_name' is no text"),
        ({"patient_name": [SECRET]}, "'patient_name' is no text"),
        ({"patient_name": SECRET + "\n"}, "cannot be printed"),
        ({"patient_name": SECRET * LONGEST}, "longer than"),
        ({"birth_date": SECRET}, "'birth_date' is no date"),
        ({"birth_date": "2026-02-30"}, "'birth_date' is no date"),
        ({"birth_date": "20260228"}, "'birth_date' is no date"),
        ({"specimen": SECRET}, "'specimen' is none"),
        ({"sex": SECRET}, "'sex' is none"),
        ({"neoplastic": SECRET}, "'neoplastic' is neither"),
        ({"withhold_sex": SECRET}, "'withhold_sex' is neither"),
        ({"band_level": SECRET}, "'band_level' is no whole number"),
        ({"band_level": True}, "'band_level' is no whole number"),
        ({"band_level": 5}, "'band_level' is no number of bands"),
        ([SECRET], "no JSON object"),
        (f'{{"patient_name": "{SECRET}"', "no JSON"),
        (f'{{"reason": "a", "reason": "{SECRET}"}}', "twice"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_what_is_wrong_is_named_and_never_repeated(tmp_path: Path, told: object, said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        read_request(_file(tmp_path, told))
    assert SECRET not in str(error.value)
    assert error.value.way_out and error.value.where.endswith("told.json")


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_request(tmp_path / "none.json")
    (tmp_path / "told.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no JSON"):
        read_request(tmp_path / "told.json")
