"""Specialists built by a real engine from drawn pictures."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consilium.alliance.compute.embedded import EmbeddedEngine
from consilium.alliance.compute.job import LIVE
from consilium.alliance.compute.permitted import PermittedEngine
from consilium.alliance.permissions import Person
from consilium.alliance.workshop.build import Options, read_build
from consilium.alliance.workshop.unpack import unpack_zip
from consilium.alliance.workshop.workshop import Standing, Workshop
from consilium.errors import InputError, NotAllowed, UnusableDataset
from tests.specialist.drawn_pictures import draw, two_classes

TANG = Person(name="tang", hospital="hospital_a", roles=frozenset({"member"}))
DAI = Person(name="dai", hospital="hospital_b", roles=frozenset({"member"}))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    for module, extra in (("hyperqueue", "compute"), ("onnx", "specialist"), ("matplotlib", "specialist")):
        pytest.importorskip(module, reason=f"a specialist is built with {module} (extra {extra})")
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSILIUM_HOME", str(home))
        made = EmbeddedEngine(home / "compute")
        yield made
        made.stop()


@pytest.fixture
def home(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONSILIUM_HOME", str(engine._home.parent))
    return engine._home.parent


def workshop(home: Path, engine: EmbeddedEngine, person: Person = TANG, acts: list[Any] | None = None) -> Workshop:
    def note(what: str, on: str, **details: Any) -> None:
        if acts is not None:
            acts.append((what, on, details))

    return Workshop(home, PermittedEngine(engine, person), person, note)


def archive(folder: Path) -> io.BytesIO:
    page = io.BytesIO()
    with zipfile.ZipFile(page, "w") as opened:
        for path in sorted(folder.rglob("*.png")):
            opened.write(path, f"images/{path.relative_to(folder)}")
    page.seek(0)
    return page


def ended(place: Workshop, name: str) -> Standing:
    until = time.monotonic() + 110
    while (standing := place.standing(place.build(name))).state in LIVE:
        assert time.monotonic() < until, standing
        time.sleep(0.2)
    return standing


def test_from_an_archive_to_an_answer(home: Path, engine: EmbeddedEngine, tmp_path: Path) -> None:
    acts: list[Any] = []
    place = workshop(home, engine, acts=acts)
    content = archive(two_classes(tmp_path / "drawn", 12))
    build = place.begin("discs", Options(lang="zh"), unpack=lambda out: unpack_zip(content, out))
    assert (build.cases, build.files, build.uploaded) == (24, 24, True)
    standing = ended(place, "discs")
    assert (standing.state, standing.ready, standing.share) == ("done", True, 1.0), standing.output
    assert "AUC" in standing.output
    report = place.report(build, "zh")
    assert report is not None and "discs" in report.read_text(encoding="utf-8")
    assert place.report(build, "zh", "pdf") is not None
    assert place.report(build, "en") is None

    asked = place.ask_for_report("discs", "en")
    until = time.monotonic() + 100
    while place.report(asked, "en") is None or place._runs(asked.reports["en"]):
        assert time.monotonic() < until
        time.sleep(0.2)
    written = place.report(asked, "en")
    assert written is not None and "How good is this specialist" in written.read_text(encoding="utf-8")

    picture = draw(tmp_path / "new.png", large=True, seed=77)
    with picture.open("rb") as stream:
        answer = place.answer("discs", stream, "../../new.png")
    assert (answer["label"], answer["file"], answer["abstain"]) == ("tumour", "new.png", False)
    with pytest.raises(InputError):
        place.answer("discs", io.BytesIO(b"no picture"), "a.png")
    assert [what for what, _, _ in acts] == ["specialist.build"]

    other = workshop(home, engine, DAI)
    assert other.builds() == []
    with pytest.raises(InputError, match="no specialist"):
        other.build("discs")
    with pytest.raises(InputError, match="already"):
        place.begin("discs", Options(), data=tmp_path / "drawn")
    place.remove("discs")
    assert place.builds() == []


def test_what_cannot_be_learnt_from_is_refused_at_once_and_leaves_nothing(
    home: Path, engine: EmbeddedEngine, tmp_path: Path
) -> None:
    place = workshop(home, engine)
    draw(tmp_path / "one" / "normal" / "1.png")
    before = len(engine.jobs())
    with pytest.raises(UnusableDataset):
        place.begin("one", Options(), data=tmp_path / "one")
    with pytest.raises(InputError):
        place.begin("two", Options(), unpack=lambda out: unpack_zip(io.BytesIO(b"no archive"), out))
    with pytest.raises(InputError, match="no cases"):
        place.begin("three", Options())
    for name in ("../x", "A", "", "a--b", "data/x"):
        with pytest.raises(InputError):
            place.begin(name, Options(), data=tmp_path / "one")
    assert place.builds() == []
    assert len(engine.jobs()) == before
    left = [one.name for one in (home / "specialists" / "hospital_a").iterdir()]
    assert left == []


def test_a_fit_is_cancelled_and_only_then_removed(home: Path, engine: EmbeddedEngine, tmp_path: Path) -> None:
    place = workshop(home, engine)
    place.begin("slow", Options(lang="en"), data=two_classes(tmp_path / "drawn", 40, first_seed=500))
    with pytest.raises(InputError, match="being built"):
        place.remove("slow")
    place.cancel("slow")
    standing = ended(place, "slow")
    assert (standing.state, standing.ready) == ("cancelled", False)
    with pytest.raises(InputError, match="not there yet"):
        place.answer("slow", io.BytesIO(b"x"), "x.png")
    place.remove("slow")


def test_a_model_that_lies_there_is_not_used_before_its_figures_are_told(
    home: Path, engine: EmbeddedEngine, tmp_path: Path
) -> None:
    """Fitting writes the model first and then the report that says whether it may be used."""
    place = workshop(home, engine)
    build = place.begin("early", Options(lang="en"), data=two_classes(tmp_path / "drawn", 40, first_seed=500))
    written = place.model("early") / "manifest.json"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text("{}", encoding="utf-8")
    assert place.standing(build).state in LIVE and not place.standing(build).ready
    for act in (lambda: place.finished("early"), lambda: place.ask_for_report("early", "zh")):
        with pytest.raises(InputError, match="not there yet"):
            act()
    place.cancel("early")
    assert ended(place, "early").ready and place.finished("early") == written.parent


def test_whoever_is_no_member_may_not(home: Path, engine: EmbeddedEngine, tmp_path: Path) -> None:
    place = workshop(home, engine, replace(TANG, roles=frozenset({"operator"})))
    for act in (place.builds, lambda: place.begin("x", Options(), data=tmp_path), lambda: place.build("x")):
        with pytest.raises(NotAllowed):
            act()


def test_a_name_that_was_cut_off_is_free_again(
    home: Path, engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    place = workshop(home, engine)
    folder = home / "specialists" / "hospital_a" / "cut"
    folder.mkdir(parents=True)
    data = two_classes(tmp_path / "drawn", 12)
    with pytest.raises(InputError, match="already"):
        place.begin("cut", Options(), data=data)
    os.utime(folder, (time.time() - 100, time.time() - 100))
    place.begin("cut", Options(), data=data)
    place.cancel("cut")
    ended(place, "cut")


@pytest.mark.parametrize(
    "options",
    [
        Options(), Options(group="-x", case="--out", modality="us", labels=("a", "-b"), tolerance=2.0, seed=3),
        Options(mirror=False, finer=False, instances=True, fine_tune=True, task="segment"),
    ],
)  # fmt: skip
def test_options_reach_the_verb_as_options(options: Options) -> None:
    """Click itself reads them; a value that begins with a hyphen is none."""
    from consilium.cli.specialist import fit

    context = fit.make_context("fit", ["data", "--out=model", *options.words()])
    told = context.params
    assert (told["group"], told["seed"], told["task"]) == (options.group, options.seed, options.task)
    assert (told["case_column"] or "", told["modality"] or "") == (options.case, options.modality)
    assert (told["labels"], told["tolerance"], told["instances"]) == (
        options.labels, options.tolerance, options.instances,
    )  # fmt: skip
    assert (told["mirrored"], told["finer"]) == (options.mirror, options.finer)
    assert told["fine_tune"] == ("auto" if options.fine_tune else "never")
    assert (str(told["dataset"]), str(told["out"])) == ("data", "model")


@pytest.mark.parametrize("content", ["", "{}", '{"options": 3}', '{"options": {"task": "x"}, "left_out": []}', "[]"])
def test_a_damaged_file_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "build.json").write_text(content)
    with pytest.raises(InputError):
        read_build(tmp_path)
