"""Operands of operators under evaluation: columns that are yet to come, and constants.

An operand is either a function from a batch to a column with its rows alive, or a column of one row: a constant that
stands for every row, which numpy broadcasts. A *kernel* is a function from columns to a column; it takes constants as
they are. A constant that cannot be computed (1/0) raises when a row reaches it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeAlias

import numpy as np

from minisql.columnar.column import Batch, Column, all_null
from minisql.datatypes import SqlType
from minisql.errors import DataError

Evaluator: TypeAlias = Callable[[Batch], Column]
Operand: TypeAlias = Column | Evaluator


def evaluate(operand: Operand, batch: Batch) -> Column:
    """The operand on every row alive."""
    return repeated(operand, len(batch)) if isinstance(operand, Column) else operand(batch)


def repeated(constant: Column, length: int) -> Column:
    """A column of `length` rows from one of one row."""
    valid = None if constant.valid is None else np.repeat(constant.valid, length)
    return Column(constant.type, np.repeat(constant.values, length), valid, constant.pool, constant.bounds)


def lift(kernel: Callable[..., Column], *operands: Operand) -> Operand:
    """`kernel` applied to operands instead of columns; a constant where all operands are."""
    if all(isinstance(operand, Column) for operand in operands):
        try:
            return _constant(kernel(*operands))
        except DataError:
            return lambda _: kernel(*operands)
    match operands:
        case (operand,) if not isinstance(operand, Column):
            return lambda batch: kernel(operand(batch))
        case (left, right) if not isinstance(left, Column) and not isinstance(right, Column):
            return lambda batch: kernel(left(batch), right(batch))
        case _:
            return lambda batch: kernel(*[o if isinstance(o, Column) else o(batch) for o in operands])


def lift_strict(type_: SqlType, kernel: Callable[..., Column], *operands: Operand) -> Operand:
    """The same for a kernel that is NULL where an operand is: it is not called with a constant NULL."""
    if any(is_null_constant(operand) for operand in operands):
        return all_null(type_, 1)
    return lift(kernel, *operands)


def lift_chain(kernel: Callable[[Column, Column], Column], operands: Sequence[Operand]) -> Operand:
    """An associative kernel applied from left to right, holding two columns at a time."""
    if all(isinstance(operand, Column) for operand in operands):
        return _constant(reduce(kernel, [operand for operand in operands if isinstance(operand, Column)]))
    return lambda batch: reduce(kernel, (o if isinstance(o, Column) else o(batch) for o in operands))


def is_null_constant(operand: Operand) -> bool:
    """Whether the operand is a constant NULL."""
    return isinstance(operand, Column) and operand.valid is not None and not operand.valid[0]


def _constant(column: Column) -> Column:
    """A column of one row with no validity array where it is not NULL, so that it broadcasts."""
    if column.valid is None or not column.valid[0]:
        return column
    return Column(column.type, column.values, None, column.pool, column.bounds)
