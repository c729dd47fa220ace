"""Counts, means and sums of products about the means, of groups: what variances and regressions are made of.

A batch is summed up about its own means, in two passes over its values; then it is put together with what was known.
Chan, Golub and LeVeque, "Algorithms for computing the sample variance", The American Statistician 1983, formula 1.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from minisql.columnar.column import Array, Column, IndexArray
from minisql.datatypes import BIGINT, DOUBLE
from minisql.execution.kernels.grouped_aggregates import Grouping

_ROWS: Final = 6
_COUNT, _MEAN_Y, _MEAN_X, _YY, _XX, _XY = range(_ROWS)


class MomentState:
    """The moments of one DOUBLE argument, or of two: y and x."""

    def __init__(self) -> None:
        self._moments = np.zeros((_ROWS, 0))

    @property
    def nbytes(self) -> int:
        return self._moments.nbytes

    def update(self, grouping: Grouping, columns: Sequence[Column]) -> None:
        """Adds rows without NULLs."""
        if grouping.length == 0:
            return
        self._grow(grouping.group_count)
        ids = np.zeros(grouping.length, np.intp) if grouping.ids is None else grouping.ids
        y, x = columns[0].values, columns[-1].values
        groups: Array = np.arange(1 if grouping.ids is None else grouping.group_count)
        if len(groups) > 2 * grouping.length:
            groups, ids = np.unique(ids, return_inverse=True)
        moments = np.zeros((_ROWS, len(groups)))
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            counts = moments[_COUNT] = np.bincount(ids, minlength=len(groups))
            divisors = np.maximum(counts, 1)
            moments[_MEAN_Y] = np.bincount(ids, y, len(groups)) / divisors
            dy = y - moments[_MEAN_Y].take(ids)
            moments[_YY] = np.bincount(ids, dy * dy, len(groups))
            if len(columns) > 1:
                moments[_MEAN_X] = np.bincount(ids, x, len(groups)) / divisors
                dx = x - moments[_MEAN_X].take(ids)
                moments[_XX] = np.bincount(ids, dx * dx, len(groups))
                moments[_XY] = np.bincount(ids, dx * dy, len(groups))
        self._add(groups, moments)

    def merge(self, other: MomentState, groups: IndexArray, group_count: int) -> None:
        """Group i of the other one is group `groups[i]` here; several of them may be one group here."""
        self._grow(group_count)
        other._grow(len(groups))
        # Only one of the groups that become one is added at a time.
        left = np.arange(len(groups))
        while len(left):
            targets, first = np.unique(groups.take(left), return_index=True)
            chosen = left.take(first)
            if len(chosen) * 8 < len(left):
                self._add_many(groups.take(left), other._moments[:, left])
                return
            self._add(targets, other._moments[:, chosen])
            left = np.delete(left, first)

    def final(self, group_count: int) -> Array:
        """The moments, one row each: count, means of y and x, sums of yy, xx and xy about the means."""
        self._grow(group_count)
        return self._moments[:, :group_count]

    def _add_many(self, ids: IndexArray, parts: Array) -> None:
        """Adds parts of which many are of one group: about the mean of all that come to a group."""
        groups, ids = np.unique(ids, return_inverse=True)
        moments = np.zeros((_ROWS, len(groups)))
        count = parts[_COUNT]
        with np.errstate(invalid="ignore", over="ignore"):
            moments[_COUNT] = np.bincount(ids, count)
            divisors = np.maximum(moments[_COUNT], 1)
            for mean in (_MEAN_Y, _MEAN_X):
                moments[mean] = np.bincount(ids, parts[mean] * count) / divisors
            dy, dx = (parts[mean] - moments[mean].take(ids) for mean in (_MEAN_Y, _MEAN_X))
            for row, product in ((_YY, dy * dy), (_XX, dx * dx), (_XY, dx * dy)):
                moments[row] = np.bincount(ids, parts[row] + product * count)
        self._add(groups, moments)

    def _add(self, groups: IndexArray, new: Array) -> None:
        """Adds the moments of groups, each of which is there once."""
        old = self._moments[:, groups]
        with np.errstate(invalid="ignore", over="ignore"):
            count = old[_COUNT] + new[_COUNT]
            share = new[_COUNT] / np.maximum(count, 1)
            dy, dx = new[_MEAN_Y] - old[_MEAN_Y], new[_MEAN_X] - old[_MEAN_X]
            weight = old[_COUNT] * share
            self._moments[_COUNT, groups] = count
            # Where one side has no rows, the other is taken as it is: an infinite mean would make NaN of 0 rows.
            for mean, distance in ((_MEAN_Y, dy), (_MEAN_X, dx)):
                moved = old[mean] + np.where(share > 0, distance * share, 0.0)
                self._moments[mean, groups] = np.where(share == 1, new[mean], moved)
            for row, product in ((_YY, dy * dy), (_XX, dx * dx), (_XY, dx * dy)):
                self._moments[row, groups] = old[row] + new[row] + np.where(weight > 0, product * weight, 0.0)

    def _grow(self, group_count: int) -> None:
        if group_count > self._moments.shape[1]:
            larger = np.zeros((_ROWS, max(group_count, 2 * self._moments.shape[1])))
            larger[:, : self._moments.shape[1]] = self._moments
            self._moments = larger


def moment_column(name: str, moments: Array) -> Column:
    """The aggregate of this name from the moments of its argument, or of its arguments y and x."""
    count, mean_y, mean_x, yy, xx, xy = moments
    if name == "regr_count":
        return Column(BIGINT, count.astype(np.int64))
    is_there = count > 0
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        match name:
            case "var_pop" | "stddev_pop":
                values = yy / count
            case "var_samp" | "stddev_samp":
                values, is_there = yy / (count - 1), count > 1
            case "covar_pop":
                values = xy / count
            case "covar_samp":
                values, is_there = xy / (count - 1), count > 1
            case "corr":
                values, is_there = xy / (np.sqrt(xx) * np.sqrt(yy)), is_there & (xx != 0) & (yy != 0)
            case "regr_avgx":
                values = mean_x
            case "regr_avgy":
                values = mean_y
            case "regr_sxx":
                values = xx
            case "regr_syy":
                values = yy
            case "regr_sxy":
                values = xy
            case "regr_slope":
                values, is_there = xy / xx, is_there & (xx != 0)
            case "regr_intercept":
                values, is_there = mean_y - xy / xx * mean_x, is_there & (xx != 0)
            case _:  # regr_r2
                values = np.where(yy == 0, 1.0, (xy / xx) * (xy / yy))
                is_there = is_there & (xx != 0)
        if name.startswith("stddev"):
            values = np.sqrt(values)
        elif name == "corr":
            # Rounding must not lead beyond what a correlation can be.
            values = np.clip(values, -1.0, 1.0)
    valid = None if is_there.all() else is_there
    return Column(DOUBLE, values if valid is None else np.where(valid, values, 0.0), valid)
