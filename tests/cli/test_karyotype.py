"""`consilium karyotype` as a person or a script meets it: what it prints, leaves and returns."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from consilium.cli.exit_codes import ExitCode
from consilium.cli.karyotype import case_name
from consilium.cli.language import usual_language
from consilium.cli.main import run
from consilium.cytogenetics.guidelines import load
from consilium.karyotype import case as pipeline

Karyotype = Callable[..., ExitCode]


@pytest.fixture
def karyotype(stand_in: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Karyotype:
    """Calls the verb in this process, with stages that need no model, from within an empty folder."""
    monkeypatch.setattr(pipeline, "shipped_stages", lambda: stand_in.STAGES)
    monkeypatch.chdir(tmp_path)
    return lambda *words: run(["karyotype", *map(str, words)])


def _record(folder: Path) -> dict[str, object]:
    record: dict[str, object] = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    return record


class TestResult:
    def test_a_folder_becomes_a_case(
        self, karyotype: Karyotype, stand_in: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for number in (1, 2):
            stand_in.save(tmp_path / "病例 7" / f"cell {number}.png", stand_in.TRISOMY_21)
        assert karyotype("病例 7", "--out", "out dir", "--lang", "en") is ExitCode.DONE
        shown = capsys.readouterr()
        assert "47,XX,+21" in shown.out and "2 read, 2 agree" in shown.out
        assert str(Path("out dir/report.html")) in shown.out
        # Where no Chinese font is installed, a note says that the name of this case makes a PDF impossible.
        progress = [line for line in shown.err.splitlines() if "there is no PDF report" not in line]
        assert progress == ["[1/2] cell 1.png: 47,XX,+21", "[2/2] cell 2.png: 47,XX,+21"]
        assert _record(tmp_path / "out dir")["name"] == "病例 7"
        assert _record(tmp_path / "out dir")["modal_karyotype"] == "47,XX,+21"

    def test_the_name_and_the_language_can_be_chosen(
        self, karyotype: Karyotype, stand_in: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        stand_in.save(tmp_path / "a.png")
        assert karyotype("a.png", "--out", "out", "--case", "G24-0117", "--lang", "zh") is ExitCode.DONE
        assert "核型" in capsys.readouterr().out
        record = _record(tmp_path / "out")
        assert (record["name"], record["lang"]) == ("G24-0117", "zh")

    def test_the_language_is_that_of_the_locale(
        self, karyotype: Karyotype, stand_in: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stand_in.save(tmp_path / "a.png")
        for locale, lang in (("zh_CN.UTF-8", "zh"), ("de_DE.UTF-8", "en")):
            monkeypatch.setenv("LC_ALL", locale)
            karyotype("a.png", "--out", lang)
            assert _record(tmp_path / lang)["lang"] == lang

    @pytest.mark.parametrize("bad_image", ["chest", "truncated"], indirect=True)
    def test_bad_among_good_is_partly_done(
        self,
        karyotype: Karyotype,
        stand_in: ModuleType,
        bad_image: tuple[Path, str],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        stand_in.save(tmp_path / "good.png")
        assert karyotype("good.png", bad_image[0], "--out", "out", "--lang", "en") is ExitCode.PARTLY_DONE
        shown = capsys.readouterr()
        name = bad_image[0].name
        assert f"{name}: not used: " in shown.err
        assert any("Not used" in line and name in line for line in shown.out.splitlines())
        [failure] = _record(tmp_path / "out")["failures"]  # type: ignore[misc]
        assert (failure["image"], failure["error"]) == (name, bad_image[1])

    def test_an_earlier_result_among_the_inputs_is_left_out(
        self, karyotype: Karyotype, stand_in: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        stand_in.save(tmp_path / "slides" / "a.png")
        for _ in range(2):
            assert karyotype("slides", "--out", "slides/result", "--lang", "en") is ExitCode.DONE
        assert "1 karyograms of earlier results are left out" in capsys.readouterr().err
        assert len(_record(tmp_path / "slides/result")["cells"]) == 1  # type: ignore[arg-type]
        assert karyotype("slides/result", "--out", "other") is ExitCode.UNUSABLE_INPUT
        assert "only karyograms of an earlier result" in capsys.readouterr().err


class TestConclusion:
    def test_what_is_told_goes_into_the_reports_and_nowhere_else(
        self, karyotype: Karyotype, stand_in: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for number in range(5):
            stand_in.save(tmp_path / "slides" / f"{number}.png", stand_in.TRISOMY_21)
        told = {"patient_name": "Secret, Jane", "patient_id": "4711-0815", "case_number": "G26-1", "reason": "delay"}
        (tmp_path / "told.json").write_text(json.dumps(told), encoding="utf-8")
        words = ["--identifiers", "told.json", "--specimen", "constitutional_blood", "--sex", "female", "--lang", "en"]
        assert karyotype("slides", "--out", "out", *words) is ExitCode.DONE
        shown = capsys.readouterr()
        assert "ISCN 2024  47,XX,+21" in shown.out
        assert str(Path("out/report.pdf")) in shown.out
        assert not any(value in shown.out + shown.err for value in told.values())
        said = _record(tmp_path / "out")["conclusion"]
        assert isinstance(said, dict)
        assert said["iscn"] == "47,XX,+21" and said["request"]["identifiers"] == told
        assert said["request"]["specimen"] == "constitutional_blood" and said["request"]["sex"] == "female"
        assert "Secret, Jane" in (tmp_path / "out/report.html").read_text(encoding="utf-8")
        assert not any("Secret" in file.name for file in tmp_path.rglob("*"))

    def test_a_withheld_sex_is_not_printed_either(
        self, karyotype: Karyotype, stand_in: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for number in range(5):
            stand_in.save(tmp_path / "slides" / f"{number}.png", stand_in.TRISOMY_21)
        assert karyotype("slides", "--out", "out", "--lang", "en", "--no-pdf", "--withhold-sex") is ExitCode.DONE
        shown = capsys.readouterr()
        assert "ISCN 2024   47,U,+21" in shown.out and "XX" not in shown.out + shown.err
        said = _record(tmp_path / "out")["conclusion"]
        assert isinstance(said, dict)
        assert said["iscn"] == "47,XX,+21" and said["disclosed"] == {"sex": "withheld", "iscn": "47,U,+21"}

    def test_neoplastic_and_no_pdf(
        self, karyotype: Karyotype, stand_in: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for number in range(5):
            stand_in.save(tmp_path / "slides" / f"{number}.png")
        assert karyotype("slides", "--out", "out", "--neoplastic", "--no-pdf", "--lang", "en") is ExitCode.DONE
        assert "46,XX[5]" in capsys.readouterr().out
        assert not (tmp_path / "out/report.pdf").exists()
        assert karyotype("slides", "--out", "out", "--specimen", "bone_marrow", "--constitutional", "--no-pdf") == 0
        assert _record(tmp_path / "out")["conclusion"]["iscn"] == "46,XX"  # type: ignore[index]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--specimen", "soup"], "Known are constitutional_blood"),
            (["--identifiers", "none.json"], "none.json: the file cannot be read"),
            (
                ["--identifiers", "unknown.json"],
                "'patient', which is unknown. Write a JSON object with any",
            ),
            (["--identifiers", "male.json", "--sex", "female"], "exclude a mix-up"),
        ],
    )
    def test_what_is_told_wrongly_is_said_before_the_work(
        self,
        karyotype: Karyotype,
        stand_in: ModuleType,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        words: list[str],
        said: str,
    ) -> None:
        stand_in.save(tmp_path / "a.png")
        (tmp_path / "unknown.json").write_text('{"patient": "Secret"}')
        (tmp_path / "male.json").write_text('{"sex": "male"}')
        assert karyotype("a.png", "--out", "out", *words) is ExitCode.UNUSABLE_INPUT
        shown = capsys.readouterr()
        assert said in shown.err and "Secret" not in shown.err and "[1/1]" not in shown.err
        assert not (tmp_path / "out").exists()

    def test_the_help_lists_every_specimen(self, karyotype: Karyotype, capsys: pytest.CaptureFixture[str]) -> None:
        assert karyotype("--help") == 0
        shown = capsys.readouterr().out
        assert all(specimen in shown for specimen in load().specimens)


class TestRefusal:
    def test_one_bad_image_is_unusable_input(
        self,
        karyotype: Karyotype,
        bad_image: tuple[Path, str],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert karyotype(bad_image[0], "--out", "out") is ExitCode.UNUSABLE_INPUT
        shown = capsys.readouterr()
        [message] = [line for line in shown.err.splitlines() if line.startswith("consilium: ")]
        assert str(bad_image[0]) in message
        assert shown.out == "" and not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("words", "status", "said"),
        [
            (["nowhere", "--out", "out"], ExitCode.UNUSABLE_INPUT, "nowhere: there is no such file or folder"),
            (["empty", "--out", "out"], ExitCode.UNUSABLE_INPUT, "there is no image to read"),
            (["a.png"], ExitCode.USAGE, "--out"),
            (["--out", "out"], ExitCode.USAGE, "INPUT"),
            (["a.png", "--out", "out", "--workers", "0"], ExitCode.USAGE, "--workers"),
            (["a.png", "--out", "out", "--lang", "fr"], ExitCode.USAGE, "--lang"),
            (["a.png", "--out", "a.png"], ExitCode.MODEL_OR_OUTPUT, "a.png: it is a file, not a folder"),
            (["a.png", "--out", "mine"], ExitCode.MODEL_OR_OUTPUT, "mine: the folder holds something other"),
            (["a.png", "--out", "/proc/x"], ExitCode.MODEL_OR_OUTPUT, "/proc"),
        ],
    )
    def test_what_cannot_be_done_is_said_before_the_work(
        self,
        karyotype: Karyotype,
        stand_in: ModuleType,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        words: list[str],
        status: ExitCode,
        said: str,
    ) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "notes.txt").write_text("precious")
        stand_in.save(tmp_path / "a.png")
        assert karyotype(*words) is status
        shown = capsys.readouterr()
        assert said in shown.err
        # /proc says that it may be written; then the end of the work is where it is found out.
        assert "[1/1]" not in shown.err or "/proc/x" in words
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.png", "empty", "mine"]

    def test_missing_models_are_said_before_the_work(
        self,
        karyotype: Karyotype,
        stand_in: ModuleType,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        from dataclasses import replace

        from consilium.errors import ModelError

        def missing() -> None:
            raise ModelError("there is no such model", where="detector.onnx")

        stages = replace(stand_in.STAGES, models=missing)
        monkeypatch.setattr(pipeline, "shipped_stages", lambda: stages)
        stand_in.save(tmp_path / "a.png")
        assert karyotype("a.png", "--out", "out") is ExitCode.MODEL_OR_OUTPUT
        assert capsys.readouterr().err == "consilium: detector.onnx: there is no such model\n"


class TestProcess:
    """The whole command as a process of its own, killed and interrupted."""

    @pytest.fixture
    def slides(self, stand_in: ModuleType, tmp_path: Path) -> Path:
        for number in range(3):
            stand_in.save(tmp_path / "slides" / f"{number}.png")
        return tmp_path / "slides"

    def _start(
        self, command: list[str], slides: Path, out: Path, *, workers: int = 1, **environment: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*command, "karyotype", str(slides), "--out", str(out), "--lang", "en", "--workers", str(workers)],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _wait_for(self, condition: Callable[[], bool], *, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.02)

    def _first_line(self, process: subprocess.Popen[str]) -> str:
        assert process.stderr is not None
        return process.stderr.readline()

    def test_ctrl_c_during_the_analysis(self, stand_in_command: list[str], slides: Path, tmp_path: Path) -> None:
        before = sorted(tmp_path.rglob("*"))
        process = self._start(stand_in_command, slides, tmp_path / "out", workers=2, STAND_IN_SECONDS="1.5")
        assert self._first_line(process).startswith("[1/3]")
        # Ctrl-C on a terminal goes to every process of the group.
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == ExitCode.INTERRUPTED
        assert out == "" and err.splitlines()[-1] == "consilium: interrupted"
        assert "Traceback" not in err
        assert sorted(tmp_path.rglob("*")) == before
        self._wait_for(lambda: not _running(process.pid))

    def test_ctrl_c_during_the_writing_leaves_the_former_result(
        self, stand_in_command: list[str], slides: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        first = self._start(stand_in_command, slides, out)
        first.communicate(timeout=60)
        assert first.returncode == ExitCode.DONE
        before = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
        process = self._start(stand_in_command, slides, out, STAND_IN_WRITING_SECONDS="5")
        self._wait_for(lambda: any(tmp_path.glob(".*/karyograms/*.svg")))
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == ExitCode.INTERRUPTED
        assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == before
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out", "slides"]

    def test_a_kill_during_the_writing_leaves_nothing_half_written_and_a_rerun_works(
        self, stand_in_command: list[str], slides: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        process = self._start(stand_in_command, slides, out, STAND_IN_WRITING_SECONDS="30")
        self._wait_for(lambda: any(tmp_path.glob(".*/karyograms/*.svg")))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert not out.exists()
        again = self._start(stand_in_command, slides, out)
        again.communicate(timeout=60)
        assert again.returncode == ExitCode.DONE
        assert len(_record(out)["cells"]) == 3  # type: ignore[arg-type]
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out", "slides"]

    def test_a_kill_of_the_parent_ends_the_workers(
        self, stand_in_command: list[str], slides: Path, tmp_path: Path
    ) -> None:
        process = self._start(stand_in_command, slides, tmp_path / "out", workers=2, STAND_IN_SECONDS="1")
        assert self._first_line(process).startswith("[1/3]")
        assert len(_running(process.pid)) >= 3, "the command and its two workers"
        process.kill()
        process.communicate()
        self._wait_for(lambda: not _running(process.pid))
        assert [entry.name for entry in tmp_path.iterdir()] == ["slides"]

    def test_a_terminal_is_shown_a_bar_and_what_cannot_be_used(
        self, stand_in_command: list[str], slides: Path, tmp_path: Path
    ) -> None:
        (slides / "[bad].png").write_bytes(b"x")
        ours, theirs = os.openpty()
        words = ["karyotype", str(slides), "--out", str(tmp_path / "out"), "--lang", "en"]
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
        process = subprocess.Popen(
            [*stand_in_command, *words], env=environment, stdout=subprocess.PIPE, stderr=theirs, text=True
        )
        os.close(theirs)
        shown = _read_terminal(ours)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == ExitCode.PARTLY_DONE
        assert "Karyotyping" in shown and "4/4" in shown
        assert "Writing" in shown and "3/3" in shown
        assert "[bad].png: not used: not an image" in shown
        assert "46,XX" in out and "Karyotyping" not in out

    def test_help_needs_nothing_heavy(self) -> None:
        code = (
            "import sys\n"
            "from consilium.cli.main import run\n"
            "for verb in ('karyotype', 'demo'):\n"
            "    assert run([verb, '--help']) == 0\n"
            "heavy = {'numpy', 'cv2', 'PIL', 'onnxruntime', 'rich', 'jinja2', 'scipy'} & set(sys.modules)\n"
            "assert not heavy, heavy"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def _running(group: int) -> list[int]:
    """Processes of a group that still run; those that only wait to be collected do not."""
    running = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            running.append(int(entry.parent.name))
    return running


def _read_terminal(handle: int) -> str:
    shown = b""
    while select.select([handle], [], [], 60)[0]:
        try:
            part = os.read(handle, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(handle)
    return shown.decode("utf-8", "replace")


class TestDefaults:
    @pytest.mark.parametrize(
        ("inputs", "name"),
        [
            (["slides/G24-1"], "G24-1"),
            (["slides/G24-1/cell 1.png"], "cell 1"),
            (["slides/G24-1/cell 1.png", "slides/G24-1/cell 2.png"], "G24-1"),
            (["slides/G24-1", "slides/G24-2"], "slides"),
            (["slides/G24-1/."], "G24-1"),
        ],
    )
    def test_a_case_is_named_after_its_input(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: list[str], name: str
    ) -> None:
        for folder in ("G24-1", "G24-2"):
            (tmp_path / "slides" / folder).mkdir(parents=True)
        monkeypatch.chdir(tmp_path)
        assert case_name([Path(entry) for entry in inputs]) == name

    def test_the_root_has_no_name(self) -> None:
        assert case_name([Path("/bin"), Path("/proc")]) == "case"

    @pytest.mark.parametrize(
        ("environ", "lang"),
        [
            ({}, "en"),
            ({"LANG": "zh_CN.UTF-8"}, "zh"),
            ({"LANG": "zh_TW"}, "zh"),
            ({"LANG": "C"}, "en"),
            ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
            ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN"}, "zh"),
            ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
        ],
    )
    def test_the_locale(self, environ: dict[str, str], lang: str) -> None:
        assert usual_language(environ) == lang
