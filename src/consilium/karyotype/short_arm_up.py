"""What `angle_deg` means, in one place.

`angle_deg` is the **counter-clockwise** rotation, as seen on the screen, in degrees in [0, 360), that is applied to
the original crop to put the short arm up. It is the angle that `cv2.getRotationMatrix2D` takes. Image coordinates
have y downwards, so "up" is (0, -1).
"""

from __future__ import annotations

import math


def angle_to_short_arm_up(dx: float, dy: float) -> float:
    """Angle that turns the direction (dx, dy) upwards.

    Args:
        dx: pixels to the right on the way from the end of the long arm (qter) to that of the short arm (pter).
        dy: pixels downwards on that way; the length of (dx, dy) does not matter.

    Returns:
        `angle_deg` in [0, 360).

    Raises:
        ValueError: if both are zero: a point has no direction.

    Examples:
        The short arm is up already; it points to the right (a quarter turn counter-clockwise lifts it); down; left.

        >>> angle_to_short_arm_up(0, -1), angle_to_short_arm_up(1, 0)
        (0.0, 90.0)
        >>> angle_to_short_arm_up(0, 1), angle_to_short_arm_up(-1, 0)
        (180.0, 270.0)
    """
    if dx == 0 and dy == 0:
        raise ValueError("a direction of length zero has no angle")
    # On the screen y points down, so the mathematical angle of the direction is atan2(-dy, dx); up is 90 degrees.
    return round(90.0 - math.degrees(math.atan2(-dy, dx)), 9) % 360.0


def short_arm_direction(angle_deg: float) -> tuple[float, float]:
    """The unit vector (dx, dy) towards the short arm that `angle_to_short_arm_up` turns by `angle_deg`.

    Examples:
        >>> dx, dy = short_arm_direction(90.0)
        >>> round(dx, 6), round(dy, 6) + 0.0
        (1.0, 0.0)
    """
    angle = math.radians(90.0 - angle_deg)
    return math.cos(angle), -math.sin(angle)
