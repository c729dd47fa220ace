"""Resolves calls of scalar functions: whether there is one, whether it takes these arguments, and what it gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from minisql.datatypes import DATE, VARCHAR, SqlType
from minisql.errors import ProgrammingError, Span, did_you_mean
from minisql.expression.aggregates import AGGREGATES_BY_NAME, GROUPING_NAMES
from minisql.expression.date_functions import FIELDS_MISSING, date_field
from minisql.expression.function import CAST_OF_STRING, Function
from minisql.expression.functions import ALIASES, FUNCTIONS_WITH_FIELD, SCALAR_FUNCTIONS
from minisql.expression.nodes import Cast, Expression, FunctionCall, Literal
from minisql.expression.window import WINDOW_FUNCTIONS
from minisql.query_block.coerce import coerce, coerce_to_common, coerce_to_compared, is_untyped_string
from minisql.query_block.current_time import now
from minisql.query_block.write_out import write_out


def resolve_function(
    name: str,
    arguments: Sequence[Expression],
    span: Span,
    name_span: Span | None = None,
    others: Iterable[str] = (),
) -> Expression:
    """The call of a function, or what it is written out as; `name_span` is where the name stands.

    `others` are names of functions that are resolved elsewhere, and may have been meant.

    Raises:
        ProgrammingError: there is no such function, or it does not take these arguments.
    """
    function = SCALAR_FUNCTIONS.get(ALIASES.get(name, name))
    if function is None:
        known = (*SCALAR_FUNCTIONS, *ALIASES, *AGGREGATES_BY_NAME, *GROUPING_NAMES, *WINDOW_FUNCTIONS, *others)
        raise ProgrammingError(f'There is no function "{name}".', name_span or span, hint=did_you_mean(name, known))
    if function.name == "datediff" and len(arguments) == 2:
        # MySQL's, which is in days and has the later date first.
        arguments = (Literal(value="day", type=VARCHAR, span=span), arguments[1], arguments[0])
    elif function.name == "date_sub" and len(arguments) == 2:
        function = SCALAR_FUNCTIONS["subdate"]
    elif function.name == "age" and len(arguments) == 1:
        arguments = (Cast(operand=now(span), type=DATE, span=span), arguments[0])
    _check_count(function, name, len(arguments), span)
    arguments = [_with_type_of_parameter(argument, function.letter(place)) for place, argument in enumerate(arguments)]
    common = [place for place in range(len(arguments)) if function.letter(place) == "c"]
    merge = coerce_to_compared if function.name in ("greatest", "least") else coerce_to_common
    merged = merge([arguments[place] for place in common], name.upper(), span)
    for place, argument in zip(common, merged, strict=True):
        arguments[place] = argument
    types = tuple([argument.type for argument in arguments])
    result = function.result_type(types)
    if result is None:
        given = ", ".join(str(type_) for type_ in types)
        raise ProgrammingError(f"{name} does not take ({given}).", span, hint=f"It is {function.signature}.")
    fields = FUNCTIONS_WITH_FIELD.get("date_diff" if function.name == "datediff" else function.name)
    if fields is not None:
        arguments[0] = _field(name, arguments[0], fields, types[1], span)
    wanted = function.argument_types(types)
    arguments = [coerce(argument, type_) for argument, type_ in zip(arguments, wanted, strict=True)]
    if function.written_out:
        return write_out(function.name, arguments, span)
    return FunctionCall(name=function.name, arguments=tuple(arguments), type=result, span=span)


def _with_type_of_parameter(argument: Expression, letter: str) -> Expression:
    """A string literal takes the type of the parameter."""
    target = CAST_OF_STRING.get(letter)
    return coerce(argument, target) if target is not None and is_untyped_string(argument) else argument


def _check_count(function: Function, name: str, given: int, span: Span) -> None:
    low, high = function.fewest, function.most
    if low <= given and (high is None or given <= high):
        return
    if high is None:
        wanted = f"{_arguments(low)} or more"
    else:
        wanted = f"{low} to {_arguments(high)}" if high > low else _arguments(low)
    raise ProgrammingError(f"{name} takes {wanted}, not {given}.", span, hint=f"It is {function.signature}.")


def _arguments(count: int) -> str:
    return "1 argument" if count == 1 else f"{count or 'no'} arguments"


def _field(name: str, argument: Expression, fields: tuple[str, ...], when: SqlType, span: Span) -> Literal:
    """The literal of the field of values of the type, under its own name."""
    value = str(argument.value) if isinstance(argument, Literal) else ""
    field = date_field(value, fields)
    if field is None:
        hint = did_you_mean(value, fields) or f"The fields are {', '.join(fields)}."
        raise ProgrammingError(f'{name.upper()} has no field "{value}".', argument.span or span, hint=hint)
    if field in FIELDS_MISSING.get(when.kind, ()):
        raise ProgrammingError(f"{when} has no {field}.", argument.span or span)
    return Literal(value=field, type=argument.type, span=argument.span)
