"""The outline on its picture, and beside it how probable each place was: where a model was in doubt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.segmentation.mask_scheme import MaskScheme
from consilium.specialist.segmentation.overlap import Labels
from consilium.specialist.segmentation.segment_file import Outline
from consilium.specialist.segmentation.working_grid import nearest

HEIGHT = 512
FOUND, TRUE = (230, 159, 0), (86, 180, 233)
"""Orange and sky blue of Okabe and Ito (2008), which colour-blind people tell apart."""
_DARK, _LIGHT = np.array([0.0, 0.25, 0.55]), np.array([1.0, 0.85, 0.2])


def drawn_outline(outline: Outline, scheme: MaskScheme, label: str | None = None) -> NDArray[np.uint8]:
    """The picture with its outline on the left, the probability with the same outline on the right.

    Args:
        outline: of a file; of a volume, the section with most of it is drawn.
        scheme: of the model.
        label: whose outline and probability; None: of anything that is not background.

    Returns:
        (512, W, 3) uint8 RGB.
    """
    number = None if label is None else 1 + scheme.labels.index(label)
    mask = outline.mask > 0 if number is None else scheme.of_label(outline.mask, number)
    whole = number is None or scheme.instances
    probable = 1 - outline.probabilities[0] if whole else outline.probabilities[number or 0]
    shown: NDArray[np.float32] = outline.shown
    if scheme.volumes:
        at = fullest(mask)
        share = (at + 0.5) / len(mask)
        section = int(share * len(shown))
        mask, probable, shown = mask[at], probable[section], shown[section]
        shown = np.repeat(shown[:, :, None], 3, axis=2)
    height, width = mask.shape
    size = HEIGHT, max(round(width * HEIGHT / height), 1)
    picture, level = _sized(shown, size), np.clip(_sized(probable, size), 0, 1)[..., None]
    grey = picture.mean(2, keepdims=True)
    # Doubt lies between the two colours; where nothing was probable, the picture stays.
    heat = (1 - level) * _DARK + level * _LIGHT
    mixed = grey * (1 - 0.75 * level**0.5) + heat * 0.75 * level**0.5
    drawn = []
    for panel in (picture, mixed):
        colours = np.asarray(np.round(np.clip(panel, 0, 1) * 255), np.uint8)
        drawn.append(with_outline(colours, nearest(mask.astype(np.intp), size), FOUND))
    gap = np.full((HEIGHT, 8, 3), 255, np.uint8)
    return np.concatenate([drawn[0], gap, drawn[1]], axis=1)


def fullest(mask: NDArray[np.bool_]) -> int:
    """The section (first axis) with most of a mask, the middle one of an empty mask."""
    counts = mask.reshape(len(mask), -1).sum(1)
    return int(counts.argmax()) if counts.any() else len(mask) // 2


def with_outline(
    picture: NDArray[np.uint8], mask: Labels, colour: tuple[int, int, int], *, dashed: bool = False
) -> NDArray[np.uint8]:
    """A picture (H, W, 3) with the inner edge of each number of a mask (H, W), two pixels wide.

    Args:
        picture: stays as it is.
        mask: numbers, 0 is background.
        colour: of the line.
        dashed: drawn with gaps, so that a grey print tells it from another line.
    """
    from scipy import ndimage

    # Of a thing at the rim, the rim is an edge too.
    padded = np.pad(mask, 2)
    cross = ndimage.generate_binary_structure(2, 1)
    size = np.asarray(ndimage.iterate_structure(cross, 2), np.bool_)
    differs = ndimage.maximum_filter(padded, footprint=size) != ndimage.minimum_filter(padded, footprint=size)
    edge = (differs & (padded > 0))[2:-2, 2:-2]
    if dashed:
        rows, columns = np.indices(mask.shape)
        edge &= (rows + columns) % 12 < 8
    found = picture.copy()
    found[edge] = colour
    return found


def _sized(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    import cv2

    resized = cv2.resize(np.ascontiguousarray(values), size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)
