"""Minimum and maximum of integer arrays, the `bounds` of columns."""

from __future__ import annotations

import numpy as np

from minisql.columnar.column import Array, BoolArray, Bounds


def exact_bounds(values: Array, valid: BoolArray | None) -> Bounds | None:
    """Minimum and maximum of the values that are not NULL, None where there is none."""
    if valid is not None:
        values = values.take(np.flatnonzero(valid))
    return (int(values.min()), int(values.max())) if len(values) else None
