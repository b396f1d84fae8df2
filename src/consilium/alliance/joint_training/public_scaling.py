"""Mean and spread of features over public images: scaling that tells nothing of any hospital's patients.

`training/public_scaling.py` makes the figures from the sets whose licence allows it (named in the file beside them),
for each way of looking that `specialist fit` uses. Differential privacy scales by them, since figures of the hospitals'
own cases would cost privacy.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from consilium.alliance.joint_training.descent import Array
from consilium.alliance.joint_training.training import Scaling
from consilium.errors import InputError

FIGURES = Path(__file__).parent / "public_scaling.npz"


def public_scaling(encoder: str, path: Path = FIGURES) -> Scaling:
    """The scaling for an encoder.

    Args:
        encoder: its fingerprint, looks included.
        path: of the figures.

    Raises:
        InputError: there are none for it.
    """
    with np.load(path, allow_pickle=False) as arrays:
        for number in range(len(arrays["encoders"])):
            if str(arrays["encoders"][number]) == encoder:
                mean = np.asarray(arrays[f"mean_{number}"], np.float64)
                deviation = np.asarray(arrays[f"deviation_{number}"], np.float64)
                return scaling_of(mean, deviation)
    raise InputError(
        "there are no public figures of this encoder's features",
        way_out="Differential privacy needs the encoder that comes with Consilium, looking as `specialist fit` does.",
    )


def scaling_of(mean: Array, deviation: Array) -> Scaling:
    """The scaling that mean and standard deviation (d,) make."""
    constant = deviation <= 1e-4 * np.maximum(np.abs(mean), 1e-30)
    return Scaling(mean=mean, scale=np.where(constant, np.inf, deviation * np.sqrt(len(mean))))
