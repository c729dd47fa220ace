"""Window functions against Python, row by row: all functions, frames and exclusions, over ties and NULLs."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minisql.datatypes import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    TIMESTAMP,
    VARCHAR,
    SqlType,
    decimal,
    sum_type,
)
from minisql.errors import DataError, Span
from minisql.execution import window as window_module
from minisql.execution import window_aggregates
from minisql.execution.kernels import string_order
from minisql.execution.kernels.range_folds import accumulate, accumulate_backwards, double_sums, exact_sums, extremes
from minisql.execution.kernels.runs import Runs
from minisql.execution.window import WindowIterator
from minisql.expression.nodes import (
    AggregateCall,
    Arithmetic,
    ColumnId,
    ColumnRef,
    Comparison,
    Literal,
    SortKey,
    Value,
)
from minisql.expression.window import (
    DEFAULT_FRAME,
    WHOLE_PARTITION,
    WINDOW_FUNCTIONS,
    BoundKind,
    Exclusion,
    Frame,
    FrameBound,
    FrameUnit,
    WindowCall,
    WindowFunction,
)
from minisql.node_set import single
from minisql.optimizer.access_path import Window
from tests import naive
from tests.operators import ScanIterator, drain, scan

BIG = 2**63
WIDE = decimal(38, 1)
KEYS: dict[SqlType, st.SearchStrategy[Value]] = {
    INTEGER: st.integers(-3, 3) | st.sampled_from([2**31 - 1, -(2**31)]),
    BIGINT: st.integers(-2, 2) | st.sampled_from([BIG - 1, BIG - 2, -BIG, 1 - BIG]),
    WIDE: st.sampled_from([Decimal(10**30), Decimal(-(10**30)), Decimal("0.5"), Decimal("-1.5"), Decimal(2)]),
    DOUBLE: st.sampled_from([0.0, 0.25, -1.5, 3.0, math.inf, -math.inf, 2.0**60]),
    DATE: st.dates(min_value=datetime.date(2020, 1, 1), max_value=datetime.date(2020, 1, 7)),
    VARCHAR: st.sampled_from(["", "a", "ab", "b"]),
}
VALUES: dict[SqlType, st.SearchStrategy[Value]] = {
    INTEGER: st.integers(-2, 2) | st.integers(-(2**31), 2**31 - 1),
    BIGINT: st.integers(-2, 2) | st.sampled_from([BIG - 1, -BIG]),
    decimal(12, 2): st.decimals(-100, 100, places=2),
    WIDE: st.sampled_from([Decimal(10**30), Decimal(-(10**30)), Decimal("0.5"), Decimal(10**18)]),
    DOUBLE: st.sampled_from([0.5, -0.25, 3.0, -3.0, 1024.0]),
    BOOLEAN: st.booleans(),
    VARCHAR: st.sampled_from(["", "a", "ab", "abcdefghi", "abcdefghj", "z" * 1030]),
    DATE: st.dates(),
    TIMESTAMP: st.datetimes(),
}
OFFSETS: dict[SqlType, st.SearchStrategy[Value]] = {
    INTEGER: st.sampled_from([0, 1, 2, 2**31 - 1]),
    BIGINT: st.sampled_from([0, 1, 3, BIG - 1]),
    WIDE: st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(3), Decimal(10**31)]),
    DOUBLE: st.sampled_from([0.0, 0.25, 2.0, 1e300]),
    DATE: st.sampled_from([0, 1, 3]),
}
BOUNDS = list(BoundKind)


def ref(place: int, type_: SqlType) -> ColumnRef:
    return ColumnRef(column=ColumnId(0, place), name=f"c{place}", type=type_)


def lit(value: Value, type_: SqlType) -> Literal:
    return Literal(value=value, type=type_)


@st.composite
def frames(draw: st.DrawFn, order_by: Sequence[SortKey]) -> Frame:
    key_type = order_by[0].expression.type if order_by else None
    units = [FrameUnit.ROWS, FrameUnit.RANGE, *([FrameUnit.GROUPS] if order_by else [])]
    unit = draw(st.sampled_from(units))
    has_offsets = unit is not FrameUnit.RANGE or (len(order_by) == 1 and key_type in OFFSETS)
    kinds = [kind for kind in BOUNDS if has_offsets or kind not in (BoundKind.PRECEDING, BoundKind.FOLLOWING)]
    start = draw(st.sampled_from(kinds[:-1]))
    end = draw(st.sampled_from([k for k in kinds[1:] if BOUNDS.index(k) >= BOUNDS.index(start)]))

    def bound(kind: BoundKind) -> FrameBound:
        if kind not in (BoundKind.PRECEDING, BoundKind.FOLLOWING):
            return FrameBound(kind=kind)
        if unit is not FrameUnit.RANGE:
            return FrameBound(kind=kind, offset=lit(draw(st.sampled_from([0, 1, 2, 5, BIG - 1])), BIGINT))
        assert key_type is not None
        type_ = INTEGER if key_type is DATE else key_type
        return FrameBound(kind=kind, offset=lit(draw(OFFSETS[key_type]), type_))

    return Frame(unit=unit, start=bound(start), end=bound(end), exclusion=draw(st.sampled_from(list(Exclusion))))


@st.composite
def functions(draw: st.DrawFn, value: ColumnRef, small: ColumnRef) -> WindowFunction | AggregateCall:
    """A call over a column of any type, and one of small integers."""
    if draw(st.booleans()):
        names = ["count", "min", "max", *(["sum", "avg"] if value.type.is_numeric else [])]
        name = draw(st.sampled_from(names))
        filter_ = None
        if draw(st.booleans()):
            filter_ = Comparison(operator=">", left=small, right=lit(0, BIGINT))
        argument = None if name == "count" and draw(st.booleans()) else value
        type_ = {"count": BIGINT, "avg": DOUBLE, "sum": sum_type(value.type)}.get(name, value.type)
        distinct = argument is not None and draw(st.booleans())
        return AggregateCall(name=name, argument=argument, distinct=distinct, filter=filter_, type=type_)
    signature = draw(st.sampled_from(list(WINDOW_FUNCTIONS.values())))
    arguments: list[Any] = []
    type_ = DOUBLE if signature.name in ("percent_rank", "cume_dist") else BIGINT
    if signature.name == "ntile":
        arguments = [lit(draw(st.sampled_from([1, 2, 3, 9, None])), BIGINT)]
    elif signature.parameters:
        arguments, type_ = [value], value.type
        if signature.name == "nth_value":
            arguments.append(lit(draw(st.sampled_from([1, 2, 3, None])), BIGINT))
        elif len(signature.parameters) > 1 and draw(st.booleans()):
            arguments.append(draw(st.sampled_from([small, lit(2, BIGINT), lit(-BIG, BIGINT)])))
            if draw(st.booleans()):
                arguments.append(draw(st.sampled_from([value, lit(draw(VALUES[value.type]), value.type)])))
    ignore_nulls = signature.takes_null_treatment and draw(st.booleans())
    return WindowFunction(name=signature.name, arguments=tuple(arguments), ignore_nulls=ignore_nulls, type=type_)


@st.composite
def windows(draw: st.DrawFn) -> tuple[list[SqlType], list[Any], list[WindowCall]]:
    """Types of columns, rows, and calls with one PARTITION BY and ORDER BY."""
    key_types = draw(st.lists(st.sampled_from(list(KEYS)), max_size=2))
    value_types = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=2))
    types = [INTEGER, BIGINT, *key_types, *value_types]
    row = st.tuples(
        st.integers(0, 1) | st.none(),
        st.integers(-1, 3) | st.none(),
        *[KEYS[type_] | st.none() for type_ in key_types],
        *[VALUES[type_] | st.none() for type_ in value_types],
    )
    rows = draw(st.lists(row, max_size=draw(st.sampled_from([3, 12, 40]))))
    partition_by = (ref(0, INTEGER),) if draw(st.booleans()) else ()
    order_by = tuple(
        SortKey(expression=ref(2 + place, type_), descending=draw(st.booleans()), nulls_first=draw(st.booleans()))
        for place, type_ in enumerate(key_types)
    )
    calls = []
    for _ in range(draw(st.integers(1, 4))):
        place = 2 + len(key_types) + draw(st.integers(0, len(value_types) - 1))
        function = draw(functions(ref(place, types[place]), ref(1, BIGINT)))
        frame = draw(frames(order_by))
        calls.append(WindowCall(function=function, partition_by=partition_by, order_by=order_by, frame=frame))
    return types, rows, calls


def window(source: Any, calls: Sequence[WindowCall]) -> Window:
    return Window(nodes=single(0), rows=1, cost=0, table=9, input=source, calls=tuple(calls))


def run(types: Sequence[SqlType], rows: Sequence[Any], *calls: WindowCall) -> list[tuple[Value, ...]]:
    """The values of the calls in the order of the rows."""
    path = window(scan(0, types, rows), calls)
    wanted = [ColumnId(9, place) for place in range(len(calls))]
    iterator = WindowIterator(path, ScanIterator(scan(0, types, rows), 3), wanted, 10)
    return drain(iterator, 10)


@settings(max_examples=1500, deadline=None)
@given(windows(), st.sampled_from([1, 5, 1000]), st.sampled_from([1, 7, 1 << 18]), st.booleans(), st.data())
def test_windows(
    drawn: tuple[list[SqlType], list[Any], list[WindowCall]],
    batch_rows: int,
    most_pairs: int,
    whole_pools: bool,
    data: st.DataObject,
) -> None:
    types, rows, calls = drawn
    path = window(scan(0, types, rows), calls)
    relation = naive.as_relational(path)
    wanted = [column for column in naive.columns(relation) if data.draw(st.booleans())]
    wanted = data.draw(st.permutations(wanted))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_aggregates, "MOST_PAIRS", most_pairs)
        if data.draw(st.booleans(), "every frame for itself"):
            patch.setattr(window_module, "window_aggregate", window_aggregates.frame_by_frame)
        if not whole_pools:
            patch.setattr(string_order, "is_dictionary", lambda pool, rows: False)
        source = ScanIterator(scan(0, types, rows), batch_rows)
        iterator = WindowIterator(path, source, wanted, batch_rows)
        found = drain(iterator, batch_rows)
    assert source.closed
    assert iterator.columns == tuple(wanted)
    assert found == [tuple(row[column] for column in wanted) for row in naive.rows(relation)]


def over(function: WindowFunction | AggregateCall, order_by: Sequence[SortKey] = (), frame: Frame | None = None,
         partition_by: tuple[ColumnRef, ...] = ()) -> WindowCall:  # fmt: skip
    frame = frame or (DEFAULT_FRAME if order_by else WHOLE_PARTITION)
    return WindowCall(function=function, partition_by=partition_by, order_by=tuple(order_by), frame=frame)


def by(place: int, type_: SqlType) -> SortKey:
    return SortKey(expression=ref(place, type_), descending=False, nulls_first=False)


def rows_between(before: int, after: int) -> Frame:
    start = FrameBound(kind=BoundKind.PRECEDING, offset=lit(before, BIGINT))
    end = FrameBound(kind=BoundKind.FOLLOWING, offset=lit(after, BIGINT))
    return Frame(unit=FrameUnit.ROWS, start=start, end=end, exclusion=Exclusion.NO_OTHERS)


def aggregate(name: str, argument: ColumnRef, type_: SqlType, span: Span | None = None) -> AggregateCall:
    return AggregateCall(name=name, argument=argument, distinct=False, filter=None, type=type_, span=span)


def function(name: str, *arguments: Any, span: Span | None = None) -> WindowFunction:
    return WindowFunction(name=name, arguments=arguments, ignore_nulls=False, type=BIGINT, span=span)


def test_calls_that_share_an_order_get_what_they_get_alone() -> None:
    """But for the order among peers, which ROWS and ROW_NUMBER see and RANGE and the ranks do not."""
    rows = [(i * 7 % 3, i * 5 % 4, i * 3 % 8) for i in range(40)]
    types = [INTEGER, INTEGER, INTEGER]
    total = aggregate("sum", ref(2, INTEGER), BIGINT)
    partition = (ref(0, INTEGER),)
    calls = [
        over(total, partition_by=partition),
        over(function("dense_rank"), [by(1, INTEGER)], partition_by=partition),
        over(total, [by(1, INTEGER), by(2, INTEGER)], partition_by=partition),
        over(total, [by(2, INTEGER)], partition_by=partition),
        over(total, [by(1, INTEGER)]),
    ]
    alone = [run(types, rows, call) for call in calls]
    assert run(types, rows, *calls) == [tuple(value for (value,) in row) for row in zip(*alone, strict=True)]


def test_no_rows() -> None:
    assert run([INTEGER], [], over(function("row_number"))) == []


def test_a_large_value_leaves_small_sums_as_they_are() -> None:
    """Differences of prefix sums would have lost the small ones."""
    number = ref(0, DOUBLE)
    rows = [(1e300, 1), (0.5, 2), (0.25, 3), (math.inf, 4), (2.0, 5), (math.nan, 6), (1.0, 7), (-1.0, 8)]
    sliding = over(aggregate("sum", number, DOUBLE), [by(1, INTEGER)], rows_between(1, 0))
    found = [value for (value,) in run([DOUBLE, INTEGER], rows, sliding)]
    assert repr(found) == "[1e+300, 1e+300, 0.75, inf, inf, nan, nan, 0.0]"
    other = [(1e300, 1, 1), (0.5, 1, 2), (0.25, 2, 3)]
    running = over(aggregate("avg", number, DOUBLE), [by(2, INTEGER)], partition_by=(ref(1, INTEGER),))
    assert run([DOUBLE, INTEGER, INTEGER], other, running) == [(1e300,), (5e299,), (0.25,)]


def test_nan_is_a_peer_of_nan_and_after_all_numbers() -> None:
    rows = [(math.nan,), (1.0,), (math.inf,), (math.nan,), (-math.inf,), (None,)]
    start = FrameBound(kind=BoundKind.PRECEDING, offset=lit(1.0, DOUBLE))
    near = Frame(
        unit=FrameUnit.RANGE, start=start, end=FrameBound(kind=BoundKind.CURRENT_ROW), exclusion=Exclusion.NO_OTHERS
    )
    count = AggregateCall(name="count", argument=None, distinct=False, filter=None, type=BIGINT)
    order = [by(0, DOUBLE)]
    ranks = over(function("rank"), order)
    found = run([DOUBLE], rows, ranks, over(count, order, near), over(aggregate("max", ref(0, DOUBLE), DOUBLE)))
    assert [row[:2] for row in found] == [(4, 2), (2, 1), (3, 1), (4, 2), (1, 1), (6, 1)]
    assert all(math.isnan(maximum) for *_, maximum in found)


def test_a_sum_beyond_its_type_is_an_error_at_its_place() -> None:
    type_ = decimal(38, 0)
    span = Span("SELECT sum(x) OVER ()", 7, 13)
    rows = [(Decimal(10**38 - 1),), (Decimal(10**38 - 1),)]
    with pytest.raises(DataError, match="out of the range") as caught:
        run([type_], rows, over(aggregate("sum", ref(0, type_), type_, span)))
    assert caught.value.span == span


@pytest.mark.parametrize("call", ["ntile", "nth_value"])
def test_arguments_that_must_be_positive(call: str) -> None:
    span = Span("SELECT it", 7, 9)
    arguments = (ref(0, BIGINT),) if call == "ntile" else (ref(0, BIGINT), ref(0, BIGINT))
    with pytest.raises(DataError, match="at least 1, not 0") as caught:
        run([BIGINT], [(None,), (0,), (1,)], over(function(call, *arguments, span=span), partition_by=arguments[:1]))
    assert caught.value.span == span


def test_a_filter_keeps_an_argument_from_being_computed() -> None:
    divisor = ref(0, INTEGER)
    quotient = Arithmetic(operator="/", left=lit(6, INTEGER), right=divisor, type=INTEGER)
    positive = Comparison(operator=">", left=divisor, right=lit(0, INTEGER))
    total = AggregateCall(name="sum", argument=quotient, distinct=False, filter=positive, type=BIGINT)
    assert run([INTEGER], [(0,), (2,), (3,)], over(total)) == [(5,)] * 3


def test_distinct_values_up_to_the_end_of_the_partition() -> None:
    rows = [(1, 1), (2, 2), (1, 3), (None, 4), (2, 5)]
    to_end = Frame(
        unit=FrameUnit.ROWS,
        start=FrameBound(kind=BoundKind.CURRENT_ROW),
        end=FrameBound(kind=BoundKind.UNBOUNDED_FOLLOWING),
        exclusion=Exclusion.NO_OTHERS,
    )
    distinct = AggregateCall(name="count", argument=ref(0, INTEGER), distinct=True, filter=None, type=BIGINT)
    order = [by(1, INTEGER)]
    found = run([INTEGER, INTEGER], rows, over(distinct, order, to_end), over(distinct, order))
    assert found == [(2, 1), (2, 2), (2, 2), (1, 2), (1, 2)]


@pytest.mark.parametrize("descending", [False, True])
def test_offsets_beyond_the_integers_there_are_reach_the_last_one(descending: bool) -> None:
    rows = [(-BIG,), (2 - BIG,), (0,), (BIG - 2,), (BIG - 1,)]
    offset = lit(3, BIGINT)
    near = Frame(
        unit=FrameUnit.RANGE,
        start=FrameBound(kind=BoundKind.PRECEDING, offset=offset),
        end=FrameBound(kind=BoundKind.FOLLOWING, offset=offset),
        exclusion=Exclusion.NO_OTHERS,
    )
    count = AggregateCall(name="count", argument=None, distinct=False, filter=None, type=BIGINT)
    order = [SortKey(expression=ref(0, BIGINT), descending=descending, nulls_first=False)]
    assert run([BIGINT], rows, over(count, order, near)) == [(2,), (2,), (1,), (2,), (2,)]


@pytest.mark.parametrize(("descending", "last"), [(False, BIG - 1), (True, -BIG)])
def test_a_frame_that_starts_beyond_the_integers_there_are_is_empty(descending: bool, last: int) -> None:
    after = Frame(
        unit=FrameUnit.RANGE,
        start=FrameBound(kind=BoundKind.FOLLOWING, offset=lit(1, BIGINT)),
        end=FrameBound(kind=BoundKind.UNBOUNDED_FOLLOWING),
        exclusion=Exclusion.NO_OTHERS,
    )
    count = AggregateCall(name="count", argument=None, distinct=False, filter=None, type=BIGINT)
    order = [SortKey(expression=ref(0, BIGINT), descending=descending, nulls_first=False)]
    assert run([BIGINT], [(last,), (0,)], over(count, order, after)) == [(0,), (1,)]


# --- kernels ----------------------------------------------------------------------------------------------------------


@st.composite
def ranges(draw: st.DrawFn) -> tuple[int, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    length = draw(st.integers(1, 40))
    pairs = draw(st.lists(st.tuples(st.integers(0, length), st.integers(0, length)), min_size=1, max_size=20))
    return length, np.array([min(pair) for pair in pairs]), np.array([max(pair) for pair in pairs])


@settings(max_examples=300, deadline=None)
@given(ranges(), st.data())
def test_folds_over_ranges(drawn: tuple[int, np.ndarray[Any, Any], np.ndarray[Any, Any]], data: st.DataObject) -> None:
    length, start, stop = drawn
    integers = st.integers(-3, 3) | st.integers(-BIG, BIG - 1)
    values = data.draw(st.lists(integers, min_size=length, max_size=length))
    parts = [values[a:b] for a, b in zip(start.tolist(), stop.tolist(), strict=True)]
    array = np.array(values, np.int64)
    assert exact_sums(array, [(start, stop)]).tolist() == [sum(part) for part in parts]
    assert exact_sums(array, [(start, stop), (start, stop)]).tolist() == [2 * sum(part) for part in parts]
    assert exact_sums(array.astype(object) * 10**20, [(start, stop)]).tolist() == [sum(part) * 10**20 for part in parts]
    assert double_sums(array % 8 / 4, start, stop).tolist() == [sum(value % 8 / 4 for value in part) for part in parts]
    found = extremes(np.minimum, array, start, stop, 77)
    assert found.tolist() == [min(part, default=77) for part in parts]
    found = extremes(np.maximum, array, start, stop, 77)
    assert found.tolist() == [max(part, default=77) for part in parts]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=12), st.data())
def test_accumulating_over_runs(lengths: list[int], data: st.DataObject) -> None:
    ends = np.cumsum(lengths)
    values = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=int(ends[-1]), max_size=int(ends[-1]))))
    runs = Runs(ends - lengths, int(ends[-1]))
    forwards, backwards = accumulate(np.add, values, runs), accumulate_backwards(np.maximum, values, runs)
    for start, end in pairwise([0, *ends.tolist()]):
        assert forwards[start:end].tolist() == np.cumsum(values[start:end]).tolist()
        assert backwards[start:end].tolist() == [max(values[place:end]) for place in range(start, end)]
