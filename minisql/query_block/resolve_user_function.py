"""Resolves calls of the functions that a program brings with it."""

from __future__ import annotations

from collections.abc import Sequence

from minisql.datatypes import SqlType, TypeKind, common_type
from minisql.errors import ProgrammingError, Span, counted
from minisql.expression.nodes import Expression, FunctionCall
from minisql.expression.user_function import UserFunction
from minisql.query_block.coerce import coerce, is_untyped_string


def resolve_user_function(function: UserFunction, arguments: Sequence[Expression], span: Span) -> Expression:
    """The call of a function. A string literal takes the type that is wanted, numbers and times widen.

    Raises:
        ProgrammingError: it does not take these arguments.
    """
    hint = f"It is {function.signature}."
    if len(arguments) != len(function.arguments):
        wanted = counted(len(function.arguments), "argument")
        raise ProgrammingError(f"{function.name} takes {wanted}, not {len(arguments)}.", span, hint=hint)
    coerced = []
    for argument, wanted_type in zip(arguments, function.arguments, strict=True):
        if not is_untyped_string(argument) and not _widens(argument.type, wanted_type):
            given = ", ".join(str(each.type) for each in arguments)
            raise ProgrammingError(f"{function.name} does not take ({given}).", span, hint=f"{hint} Add a CAST.")
        coerced.append(coerce(argument, wanted_type))
    return FunctionCall(
        name=function.name, arguments=tuple(coerced), type=function.result, user_function=function, span=span
    )


def _widens(type_: SqlType, wanted: SqlType) -> bool:
    """Whether values of a type become ones of the type that is wanted by themselves; a DECIMAL may lose digits."""
    if type_.is_numeric and wanted.kind is TypeKind.DECIMAL:
        return type_.kind is not TypeKind.DOUBLE
    return common_type(type_, wanted) == wanted
