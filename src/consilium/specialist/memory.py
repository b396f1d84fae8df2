"""How much memory a fit will take, told before it begins."""

from __future__ import annotations

_BASE = 330 << 20
"""Bytes of the interpreter, the libraries and the encoder with a batch; `benchmarks/` measured them on Linux."""


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
