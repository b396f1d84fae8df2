"""What an edited cell says, as a metaphase and as pictures."""

from __future__ import annotations

import numpy as np
import pytest

from consilium.karyotype.arrange import arrange, pictures, to_png, to_svg
from consilium.karyotype.editing.cell import EditedCell
from consilium.karyotype.editing.cell_json import object_document
from consilium.karyotype.editing.commands import (
    Add,
    Command,
    Confirm,
    Cut,
    Flip,
    Join,
    Reassign,
    Restore,
    Rotate,
    Straighten,
)
from consilium.karyotype.editing.edited_metaphase import metaphase_of
from consilium.karyotype.editing.log import Folded, fold
from consilium.karyotype.editing.region import shared
from consilium.karyotype.editing.sprite import sprite, sprite_key
from consilium.karyotype.editing.told import ORDER, told
from consilium.karyotype.flags import chromosome_flags
from consilium.karyotype.metaphase import Metaphase
from consilium.karyotype.straighten import dark_on_light, straighten
from consilium.karyotype.wording import FLAGS, LANGUAGES, sentence
from tests.karyotype.conftest import draw_cell
from tests.karyotype.editing.conftest import NORMAL, entry_of


def after(cell: EditedCell, *commands: Command) -> EditedCell:
    return fold(cell, commands).cell


def test_without_an_edit_it_is_the_machines_metaphase(cell: EditedCell, drawn: Metaphase) -> None:
    made = metaphase_of(cell, drawn.pixels)
    assert (made.count, made.karyotype, made.gains, made.losses) == (46, "46,XX", (), ())
    assert [one.label for one in made.chromosomes] == [one.label for one in drawn.chromosomes]
    shape = drawn.pixels.shape
    house = chromosome_flags(drawn.chromosomes, shape=(shape[0], shape[1]))
    assert [one.flags for one in made.chromosomes] == list(house)
    for (one, row), (other, other_row) in zip(pictures(made), pictures(drawn), strict=True):
        np.testing.assert_array_equal(one, other)
        assert row == other_row


def test_a_picture_of_another_size_is_none_of_the_cell(cell: EditedCell) -> None:
    with pytest.raises(ValueError, match="a cell of"):
        metaphase_of(cell, np.zeros((3, 3), np.uint8))


def test_places_are_kept_in_the_karyogram_and_derivatives_stand_beside_their_class(
    cell: EditedCell, drawn: Metaphase
) -> None:
    edited = after(cell, Reassign(object="c3", label="2", place=0), Reassign(object="c10", label="der(6)"),
                   Reassign(object="c20", label="mar"))  # fmt: skip
    made = metaphase_of(edited, drawn.pixels)
    karyogram = arrange(made)
    ids = [one.id for one in edited.objects]
    order = [ids[place.index] for place in karyogram.places if place.label == "2" and place.index is not None]
    assert order == ["c3", "c2"]
    sixth = [ids[place.index] for place in karyogram.places if place.label == "6" and place.index is not None]
    assert sixth == ["c11", "c10"]
    brackets = {one.text for one in karyogram.brackets}
    assert {"6, der(6)", "mar"} <= brackets
    for lang in LANGUAGES:
        assert "der(6)" in to_svg(karyogram, lang) and to_png(karyogram, lang).data.startswith(b"\x89PNG")
    assert made.karyotype == "46,XX,der(6),-11,+mar"


def test_marks_are_what_is_still_to_be_looked_at(cell: EditedCell, drawn: Metaphase) -> None:
    x0, y0, x1, _ = cell.named("c0").region.box
    edited = after(cell, Cut(object="c0", line=((x0 - 2, y0 + 40), (x1 + 2, y0 + 40))))
    doubtful = told(edited).doubtful
    flagged = [one.flags for one in metaphase_of(edited, drawn.pixels).chromosomes]
    assert sum(map(bool, flagged)) == len(doubtful) >= 2
    made = metaphase_of(after(edited, Confirm(objects=doubtful)), drawn.pixels)
    assert not any(one.flags for one in made.chromosomes)


def test_what_to_look_at_first_is_what_may_change_the_count() -> None:
    assert set(ORDER) <= set(FLAGS)
    entry = entry_of(draw_cell(NORMAL))
    entry["chromosomes"][4].update(confidence=0.4)
    entry["chromosomes"][7].update(polarity=0.6)
    entry["chromosomes"][9].update(detection_score=0.2)
    entry["chromosomes"][12].update(label="unsure", confidence=0.2)
    from consilium.karyotype.editing.reading import read_cell

    says = told(read_cell(entry))
    assert list(says.doubtful) == ["c12", "c9", "c4", "c7"]
    for lang in LANGUAGES:
        assert all(sentence(flag, lang) for flags in says.flags.values() for flag in flags)


