"""GREATEST and LEAST on columns of any type that compares."""

from __future__ import annotations

from functools import partial, reduce

import numpy as np

from minisql.columnar.column import Column, concat_columns
from minisql.datatypes import TypeKind
from minisql.execution import comparison
from minisql.execution.functions import Kernel
from minisql.execution.operand import repeated
from minisql.expression.nodes import FunctionCall


def make_extreme(call: FunctionCall) -> Kernel:
    """The kernel of GREATEST or LEAST: NULL only where all arguments are."""
    choose = partial(_one_of, ">=" if call.name == "greatest" else "<=")

    def kernel(*arguments: Column) -> Column:
        return reduce(choose, arguments)

    return kernel


def _one_of(operator: str, left: Column, right: Column) -> Column:
    """Of each row the value for which `value operator other` holds."""
    length = len(right) if len(left) == 1 else len(left)
    left, right = (column if len(column) == length else repeated(column, length) for column in (left, right))
    if left.type.kind is TypeKind.VARCHAR:
        from minisql.execution import strings

        takes_left = strings.compare_strings(operator, left, right).values
    else:
        takes_left = comparison.compare(operator, left, right).values
    if right.valid is not None:
        takes_left = takes_left | ~right.valid
    if left.valid is not None:
        takes_left = takes_left & left.valid
    return concat_columns([left, right]).take(np.arange(length) + np.where(takes_left, 0, length))
