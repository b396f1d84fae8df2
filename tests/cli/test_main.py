from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from types import ModuleType

import click
import pytest

from consilium.cli import main as cli_main
from consilium.cli.exit_codes import MEANINGS, ExitCode, exit_code_of
from consilium.errors import ImageOutOfBounds, MissingExtra, ModelError, OutputError, UnreadableImage

HELP_BOUND_S = 0.5


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Puts a verb `act` on the command line that does what it is given."""

    def install(action: Callable[[], object]) -> None:
        module = ModuleType("verb_under_test")
        module.__dict__["act"] = click.Command("act", callback=action)
        monkeypatch.setitem(sys.modules, "verb_under_test", module)
        monkeypatch.setitem(cli_main.VERBS, "act", ("verb_under_test:act", "Do what the test says."))

    return install


def _raises(error: BaseException) -> Callable[[], object]:
    def action() -> object:
        raise error

    return action


def test_help_answers_in_half_a_second() -> None:
    # The best of several: the bound is on the program, not on what else the machine is doing.
    times = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "consilium", "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    assert min(times) < HELP_BOUND_S


def test_help_imports_no_verb_and_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from consilium.cli.main import run\n"
        "assert run(['--help']) == 0\n"
        "verbs = {name for name in sys.modules if name.startswith('consilium.cli.')}\n"
        "assert verbs == {'consilium.cli.main', 'consilium.cli.exit_codes'}, verbs\n"
        "heavy = {'numpy', 'cv2', 'PIL', 'onnxruntime', 'rich', 'jinja2', 'jsonschema'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_help_lists_every_verb_and_every_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli_main.run(["--help"]) is ExitCode.DONE
    shown = capsys.readouterr().out
    for name, (_, line) in cli_main.VERBS.items():
        assert name in shown
        assert line in shown
    for code, meaning in MEANINGS.items():
        assert str(int(code)) in shown
        assert meaning in shown


@pytest.mark.parametrize("name", sorted(cli_main.VERBS))
def test_every_verb_has_help_and_takes_debug(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli_main.run([name, "--help"]) is ExitCode.DONE
    shown = capsys.readouterr().out
    assert f"Usage: consilium {name}" in shown
    assert "--debug" in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli_main.run(["--version"]) is ExitCode.DONE
    assert capsys.readouterr().out.startswith("consilium ")


@pytest.mark.parametrize("arguments", [["nosuchverb"], ["--nosuchoption"], ["schema", "surplus"], []])
def test_bad_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli_main.run(arguments) is ExitCode.USAGE
    assert "Usage: consilium" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnreadableImage("truncated", where="a.png", way_out="Export it again."), ExitCode.UNUSABLE_INPUT),
        (ImageOutOfBounds("too small", where="b.png"), ExitCode.UNUSABLE_INPUT),
        (ModelError("altered", where="detector.onnx"), ExitCode.MODEL_OR_OUTPUT),
        (OutputError("not writable", where="out"), ExitCode.MODEL_OR_OUTPUT),
        (MissingExtra("torch is needed"), ExitCode.MODEL_OR_OUTPUT),
    ],
)
def test_an_expected_error_is_one_line(
    error: Exception, code: ExitCode, verb: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(_raises(error))
    assert cli_main.run(["act"]) is code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"consilium: {error}\n"


def test_an_unexpected_error_says_its_kind_and_names_debug(
    verb: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(_raises(ZeroDivisionError("division by zero")))
    assert cli_main.run(["act"]) is ExitCode.UNEXPECTED
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in shown
    assert "--debug" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("arguments", [["--debug", "act"], ["act", "--debug"]])
@pytest.mark.parametrize("error", [ModelError("altered"), ZeroDivisionError("division by zero")])
def test_debug_shows_the_traceback(
    arguments: list[str], error: Exception, verb: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(_raises(error))
    assert cli_main.run(arguments) not in (ExitCode.DONE, ExitCode.USAGE)
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize(("result", "code"), [(None, ExitCode.DONE), (ExitCode.PARTLY_DONE, ExitCode.PARTLY_DONE)])
def test_a_verb_returns_its_exit_status(result: object, code: ExitCode, verb: Callable[..., None]) -> None:
    verb(lambda: result)
    assert cli_main.run(["act"]) is code


def test_interruption(verb: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    verb(_raises(KeyboardInterrupt()))
    assert cli_main.run(["act"]) is ExitCode.INTERRUPTED
    assert "interrupted" in capsys.readouterr().err


def test_main_ends_the_process_with_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["consilium", "nosuchverb"])
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    with pytest.raises(SystemExit) as ended:
        cli_main.main()
    assert ended.value.code == ExitCode.USAGE


def test_published_numbers_stay() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 4, 5, 6, 130]
    assert set(MEANINGS) == set(ExitCode)
    assert exit_code_of(UnreadableImage("x")) == 4


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"OPENBLAS_NUM_THREADS": "1"}),
        ({"OPENBLAS_NUM_THREADS": "4"}, {"OPENBLAS_NUM_THREADS": "4"}),
        ({"OMP_NUM_THREADS": "2"}, {"OMP_NUM_THREADS": "2"}),
        ({"OMP_NUM_THREADS": ""}, {"OMP_NUM_THREADS": "", "OPENBLAS_NUM_THREADS": "1"}),
    ],
)
def test_linear_algebra_has_one_thread_unless_somebody_asked_for_more(
    before: dict[str, str], after: dict[str, str]
) -> None:
    cli_main.spare_threads(before)
    assert before == after
