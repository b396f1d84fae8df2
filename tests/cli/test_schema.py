from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from consilium.cli import schema as schema_verb
from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run


def test_the_schema_is_printed_as_it_is_packaged(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) is ExitCode.DONE
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads((files("consilium") / "karyotype" / "case.schema.json").read_text(encoding="utf-8"))
    jsonschema.validators.validator_for(shown).check_schema(shown)


def test_a_missing_schema_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schema_verb, "files", lambda _: tmp_path)
    assert run(["schema"]) is ExitCode.MODEL_OR_OUTPUT
    assert "Install consilium again" in capsys.readouterr().err
