"""From a picture or volume file to its mask as a file of the same geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from consilium.errors import InputError
from consilium.generalist.encoder import Encoder
from consilium.imaging.open_study import open_study
from consilium.specialist.segmentation.mask_file import is_volume_file, read_volume, spread_volume, write_mask
from consilium.specialist.segmentation.overlap import Labels
from consilium.specialist.segmentation.pixel_features import Picture
from consilium.specialist.segmentation.segmenter import Segmenter, segment
from consilium.specialist.segmentation.volume_segmenter import VolumeSegmenter, section_features, segment_volume


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


def segment_file(segmenter: Segmenter | VolumeSegmenter, encoder: Encoder, source: Path, target: Path) -> Labels:
    """Outline what is in a file and write the mask.

    Args:
        segmenter: of pictures, or of volumes.
        encoder: that it was fitted with.
        source: a picture, or a NIfTI volume.
        target: .png, or .nii.gz; a volume's mask has its affine.

    Returns:
        The mask that was written.

    Raises:
        InputError: a volume was given to a segmenter of pictures, or the other way round.
        ModelError: the segmenter was fitted with another encoder.
        OutputError: the mask cannot be written.
    """
    if is_volume_file(source) != isinstance(segmenter, VolumeSegmenter):
        raise InputError(
            "this segmenter is of pictures and the file a volume, or the other way round",
            where=str(source),
            way_out="Fit one on cases of the same kind.",
        )
    if isinstance(segmenter, VolumeSegmenter):
        volume = spread_volume(read_volume(source)[0])
        side, modality = segmenter.axes[0].side, segmenter.axes[0].modality
        segmenter.check(encoder)
        mask = segment_volume(segmenter, section_features(encoder, volume, side=side, modality=modality))
    else:
        mask = segment(segmenter, encoder, read_picture(source))
    write_mask(mask, target, like=source)
    return mask
