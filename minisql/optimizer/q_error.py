"""How far an estimate is off."""

from __future__ import annotations


def q_error(estimate: float, actual: float) -> float:
    """By what factor an estimate is too high or too low (Moerkotte et al., "Preventing Bad Plans by Bounding the
    Impact of Cardinality Estimation Errors", VLDB 2009). Less than one row counts as one row.
    """
    estimate, actual = max(estimate, 1.0), max(actual, 1.0)
    return max(estimate / actual, actual / estimate)
