"""The eight positions of a picture: turned by right angles, and the same in a mirror.

A chromosome is one in whatever position a metaphase lies, and a network's answers differ a little between them: what
they say together is better than what any one says. All arrays are turned without loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Position:
    """A position: first turned, then mirrored.

    Attributes:
        turns: by 90 degrees counter-clockwise, 0..3.
        mirrored: left to right.
    """

    turns: int
    mirrored: bool

    def of(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pictures (..., H, W) in this position, contiguous."""
        turned = np.rot90(pictures, self.turns, axes=(-2, -1))
        return np.ascontiguousarray(turned[..., ::-1] if self.mirrored else turned)

    def back(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pictures (..., H, W) that lie in this position, as they lay before."""
        straight = pictures[..., ::-1] if self.mirrored else pictures
        return np.rot90(straight, -self.turns, axes=(-2, -1))

    def boxes_back(self, boxes: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
        """Boxes (N, 4) of a picture in this position, in pixels of the picture as it lay before.

        Args:
            boxes: left, top, right, bottom.
            width: of the picture as it lay before.
            height: the same.
        """
        across = width if self.turns % 2 == 0 else height
        found = boxes
        if self.mirrored:
            found = np.stack([across - found[:, 2], found[:, 1], across - found[:, 0], found[:, 3]], 1)
        for turn in range(self.turns, 0, -1):
            # Before a turn to the left, what is high up now was far to the right.
            before = width if turn % 2 else height
            found = np.stack([before - found[:, 3], found[:, 0], before - found[:, 1], found[:, 2]], 1)
        return found

    def sides_back(self, shifts: NDArray[np.float32]) -> NDArray[np.float32]:
        """By how much the sides of boxes move (N, 4), left, top, right, bottom, as they lay before."""
        found = shifts
        if self.mirrored:
            found = np.stack([-found[:, 2], found[:, 1], -found[:, 0], found[:, 3]], 1)
        for _ in range(self.turns):
            found = np.stack([-found[:, 3], found[:, 0], -found[:, 1], found[:, 2]], 1)
        return found


AS_IT_LIES = Position(0, False)

EVERY = tuple(Position(turns, mirrored) for mirrored in (False, True) for turns in range(4))
"""All eight."""

TURNED = tuple(one for one in EVERY if not one.mirrored)
"""The four without a mirror."""

BOTH_ENDS_UP = tuple(one for one in TURNED if one.turns % 2 == 0)
"""As it lies, and turned by half."""

UPRIGHT = tuple(one for one in EVERY if one.turns % 2 == 0)
"""The four in which length and width of a picture stay what they are."""
