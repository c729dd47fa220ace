"""Aggregates against Python over lists of rows, in one piece and merged from two."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minisql.datatypes import (
    BIGINT,
    BLOB,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    VARCHAR,
    SqlType,
    decimal,
    sum_type,
)
from minisql.errors import DataError, Span
from minisql.execution.aggregate import GroupedRows, HashAggregateIterator
from minisql.execution.kernels import string_order
from minisql.expression.nodes import AggregateCall, ColumnId, ColumnRef, Comparison, Expression, Literal, Value
from minisql.node_set import single
from minisql.optimizer.access_path import HashAggregate
from tests import naive
from tests.operators import ScanIterator, batch_of, drain, rows_of, scan

BIG = 2**63
VALUES: dict[SqlType, st.SearchStrategy[Value]] = {
    INTEGER: st.integers(-2, 2) | st.integers(-(2**31), 2**31 - 1),
    BIGINT: st.integers(-2, 2) | st.integers(-BIG, BIG - 1) | st.sampled_from([BIG - 1, -BIG]),
    decimal(12, 2): st.decimals(-(10**9), 10**9, places=2),
    decimal(38, 1): st.sampled_from([Decimal(10**30), Decimal(-(10**30)), Decimal("0.5"), Decimal(10**18)]),
    DOUBLE: st.sampled_from([0.5, -0.25, 1e10, -3.0, 2.0**60]),
    BOOLEAN: st.booleans(),
    VARCHAR: st.sampled_from(["", "a", "a\0", "ab", "abcdefgh", "abcdefghi", "abcdefghj", "b", "z" * 1030, "z" * 1031]),
    DATE: st.dates(),
    TIMESTAMP: st.datetimes(),
    TIME: st.times(),
    TIMESTAMPTZ: st.datetimes(timezones=st.just(datetime.UTC)),
    BLOB: st.sampled_from([b"", b"\xff", b"a", b"\xff\0", b"\xff" * 9]),
}
KEYS = [INTEGER, VARCHAR, BOOLEAN, BIGINT]


def ref(place: int, type_: SqlType) -> ColumnRef:
    return ColumnRef(column=ColumnId(0, place), name=f"c{place}", type=type_)


def call(name: str, argument: ColumnRef | None, distinct: bool = False, filter_: Expression | None = None,
         span: Span | None = None) -> AggregateCall:  # fmt: skip
    if name == "count" or argument is None:
        type_ = BIGINT
    elif name == "avg":
        type_ = DOUBLE
    else:
        type_ = sum_type(argument.type) if name == "sum" else argument.type
    return AggregateCall(name=name, argument=argument, distinct=distinct, filter=filter_, type=type_, span=span)


def aggregate(source: Any, keys: Sequence[Expression], calls: Sequence[AggregateCall]) -> HashAggregate:
    return HashAggregate(
        nodes=single(0), rows=1, cost=0, table=9, input=source, keys=tuple(keys), aggregates=tuple(calls)
    )


def is_number(type_: SqlType) -> bool:
    return type_.is_numeric


@st.composite
def grouped(draw: st.DrawFn) -> tuple[list[SqlType], list[Any], list[Expression], list[AggregateCall]]:
    """Types of columns (keys, an INTEGER to filter by, arguments), rows, keys and calls."""
    key_types = draw(st.lists(st.sampled_from(KEYS), max_size=2))
    argument_types = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=2))
    types = [*key_types, INTEGER, *argument_types]
    small: dict[SqlType, st.SearchStrategy[Value]] = {INTEGER: st.integers(0, 2), VARCHAR: st.sampled_from("ab"),
                                                      BOOLEAN: st.booleans(), BIGINT: st.integers(0, 1)}  # fmt: skip
    row = st.tuples(
        *[small[type_] | st.none() for type_ in key_types],
        st.integers(0, 1) | st.none(),
        *[VALUES[type_] | st.none() for type_ in argument_types],
    )
    rows = draw(st.lists(row, max_size=draw(st.sampled_from([4, 25]))))
    condition = Comparison(operator="=", left=ref(len(key_types), INTEGER), right=Literal(value=1, type=INTEGER))
    calls = []
    for _ in range(draw(st.integers(0 if key_types else 1, 4))):
        filter_ = condition if draw(st.booleans()) else None
        place = len(key_types) + 1 + draw(st.integers(0, len(argument_types) - 1))
        names = ["count", "min", "max", *(["sum", "avg"] if is_number(types[place]) else [])]
        name = draw(st.sampled_from(names))
        if name == "count" and draw(st.booleans()):
            calls.append(call("count", None, False, filter_))
        else:
            calls.append(call(name, ref(place, types[place]), draw(st.booleans()), filter_))
    keys: list[Expression] = [ref(place, type_) for place, type_ in enumerate(key_types)]
    return types, rows, keys, calls


@settings(max_examples=400, deadline=None)
@given(grouped(), st.sampled_from([1, 2, 5, 1000]), st.booleans(), st.data())
def test_aggregates(
    drawn: tuple[list[SqlType], list[Any], list[Expression], list[AggregateCall]],
    batch_rows: int,
    whole_pools: bool,
    data: st.DataObject,
) -> None:
    types, rows, keys, calls = drawn
    path = aggregate(scan(0, types, rows), keys, calls)
    wanted = naive.columns(naive.as_relational(path))
    wanted = wanted[: len(keys)] + [column for column in wanted[len(keys) :] if data.draw(st.booleans())]
    wanted = data.draw(st.permutations(wanted))
    with pytest.MonkeyPatch.context() as patch:
        if not whole_pools:
            patch.setattr(string_order, "is_dictionary", lambda pool, rows: False)
        source = ScanIterator(scan(0, types, rows), batch_rows)
        iterator = HashAggregateIterator(path, source, [column.position for column in wanted], batch_rows)
        found = drain(iterator, batch_rows)
    assert iterator.columns == tuple(wanted)
    assert Counter(found) == naive.bag(naive.as_relational(path), wanted)

    # The same from two states that are merged.
    at = data.draw(st.integers(0, len(rows)))
    columns = [ColumnId(0, place) for place in range(len(types))]
    states = [GroupedRows(keys, calls, columns) for _ in range(2)]
    for state, part in zip(states, (rows[:at], rows[at:]), strict=True):
        for start in range(0, len(part), batch_rows):
            state.update(batch_of(part[start : start + batch_rows], types))
    states[0].merge(states[1])
    merged = rows_of(states[0].final()) if len(states[0]) else []
    assert Counter(merged) == naive.bag(naive.as_relational(path))


def run(types: Sequence[SqlType], rows: Sequence[Any], keys: Sequence[Expression], *calls: AggregateCall) -> list[Any]:
    path = aggregate(None, keys, calls)
    iterator = HashAggregateIterator(path, ScanIterator(scan(0, types, rows), 3), range(len(keys) + len(calls)), 10)
    return drain(iterator, 10)


def test_no_rows_give_one_row_without_keys_and_none_with_keys() -> None:
    number = ref(0, INTEGER)
    assert run([INTEGER], [], [], call("count", None), call("sum", number), call("min", number)) == [(0, None, None)]
    assert run([INTEGER], [], [number], call("count", None)) == []


@pytest.mark.parametrize("grouped_", [False, True])
def test_sums_of_bigints_never_wrap(grouped_: bool) -> None:
    keys: list[Expression] = [ref(1, INTEGER)] if grouped_ else []
    rows = [(BIG - 1, 1)] * 9 + [(-BIG, 1)] * 2
    (found,) = run([BIGINT, INTEGER], rows, keys, call("sum", ref(0, BIGINT)), call("avg", ref(0, BIGINT)))
    total = 9 * (BIG - 1) - 2 * BIG
    assert found[-2:] == (Decimal(total), total / 11)


def test_a_sum_beyond_its_type_is_an_error_at_its_place() -> None:
    largest = Decimal(10**38 - 1)
    span = Span("SELECT sum(x)", 7, 13)
    type_ = decimal(38, 0)
    with pytest.raises(DataError) as caught:
        run([type_], [(largest,), (largest,)], [], call("sum", ref(0, type_), span=span))
    assert caught.value.span == span


def test_averages_are_rounded_once() -> None:
    type_ = decimal(18, 2)
    rows = [(Decimal("90071992547409.93"),), (Decimal("0.01"),), (Decimal("0.01"),)]
    (found,) = run([type_], rows, [], call("avg", ref(0, type_)))
    assert found == (float(sum(Fraction(value) for (value,) in rows) / 3),)


def test_the_least_decimal_beyond_64_bits() -> None:
    type_ = decimal(38, 0)
    rows = [(Decimal(10**30),), (Decimal(10**31),)]
    assert run([type_], rows, [], call("min", ref(0, type_))) == [(Decimal(10**30),)]


def test_nan_is_greater_than_every_number() -> None:
    number = ref(0, DOUBLE)
    rows = [(math.nan, 1), (math.inf, 1), (-math.inf, 1), (math.nan, 2), (None, 3)]
    found = run([DOUBLE, INTEGER], rows, [ref(1, INTEGER)], call("min", number), call("max", number))
    assert repr(found) == repr([(1, -math.inf, math.nan), (2, math.nan, math.nan), (3, None, None)])
    assert repr(run([DOUBLE], [(math.nan,), (1.0,)], [], call("min", number), call("sum", number))) == "[(1.0, nan)]"


def test_infinite_sums_are_values() -> None:
    number = ref(0, DOUBLE)
    assert run([DOUBLE], [(1e308,), (1e308,)], [], call("sum", number)) == [(math.inf,)]
    found = run([DOUBLE, INTEGER], [(math.inf, 1), (-math.inf, 1)], [ref(1, INTEGER)], call("sum", number))
    assert repr(found) == "[(1, nan)]"


def test_a_filter_keeps_an_argument_from_being_computed() -> None:
    from minisql.expression.nodes import Arithmetic

    divisor = ref(0, INTEGER)
    quotient = Arithmetic(operator="/", left=Literal(value=6, type=INTEGER), right=divisor, type=INTEGER)
    positive = Comparison(operator=">", left=divisor, right=Literal(value=0, type=INTEGER))
    total = AggregateCall(name="sum", argument=quotient, distinct=False, filter=positive, type=BIGINT)
    assert run([INTEGER], [(0,), (2,), (3,)], [], total) == [(5,)]


def test_strings_of_many_batches_are_kept_in_few() -> None:
    state = GroupedRows([], [call("max", ref(0, VARCHAR))], [ColumnId(0, 0)])
    for start in range(3_000):
        state.update(batch_of([(f"{start:05}",), (f"{start - 7:05}",)], [VARCHAR]))
    assert state.nbytes < 50_000
    assert rows_of(state.final()) == [("02999",)]


def test_groups_come_in_the_order_of_their_first_rows() -> None:
    rows = [(datetime.date(2020, 1, day),) for day in (5, 3, 5, 9, 1, 3)]
    found = run([DATE], rows, [ref(0, DATE)], call("count", None))
    assert [row[0].day for row in found] == [5, 3, 9, 1]
