"""From files to a case: the stages in their order, bad images among good ones, worker processes, interruptions."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consilium import errors
from consilium.errors import ConsiliumError, ModelError, NoMetaphase, NothingToDo, UnreadableImage
from consilium.karyotype.case import (
    Progress,
    display_levels,
    karyotype_case,
    karyotype_image,
    shipped_stages,
    usual_workers,
)
from consilium.karyotype.metaphase import Failure, Metaphase
from consilium.karyotype.synthetic import save_marked


def _alike(first: Metaphase, second: Metaphase) -> bool:
    return (
        (first.image, first.karyotype, first.quality, first.flags)
        == (second.image, second.karyotype, second.quality, second.flags)
        and bool((first.pixels == second.pixels).all())
        and [one.label for one in first.chromosomes] == [one.label for one in second.chromosomes]
        and all(
            (one.instance.mask == other.instance.mask).all()
            for one, other in zip(first.chromosomes, second.chromosomes, strict=True)
        )
    )


class TestOneImage:
    def test_every_stage_leaves_its_mark(self, stand_in: ModuleType, tmp_path: Path) -> None:
        path = stand_in.save(tmp_path / "cell.png", stand_in.TRISOMY_21)
        cell = karyotype_image(path, stages=stand_in.STAGES)
        assert (cell.image, cell.count, cell.karyotype) == ("cell.png", 47, "47,XX,+21")
        assert (cell.gains, cell.losses) == (("21",), ())
        assert sorted(one.label for one in cell.chromosomes) == sorted(stand_in.TRISOMY_21)
        assert [flag.code for flag in cell.flags] == ["count_not_46"]
        assert 0 < cell.quality.score <= 1
        assert (cell.pixels == stand_in.draw(stand_in.TRISOMY_21)).all()
        assert not cell.inverted and not cell.synthetic
        assert all(0.9 < one.confidence <= 1 and one.polarity == pytest.approx(0.97) for one in cell.chromosomes)

    def test_chromosomes_carry_their_flags(self, stand_in: ModuleType, tmp_path: Path) -> None:
        page = stand_in.draw()
        top = 30  # the first row of rods starts here: the picture now ends above its tips
        Image.fromarray(page[top:]).save(tmp_path / "cut.png")
        cell = karyotype_image(tmp_path / "cut.png", stages=stand_in.STAGES)
        cut = [one for one in cell.chromosomes if "touches_edge" in {flag.code for flag in one.flags}]
        assert len(cut) == 10
        assert {one.instance.origin[1] for one in cut} == {0}

    def test_an_inverted_picture_is_read_alike_and_kept_as_it_is(self, stand_in: ModuleType, tmp_path: Path) -> None:
        bright = 255 - stand_in.draw()
        Image.fromarray(bright).save(tmp_path / "q.png")
        cell = karyotype_image(tmp_path / "q.png", stages=stand_in.STAGES)
        assert cell.inverted and cell.karyotype == "46,XX"
        assert (cell.pixels == bright).all()

    def test_sixteen_bits_are_read_whole_and_shown_in_eight(self, stand_in: ModuleType, tmp_path: Path) -> None:
        deep = stand_in.draw().astype(np.uint16) * 16 + 3000
        Image.fromarray(deep).save(tmp_path / "deep.tif")
        cell = karyotype_image(tmp_path / "deep.tif", stages=stand_in.STAGES)
        assert cell.karyotype == "46,XX"
        assert cell.pixels.dtype == np.uint8
        assert cell.pixels.min() == 0 and cell.pixels.max() == 255

    def test_what_was_drawn_is_called_synthetic(self, stand_in: ModuleType, tmp_path: Path) -> None:
        save_marked(stand_in.draw(), tmp_path / "drawn.png")
        assert karyotype_image(tmp_path / "drawn.png", stages=stand_in.STAGES).synthetic

    def test_a_bad_image_is_its_own_error_with_its_place(
        self, stand_in: ModuleType, bad_image: tuple[Path, str]
    ) -> None:
        path, error = bad_image
        with pytest.raises(getattr(errors, error)) as raised:
            karyotype_image(path, stages=stand_in.STAGES)
        assert raised.value.where == str(path)
        assert raised.value.what and raised.value.way_out

    @pytest.mark.usefixtures("shipped_models")
    def test_a_bad_image_is_its_own_error_with_the_shipped_models(self, bad_image: tuple[Path, str]) -> None:
        path, error = bad_image
        with pytest.raises(getattr(errors, error)) as raised:
            karyotype_image(path)
        assert raised.value.where == str(path)

    def test_the_place_of_a_model_is_not_overwritten(self, stand_in: ModuleType, tmp_path: Path) -> None:
        def altered(*_: Any, **__: Any) -> Any:
            raise ModelError("it was altered", where="detector.onnx")

        path = stand_in.save(tmp_path / "cell.png")
        with pytest.raises(ModelError) as raised:
            karyotype_image(path, stages=replace(stand_in.STAGES, find=altered))
        assert raised.value.where == "detector.onnx"


class TestDisplayLevels:
    def test_eight_bits_stay_as_they_are(self) -> None:
        pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
        assert (display_levels(pixels) == pixels).all()

    def test_one_hot_pixel_does_not_darken_the_rest(self) -> None:
        pixels = np.linspace(1000, 3000, 10_000).astype(np.uint16).reshape(100, 100)
        plain = display_levels(pixels)
        hot = pixels.copy()
        hot[50, 50] = 65535
        assert np.abs(display_levels(hot).astype(int) - plain)[hot < 65535].max() <= 1
        assert (np.diff(plain.ravel().astype(int)) >= 0).all()

    def test_a_single_level_is_no_division_by_zero(self) -> None:
        assert set(np.unique(display_levels(np.full((9, 9), 500, np.uint16)))) == {0}


class TestCase:
    def test_cells_are_ranked_and_agree_on_a_karyotype(self, stand_in: ModuleType, tmp_path: Path) -> None:
        few = stand_in.NORMAL[:30]
        labels = [few, stand_in.TRISOMY_21, stand_in.TRISOMY_21, stand_in.NORMAL]
        paths = [stand_in.save(tmp_path / f"{number}.png", one) for number, one in enumerate(labels)]
        case = karyotype_case(paths, name="one", workers=1, stages=stand_in.STAGES)
        assert (case.name, case.modal_karyotype, case.failures) == ("one", "47,XX,+21", ())
        scores = [cell.quality.score for cell in case.cells]
        assert scores == sorted(scores, reverse=True)
        assert case.cells[-1].image == "0.png"
        assert set(case.disagreeing) == {"0.png", "3.png"}
        assert {flag.code for flag in case.flags} == {"single_cell_change"}

    def test_equal_cells_keep_the_order_of_their_images(self, stand_in: ModuleType, tmp_path: Path) -> None:
        paths = [stand_in.save(tmp_path / f"{name}.png") for name in "cab"]
        case = karyotype_case(paths, name="", workers=1, stages=stand_in.STAGES)
        assert [cell.image for cell in case.cells] == ["c.png", "a.png", "b.png"]

    def test_a_bad_image_among_good_ones_is_a_failure_of_its_own(
        self, stand_in: ModuleType, bad_image: tuple[Path, str], tmp_path: Path
    ) -> None:
        path, error = bad_image
        good = [stand_in.save(tmp_path / f"{name}.png") for name in "ab"]
        case = karyotype_case([good[0], path, good[1]], name="", workers=1, stages=stand_in.STAGES)
        assert [cell.image for cell in case.cells] == ["a.png", "b.png"]
        [failure] = case.failures
        assert (failure.image, failure.error) == (path.name, error)
        # The record goes to others: no folder of this machine is in it.
        assert failure.message and str(tmp_path) not in failure.message

    def test_one_name_in_two_folders(self, stand_in: ModuleType, tmp_path: Path) -> None:
        paths = [stand_in.save(tmp_path / folder / "1.png") for folder in ("玻片 A", "slide b")]
        case = karyotype_case(paths, name="", workers=1, stages=stand_in.STAGES)
        assert {cell.image for cell in case.cells} == {"玻片 A/1.png", "slide b/1.png"}

    def test_progress_is_told_after_every_image(self, stand_in: ModuleType, tmp_path: Path) -> None:
        (tmp_path / "b.png").write_bytes(b"x")
        paths = [stand_in.save(tmp_path / "a.png"), tmp_path / "b.png", stand_in.save(tmp_path / "c.png")]
        seen: list[Progress] = []
        karyotype_case(paths, name="", workers=1, on_progress=seen.append, stages=stand_in.STAGES)
        assert [(one.done, one.total, one.outcome.image) for one in seen] == [
            (1, 3, "a.png"),
            (2, 3, "b.png"),
            (3, 3, "c.png"),
        ]
        assert isinstance(seen[1].outcome, Failure)

    def test_the_only_bad_image_is_its_own_error(self, stand_in: ModuleType, bad_image: tuple[Path, str]) -> None:
        path, error = bad_image
        with pytest.raises(getattr(errors, error)) as raised:
            karyotype_case([path], name="", workers=1, stages=stand_in.STAGES)
        assert raised.value.where == str(path)

    def test_many_bad_images_are_named_with_their_reasons(self, stand_in: ModuleType, tmp_path: Path) -> None:
        paths = [tmp_path / f"{number}.png" for number in range(8)]
        for path in paths:
            path.write_bytes(b"x")
        paths[1] = stand_in.save(tmp_path / "1.png", ["1"] * 4)
        with pytest.raises(NothingToDo) as raised:
            karyotype_case(paths, name="", workers=1, stages=stand_in.STAGES)
        message = str(raised.value)
        assert "none of the 8 images" in message
        assert "0.png: not an image of a known kind" in message
        assert "1.png: only 4 rods were found" in message
        assert "and 3 more" in message

    def test_no_image_at_all(self, stand_in: ModuleType) -> None:
        with pytest.raises(NothingToDo):
            karyotype_case([], name="", stages=stand_in.STAGES)

    @pytest.mark.parametrize(
        ("problem", "named", "said"),
        [
            (MemoryError(), "MemoryError", "memory"),
            (IndexError("list index out of range"), "IndexError", "fault of Consilium"),
            (ModelError("it failed", where="model detector 1"), "ModelError", "model detector 1: it failed"),
        ],
    )
    def test_a_fault_on_one_image_costs_that_image(
        self, stand_in: ModuleType, tmp_path: Path, problem: Exception, named: str, said: str
    ) -> None:
        def fragile(normalised: Any, *, threads: int | None = None) -> Any:
            found = stand_in.find(normalised, threads=threads)
            if len(found) == 47:
                raise problem
            return found

        stages = replace(stand_in.STAGES, find=fragile)
        paths = [stand_in.save(tmp_path / "a.png"), stand_in.save(tmp_path / "b.png", stand_in.TRISOMY_21)]
        case = karyotype_case(paths, name="", workers=1, stages=stages)
        [failure] = case.failures
        assert (failure.image, failure.error) == ("b.png", named)
        assert said in failure.message
        with pytest.raises(type(problem)):
            karyotype_case([paths[1], paths[1]], name="", workers=1, stages=stages)

    def test_a_kept_error_holds_no_picture(self, stand_in: ModuleType, tmp_path: Path) -> None:
        path = stand_in.save(tmp_path / "few.png", ["1"] * 4)
        with pytest.raises(NoMetaphase) as raised:
            karyotype_case([path], name="", workers=1, stages=stand_in.STAGES)
        error: BaseException | None = raised.value
        held = []
        while error is not None:
            step = error.__traceback__
            while step is not None:
                held += [value for value in step.tb_frame.f_locals.values() if hasattr(value, "darkness")]
                step = step.tb_next
            error = error.__cause__
        assert held == []


class TestWorkers:
    def test_workers_give_what_one_process_gives_and_a_killed_one_costs_one_image(
        self, stand_in: ModuleType, tmp_path: Path
    ) -> None:
        (tmp_path / "bad.png").write_bytes(b"x")
        paths = [stand_in.save(tmp_path / "a.png"), tmp_path / "bad.png"]
        paths += [stand_in.save(tmp_path / "b.png", stand_in.TRISOMY_21)]
        deadly = stand_in.save(tmp_path / "deadly.png", deadly=True)
        alone = karyotype_case(paths, name="n", workers=1, stages=stand_in.STAGES)
        shared = karyotype_case([deadly, *paths], name="n", workers=2, stages=stand_in.STAGES)
        assert all(_alike(one, other) for one, other in zip(alone.cells, shared.cells, strict=True))
        lost, *others = shared.failures
        assert (lost.image, lost.error) == ("deadly.png", "WorkerDied")
        assert "killed by signal 9" in lost.message and "fewer workers" in lost.message
        assert alone.failures == tuple(others)
        assert (alone.modal_karyotype, alone.disagreeing) == (shared.modal_karyotype, shared.disagreeing)

    def test_when_every_worker_dies_the_error_is_not_the_images_fault(
        self, stand_in: ModuleType, tmp_path: Path
    ) -> None:
        paths = [stand_in.save(tmp_path / f"{name}.png", deadly=True) for name in "ab"]
        with pytest.raises(ConsiliumError, match="killed by signal 9") as raised:
            karyotype_case(paths, name="", workers=2, stages=stand_in.STAGES)
        assert raised.value.where == str(paths[0])
        assert not isinstance(raised.value, errors.InputError)

    def test_an_interruption_is_passed_on_and_ends_the_workers(self, stand_in: ModuleType, tmp_path: Path) -> None:
        def interrupt(_: Progress) -> None:
            raise KeyboardInterrupt

        paths = [stand_in.save(tmp_path / f"{name}.png") for name in "abcd"]
        with pytest.raises(KeyboardInterrupt):
            karyotype_case(paths, name="", workers=2, on_progress=interrupt, stages=stand_in.STAGES)
        assert multiprocessing.active_children() == []

    def test_the_usual_number_leaves_a_worker_two_cores(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for cores, workers in [(1, 1), (2, 1), (3, 1), (4, 2), (12, 6), (64, 8)]:
            monkeypatch.setattr("consilium.karyotype.case.available_cores", lambda cores=cores: cores)
            assert usual_workers() == workers


def test_the_shipped_stages_can_be_sent_to_workers() -> None:
    import pickle

    assert pickle.loads(pickle.dumps(shipped_stages())) == shipped_stages()


@pytest.mark.usefixtures("shipped_models")
def test_the_demo_case_is_read_as_it_was_drawn(tmp_path: Path) -> None:
    from consilium.karyotype.demo_case import KARYOTYPE, write_demo_case

    case = karyotype_case(write_demo_case(tmp_path), name="demo", workers=1)
    assert case.modal_karyotype == KARYOTYPE
    assert len(case.cells) == 6 and all(cell.synthetic for cell in case.cells)


def test_an_image_that_vanishes_is_unreadable(stand_in: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="no such file"):
        karyotype_image(tmp_path / "gone.png", stages=stand_in.STAGES)
