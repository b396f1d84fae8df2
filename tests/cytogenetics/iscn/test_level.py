"""Bands that cannot be seen at the resolution of the case."""

from __future__ import annotations

import pytest

from consilium.cytogenetics.bands import AUTOSOMES, LEVELS, bands
from consilium.cytogenetics.iscn.parse import parse
from consilium.cytogenetics.iscn.rules import rules
from consilium.cytogenetics.iscn.validate import validate


def unseen(text: str, level: int, known: tuple[str, ...] = ()) -> list[str]:
    """What is told of bands at a level, as it stands in the string."""
    judgement = validate(text, level=level, known=known)
    found = [one for one in judgement.findings if one.rule == "band-unseen"]
    return [text[one.span.start : one.span.end] for one in found]


@pytest.mark.parametrize(
    ("text", "level", "places"),
    [
        ("46,XX,del(5)(q13.2q33)", 400, ["q13.2"]),
        ("46,XX,del(5)(q13.2q33)", 300, ["q13.2"]),
        ("46,XX,del(5)(q13.2q33)", 549, ["q13.2"]),
        ("46,XX,del(5)(q13.2q33)", 550, []),
        ("46,XX,del(5)(q13q33)", 300, []),
        ("46,XX,t(9;22)(q34;q11.2)", 400, []),
        ("46,XX,t(9;22)(q34.12;q11.23)", 550, ["q34.12", "q11.23"]),
        ("46,XX,del(13)(q14.11~14.13)", 400, ["q14.11", "14.13"]),
        ("46,XX,del(13)(q14.?11)", 400, []),
        ("46,XX,del(5)(pter->q13.2::q33->qter)", 400, ["q13.2"]),
        ("46,XX,der(7)(7pter->7q22::9q34.12->9qter)", 400, ["q34.12"]),
        ("46,XX,der(9)del(9)(p13)t(9;22)(q34.12;q11.2)", 400, ["q34.12"]),
        ("47,XX,+8[5]/46,XX[15] or 46,XX,del(5)(q13.2q33)[5]/46,XX[15]", 400, ["q13.2"]),
        ("46,XX,i(17)(q10)", 300, []),
        ("46,XX,del(5)(q99)", 400, []),
        ("46,XX,add(?)(q21.1)", 400, []),
    ],
)
def test_bands_finer_than_the_case_shows_are_told(text: str, level: int, places: list[str]) -> None:
    assert unseen(text, level) == places


def test_without_a_level_nothing_is_told_but_the_note_on_the_finest() -> None:
    assert [one.rule for one in validate("46,XX,del(9)(q34.12)").findings] == ["band-resolution"]
    assert [one.rule for one in validate("46,XX,del(9)(q34.12)", level=850).findings] == []
    assert [one.rule for one in validate("46,XX,del(9)(q34.12)", level=550).findings] == ["band-unseen"]


def test_it_is_a_warning_with_what_to_write_instead() -> None:
    judgement = validate("46,XX,del(5)(q13.2q33)", level=400)
    (finding,) = judgement.findings
    assert judgement.valid and finding.severity == "warning"
    assert finding.suggestion == "46,XX,del(5)(q13q33)"
    assert finding.message("en") == "5q13.2 is told apart at 550 bphs and above; at 400 bphs it is 5q13"
    assert "550" in finding.message("zh")


def test_what_was_shown_before_or_otherwise_keeps_its_bands() -> None:
    text = "46,XX,t(9;22)(q34.12;q11.23)[5]/46,XX[15]"
    assert unseen(text, 400, known=("t(9;22)",)) == []
    assert unseen(text, 400, known=("t(9;22)(q34.12;q11.23)",)) == []
    assert unseen(text, 400, known=("t(8;22)",)) == ["q34.12", "q11.23"]


def test_the_rule_can_be_left_out() -> None:
    assert validate("46,XX,del(5)(q13.2q33)", level=400, without={"band-unseen"}).findings == ()
    assert rules()["band-unseen"].section == "5.4.1f"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("chromosome", [*AUTOSOMES, "X"])
def test_every_band_of_the_finest_ideogram_is_told_where_a_coarser_one_has_no_such(chromosome: str, level: int) -> None:
    base = "46,X" if chromosome == "X" else "46,XX"
    there = {(band.arm, band.name) for band in bands(chromosome, level)}
    for band in bands(chromosome, 850):
        text = f"{base},add({chromosome})({band.arm}{band.name})"
        parts = any(arm == band.arm and name.startswith(band.name) for arm, name in there)
        judgement = validate(text, level=level)
        found = [one for one in judgement.findings if one.rule == "band-unseen"]
        assert bool(found) == (not parts), text
        for finding in found:
            assert finding.suggestion is not None
            assert unseen(finding.suggestion, level) == [] and parse(finding.suggestion)
