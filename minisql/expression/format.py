"""Prints bound expressions as SQL, with the parentheses that are needed and no more.

Implied casts are printed, too: what a plan shows is what is computed. Lists longer than a line are cut in the middle of
a plan, where nobody wants to read 100,000 items.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, assert_never

from minisql.expression.nodes import (
    AggregateCall,
    And,
    Arithmetic,
    Case,
    Cast,
    Coalesce,
    ColumnRef,
    Comparison,
    Expression,
    FunctionCall,
    InList,
    IsDistinctFrom,
    IsNull,
    IsTruth,
    Like,
    Literal,
    Negate,
    Not,
    Or,
    OuterReference,
    SortKey,
    Value,
)
from minisql.interval import Interval

_NUMBER: Final = re.compile(r"\d+(\.\d+)?")
_MOST_ITEMS: Final = 8

# How tightly an operator binds, as in the grammar.
_OR, _AND, _NOT, _IS, _COMPARISON, _IN, _CONCAT, _SUM, _PRODUCT, _UNARY, _ATOM = range(11)


def format_value(value: Value) -> str:
    """A literal in SQL."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime.datetime() if value.tzinfo is not None:
            return f"TIMESTAMP WITH TIME ZONE '{value.isoformat(sep=' ')}'"
        case datetime.datetime():
            return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
        case datetime.time():
            return f"TIME '{value.isoformat()}'"
        case Interval():
            return f"INTERVAL '{value}'"
        case bytes():
            return f"X'{value.hex().upper()}'"
        case datetime.date():
            return f"DATE '{value.isoformat()}'"
        case float():
            # 1e10 and not 10000000000.0, which would be read as a DECIMAL.
            text = repr(value)
            return text if "e" in text or "n" in text else f"{text}e0"
        case Decimal():
            return format(value, "f")
        case int():
            return str(value)
        case _:
            assert_never(value)


def _number_as_written(literal: Literal) -> str | None:
    """`100` and not `100.0e0` for a DOUBLE that was written so: beside another DOUBLE it is read as one again."""
    if isinstance(literal.value, float) and literal.span is not None and _NUMBER.fullmatch(literal.span.source):
        return literal.span.source
    return None


def format_expression(expression: Expression) -> str:
    """The expression in SQL."""
    return _format(expression)[0]


def format_conditions(conditions: Sequence[Expression]) -> str:
    """A conjunction in SQL; TRUE where it is empty."""
    if not conditions:
        return "TRUE"
    if len(conditions) == 1:
        return format_expression(conditions[0])
    return " AND ".join(_at_least(condition, _NOT) for condition in conditions)


def format_aggregate(call: AggregateCall) -> str:
    """A call of an aggregate in SQL."""
    arguments = (*(() if call.argument is None else (call.argument,)), *call.others)
    text = _list(arguments) if arguments else "*"
    if call.order:
        text += f" ORDER BY {', '.join(map(format_sort_key, call.order))}"
    distinct = "DISTINCT " if call.distinct else ""
    filter_ = "" if call.filter is None else f" FILTER (WHERE {format_expression(call.filter)})"
    return f"{call.name}({distinct}{text}){filter_}"


def format_keys(keys: Sequence[Expression], sets: Sequence[Sequence[int]]) -> str:
    """The keys of a grouping in parentheses; with grouping sets, these: `grouping sets ((a, b), (a), ())`."""
    if not sets:
        return f"({_list(keys)})"
    return f"grouping sets ({', '.join(f'({_list([keys[place] for place in each])})' for each in sets)})"


def format_sort_key(key: SortKey) -> str:
    """A key of ORDER BY in SQL; NULLS is printed where it is not the default."""
    nulls = "" if key.nulls_first == key.descending else f" NULLS {'FIRST' if key.nulls_first else 'LAST'}"
    return format_expression(key.expression) + (" DESC" if key.descending else "") + nulls


def _at_least(expression: Expression, level: int) -> str:
    """The text, in parentheses where it binds less tightly than `level`."""
    text, own = _format(expression)
    return text if own >= level else f"({text})"


def _format(expression: Expression) -> tuple[str, int]:
    match expression:
        case ColumnRef() | OuterReference():
            return expression.name, _ATOM
        case Literal():
            text = _number_as_written(expression) or format_value(expression.value)
            return text, _UNARY if text.startswith("-") else _ATOM
        case Comparison():
            left, right = _at_least(expression.left, _IN), _at_least(expression.right, _IN)
            return f"{left} {expression.operator} {right}", _COMPARISON
        case And():
            return " AND ".join(_at_least(operand, _NOT) for operand in expression.operands), _AND
        case Or():
            return " OR ".join(_at_least(operand, _AND) for operand in expression.operands), _OR
        case Not():
            return f"NOT {_at_least(expression.operand, _NOT)}", _NOT
        case IsNull():
            return f"{_at_least(expression.operand, _COMPARISON)} IS {_not(expression.negated)}NULL", _IS
        case IsTruth():
            truth = "TRUE" if expression.truth else "FALSE"
            return f"{_at_least(expression.operand, _COMPARISON)} IS {_not(expression.negated)}{truth}", _IS
        case IsDistinctFrom():
            left, right = _at_least(expression.left, _COMPARISON), _at_least(expression.right, _COMPARISON)
            return f"{left} IS {_not(expression.negated)}DISTINCT FROM {right}", _IS
        case InList():
            return f"{_at_least(expression.operand, _CONCAT)} {_not(expression.negated)}IN {_items(expression)}", _IN
        case Like():
            left, right = _at_least(expression.operand, _CONCAT), _at_least(expression.pattern, _CONCAT)
            escape = "" if expression.escape is None else f" ESCAPE {format_value(expression.escape)}"
            return f"{left} {_not(expression.negated)}LIKE {right}{escape}", _IN
        case Arithmetic():
            level = _SUM if expression.operator in "+-" else _PRODUCT
            left, right = _at_least(expression.left, level), _at_least(expression.right, level + 1)
            return f"{left} {expression.operator} {right}", level
        case Negate():
            return f"-{_at_least(expression.operand, _ATOM)}", _UNARY
        case Cast():
            return f"CAST({format_expression(expression.operand)} AS {expression.type})", _ATOM
        case Case():
            whens = "".join(
                f" WHEN {format_expression(condition)} THEN {format_expression(result)}"
                for condition, result in expression.branches
            )
            return f"CASE{whens} ELSE {format_expression(expression.otherwise)} END", _ATOM
        case Coalesce():
            return f"coalesce({_list(expression.operands)})", _ATOM
        case FunctionCall(name="||"):
            parts = [_at_least(part, _CONCAT + (place > 0)) for place, part in enumerate(expression.arguments)]
            return " || ".join(parts), _CONCAT
        case FunctionCall(name="extract"):
            field, operand = expression.arguments
            name = str(field.value) if isinstance(field, Literal) else format_expression(field)
            return f"extract({name} FROM {format_expression(operand)})", _ATOM
        case FunctionCall():
            return f"{expression.name}({_list(expression.arguments)})", _ATOM
        case _:
            assert_never(expression)


def _not(negated: bool) -> str:
    return "NOT " if negated else ""


def _list(expressions: Sequence[Expression]) -> str:
    return ", ".join(format_expression(expression) for expression in expressions)


def _items(expression: InList) -> str:
    items = expression.items
    if len(items) <= _MOST_ITEMS:
        return f"({_list(items)})"
    return f"({_list(items[: _MOST_ITEMS - 1])}, ... {len(items)} in all)"
