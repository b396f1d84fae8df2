"""What the library opens with, made from real data: `python -m training.library_opening` makes all of it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from consilium.alliance.library.channels import approve
from consilium.alliance.library.contents import refuse_data
from consilium.alliance.library.licences import read_rules
from consilium.alliance.library.pull import pull, ready_to_run
from consilium.alliance.library.reference import Reference
from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run
from consilium.settings import HOME_VARIABLE
from tests.alliance.library.conftest import LI, WANG, ZHANG, Place
from training.library_opening import OPENING, completed, drawn, open_karyotyping, open_with


def test_no_specialist_learns_from_what_is_for_evaluation_only() -> None:
    assert len({one.name for one in OPENING}) == len(OPENING) >= 6
    for one in OPENING:
        refuse_data(one.data, one.licence, read_rules(), where=one.name)


@pytest.mark.real_data
def test_the_list_of_the_data_lets_every_set_be_trained_on(real_data: Path) -> None:
    listed = (real_data / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in listed.splitlines() if line.count("|") == 7]
    uses = {name.strip(): row[5].strip() for row in rows for name in row[1].split(",")}
    for one in OPENING:
        assert re.match(r"train\b", uses[one.data]), (one.data, uses[one.data])


def test_a_card_names_the_set_its_licence_and_what_its_figures_are_worth() -> None:
    bare = {
        "trained_on": [{"name": "x.csv", "licence": "as the owner of the cases says", "part": "all", "use": "head"}],
        "known_failures": ["a"], "metrics": [{"name": "AUC", "data": "the cases"}],
    }  # fmt: skip
    for one in OPENING:
        card = completed(bare, one, ["ALARM: a shortcut"])
        assert {"a", "ALARM: a shortcut"} <= set(card["known_failures"])
        assert card["trained_on"][0] | {"part": "", "use": ""} == {
            "name": one.data,
            "licence": one.licence,
            "part": "",
            "use": "",
        }
        assert any("the encoder learnt from this set" in text for text in card["known_failures"]) == one.seen
        assert ("the encoder learnt" in card["metrics"][0]["data"]) == one.seen


@pytest.mark.real_data
@pytest.mark.timeout(600)
def test_a_real_specialist_and_the_karyotyping_models_open_a_library(
    place: Place, real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    shipped_models: None,
) -> None:  # fmt: skip
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "own"))
    monkeypatch.setattr("training.library_opening.who", lambda: ZHANG)
    one = next(one for one in OPENING if one.name == "smear-leukaemia")
    release = open_with(place.library, real_data, one, place.key)
    assert release is not None and release.licence == "Apache-2.0" and release.size > 5e6
    assert open_with(place.library, real_data, one, place.key) is None
    karyotype = open_karyotyping(place.library, place.key)
    assert {card["name"] for card in karyotype.cards} == {"detector", "amodal", "rescorer", "classifier", "structure"}
    for each in (release, karyotype):
        approve(place.library, LI, Reference(name=each.name, version=each.version))
        assert pull(place.library, WANG, Reference(name=each.name)).release.version == each.version
    card = release.cards[0]
    assert card["trained_on"][0]["name"] == "smear_aml15" and card["metrics"] and card["modalities"] == ["smear"]

    table = drawn(real_data / "medical" / f"{one.data}.zip", tmp_path / "again", one)
    with table.open(encoding="utf-8") as stream:
        files = [table.parent / row["file"] for row in csv.DictReader(stream)][:3]
    capsys.readouterr()
    pulled = ready_to_run(place.library, WANG, Reference(name=one.name))
    words = ["specialist", "predict", str(pulled.contents.bundle.folder), *map(str, files), "--no-cache"]
    assert run(words) == ExitCode.DONE
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(told) == 3 and all(sum(line["probabilities"].values()) == pytest.approx(1) for line in told)
