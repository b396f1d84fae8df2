"""From read cells to ISCN, evidence, disorders and what has to be looked at."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from consilium.cytogenetics.clones.karyotype import ClonalKaryotype, Note
from consilium.cytogenetics.guidelines import load
from consilium.cytogenetics.iscn.validate import validate
from consilium.karyotype import conclusion as conclusion_module
from consilium.karyotype.analysable import Why
from consilium.karyotype.conclusion import Conclusion, Outcome, conclude
from consilium.karyotype.conclusion_record import conclusion_record
from consilium.karyotype.conclusion_wording import ATTENTION, STRUCTURE, WHY, interpretation
from consilium.karyotype.count import count_cell, modal_karyotype
from consilium.karyotype.metaphase import (
    CLASSES,
    UNSURE,
    Case,
    Chromosome,
    Flag,
    Instance,
    Metaphase,
    Quality,
)
from consilium.karyotype.record import case_record, case_schema, check_record
from consilium.karyotype.request import Request, Sex
from consilium.karyotype.wording import LANGUAGES, Language

MASK = np.ones((4, 2), dtype=bool)
EVEN = np.full(24, 1 / 24, dtype=np.float32)
DOUBT = Flag(code="low_confidence", values={"label": "1", "confidence": 0.5})
LEFT_OUT = Flag(code="left_out", values={"objects": 1})


def read(
    changes: str = "", *, sex: str = "XX", name: str = "a.png", doubts: int = 0, flags: tuple[Flag, ...] = ()
) -> Metaphase:
    """A read cell: a normal one and "+21 -4"; the first `doubts` names are doubtful."""
    copies = Counter(dict.fromkeys(CLASSES[:22], 2)) + Counter(sex)
    for change in changes.split():
        copies[change[1:]] += 1 if change[0] == "+" else -1
    return metaphase([label for label in (*CLASSES, UNSURE) for _ in range(copies[label])], name, doubts, flags)


def metaphase(labels: Iterable[str], name: str, doubts: int = 0, flags: tuple[Flag, ...] = ()) -> Metaphase:
    chromosomes = tuple(
        Chromosome(
            instance=Instance(box=(0.0, 0.0, 2.0, 4.0), mask=MASK, origin=(0, 0), score=0.9),
            label=label,
            confidence=0.9,
            probabilities=EVEN,
            angle_deg=0.0,
            polarity=0.9,
            flags=(DOUBT,) if index < doubts else (),
        )
        for index, label in enumerate(labels)
    )
    count, karyotype, gains, losses = count_cell(one.label for one in chromosomes)
    return Metaphase(
        image=name,
        pixels=np.zeros((8, 8), dtype=np.uint8),
        inverted=False,
        synthetic=False,
        chromosomes=chromosomes,
        count=count,
        karyotype=karyotype,
        gains=gains,
        losses=losses,
        quality=Quality(score=0.8, spread=0.5, overlap=0.1, sharpness=0.5, band_level=400),
        flags=flags,
    )


def case_of(*cells: Metaphase) -> Case:
    named = tuple(replace(cell, image=f"{number:02d}.png") for number, cell in enumerate(cells, start=1))
    karyotype, disagreeing = modal_karyotype(named)
    return Case(name="c", cells=named, failures=(), modal_karyotype=karyotype, disagreeing=disagreeing)


def codes(conclusion: Conclusion) -> list[str]:
    return [flag.code for flag in conclusion.attention]


class TestKaryotype:
    @pytest.mark.parametrize(
        ("cells", "iscn"),
        [
            ([read()] * 20, "46,XX"),
            ([read(sex="XY")] * 5, "46,XY"),
            ([read("+21", sex="XY")] * 20, "47,XY,+21"),
            ([read(sex="XXY")] * 10, "47,XXY"),
            ([read(sex="X")] * 10, "45,X"),
            ([read("+18")] * 3, "47,XX,+18"),
            ([read("+21")] * 12 + [read()] * 8, "47,XX,+21[12]/46,XX[8]"),
        ],
    )
    def test_constitutional(self, cells: list[Metaphase], iscn: str) -> None:
        found = conclude(case_of(*cells))
        assert (found.outcome, found.iscn) == ("written", iscn)
        assert found.agrees and codes(found) == []
        assert found.counted == len(cells)

    def test_neoplastic_by_the_specimen_and_by_what_is_said(self) -> None:
        cells = [read("+8", sex="XY")] * 15 + [read(sex="XY")] * 5
        marrow = Request(specimen="bone_marrow")
        assert conclude(case_of(*cells), marrow).iscn == "47,XY,+8[15]/46,XY[5]"
        assert conclude(case_of(*[read()] * 20), marrow).iscn == "46,XX[20]"
        assert conclude(case_of(*[read()] * 20), replace(marrow, neoplastic=False)).iscn == "46,XX"
        assert conclude(case_of(*[read()] * 20), Request(neoplastic=True)).iscn == "46,XX[20]"

    def test_chance_losses_do_not_make_lines(self) -> None:
        found = conclude(case_of(*[read("+21")] * 8, read("+21 -4"), read("+21 -7")))
        assert found.iscn == "47,XX,+21" and found.counted == 10
        assert found.lines[0].cells[-2:] == ("09.png", "10.png"), "cells that show just the line come first"

    def test_the_modal_karyotype_is_compared_and_never_changed(self) -> None:
        cells = [read()] * 8 + [read("+21")] * 2
        case = replace(case_of(*cells), modal_karyotype="47,XX,+21")
        found = conclude(case)
        assert found.agrees is False and "modal_differs" in codes(found)
        assert found.modal_karyotype == "47,XX,+21"


class TestDoubt:
    def test_a_mosaic_of_few_cells_is_a_prompt(self) -> None:
        few = conclude(case_of(*[read()] * 18, *[read("+9")] * 2))
        assert few.iscn == "47,XX,+9[2]/46,XX[18]"
        assert [line.few for line in few.lines] == [True, False]
        assert "few_cells" in codes(few)
        assert "Possibly" in " ".join(interpretation(few, "en")) and "可能" in " ".join(interpretation(few, "zh"))
        many = conclude(case_of(*[read()] * 12, *[read("+9")] * 8))
        assert not any(line.few for line in many.lines) and codes(many) == []

    def test_a_single_image_is_a_prompt(self) -> None:
        assert conclude(case_of(read("+21"))).lines[0].few
        assert not conclude(case_of(read())).lines[0].few

    def test_cells_not_wholly_read_do_not_speak_for_normal(self) -> None:
        found = conclude(case_of(*[read()] * 5, read(doubts=12), read("-1 -2 -3")))
        assert found.iscn == "46,XX" and found.counted == 5
        assert [one.why for one in found.incomplete] == [("doubtful_names",), ("far_count",)]
        assert "incomplete_cells" in codes(found)

    def test_a_gain_that_many_show_is_not_lost_because_they_are_doubtful(self) -> None:
        found = conclude(case_of(*[read("+21", doubts=12)] * 4, read(), read()))
        assert found.lines[0].written.startswith("47,XX,+21") and len(found.lines[0].cells) == 4

    def test_an_object_left_out_does_not_speak_against_a_firm_gain(self) -> None:
        cells = [read("+21")] * 4 + [read(flags=(LEFT_OUT,))] * 2
        found = conclude(case_of(*cells))
        assert found.iscn == "47,XX,+21" and found.counted == 4
        assert [one.why for one in found.incomplete] == [("left_out",)] * 2
        assert conclude(case_of(*[read("+21")] * 4, read(), read())).iscn == "47,XX,+21[4]/46,XX[2]"
        assert conclude(case_of(*[read(flags=(LEFT_OUT,))] * 6)).counted == 6

    def test_few_cells_not_wholly_read_make_no_line_but_are_told(self) -> None:
        found = conclude(case_of(*[read()] * 18, *[read("+9", doubts=12)] * 2))
        assert found.iscn == "46,XX"
        assert ("shared_not_written", "+9") in [(one.code, one.values.get("change")) for one in found.attention]

    def test_what_all_cells_together_speak_for_is_told_unless_the_karyotype_has_it(self) -> None:
        flag = Flag(code="numerical_suspected", values={"change": "+9", "evidence": 2.0, "cells": 1, "of": 5})
        told = conclude(replace(case_of(*[read()] * 5), flags=(flag,)))
        (one,) = [one for one in told.attention if one.code == "numerical_suspected"]
        assert one.values == {"change": "+9"}
        written = conclude(replace(case_of(*[read("+9")] * 2, *[read()] * 3), flags=(flag,)))
        assert "numerical_suspected" not in codes(written)
        assert "+9" in written.iscn or "shared_not_written" in codes(written)
        triple = replace(flag, values={**flag.values, "change": "+X"})
        assert "numerical_suspected" not in codes(conclude(replace(case_of(*[read(sex="XXX")] * 5), flags=(triple,))))

    def test_nothing_clonal_is_said(self) -> None:
        found = conclude(case_of(read("+9"), read("+10"), read("+11")))
        assert (found.outcome, found.iscn, found.lines) == ("nothing_clonal", "", ())
        assert codes(found) == ["nothing_clonal"]
        assert interpretation(found, "en") == (STRUCTURE["en"],)

    def test_cells_of_two_persons_are_a_contradiction(self) -> None:
        cells = [read()] * 5 + [read(sex="XY")] * 5
        assert conclude(case_of(*cells), Request(neoplastic=True)).outcome == "contradiction"
        assert "two_sexes" in codes(conclude(case_of(*cells)))

    def test_a_sex_that_does_not_fit_is_told(self) -> None:
        assert "sex_differs" in codes(conclude(case_of(*[read(sex="XY")] * 5), Request(sex="female")))
        assert codes(conclude(case_of(*[read(sex="XY")] * 5), Request(sex="male"))) == []

    def test_no_cell(self) -> None:
        found = conclude(Case(name="c", cells=(), failures=(), modal_karyotype="", disagreeing=()))
        assert (found.outcome, found.agrees, found.counted) == ("no_cells", None, 0)

    def test_an_own_string_that_breaks_a_rule_is_withheld(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ClonalKaryotype, "__str__", lambda self: "46,XX,+21")
        found = conclude(case_of(*[read("+21")] * 5))
        assert (found.outcome, found.iscn) == ("not_valid", "")
        assert any(one.severity == "error" for one in found.broken_rules)
        assert {"not_valid", "broken_rule"} <= set(codes(found))
        for lang in LANGUAGES:
            record = conclusion_record(found, lang)
            assert record["iscn"] == "" and all(one["reason"] for one in record["attention"])


class TestEvidence:
    def test_each_change_names_its_cells_and_chromosomes(self) -> None:
        found = conclude(case_of(*[read("+21")] * 3, read("+21", doubts=3)))
        (trisomy,) = found.abnormalities
        assert (trisomy.change, trisomy.chromosome, trisomy.kind, trisomy.rule) == ("+21", "21", "gain", "two_cells")
        assert [one.image for one in trisomy.cells] == ["01.png", "02.png", "03.png", "04.png"]
        assert trisomy.cells[0].chromosomes == (40, 41, 42) and not trisomy.cells[0].doubtful
        assert not trisomy.cells[3].doubtful, "its doubtful names are of other chromosomes"

    def test_a_flag_on_the_chromosome_itself_is_doubt(self) -> None:
        (trisomy,) = conclude(case_of(*[read("+1", doubts=1)] * 3)).abnormalities
        assert all(one.doubtful for one in trisomy.cells)

    def test_a_lost_chromosome_shows_what_is_left(self) -> None:
        (loss,) = conclude(case_of(*[read("-21")] * 5)).abnormalities
        assert loss.kind == "loss" and loss.cells[0].chromosomes == (40,)

    def test_a_second_copy_is_told_apart(self) -> None:
        found = conclude(case_of(*[read("+21 +21")] * 8))
        assert [(one.change, one.nth) for one in found.abnormalities] == [("+21", 1), ("+21", 2)]
        assert "2 extra chromosomes 21" in " ".join(interpretation(found, "en"))
        assert "多 2 条 21 号染色体" in " ".join(interpretation(found, "zh"))

    def test_a_marker_is_an_unsure_object(self) -> None:
        (marker,) = conclude(case_of(*[read(f"+{UNSURE}")] * 5)).abnormalities
        assert marker.kind != "loss" and marker.change == "+mar" and marker.cells[0].chromosomes == (46,)


class TestDisorders:
    def test_a_trisomy_names_the_syndrome_first(self) -> None:
        found = conclude(case_of(*[read("+21")] * 5))
        assert found.touched[0].name_zh == "唐氏综合征（21三体综合征）" and found.touched[0].whole
        assert "唐氏" in " ".join(interpretation(found, "zh"))
        assert all(one.source and one.licence for one in found.touched)

    def test_sex_chromosomes_by_the_whole_complement(self) -> None:
        klinefelter = conclude(case_of(*[read(sex="XXY")] * 8)).touched
        assert [one.change for one in klinefelter] == ["47,XXY"]
        assert conclude(case_of(*[read()] * 8)).touched == ()

    def test_an_acquired_trisomy_is_no_constitutional_syndrome(self) -> None:
        found = conclude(case_of(*[read("+21")] * 10), Request(specimen="bone_marrow"))
        assert not any("Down" in one.name for one in found.touched)
        eight = conclude(case_of(*[read("+8")] * 10), Request(specimen="bone_marrow"))
        assert any("leukaemia" in one.name for one in eight.touched)

    def test_a_doubtful_line_names_its_disorder_with_a_condition(self) -> None:
        said = " ".join(interpretation(conclude(case_of(*[read()] * 18, *[read("+21")] * 2)), "en"))
        assert "if it is confirmed, is known as Down" in said


class TestFigures:
    @pytest.mark.parametrize("specimen", list(load().specimens))
    def test_nobody_has_analysed_or_karyotyped_a_draft(self, specimen: str) -> None:
        found = conclude(case_of(*[read()] * 25), Request(specimen=specimen))
        checks = {one.what: one for one in found.checks}
        assert checks["counted"].met is True and checks["counted"].found == 25
        assert all(checks[what].met is False for what in ("analysed", "karyotyped") if what in checks)
        assert checks["cultures"].met is None

    def test_a_mosaic_asks_for_more_cells(self) -> None:
        found = conclude(case_of(*[read()] * 12, *[read("+9")] * 8), Request(specimen="constitutional_blood"))
        assert found.checks[0].what == "mosaic_count" and not found.checks[0].met
        assert found.mosaicism is None

    def test_without_a_specimen_nothing_is_checked(self) -> None:
        assert conclude(case_of(read())).checks == ()

    def test_band_level_estimated_or_told(self) -> None:
        assert conclude(case_of(read())).band_level == 400
        assert conclude(case_of(read()), Request(band_level=550)).band_level == 550

    def test_mosaicism_excluded(self) -> None:
        assert conclude(case_of(*[read()] * 20)).mosaicism == pytest.approx(0.139, abs=1e-3)
        assert conclude(case_of(*[read()] * 20), Request(neoplastic=True)).mosaicism is None


def test_every_code_that_is_raised_has_a_sentence() -> None:
    source = Path(conclusion_module.__file__).read_text(encoding="utf-8")
    raised = set(re.findall(r'Attention\(\s*code="(\w+)"', source)) | set(get_args(Outcome)) - {"written"}
    raised |= set(get_args(Note)) - {"sex_not_told"}
    assert raised <= set(ATTENTION)
    assert set(WHY) == set(get_args(Why))


def test_every_sentence_is_there_in_both_languages() -> None:
    for table in (ATTENTION, WHY):
        for words in table.values():
            assert set(words) == set(LANGUAGES) and all(words.values())


CONCLUSION = Draft202012Validator({"$defs": case_schema()["$defs"], "$ref": "#/$defs/conclusion"})


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_record_of_a_case_holds_its_conclusion(lang: Language) -> None:
    case, request = case_of(*[read("+21")] * 3), Request(specimen="amniotic_flask", patient_name="A")
    record = case_record(
        case, lang=lang, created=datetime(2026, 1, 2, tzinfo=UTC), version="1", models=[], request=request
    )
    check_record(record)
    assert record["schema_version"] == "1.2"
    assert record["conclusion"] == conclusion_record(conclude(case, request), lang)
    assert record["conclusion"]["request"]["identifiers"] == {"patient_name": "A"}
    assert record["modal_karyotype"] == "47,XX,+21"


# Drawn as words and built in the test: a failing example shall be readable.
_CHANGES = [f"{sign}{label}" for sign in "+-" for label in ("1", "8", "21")] + [f"+{UNSURE}", "+X", "+Y"]
_CELLS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(_CHANGES), max_size=4).map(" ".join),
        st.sampled_from(["XX", "XY", "X", "XXY", "", "Y"]),
        st.sampled_from([0, 0, 0, 3, 12]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
_WILD = st.lists(st.lists(st.sampled_from((*CLASSES, UNSURE)), max_size=100).map(",".join), min_size=1, max_size=4)


def _built(told: list[tuple[str, str, int, bool]] | list[str]) -> Case:
    cells = [
        metaphase([label for label in one.split(",") if label], "w.png")
        if isinstance(one, str)
        else read(one[0], sex=one[1], doubts=one[2], flags=(LEFT_OUT,) * one[3])
        for one in told
    ]
    return case_of(*cells)


_SEXES: list[Sex] = ["", "female", "male"]
_REQUESTS = st.builds(
    Request,
    specimen=st.sampled_from(["", *load().specimens]),
    neoplastic=st.sampled_from([None, True, False]),
    sex=st.sampled_from(_SEXES),
)


@settings(max_examples=150)
@given(told=st.one_of(_CELLS, _WILD), request=_REQUESTS, lang=st.sampled_from(LANGUAGES))
def test_any_cells_give_a_conclusion(
    told: list[tuple[str, str, int, bool]] | list[str], request: Request, lang: Language
) -> None:
    case = _built(told)
    found = conclude(case, request)
    assert (found.outcome == "written") == bool(found.iscn)
    if found.iscn:
        assert validate(found.iscn).valid
    names = {cell.image for cell in case.cells}
    counted = [name for line in found.lines for name in line.cells]
    assert len(counted) == len(set(counted)) and set(counted) <= names
    if found.outcome == "not_valid":
        # Cells that fit the sex told in part only; two cells of 45,X beside two of 46,XX, told as male, say.
        assert request.sex and any(one.severity == "error" for one in found.broken_rules)
    record = conclusion_record(found, lang)
    CONCLUSION.validate(record)
    json.dumps(record, allow_nan=False)


@settings(max_examples=40)
@given(told=_CELLS, order=st.randoms(use_true_random=False))
def test_the_order_of_the_cells_changes_nothing(told: list[tuple[str, str, int, bool]], order: Random) -> None:
    case = _built(told)
    shuffled = list(case.cells)
    order.shuffle(shuffled)
    assert conclude(replace(case, cells=tuple(shuffled))).iscn == conclude(case).iscn
