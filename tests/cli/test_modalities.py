from __future__ import annotations

import json

import pytest

from consilium.cli import modalities as verb
from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run
from consilium.imaging.modalities import modalities


def test_the_table_names_all_nineteen_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    for lang, name in (("en", "name_en"), ("zh", "name_zh")):
        assert run(["modalities", "--lang", lang]) is ExitCode.DONE
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 20
        for line, entry in zip(lines[1:], modalities(), strict=True):
            assert line.startswith(entry.id + " ")
            assert getattr(entry, name) in line


def test_the_status_follows_from_the_cards(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, shipped_models: None
) -> None:
    assert run(["modalities", "--json"]) is ExitCode.DONE
    status = {entry["id"]: entry["status"] for entry in json.loads(capsys.readouterr().out)}
    assert status["karyo"] == "trained"
    assert status["nm"] == "accepted, untrained"
    monkeypatch.setattr(verb, "shipped_cards", list)
    assert run(["modalities", "--json"]) is ExitCode.DONE
    entries = json.loads(capsys.readouterr().out)
    assert {entry["status"] for entry in entries} == {"accepted, untrained"}
    assert entries[0]["dicom_modalities"] == ["CT"]
