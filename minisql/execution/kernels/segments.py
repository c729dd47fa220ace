"""Rows group by group: for the aggregates that look at all rows of a group at once.

In come the values of all rows and the group of each (`ids`, from 0), out goes a column with one value for each group.
Everything is sorting and arithmetic on whole arrays, whatever the number of groups.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minisql.columnar.column import Array, Column, IndexArray, StringPool, all_null
from minisql.columnar.strings import gathered, offsets_and_bytes, string_column, strings_of
from minisql.columnar.to_arrow import to_arrow
from minisql.datatypes import BIGINT, DOUBLE, TypeKind, list_of
from minisql.execution.kernels.key_table import KeyTable
from minisql.execution.kernels.sort_order import OrderKey, sorted_rows


class Segments:
    """The rows sorted by group, and in each group by keys. Group i has the places from `starts[i]` to `starts[i + 1]`.

    `rows` are the rows at the places, `counts` the number of rows of each group.
    """

    def __init__(self, ids: IndexArray, group_count: int, keys: Sequence[OrderKey] = ()) -> None:
        """Rows that are equal in all keys keep their order."""
        self.ids = ids
        self.counts = np.bincount(ids, minlength=group_count)
        self.starts = np.zeros(group_count + 1, np.int64)
        np.cumsum(self.counts, out=self.starts[1:])
        group = OrderKey(Column(BIGINT, ids), descending=False, nulls_first=False)
        all_keys = [group, *keys] if group_count > 1 else keys
        self.rows: IndexArray = sorted_rows(all_keys) if all_keys and len(ids) else np.arange(len(ids))

    def pick(self, column: Column, places: Array) -> Column:
        """For each group the value at a place of the order; NULL in groups without rows, whatever their place."""
        is_there = self.counts > 0
        if not len(self.rows):
            return all_null(column.type, len(places))
        rows = self.rows.take(np.where(is_there, places, 0))
        picked = column.take(rows)
        if is_there.all():
            return picked
        valid = is_there if picked.valid is None else picked.valid & is_there
        return Column(picked.type, picked.values, valid, picked.pool, picked.bounds)

    def first(self, column: Column) -> Column:
        """The first value of each group."""
        return self.pick(column, self.starts[:-1])

    def last(self, column: Column) -> Column:
        """The last value of each group."""
        return self.pick(column, self.starts[1:] - 1)


# --- quantiles --------------------------------------------------------------------------------------------------------


def quantile_disc(segments: Segments, column: Column, fraction: float) -> Column:
    """The first value, in the order of the segments, at which so large a fraction of the rows is reached."""
    steps = np.maximum(np.ceil(segments.counts * fraction).astype(np.int64) - 1, 0)
    return segments.pick(column, segments.starts[:-1] + steps)


def quantile_cont(segments: Segments, column: Column, fraction: float) -> Column:
    """The value at a fraction of the way from the first row to the last one, between two rows interpolated."""
    position = np.maximum(segments.counts - 1, 0) * fraction
    below = np.floor(position).astype(np.int64)
    above = np.ceil(position).astype(np.int64)
    low = segments.pick(column, segments.starts[:-1] + below)
    high = segments.pick(column, segments.starts[:-1] + above)
    part = position - below
    if column.type.kind is TypeKind.DOUBLE:
        with np.errstate(invalid="ignore", over="ignore"):
            between = low.values * (1.0 - part) + high.values * part
        # Infinities and equal values need no interpolation, which would make NaN of them, or round.
        return Column(DOUBLE, np.where((part == 0) | (low.values == high.values), low.values, between), low.valid)
    distance = np.rint((high.values - low.values) * part).astype(np.int64)
    return Column(column.type, low.values + distance, low.valid, None, column.bounds)


# --- the most frequent ------------------------------------------------------------------------------------------------


def mode(segments: Segments, column: Column) -> Column:
    """The most frequent value of each group; of several the one that comes first in the order of the segments."""
    ids, values = segments.ids.take(segments.rows), column.take(segments.rows)
    pairs, first_places = KeyTable([BIGINT, column.type], [True, True]).insert_and_tell_new(
        [Column(BIGINT, ids), values]
    )
    counts = np.bincount(pairs, minlength=len(first_places))
    groups = ids.take(first_places)
    # The numbers of the pairs ascend with their first places, and sorting leaves equal ones in this order.
    most_first = OrderKey(Column(BIGINT, counts), descending=True, nulls_first=False)
    by_group = Segments(groups, len(segments.counts), [most_first])
    return by_group.first(values.take(first_places))


# --- lists and strings ------------------------------------------------------------------------------------------------


def list_column(segments: Segments, column: Column) -> Column:
    """The values of each group as a list; NULL for a group without rows."""
    import pyarrow as pa

    elements = to_arrow(column.take(segments.rows))
    lists = pa.LargeListArray.from_arrays(pa.array(segments.starts), elements)
    valid = None if segments.counts.all() else segments.counts > 0
    return Column(list_of(column.type), np.arange(len(lists)), valid, StringPool(lists, distinct=False))


def joined_strings(segments: Segments, column: Column, separator: str) -> Column:
    """The strings of each group, one after the other with the separator between them; NULL for no rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    strings = gathered(column.take(segments.rows))
    if separator and len(strings):
        # The bytes of a group lie side by side, once each string but the first one begins with the separator.
        follows = np.ones(len(strings), np.int64)
        follows[segments.starts[:-1][segments.counts > 0]] = 0
        prefixes = pa.array(["", separator], pa.large_string()).take(pa.array(follows))
        strings = pc.binary_join_element_wise(prefixes, strings, pa.scalar("", pa.large_string()))
    offsets, data = offsets_and_bytes(strings)
    valid = None if segments.counts.all() else segments.counts > 0
    return string_column(strings_of(offsets.take(segments.starts), data), valid)
