"""Reading an input to its end, for the operators that hold rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minisql.columnar.column import Array, Batch, Column, concat_batches, concat_columns
from minisql.execution.iterator import RowIterator
from minisql.expression.nodes import ColumnId


def read_all(source: RowIterator, columns: Sequence[ColumnId]) -> Batch | None:
    """Opens, reads and closes an iterator; all its rows with these columns as one batch, None where there are none."""
    places = [source.columns.index(column) for column in columns]
    source.open()
    batches = []
    while (batch := source.next()) is not None:
        batches.append(batch.project(places))
    source.close()
    return _joined(batches) if batches else None


def _joined(batches: Sequence[Batch]) -> Batch:
    """The rows of all the batches as one batch, without a copy where the batches are slices of a table side by side."""
    if len(batches) == 1 or any(batch.selection is not None for batch in batches):
        return concat_batches(batches)
    length = sum(map(len, batches))
    columns = []
    for place in range(batches[0].width):
        pieces = [batch.column(place) for batch in batches]
        columns.append(_side_by_side(pieces) or concat_columns(pieces))
    return Batch(columns, length)


def _side_by_side(pieces: Sequence[Column]) -> Column | None:
    """The column that the pieces are slices of, if they lie in memory one after the other."""
    first = pieces[0]
    if any(piece.pool is not first.pool for piece in pieces):
        return None
    values = _array_of_slices([piece.values for piece in pieces])
    if values is None:
        return None
    valid = None
    if any(piece.valid is not None for piece in pieces):
        valid = _array_of_slices([piece.valid for piece in pieces])
        if valid is None:
            return None
    bounds = first.bounds if all(piece.bounds == first.bounds for piece in pieces) else None
    return Column(first.type, values, valid, first.pool, bounds)


def _array_of_slices(slices: Sequence[Array | None]) -> Array | None:
    first = slices[0]
    whole = None if first is None else first.base
    if first is None or not isinstance(whole, np.ndarray) or not whole.flags.c_contiguous:
        return None
    start = end = _address(first)
    for part in slices:
        if part is None or part.base is not whole or not part.flags.c_contiguous or _address(part) != end:
            return None
        end += part.nbytes
    # Slices of one array have one type, which may be another than that of the array that owns the memory.
    shape = (end - start) // first.itemsize
    return np.ndarray(shape, first.dtype, buffer=whole, offset=start - _address(whole))


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
