"""Window functions, bound: what a call computes, in which order of its partition, and over which frame of it.

The functions that are no aggregates stand in `WINDOW_FUNCTIONS`; every aggregate is a window function, too. SQL:2016,
4.16.3 and 7.15; RANGE offsets, GROUPS and EXCLUDE as in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field, replace
from enum import Enum
from typing import Final

from minisql.datatypes import SqlType
from minisql.errors import Span
from minisql.expression.nodes import AggregateCall, ColumnRef, Expression, Literal, SortKey
from minisql.expression.walk import aggregate_inputs, map_aggregate
from minisql.node import record, value_node


class FrameUnit(Enum):
    """What the offsets of a frame count: rows, differences of the ORDER BY key, or groups of peers."""

    ROWS = "ROWS"
    RANGE = "RANGE"
    GROUPS = "GROUPS"


class BoundKind(Enum):
    """Where a frame may start or end, in the order of these places."""

    UNBOUNDED_PRECEDING = "UNBOUNDED PRECEDING"
    PRECEDING = "PRECEDING"
    CURRENT_ROW = "CURRENT ROW"
    FOLLOWING = "FOLLOWING"
    UNBOUNDED_FOLLOWING = "UNBOUNDED FOLLOWING"


class Exclusion(Enum):
    """What EXCLUDE takes out of a frame."""

    NO_OTHERS = "NO OTHERS"
    CURRENT_ROW = "CURRENT ROW"
    GROUP = "GROUP"
    TIES = "TIES"


@value_node
class FrameBound:
    """One end of a frame. An offset, never NULL or negative, belongs to PRECEDING and FOLLOWING.

    It is an integer for ROWS and GROUPS. For RANGE it has the type of the ORDER BY key where that is a number, else
    one that `key + offset` takes and that gives the type of the key.
    """

    kind: BoundKind
    offset: Literal | None = None


UNBOUNDED_PRECEDING: Final = FrameBound(kind=BoundKind.UNBOUNDED_PRECEDING)
CURRENT_ROW: Final = FrameBound(kind=BoundKind.CURRENT_ROW)
UNBOUNDED_FOLLOWING: Final = FrameBound(kind=BoundKind.UNBOUNDED_FOLLOWING)


@value_node
class Frame:
    """The rows around a row that a window function reads."""

    unit: FrameUnit
    start: FrameBound
    end: FrameBound
    exclusion: Exclusion


DEFAULT_FRAME: Final = Frame(
    unit=FrameUnit.RANGE, start=UNBOUNDED_PRECEDING, end=CURRENT_ROW, exclusion=Exclusion.NO_OTHERS
)
"""Up to the current row and its peers, which without ORDER BY are the whole partition."""
WHOLE_PARTITION: Final = replace(DEFAULT_FRAME, end=UNBOUNDED_FOLLOWING)


@value_node
class WindowFunction:
    """A call of one of `WINDOW_FUNCTIONS`."""

    name: str
    arguments: tuple[Expression, ...]
    ignore_nulls: bool
    type: SqlType
    span: Span | None = field(default=None, compare=False, repr=False)


@value_node
class WindowCall:
    """A function over a window.

    Window calls stand in `relational.Window` and nowhere else: above it they are columns. The frame of what reads
    none is the default one, so that equal calls are equal.
    """

    function: WindowFunction | AggregateCall
    partition_by: tuple[Expression, ...]
    order_by: tuple[SortKey, ...]
    frame: Frame
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def type(self) -> SqlType:
        """The type of the result."""
        return self.function.type


@record
class WindowFunctionSignature:
    """What a window function that is no aggregate takes: arguments, the last ones optional, and a frame or not.

    `meaning` and `example` are for the documentation; the example has these values over a column x of 10, 20, 20, 30.
    """

    name: str
    parameters: tuple[str, ...]
    minimum: int
    meaning: str
    example: str
    values: str
    reads_frame: bool = False
    takes_null_treatment: bool = False

    @property
    def signature(self) -> str:
        """For messages: `lag(value [, offset] [, default])`."""
        required = ", ".join(self.parameters[: self.minimum])
        optional = "".join(f" [, {name}]" for name in self.parameters[self.minimum :])
        return f"{self.name}({required}{optional})"


WINDOW_FUNCTIONS: Final[dict[str, WindowFunctionSignature]] = {
    function.name: function
    for function in (
        WindowFunctionSignature(
            "row_number",
            (),
            0,
            "The number of the row in its partition, from 1.",
            "row_number() OVER (ORDER BY x)",
            "1, 2, 3, 4",
        ),
        WindowFunctionSignature(
            "rank", (), 0, "One more than the rows before the row's peers.", "rank() OVER (ORDER BY x)", "1, 2, 2, 4"
        ),
        WindowFunctionSignature(
            "dense_rank",
            (),
            0,
            "One more than the groups of peers before.",
            "dense_rank() OVER (ORDER BY x)",
            "1, 2, 2, 3",
        ),
        WindowFunctionSignature(
            "percent_rank",
            (),
            0,
            "The rank less one, by the number of the other rows.",
            "percent_rank() OVER (ORDER BY x)",
            "0.0, 0.3333333333333333, 0.3333333333333333, 1.0",
        ),
        WindowFunctionSignature(
            "cume_dist",
            (),
            0,
            "The share of the rows up to the row and its peers.",
            "cume_dist() OVER (ORDER BY x)",
            "0.25, 0.75, 0.75, 1.0",
        ),
        WindowFunctionSignature(
            "ntile",
            ("buckets",),
            1,
            "The number of the bucket, where the partition is cut into so many, as equal as they can be.",
            "ntile(3) OVER (ORDER BY x)",
            "1, 1, 2, 3",
        ),
        WindowFunctionSignature(
            "lag",
            ("value", "offset", "default"),
            1,
            "The value some rows before (1), or the default (NULL).",
            "lag(x) OVER (ORDER BY x)",
            "NULL, 10, 20, 20",
            takes_null_treatment=True,
        ),
        WindowFunctionSignature(
            "lead",
            ("value", "offset", "default"),
            1,
            "The value some rows after (1), or the default (NULL).",
            "lead(x, 1, 0) OVER (ORDER BY x)",
            "20, 20, 30, 0",
            takes_null_treatment=True,
        ),
        WindowFunctionSignature(
            "first_value",
            ("value",),
            1,
            "The value at the first row of the frame.",
            "first_value(x) OVER (ORDER BY x)",
            "10, 10, 10, 10",
            reads_frame=True,
            takes_null_treatment=True,
        ),
        WindowFunctionSignature(
            "last_value",
            ("value",),
            1,
            "The value at the last row of the frame.",
            "last_value(x) OVER (ORDER BY x)",
            "10, 20, 20, 30",
            reads_frame=True,
            takes_null_treatment=True,
        ),
        WindowFunctionSignature(
            "nth_value",
            ("value", "n"),
            2,
            "The value at that row of the frame, from 1.",
            "nth_value(x, 2) OVER (ORDER BY x)",
            "NULL, 20, 20, 20",
            reads_frame=True,
            takes_null_treatment=True,
        ),
    )
}


def window_inputs(call: WindowCall) -> Iterator[Expression]:
    """The expressions that a call evaluates on the rows of its input."""
    if isinstance(call.function, AggregateCall):
        yield from aggregate_inputs(call.function)
    else:
        yield from call.function.arguments
    yield from call.partition_by
    for key in call.order_by:
        yield key.expression


def map_window_call(call: WindowCall, change: Callable[[Expression], Expression]) -> WindowCall:
    """The call with each of its input expressions changed; itself where none differs."""
    function = call.function
    if isinstance(function, AggregateCall):
        new_function: WindowFunction | AggregateCall = map_aggregate(function, change)
    else:
        arguments = tuple([change(argument) for argument in function.arguments])
        is_same = all(a is b for a, b in zip(arguments, function.arguments, strict=True))
        new_function = function if is_same else replace(function, arguments=arguments)
    partition_by = tuple([change(key) for key in call.partition_by])
    order_by = tuple([change(key.expression) for key in call.order_by])
    if (
        new_function is function
        and all(a is b for a, b in zip(partition_by, call.partition_by, strict=True))
        and all(a is b.expression for a, b in zip(order_by, call.order_by, strict=True))
    ):
        return call
    keys = tuple([replace(key, expression=new) for key, new in zip(call.order_by, order_by, strict=True)])
    return replace(call, function=new_function, partition_by=partition_by, order_by=keys)


def common_partition_columns(calls: tuple[WindowCall, ...]) -> set[ColumnRef]:
    """The columns that every call partitions by: a condition on them keeps or drops whole partitions."""
    columns = [{key for key in call.partition_by if isinstance(key, ColumnRef)} for call in calls]
    return set.intersection(*columns) if columns else set()