def test_the_classifier_speaks_no_longer_of_what_a_person_named(cell: EditedCell) -> None:
    entry = entry_of(draw_cell(NORMAL))
    entry["chromosomes"][4].update(confidence=0.4)
    from consilium.karyotype.editing.reading import read_cell

    before = read_cell(entry)
    assert "low_confidence" in {flag.code for flag in told(before).flags["c4"]}
    named = after(before, Reassign(object="c4", label="4"))
    assert "low_confidence" not in {flag.code for flag in told(named).flags["c4"]}
    document = object_document(named.named("c4"), told(named), "zh")
    assert document["named"] and document["confirmed"] and not document["doubtful"]
    assert document["confidence"] == 0.4


def test_a_picture_hangs_on_what_its_key_is_made_of(cell: EditedCell, drawn: Metaphase) -> None:
    page = dark_on_light(drawn.pixels, inverted=False)
    folded = Folded(reading=cell)
    x0, y0, x1, _ = cell.named("c0").region.box
    bar = ((x0, y0 + 20), (x1 + 6, y0 + 20), (x1 + 6, y0 + 30), (x0, y0 + 30))
    keys = {"": sprite_key(cell.named("c0"), "a")}
    for command in (Flip(object="c0", axis="vertical"), Flip(object="c0", axis="horizontal"),
                    Straighten(object="c0", on=False), Rotate(object="c0", degrees=7.0),
                    Restore(object="c0", polygon=bar), Reassign(object="c0", label="2")):  # fmt: skip
        found = folded.then(command).cell.named("c0")
        keys[repr(command)] = sprite_key(found, "a")
        drawn_, again = sprite(page, found), sprite(page, found)
        np.testing.assert_array_equal(drawn_.pixels, again.pixels)
        assert 0 <= drawn_.centromere < drawn_.pixels.shape[0]
    assert len(set(keys.values())) == 7
    assert sprite_key(cell.named("c0"), "b") not in keys.values()
    # What nobody can see changes no address.
    for same in (Confirm(objects=("c0",)), Reassign(object="c0", label="1", place=1)):
        assert sprite_key(folded.then(same).cell.named("c0"), "a") == keys[""]


def test_pictures_are_turned_and_mirrored_as_asked(cell: EditedCell, drawn: Metaphase) -> None:
    page = dark_on_light(drawn.pixels, inverted=False)
    plain = sprite(page, cell.named("c0")).pixels
    mirrored = sprite(page, after(cell, Flip(object="c0", axis="horizontal")).named("c0")).pixels
    np.testing.assert_array_equal(mirrored, plain[:, ::-1])
    lying = after(cell, Straighten(object="c0", on=False)).named("c0")
    upright = straighten(page, metaphase_of(cell, drawn.pixels).chromosomes[0].instance, 0.0, along_axis=False)
    np.testing.assert_array_equal(sprite(page, lying).pixels, upright.pixels)
    turned = sprite(page, after(cell, Flip(object="c0", axis="vertical")).named("c0")).pixels
    assert np.abs(turned.astype(int) - plain[::-1, ::-1].astype(int)).mean() < 12


def test_what_lies_in_two_pieces_is_shown_whole(cell: EditedCell, drawn: Metaphase) -> None:
    page = dark_on_light(drawn.pixels, inverted=False)
    joined = after(cell, Join(objects=("c42", "c43"))).named("n1")
    assert not joined.whole
    shown = sprite(page, joined).pixels
    dark = int((shown < 200).sum())
    alone = sum(int((sprite(page, cell.named(id_)).pixels < 200).sum()) for id_ in ("c42", "c43"))
    assert dark > 0.85 * alone


def test_a_missed_chromosome_is_added_and_counts(cell: EditedCell) -> None:
    x0, y0, x1, y1 = cell.named("c45").region.box
    outline = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    edited = after(cell, Add(polygon=outline))
    added = edited.named("n1")
    assert (added.label, added.read, added.confirmed) == ("unsure", False, False)
    assert told(edited).count == 47 and told(edited).doubtful[0] == "n1"
    assert shared(added.region, cell.named("c45").region) == cell.named("c45").region
    assert told(after(cell, Add(polygon=outline, label="21"))).karyotype == "47,XX,+21"
    document = object_document(added, told(edited))
    assert document["probabilities"] == {} and document["flags"][0]["code"] == "not_read"


def test_a_cut_piece_has_an_upright_picture(cell: EditedCell, drawn: Metaphase) -> None:
    page = dark_on_light(drawn.pixels, inverted=False)
    x0, y0, x1, y1 = cell.named("c0").region.box
    edited = after(cell, Cut(object="c0", line=((x0 - 2, y0 + 40), (x1 + 2, y0 + 40))))
    for id_ in ("n1a", "n1b"):
        height, width = sprite(page, edited.named(id_)).pixels.shape
        assert height > width
    assert y1 - y0 > 40
