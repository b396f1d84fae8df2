from __future__ import annotations

import pytest
from pydicom import uid
from pydicom.datadict import tag_for_keyword

from consilium.errors import InputError
from consilium.imaging.deidentify.policy import NOT_BUILT, OPTIONS, Policy, Retain, chosen
from consilium.imaging.deidentify.rules import Action, basic_action, confidentiality_table, rule_of


def tag(keyword: str) -> int:
    found = tag_for_keyword(keyword)
    assert found is not None
    return found


def decided(keyword: str, *, sop_class: str = uid.CTImageStorage, within: str = "") -> Action:
    rule = rule_of(tag(keyword))
    assert rule is not None
    return basic_action(rule, tag(keyword), sop_class=sop_class, within=within)


@pytest.mark.parametrize(
    ("keyword", "action"),
    [
        ("PatientBirthDate", "Z"),
        ("PatientName", "Z"),
        ("AccessionNumber", "Z"),
        ("SOPInstanceUID", "U"),
        ("PatientAddress", "X"),
        ("OtherPatientIDsSequence", "X"),
        ("StudyDate", "Z"),
        ("IconImageSequence", "X"),
    ],
)
def test_what_the_standard_asks_for(keyword: str, action: str) -> None:
    assert decided(keyword) is Action(action)


def test_the_whole_table_is_there() -> None:
    table = confidentiality_table()
    assert table.edition == "2026d"
    assert len(table.rules) == 653
    assert {choice for rule in table.rules.values() for choice in rule.basic.split("/")} == {"X", "Z", "D", "U", "U*"}


def test_the_type_in_the_object_decides_between_alternatives() -> None:
    # DeviceSerialNumber X/Z/D is type 3 in a CT image and type 1 in enhanced ones (PS3.3, C.7.5.1 and C.7.5.2).
    assert decided("DeviceSerialNumber") is Action.REMOVE
    assert decided("DeviceSerialNumber", sop_class=uid.EnhancedMRImageStorage) is Action.DUMMY
    # ContrastBolusAgent Z/D is type 2.
    assert decided("ContrastBolusAgent") is Action.EMPTY
    # In the item of a person's identification the institution is needed.
    assert decided("InstitutionName", within="OperatorIdentificationSequence") is Action.DUMMY


def test_where_nothing_is_known_least_is_left() -> None:
    assert decided("DeviceSerialNumber", sop_class="1.2.3") is Action.REMOVE
    assert decided("InstitutionName", within="NoSuchSequence") is Action.REMOVE


@pytest.mark.parametrize("number", [0x50000005, 0x501E3000, 0x60003000, 0x60020010, 0x00091001, 0x00041220, 0x00000002])
def test_groups_that_go_as_a_whole(number: int) -> None:
    rule = rule_of(number)
    assert rule is not None and rule.basic == "X"


def test_an_option_changes_only_its_own_column() -> None:
    rule, number = rule_of(tag("PatientAge")), tag("PatientAge")
    assert rule is not None
    kept = Policy(retain=frozenset({Retain.PATIENT})).action(rule, number, sop_class="", within="")
    assert kept == (Action.KEEP, Retain.PATIENT)
    other = Policy(retain=frozenset({Retain.DEVICE})).action(rule, number, sop_class="", within="")
    assert other == (Action.REMOVE, None)


def test_every_built_option_has_a_column_of_the_table() -> None:
    columns = {column for rule in confidentiality_table().rules.values() for column in rule.options}
    assert {option.column for option in OPTIONS.values()} <= columns


@pytest.mark.parametrize("name", NOT_BUILT)
def test_what_is_not_built_is_refused_by_name(name: str) -> None:
    with pytest.raises(InputError, match=name):
        chosen((name,))


def test_an_unknown_option_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="dates, device, patient, descriptors"):
        chosen(("everything",))
    assert chosen(("dates", "device")) == {Retain.DATES, Retain.DEVICE}
