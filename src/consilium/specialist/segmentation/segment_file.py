"""From a picture or volume file to its mask, and to a mask file of the same geometry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError
from consilium.generalist.encoder import Encoder
from consilium.imaging.open_study import open_study
from consilium.specialist.segmentation.mask_file import is_volume_file, read_volume, spread_volume, write_mask
from consilium.specialist.segmentation.overlap import Labels
from consilium.specialist.segmentation.pixel_features import pixel_features
from consilium.specialist.segmentation.segmenter import Segmenter, apply_rule, segment_probabilities
from consilium.specialist.segmentation.volume_segmenter import VolumeSegmenter, section_features, volume_probabilities
from consilium.specialist.segmentation.working_grid import enlarged, nearest, reduced_picture, reduced_volume
from consilium.specialist.two_sides import Picture


@dataclass(frozen=True, kw_only=True)
class Outline:
    """What was outlined in a file.

    Attributes:
        mask: of the size of the file, 0 is background, then classes or objects.
        probabilities: (classes, ...) on the working grid, the background first.
        shown: what they were made of, on the working grid: (H, W, 3), or (planes, rows, columns); 0..1.
        spacing: millimetres of a pixel along each axis of the mask; None where the file does not say.
    """

    mask: Labels
    probabilities: NDArray[np.float32]
    shown: NDArray[np.float32]
    spacing: tuple[float, ...] | None


def read_picture(path: Path) -> Picture:
    """The picture in a file, (H, W, 3) float32 0..1; levels of more than 8 bits are spread as those of volumes are.

    Raises:
        InputError: the file holds several pictures.
        UnreadableImage: not an image, or damaged.
    """
    study = open_study(path)
    if len(study) != 1:
        raise InputError(
            f"{len(study)} pictures are in one file", where=str(path), way_out="Save the one that is meant by itself."
        )
    pixels = study.plane(0).pixels
    levels = pixels.astype(np.float32) / np.float32(255)
    if pixels.dtype != np.uint8:
        levels = spread_volume(pixels.astype(np.float32))
    return levels if levels.ndim == 3 else np.repeat(levels[:, :, None], 3, axis=2)


def spacing_of(path: Path) -> tuple[float, ...] | None:
    """Millimetres of a pixel along each axis of the mask of a file; None where the file does not say."""
    sizes = open_study(path).spacing_mm
    told = sizes if is_volume_file(path) else sizes[1:]
    known = [size for size in told if size is not None]
    return tuple(map(float, known)) if len(known) == len(told) else None


def outline_file(segmenter: Segmenter | VolumeSegmenter, encoder: Encoder, source: Path) -> Outline:
    """Outline what is in a file.

    Args:
        segmenter: of pictures, or of volumes.
        encoder: that it was fitted with.
        source: a picture, or a NIfTI volume.

    Raises:
        InputError: a volume was given to a segmenter of pictures, or the other way round.
        ModelError: the segmenter was fitted with another encoder.
        UnreadableImage: the file is damaged.
    """
    if is_volume_file(source) != isinstance(segmenter, VolumeSegmenter):
        raise InputError(
            "this segmenter is of pictures and the file a volume, or the other way round",
            where=str(source),
            way_out="Fit one on cases of the same kind.",
        )
    segmenter.check(encoder)
    if isinstance(segmenter, VolumeSegmenter):
        side, modality = segmenter.axes[0].side, segmenter.axes[0].modality
        values = spread_volume(read_volume(source)[0])
        shape: tuple[int, ...] = values.shape
        shown = reduced_volume(values, side)
        probabilities = volume_probabilities(segmenter, section_features(encoder, shown, side=side, modality=modality))
    else:
        picture = read_picture(source)
        shape = picture.shape[:2]
        shown = reduced_picture(picture, segmenter.side)
        (features,) = pixel_features(encoder, [shown], side=segmenter.side, modality=segmenter.modality)
        probabilities = segment_probabilities(segmenter, features)
    mask = whole_mask(segmenter, probabilities, shape)
    return Outline(mask=mask, probabilities=probabilities, shown=shown, spacing=spacing_of(source))


def whole_mask(
    segmenter: Segmenter | VolumeSegmenter, probabilities: NDArray[np.float32], shape: tuple[int, ...]
) -> Labels:
    """The mask in the size of a file, of probabilities (classes, ...) on the working grid."""
    mask = apply_rule(probabilities, segmenter.rule)
    return nearest(mask, shape) if segmenter.rule.kind == "objects" else enlarged(mask, shape)


def segment_file(segmenter: Segmenter | VolumeSegmenter, encoder: Encoder, source: Path, target: Path) -> Labels:
    """Outline what is in a file and write the mask.

    Args:
        segmenter: as of `outline_file`.
        encoder: as of `outline_file`.
        source: as of `outline_file`.
        target: .png, or .nii.gz; a volume's mask has its affine.

    Returns:
        The mask that was written.

    Raises:
        InputError: as of `outline_file`, or the name of the target does not fit.
        OutputError: the mask cannot be written.
    """
    mask = outline_file(segmenter, encoder, source).mask
    write_mask(mask, target, like=source)
    return mask
