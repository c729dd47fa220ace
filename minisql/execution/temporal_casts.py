"""CAST among dates, times, timestamps and intervals. The time zone of a session is UTC."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from minisql.columnar.column import INTERVAL_DTYPE, Bounds, Column
from minisql.datatypes import DATE, INTERVAL, TIME, SqlType, TypeKind
from minisql.errors import InternalError
from minisql.interval import MICROSECONDS_PER_DAY

_ANY_TIME: Bounds = (0, MICROSECONDS_PER_DAY - 1)


def make_temporal_cast(source: SqlType, target: SqlType) -> Callable[[Column], Column]:
    """The kernel of CAST(source AS target) for types of this module that differ; no such cast fails."""
    match source.kind, target.kind:
        case TypeKind.DATE, (TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ):
            return partial(_date_to_timestamp, target)
        case ((TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ), TypeKind.DATE):
            return _timestamp_to_date
        case ((TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ), (TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ)):
            return lambda column: Column(target, column.values, column.valid, None, column.bounds)
        case ((TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ), TypeKind.TIME):
            return lambda column: Column(TIME, column.values % MICROSECONDS_PER_DAY, column.valid, None, _ANY_TIME)
        case TypeKind.INTERVAL, TypeKind.TIME:
            return _interval_to_time
        case TypeKind.TIME, TypeKind.INTERVAL:
            return _time_to_interval
        case _:
            raise InternalError(f"There is no cast from {source} to {target}.")


def _date_to_timestamp(target: SqlType, column: Column) -> Column:
    bounds = column.bounds and (column.bounds[0] * MICROSECONDS_PER_DAY, column.bounds[1] * MICROSECONDS_PER_DAY)
    values = column.values.astype(np.int64) * MICROSECONDS_PER_DAY
    return Column(target, values, column.valid, None, bounds)


def _timestamp_to_date(column: Column) -> Column:
    bounds = column.bounds and (column.bounds[0] // MICROSECONDS_PER_DAY, column.bounds[1] // MICROSECONDS_PER_DAY)
    values = (column.values // MICROSECONDS_PER_DAY).astype(np.int32)
    return Column(DATE, values, column.valid, None, bounds)


def _interval_to_time(column: Column) -> Column:
    """The part below a day, as in PostgreSQL."""
    return Column(TIME, column.values["microseconds"] % MICROSECONDS_PER_DAY, column.valid, None, _ANY_TIME)


def _time_to_interval(column: Column) -> Column:
    values = np.zeros(len(column), INTERVAL_DTYPE)
    values["microseconds"] = column.values
    return Column(INTERVAL, values, column.valid)
