"""Functions that vary in one argument, the *subject*, while all others are mostly constants.

Where others vary as well, the rows with equal values of them are computed together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from minisql.columnar.column import BoolArray, Column, IndexArray, all_null, concat_columns
from minisql.columnar.python_values import to_values
from minisql.datatypes import SqlType, TypeKind
from minisql.errors import DataError, Span
from minisql.execution.operand import repeated

OfSubject = Callable[..., Column]
"""From the subject without NULLs and the values of the other arguments to a column of as many rows."""


def all_valid(columns: Sequence[Column]) -> BoolArray | None:
    """The rows that are NULL in none of the columns, which are of one length."""
    masks = [column.valid for column in columns if column.valid is not None]
    return reduce(np.logical_and, masks) if masks else None


def with_span(function: OfSubject, span: Span | None) -> OfSubject:
    """The function, whose errors say where in the text it is called."""

    def located(*arguments: Any) -> Column:
        try:
            return function(*arguments)
        except DataError as error:
            if error.span is not None:
                raise
            raise DataError(error.message, span, hint=error.hint) from None

    return located


def same_for_all(constants: Sequence[Column | None], subject: int) -> list[Any] | None:
    """The values of the arguments other than the subject where all of them are constants."""
    values: list[Any] = []
    for place, constant in enumerate(constants):
        if place != subject:
            if constant is None:
                return None
            values += to_values(constant)
    return values


def group_by_constants(function: OfSubject, subject: int, type_: SqlType, *arguments: Column) -> Column:
    """`function(subject, *others)` of every row; NULL where an argument is NULL."""
    length = next((len(argument) for argument in arguments if len(argument) != 1), 1)
    full = [argument if len(argument) == length else repeated(argument, length) for argument in arguments]
    valid = all_valid(full)
    rows = np.arange(length) if valid is None else np.flatnonzero(valid)
    if len(rows) == 0:
        return all_null(type_, length)
    if length > 1 and all(len(argument) == 1 for place, argument in enumerate(arguments) if place != subject):
        own = full[subject].take(rows) if len(rows) < length else full[subject]
        values = [to_values(argument)[0] for place, argument in enumerate(arguments) if place != subject]
        result = function(Column(own.type, own.values, None, own.pool, own.bounds), *values)
        return _spread(result, rows, valid)
    others = [argument.take(rows) for place, argument in enumerate(full) if place != subject]
    groups = reduce(lambda groups, other: groups * (int(other.max()) + 1) + other, map(_codes, others))
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups.take(order), prepend=-1))
    own = full[subject].take(rows)
    parts = []
    for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
        members = order[start:stop]
        values = [to_values(other.take(members[:1]))[0] for other in others]
        taken = own.take(members)
        parts.append(function(Column(taken.type, taken.values, None, taken.pool, taken.bounds), *values))
    return _spread(concat_columns(parts), rows.take(order), valid)


def _spread(result: Column, rows: IndexArray, valid: BoolArray | None) -> Column:
    """The result of some rows in their places; the others, which `valid` tells, are NULL."""
    places = np.zeros(len(rows) if valid is None else len(valid), np.intp)
    places[rows] = np.arange(len(rows))
    result = result.take(places)
    both = valid if result.valid is None else result.valid if valid is None else result.valid & valid
    return Column(result.type, result.values, both, result.pool, result.bounds)


def _codes(column: Column) -> Any:
    """A number for each row, equal for equal values."""
    if column.type.kind is TypeKind.VARCHAR:
        from minisql.columnar.strings import gathered

        return gathered(column).dictionary_encode().indices.to_numpy().astype(np.int64)
    return np.unique(column.values, return_inverse=True)[1]
