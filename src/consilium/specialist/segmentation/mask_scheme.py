"""What the numbers in mask files mean: classes, or objects one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from consilium.errors import UnusableDataset
from consilium.specialist.segmentation.mask_file import read_mask
from consilium.specialist.segmentation.overlap import Labels

MOST_CLASSES = 12
"""Masks with more different numbers than this number objects, or have grey edges; neither are classes."""


@dataclass(frozen=True, kw_only=True)
class MaskScheme:
    """How masks are read and written.

    Attributes:
        values: in the files, ascending, without 0; of objects none.
        labels: what they stand for, as many; of objects one.
        instances: whether numbers tell objects apart.
        volumes: whether masks are of volumes.
    """

    values: tuple[int, ...]
    labels: tuple[str, ...]
    instances: bool
    volumes: bool

    @property
    def numbers(self) -> range:
        """Of the labels in a mask in memory, 1 to n."""
        return range(1, len(self.labels) + 1)

    def read(self, files: Sequence[Path]) -> Labels:
        """The mask of a case, from one file or several: 0 is background, then 1 to n of the labels, or of the objects.

        Raises:
            UnusableDataset: a number that no label stands for, or several files of different sizes.
            UnreadableImage: a file is damaged or in colour.
        """
        raw = joined_masks(files, instances=self.instances)
        if self.instances:
            return raw
        known = np.array((0, *self.values), np.intp)
        place = np.minimum(np.searchsorted(known, raw), len(known) - 1)
        if not (known[place] == raw).all():
            odd = int(raw[known[place] != raw][0])
            raise UnusableDataset(
                f"the mask has the number {odd}, which no label stands for",
                where=str(files[0]),
                way_out=f"The numbers are {', '.join(map(str, self.values))}.",
            )
        return np.asarray(place, np.intp)

    def written(self, mask: Labels) -> Labels:
        """A mask in memory as it stands in files: with the numbers of the training masks."""
        return mask if self.instances else np.array((0, *self.values), np.intp)[mask]

    def of_label(self, mask: Labels, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Where a label is in a mask in memory; of objects, where any is."""
        return np.asarray(mask > 0 if self.instances else mask == number, np.bool_)


def joined_masks(files: Sequence[Path], *, instances: bool) -> Labels:
    """The numbers in the mask files of one case: the largest of each pixel, or objects of later files counted on.

    Raises:
        UnusableDataset: the files differ in size.
        UnreadableImage: a file is damaged or in colour.
    """
    found = read_mask(files[0])
    for file in files[1:]:
        other = read_mask(file)
        if other.shape != found.shape:
            raise UnusableDataset(
                f"masks of one case have {found.shape} and {other.shape} pixels",
                where=str(file),
                way_out="Give all masks of a case the size of its picture.",
            )
        if instances:
            other = np.where(other > 0, other + int(found.max()), 0)
        found = np.maximum(found, other)
    return found


def scheme_of(values: set[int], *, labels: tuple[str, ...], instances: bool, volumes: bool, where: Path) -> MaskScheme:
    """What masks with these numbers (0 left out) mean.

    Args:
        values: in all mask files.
        labels: names in the order of the numbers; none: they are made up.
        instances: whether numbers tell objects apart.
        volumes: whether the cases are volumes.
        where: the cases come from, for messages.

    Raises:
        UnusableDataset: nothing is outlined, negative or too many numbers, or names that do not fit them.
    """
    if not values:
        raise UnusableDataset(
            "nothing is outlined in any mask", where=str(where), way_out="Give masks whose objects are not 0."
        )
    if min(values) < 0:
        raise UnusableDataset(
            f"the masks hold the number {min(values)}", where=str(where), way_out="Give masks without negative numbers."
        )
    if instances and volumes:
        raise UnusableDataset(
            "objects are told apart in pictures only, and these are volumes",
            where=str(where),
            way_out="Leave out --instances: the masks then hold classes.",
        )
    if not instances and len(values) > MOST_CLASSES:
        raise UnusableDataset(
            f"the masks hold {len(values)} different numbers, too many for classes",
            where=str(where),
            way_out="If each number is an object, say --instances; if edges are grey, save them in black and white.",
        )
    if not instances and not labels and values == {1, 255}:
        # A set of public photographs was met whose masks are 0 and 1 in part, 0 and 255 in part, and mean the same.
        raise UnusableDataset(
            "the masks hold 1 and 255, which is one label written in two ways or two labels",
            where=str(where),
            way_out="Write one label with one number in all masks; if they are two, name them with --label.",
        )
    count = 1 if instances else len(values)
    if labels and len(labels) != count:
        raise UnusableDataset(
            f"{len(labels)} label(s) are named and the masks need {count}",
            where=str(where),
            way_out="Name one for each number" + ("." if instances else f": {', '.join(map(str, sorted(values)))}."),
        )
    if len(set(labels)) != len(labels):
        raise UnusableDataset("two labels have the same name", where=str(where), way_out="Name each its own.")
    ordered = () if instances else tuple(sorted(values))
    made_up = ("object",) if count == 1 else tuple(f"label {value}" for value in ordered)
    return MaskScheme(values=ordered, labels=labels or made_up, instances=instances, volumes=volumes)
