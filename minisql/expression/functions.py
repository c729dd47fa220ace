"""All scalar functions by name; the aggregates stand in `aggregates`, window functions in `window`.

How scalar functions are computed stands in `execution.functions`, under the same names; those that are written out as
other expressions stand in `query_block.write_out`.
"""

from __future__ import annotations

from typing import Final

from minisql.datatypes import VARCHAR
from minisql.expression.conditional_functions import CONDITIONAL_FUNCTIONS
from minisql.expression.date_functions import DATE_FUNCTIONS, EXTRACT_FIELDS, UNITS
from minisql.expression.function import Function
from minisql.expression.interval_functions import INTERVAL_FUNCTIONS
from minisql.expression.nodes import Expression, FunctionCall
from minisql.expression.number_functions import NUMBER_FUNCTIONS
from minisql.expression.string_functions import STRING_FUNCTIONS
from minisql.expression.user_function import UserFunction
from minisql.expression.walk import walk

THEMES: Final[dict[str, tuple[Function, ...]]] = {
    "Strings": STRING_FUNCTIONS,
    "Numbers": NUMBER_FUNCTIONS,
    "Dates and timestamps": DATE_FUNCTIONS,
    "Intervals": INTERVAL_FUNCTIONS,
    "Conditionals": CONDITIONAL_FUNCTIONS,
}
"""The scalar functions as the documentation lists them."""

SCALAR_FUNCTIONS: Final[dict[str, Function]] = {
    function.name: function for functions in THEMES.values() for function in functions
}

OPERATORS: Final = {
    "||": Function("||(string...)", "s", VARCHAR, "The strings one after the other.", "'a' || 'b'", "ab", total=True)
}
"""The operators that are calls of functions once names are resolved."""

_CALLED: Final = {**SCALAR_FUNCTIONS, **OPERATORS}

ALIASES: Final = {alias: function.name for function in SCALAR_FUNCTIONS.values() for alias in function.aliases.split()}
"""Other names of functions."""

FUNCTIONS_WITH_FIELD: Final = {"extract": EXTRACT_FIELDS, "date_trunc": UNITS, "date_diff": UNITS, "date_sub": UNITS}
"""The functions whose first argument is the literal name of a field, and the fields of each."""

_VOLATILE: Final = frozenset(name for name, function in SCALAR_FUNCTIONS.items() if function.volatile)


def function_of(call: FunctionCall) -> Function | UserFunction:
    """The function that is called."""
    return _CALLED[call.name] if call.user_function is None else call.user_function


def is_volatile(expression: Expression) -> bool:
    """Whether the expression may give another value each time it is evaluated on the same row."""
    return any(isinstance(node, FunctionCall) and _is_volatile_call(node) for node in walk(expression))


def uses_user_function(expression: Expression) -> bool:
    """Whether the expression calls a function of the program."""
    return any(isinstance(node, FunctionCall) and node.user_function is not None for node in walk(expression))


def _is_volatile_call(call: FunctionCall) -> bool:
    return call.name in _VOLATILE or (call.user_function is not None and call.user_function.volatile)
