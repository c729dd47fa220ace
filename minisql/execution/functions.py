"""The scalar functions of `expression.functions` on columns.

`make_function` gives the kernel of a call. Kernels are called with columns of values of the declared types, constants
among them with one row. To the kernel of a strict function none of them is a constant NULL, and it gives NULL where an
argument is NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minisql.columnar.column import Column
from minisql.errors import InternalError
from minisql.execution.operand import Evaluator
from minisql.expression.date_functions import DATE_FUNCTIONS
from minisql.expression.interval_functions import INTERVAL_FUNCTIONS
from minisql.expression.nodes import FunctionCall
from minisql.expression.number_functions import NUMBER_FUNCTIONS

Kernel = Callable[..., Column]

_NUMBERS = frozenset(function.name for function in NUMBER_FUNCTIONS)
_DATES = frozenset(function.name for function in DATE_FUNCTIONS)
_INTERVALS = frozenset(function.name for function in INTERVAL_FUNCTIONS)


def make_function(call: FunctionCall, constants: Sequence[Column | None]) -> Kernel:
    """The kernel of a call, prepared for the arguments that are constants (columns of one row).

    Raises (the kernel):
        DataError: a result is out of range, or an argument is one that the function does not take.
    """
    if call.name in _NUMBERS:
        from minisql.execution import number_functions

        return number_functions.make_number_function(call)
    if call.name in _DATES:
        from minisql.execution import date_functions

        return date_functions.make_date_function(call, constants)
    if call.name in _INTERVALS:
        from minisql.execution import interval_functions

        return interval_functions.make_interval_function(call)
    if call.name in ("greatest", "least"):
        from minisql.execution import extremes

        return extremes.make_extreme(call)
    from minisql.execution import string_functions

    return string_functions.make_string_function(call, constants)


def make_volatile(call: FunctionCall) -> Evaluator:
    """The values of a volatile function without arguments, for each row of a batch."""
    if call.name != "random":
        raise InternalError(f"The function {call.name} has no values.")
    from minisql.execution import number_functions

    return number_functions.random()
