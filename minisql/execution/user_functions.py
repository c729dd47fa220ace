"""Calls of the functions that a program brings with it: columns to Arrow arrays, and what comes out back to columns.

A function is called with batches of rows. A strict one is not given the rows in which an argument is NULL.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from minisql.columnar.column import Batch, Column, all_null
from minisql.columnar.from_arrow import from_arrow, sql_type
from minisql.columnar.python_values import to_values
from minisql.columnar.to_arrow import arrow_type, to_arrow
from minisql.datatypes import SqlType, TypeKind, common_type
from minisql.errors import DataError, NotSupportedError, counted
from minisql.execution.operand import Operand, evaluate, is_null_constant, lift
from minisql.expression.nodes import FunctionCall
from minisql.expression.user_function import UserFunction
from minisql.interval import MICROSECONDS_PER_SECOND, Interval


def user_call(call: FunctionCall, function: UserFunction, arguments: Sequence[Operand]) -> Operand:
    """The operand of a call.

    Raises (its evaluation):
        DataError: the function raised an exception, or what it gave is not what it should give.
        NotSupportedError: the function ran a statement that raised this.
    """
    if function.strict and any(is_null_constant(argument) for argument in arguments):
        return all_null(call.type, 1)
    if not function.volatile and all(isinstance(argument, Column) for argument in arguments):
        return lift(partial(_call, call, function, 1), *arguments)
    return lambda batch: _evaluated(call, function, arguments, batch)


def _evaluated(call: FunctionCall, function: UserFunction, arguments: Sequence[Operand], batch: Batch) -> Column:
    return _call(call, function, len(batch), *[evaluate(argument, batch) for argument in arguments])


def _call(call: FunctionCall, function: UserFunction, length: int, *columns: Column) -> Column:
    """The result for columns of one length."""
    rows = None
    if function.strict and any(column.valid is not None for column in columns):
        rows = np.flatnonzero(np.logical_and.reduce([c.valid for c in columns if c.valid is not None]))
        if len(rows) == 0:
            return all_null(call.type, length)
        columns = tuple([Column(c.type, c.values, None, c.pool, c.bounds).take(rows) for c in columns])
    count = length if rows is None else len(rows)
    found = _column_of(call, function, _computed(call, function, columns), count)
    if rows is None:
        return found
    valid = np.zeros(length, np.bool_)
    valid[rows] = True if found.valid is None else found.valid
    places = np.zeros(length, np.intp)
    places[rows] = np.arange(count)
    taken = found.take(places)
    return Column(taken.type, taken.values, valid, taken.pool, taken.bounds)


def _computed(call: FunctionCall, function: UserFunction, columns: Sequence[Column]) -> object:
    try:
        if function.vectorized:
            return function.compute(*[to_arrow(column) for column in columns])
        return [function.compute(*row) for row in zip(*[to_values(column) for column in columns], strict=True)]
    except NotSupportedError as error:
        # What a statement of the function may not do is no matter of the rows: planning ends with it, too.
        raise NotSupportedError(error.message, call.span, hint=error.hint) from error
    except Exception as error:
        text = str(error)
        what = f"{type(error).__name__}: {text}" if text else type(error).__name__
        raise DataError(f"The function {function.name} failed: {what}", call.span) from error


def _column_of(call: FunctionCall, function: UserFunction, given: object, count: int) -> Column:
    """What a function gave as a column of the type that it declares."""
    try:
        array = _array(given, function.result)
        if array is None:
            what = f"a {type(given).__name__}, which is no array of one dimension"
            raise DataError(f"The function {function.name} gave {what}.", call.span)
        if len(array) != count:
            values = counted(len(array), "value")
            raise DataError(f"The function {function.name} gave {values} for {counted(count, 'row')}.", call.span)
        return _converted(array, function)
    except (DataError, NotSupportedError) as error:
        raise DataError(error.message, call.span, hint=error.hint) from error.__cause__
    except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
        message = f"The function {function.name} gave what is no {function.result}: {error}"
        raise DataError(message, call.span) from error


def _array(given: object, type_: SqlType) -> pa.Array | pa.ChunkedArray | None:
    """An Arrow or numpy array, a list, or a series of pandas, Polars or others as Arrow has it; None for the rest."""
    if isinstance(given, pa.Array | pa.ChunkedArray):
        return given
    if isinstance(given, list | tuple):
        values = [_parts(value) for value in given] if type_.kind is TypeKind.INTERVAL else given
        # Told the type, Arrow would cut what does not fit it, such as the fraction of a number.
        is_told = type_.kind in (TypeKind.INTERVAL, TypeKind.DECIMAL)
        return pa.array(values, arrow_type(type_) if is_told else None)
    if isinstance(given, np.ndarray):
        return pa.array(given) if given.ndim == 1 else None
    if hasattr(given, "__arrow_c_array__"):
        return pa.array(given)
    if hasattr(given, "__arrow_c_stream__"):
        return pa.chunked_array(given)
    return None


def _parts(value: object) -> object:
    """An interval as Arrow takes it."""
    if isinstance(value, datetime.timedelta):
        value = Interval(0, value.days, value.seconds * MICROSECONDS_PER_SECOND + value.microseconds)
    return (value.months, value.days, value.microseconds * 1000) if isinstance(value, Interval) else value


def _converted(array: pa.Array | pa.ChunkedArray, function: UserFunction) -> Column:
    wanted = function.result
    if pa.types.is_null(array.type):
        return all_null(wanted, len(array))
    type_ = sql_type(array.type, f"the result of {function.name}")
    if type_ != wanted:
        if not (type_.is_numeric and wanted.is_numeric) and common_type(type_, wanted) != wanted:
            raise DataError(f"The function {function.name} gave {type_}, and should give {wanted}.")
        array = array.cast(arrow_type(wanted))
    return from_arrow(array, f"the result of {function.name}")
