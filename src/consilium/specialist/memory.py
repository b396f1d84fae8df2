"""How much memory a fit will take, told before it begins."""

from __future__ import annotations

_BASE = 570 << 20
"""Bytes of the interpreter, the libraries and the shipped encoder at work: what is left of the peak that
`/usr/bin/time -v` told of a fit to 200 and to 778 pictures on Linux, less what grows with the cases."""


def memory_of_fit(cases: int, dimensions: int, labels: int) -> int:
    """Bytes at the peak, roughly.

    The features are held in single precision with their standardised copies and one training part; predictions of all
    penalties, repetitions and shuffles are n numbers each.

    Args:
        cases: n.
        dimensions: of the encoder.
        labels: classes.
    """
    features = cases * dimensions * 4 * 6
    products = cases * cases * 8 * 6
    predictions = cases * labels * 8 * 400
    return _BASE + features + products + predictions
