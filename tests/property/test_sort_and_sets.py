"""Sorting, limits and set operations against Python over lists of rows."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from decimal import Decimal
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
    TIMESTAMPTZ,
    VARCHAR,
    SqlType,
    decimal,
)
from minisql.execution.build_iterators import build_iterators
from minisql.execution.kernels import sort_order, string_order
from minisql.expression.nodes import ColumnId, ColumnRef, SortKey, Value
from minisql.node_set import single
from minisql.optimizer.access_path import AccessPath, Limit, SetOperation, Sort
from minisql.relational.relational_expression import SetOperator
from minisql.settings import Settings
from tests import naive
from tests.operators import drain, scan

BIG = 2**63
VALUES: dict[SqlType, list[Value]] = {
    INTEGER: [0, 1, -(2**31), 2**31 - 1],
    BIGINT: [0, 1, BIG - 1, -BIG],
    BOOLEAN: [True, False],
    DOUBLE: [0.0, -0.5, 1.5, -math.inf, math.inf, 1e-300],
    decimal(12, 2): [Decimal("1.50"), Decimal("-2.00")],
    decimal(38, 0): [Decimal(1), Decimal(10**30), Decimal(-(10**30))],
    VARCHAR: ["", "a", "a\0", "abcdefgh", "abcdefghi", "abcdefghj", "\u00e9", "\uffff", "\U00010000"],
    DATE: [datetime.date(2013, 1, 1), datetime.date(1, 1, 2)],
    TIME: [datetime.time(0), datetime.time(23, 59, 59, 999_999)],
    TIMESTAMPTZ: [datetime.datetime(2013, 1, 1, tzinfo=datetime.UTC), datetime.datetime(1, 1, 2, tzinfo=datetime.UTC)],
    BLOB: [b"", b"\xff", b"a", b"a\0", b"abcdefgh\xff", b"abcdefgh\xfe"],
}
BATCH_ROWS = st.sampled_from([1, 2, 5, 1000])


def run(path: AccessPath, columns: list[ColumnId], batch_rows: int) -> list[Any]:
    iterator = build_iterators(path, columns, Settings(batch_rows=batch_rows))
    assert iterator.columns == tuple(columns)
    return drain(iterator, batch_rows)


def ref(place: int, type_: SqlType) -> ColumnRef:
    return ColumnRef(column=ColumnId(0, place), name=f"c{place}", type=type_)


@settings(max_examples=300, deadline=None)
@given(st.data(), BATCH_ROWS, st.none() | st.integers(0, 12), st.booleans())
def test_sort_and_top_n(data: st.DataObject, batch_rows: int, limit: int | None, whole_pools: bool) -> None:
    types = data.draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=3))
    row = st.tuples(*[st.sampled_from([*VALUES[type_], None]) for type_ in types])
    rows = data.draw(st.lists(row, max_size=data.draw(st.sampled_from([4, 30]))))
    # The number of a row shows that ties keep their order.
    numbered = [(*values, number) for number, values in enumerate(rows)]
    keys = tuple(
        SortKey(expression=ref(place, type_), descending=data.draw(st.booleans()), nulls_first=data.draw(st.booleans()))
        for place, type_ in enumerate(types)
    )
    path = Sort(nodes=single(0), rows=1, cost=0, input=scan(0, [*types, INTEGER], numbered), keys=keys, limit=limit)
    columns = [ColumnId(0, len(types)), *data.draw(st.permutations([ColumnId(0, p) for p in range(len(types))]))]
    columns = columns[: data.draw(st.integers(1, len(columns)))]
    with pytest.MonkeyPatch.context() as patch:
        if not whole_pools:
            patch.setattr(string_order, "is_dictionary", lambda pool, rows: False)
            patch.setattr(sort_order, "_MANY_ROWS", 0)
        found = run(path, columns, batch_rows)
    wanted = naive.sort([{ColumnId(0, p): value for p, value in enumerate(row)} for row in numbered], keys)
    assert found == [tuple(row[column] for column in columns) for row in wanted[:limit]]


@pytest.mark.parametrize("limit", [None, 3])
@pytest.mark.parametrize("descending", [False, True])
def test_nan_sorts_above_all_numbers(limit: int | None, descending: bool) -> None:
    key = SortKey(expression=ref(0, DOUBLE), descending=descending, nulls_first=descending)
    source = scan(0, [DOUBLE], [(math.nan,), (math.inf,), (None,), (-math.nan,), (1.0,)])
    found = run(Sort(nodes=single(0), rows=1, cost=0, input=source, keys=(key,), limit=limit), [ColumnId(0, 0)], 2)
    ascending = [(1.0,), (math.inf,), (math.nan,), (math.nan,), (None,)]
    assert repr(found) == repr((ascending[::-1] if descending else ascending)[:limit])


@given(st.integers(0, 20), st.none() | st.integers(0, 25), st.integers(0, 25), BATCH_ROWS)
def test_limit(count: int, limit: int | None, offset: int, batch_rows: int) -> None:
    source = scan(0, [INTEGER], [(number,) for number in range(count)])
    path = Limit(nodes=single(0), rows=1, cost=0, input=source, limit=limit, offset=offset)
    stop = None if limit is None else offset + limit
    assert run(path, [ColumnId(0, 0)], batch_rows) == [(number,) for number in range(count)][offset:stop]


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(SetOperator), st.booleans(), BATCH_ROWS)
def test_set_operations(data: st.DataObject, operator: SetOperator, all_: bool, batch_rows: int) -> None:
    types = data.draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=3))
    row = st.tuples(*[st.sampled_from([*VALUES[type_][:2], None]) for type_ in types])
    left, right = data.draw(st.lists(row, max_size=12)), data.draw(st.lists(row, max_size=12))
    places = range(len(types))
    path = SetOperation(
        nodes=single(0), rows=1, cost=0, table=7, operator=operator, all=all_,
        left=scan(0, types, left), right=scan(1, types[::-1], [row[::-1] for row in right]),
        left_columns=tuple(ColumnId(0, p) for p in places),
        right_columns=tuple(ColumnId(1, p) for p in reversed(places)),
        names=tuple(f"c{p}" for p in places), types=tuple(types),
    )  # fmt: skip
    columns = data.draw(st.permutations([ColumnId(7, p) for p in places]))
    columns = columns[: data.draw(st.integers(0, len(columns)))]
    assert Counter(run(path, columns, batch_rows)) == naive.bag(naive.as_relational(path), columns)


def test_a_chain_of_union_all_keeps_its_order() -> None:
    path: AccessPath = scan(0, [INTEGER], [(0,)])
    for number in range(1, 2_000):
        left = ColumnId(0 if number == 1 else 5_000 + number - 1, 0)
        path = SetOperation(
            nodes=single(0), rows=1, cost=0, table=5_000 + number, operator=SetOperator.UNION, all=True, left=path,
            right=scan(number, [INTEGER], [(number,)]), left_columns=(left,), right_columns=(ColumnId(number, 0),),
            names=("c",), types=(INTEGER,),
        )  # fmt: skip
    assert run(path, [ColumnId(6_999, 0)], 10) == [(number,) for number in range(2_000)]
