"""Grouping sets, and the aggregates beside COUNT, SUM, AVG, MIN and MAX, against Python over lists of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minisql.columnar.column import Column
from minisql.datatypes import BIGINT, DOUBLE, INTEGER, VARCHAR, SqlType
from minisql.errors import DataError, Span
from minisql.execution.aggregate import GroupedRows, HashAggregateIterator
from minisql.execution.kernels.grouped_aggregates import Grouping
from minisql.execution.kernels.moments import MomentState, moment_column
from minisql.expression.aggregates import AGGREGATES
from minisql.expression.nodes import AggregateCall, ColumnId, ColumnRef, Comparison, Expression, Literal, SortKey
from minisql.node_set import single
from minisql.optimizer.access_path import HashAggregate
from tests import naive
from tests.operators import ScanIterator, batch_of, drain, rows_of, scan

# Two keys, a column to filter by, and one of each kind of argument.
TYPES: list[SqlType] = [INTEGER, VARCHAR, INTEGER, INTEGER, VARCHAR, DOUBLE, DOUBLE]
KEYS: list[Expression] = [ColumnRef(column=ColumnId(0, p), name=f"k{p}", type=TYPES[p]) for p in (0, 1)]
KEYS.append(ColumnRef(column=ColumnId(0, 2), name="k2", type=INTEGER))
ARGUMENTS = {"i": 3, "s": 4, "d": 5}
CANONICAL = sorted({function.canonical for function in AGGREGATES} - {"grouping"})
HALVES = st.integers(-6, 6).map(lambda number: number / 2)
ROWS = st.tuples(
    st.sampled_from([None, 0, 1]),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([None, 0, 1]),
    st.none() | st.integers(-4, 4),
    st.none() | st.sampled_from(["", "x", "xy", "é"]),
    st.none() | HALVES,
    st.none() | HALVES,
)


def ref(place: int) -> ColumnRef:
    return ColumnRef(column=ColumnId(0, place), name=f"c{place}", type=TYPES[place])


def function_of(name: str) -> Any:
    return next(function for function in AGGREGATES if function.canonical == name and not function.computed_as)


@st.composite
def calls(draw: st.DrawFn) -> AggregateCall:
    """A call as the resolver would make it."""
    name = draw(st.sampled_from(CANONICAL))
    function = function_of(name)
    letters = {"a": "isd", "o": "isd", "n": "id", "d": "d", "i": "i", "s": "s", "q": "d"}
    arguments: list[Expression] = []
    for letter in function.accepts:
        if letter == "S":
            arguments.append(Literal(value=draw(st.sampled_from([", ", ""])), type=VARCHAR))
        elif letter == "F":
            arguments.append(Literal(value=draw(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])), type=DOUBLE))
        else:
            arguments.append(ref(ARGUMENTS[draw(st.sampled_from(letters[letter]))]))
    if function.accepts == "dd":
        arguments[1] = ref(draw(st.sampled_from([5, 6])))
    argument, *others = arguments
    distinct = function.duplicates_matter and draw(st.booleans())
    order: list[SortKey] = []
    if name.startswith("quantile") and draw(st.booleans()):
        order = [SortKey(expression=argument, descending=True, nulls_first=True)]
    elif function.order_matters:
        places = [argument] if distinct else [ref(draw(st.integers(3, 6))) for _ in range(draw(st.integers(0, 2)))]
        order = [SortKey(expression=e, descending=draw(st.booleans()), nulls_first=draw(st.booleans())) for e in places]
    condition = Comparison(operator="=", left=ref(2), right=Literal(value=1, type=INTEGER))
    return AggregateCall(
        name=name,
        argument=argument,
        others=tuple(others),
        order=tuple(order),
        distinct=distinct,
        filter=condition if draw(st.booleans()) else None,
        type=function.result_type(argument.type),
    )


def plain(rows: Iterable[Sequence[Any]]) -> Counter[tuple[Any, ...]]:
    """The rows as a bag, doubles rounded: sums of squares are exact in the oracle only."""
    return Counter(tuple(_plain(value) for value in row) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 9) + 0.0
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value


def aggregate(
    rows: Sequence[Any], keys: Sequence[Expression], aggregates: Sequence[AggregateCall], sets: Sequence[Any] = ()
) -> HashAggregate:
    return HashAggregate(
        nodes=single(0), rows=1, cost=0, table=9, input=scan(0, TYPES, rows), keys=tuple(keys),
        aggregates=tuple(aggregates), sets=tuple(sets),
    )  # fmt: skip


def check(path: HashAggregate, rows: Sequence[Any], batch_rows: int) -> None:
    positions = range(len(path.keys) + len(path.aggregates))
    iterator = HashAggregateIterator(path, ScanIterator(scan(0, TYPES, rows), batch_rows), positions, batch_rows)
    found = drain(iterator, batch_rows)
    expected = [tuple(row.values()) for row in naive.rows(naive.as_relational(path))]
    assert plain(found) == plain(expected)


@settings(max_examples=400, deadline=None)
@given(st.lists(ROWS, max_size=20), st.integers(0, 2), st.lists(calls(), min_size=1, max_size=4), st.data())
def test_aggregates(rows: list[Any], key_count: int, aggregates: list[AggregateCall], data: st.DataObject) -> None:
    keys = KEYS[:key_count]
    path = aggregate(rows, keys, aggregates)
    check(path, rows, data.draw(st.sampled_from([1, 3, 1000])))

    # The same from two states that are merged.
    at = data.draw(st.integers(0, len(rows)))
    columns = [ColumnId(0, place) for place in range(len(TYPES))]
    states = [GroupedRows(keys, aggregates, columns) for _ in range(2)]
    for state, part in zip(states, (rows[:at], rows[at:]), strict=True):
        if part:
            state.update(batch_of(part, TYPES))
    states[0].merge(states[1])
    merged = rows_of(states[0].final()) if len(states[0]) else []
    assert plain(merged) == plain(tuple(row.values()) for row in naive.rows(naive.as_relational(path)))


SETS = list(chain.from_iterable(combinations(range(3), length) for length in range(4)))


@settings(max_examples=400, deadline=None)
@given(
    st.lists(ROWS, max_size=20),
    st.lists(st.sampled_from(SETS), min_size=2, max_size=6),
    st.lists(calls() | st.sampled_from("csmg"), min_size=1, max_size=4),
    st.sampled_from([1, 3, 1000]),
    st.data(),
)
def test_grouping_sets(
    rows: list[Any], sets: list[Any], drawn: list[Any], batch_rows: int, data: st.DataObject
) -> None:
    aggregates = []
    for call in drawn:
        if call == "g":
            others = tuple(data.draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=3)))
            call = AggregateCall(
                name="grouping", argument=None, others=others, distinct=False, filter=None, type=BIGINT
            )
        elif isinstance(call, str):
            name = {"c": "count", "s": "sum", "m": "max"}[call]
            place = 4 if call == "m" else 3
            distinct = call != "m" and data.draw(st.booleans())
            type_ = VARCHAR if call == "m" else BIGINT
            call = AggregateCall(name=name, argument=ref(place), distinct=distinct, filter=None, type=type_)
        aggregates.append(call)
    check(aggregate(rows, KEYS, aggregates, sets), rows, batch_rows)


def test_only_the_sets_that_lie_in_no_other_see_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    updates = []
    update = GroupedRows.update

    def counted(self: GroupedRows, batch: Any) -> None:
        updates.append(len(self._keys))
        update(self, batch)

    monkeypatch.setattr(GroupedRows, "update", counted)
    rows = [(1, "a", 0, 1, "x", 0.5, 0.5), (1, "b", 1, 2, "x", 0.5, 0.5)]
    count = AggregateCall(name="count", argument=None, distinct=False, filter=None, type=BIGINT)
    check(aggregate(rows, KEYS, [count], [(0, 1, 2), (0, 1), (0,), ()]), rows, 10)
    assert updates == [3]
    updates.clear()
    check(aggregate(rows, KEYS, [count], [(0,), (1,), ()]), rows, 10)
    assert updates == [1, 1]


@pytest.mark.parametrize("name", ["var_pop", "stddev_samp"])
def test_variance_of_values_far_from_zero(name: str) -> None:
    state = MomentState()
    values = batch_of([(1e9 + part,) for part in (4.0, 7.0, 13.0, 16.0)], [DOUBLE]).columns
    for start in range(0, 4, 2):
        state.update(Grouping(None, 2, 1), [values[0].slice(start, start + 2)])
    column = moment_column(name, state.final(1))
    assert column.values[0] == {"var_pop": 22.5, "stddev_samp": 30.0**0.5}[name]


def test_many_groups_that_become_one() -> None:
    fine, coarse = MomentState(), MomentState()
    numbers = [float(number % 97) for number in range(1000)]
    column = batch_of([(number,) for number in numbers], [DOUBLE]).columns[0]
    ids = batch_of([(number,) for number in range(1000)], [BIGINT]).columns[0].values
    fine.update(Grouping(ids, 1000, 1000), [column])
    coarse.merge(fine, ids * 0, 1)
    mean = sum(numbers) / 1000
    variance = sum((number - mean) ** 2 for number in numbers) / 1000
    assert abs(moment_column("var_pop", coarse.final(1)).values[0] - variance) < 1e-9


def test_a_fraction_outside_its_range_is_an_error_at_its_place() -> None:
    span = Span("SELECT quantile_cont(x, 1.5)", 24, 27)
    fraction = Literal(value=1.5, type=DOUBLE, span=span)
    call = AggregateCall(
        name="quantile_cont", argument=ref(5), others=(fraction,), distinct=False, filter=None, type=DOUBLE
    )
    rows = [(1, "a", 0, 1, "x", 0.5, 0.5)]
    path = aggregate(rows, [], [call])
    with pytest.raises(DataError, match="from 0 to 1") as caught:
        HashAggregateIterator(path, ScanIterator(scan(0, TYPES, rows), 10), [0], 10).open()
    assert caught.value.span == span


def test_interpolation_leaves_infinities_alone() -> None:
    call = AggregateCall(
        name="quantile_cont", argument=ref(5), others=(Literal(value=0.5, type=DOUBLE),), distinct=False, filter=None,
        type=DOUBLE,
    )  # fmt: skip
    infinity = float("inf")
    rows = [(1, "a", 0, 1, "x", value, 0.5) for value in (infinity, infinity, 1.0, infinity)]
    state = GroupedRows([], [call], [ColumnId(0, place) for place in range(len(TYPES))])
    state.update(batch_of(rows, TYPES))
    column: Column = state.final().columns[0]
    assert column.values.tolist() == [infinity]
