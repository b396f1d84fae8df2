"""What evens out the pixels of each modality: from values as stored to 0..1, and to the part that is the picture."""

from consilium.imaging.normalise.choose import Normaliser, normaliser_of

__all__ = ["Normaliser", "normaliser_of"]
