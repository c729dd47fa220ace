"""Hash joins and nested-loop joins against joins row by row."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minisql.columnar.column import Array, Batch
from minisql.datatypes import BIGINT, BOOLEAN, DATE, DOUBLE, INTEGER, VARCHAR, SqlType, decimal
from minisql.execution.hash_join import HashJoinIterator
from minisql.execution.joined_rows import PairFilter
from minisql.execution.nested_loop_join import NestedLoopJoinIterator
from minisql.expression.nodes import (
    And,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    IsDistinctFrom,
    Literal,
    Or,
    Value,
)
from minisql.node_set import node_set
from minisql.optimizer.access_path import HashJoin, JoinKey, NestedLoopJoin, TableScan
from minisql.relational.relational_expression import JoinType
from tests import naive
from tests.operators import ScanIterator, drain, scan

VALUES: dict[SqlType, list[Value]] = {
    INTEGER: [0, 1, 2, None],
    BIGINT: [0, 1, 2**62, -(2**63), None],
    BOOLEAN: [True, False, None],
    DOUBLE: [0.0, -0.0, 1.5, None],
    decimal(12, 2): [Decimal("1.50"), Decimal("-2.00"), None],
    decimal(38, 0): [Decimal(1), Decimal(10**30), Decimal(-(10**30)), None],
    VARCHAR: ["", "a", "ab", "abcdefghij", None],
    DATE: [datetime.date(2013, 1, 1), datetime.date(2013, 1, 2), None],
}
TYPES = st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=3)


def ref(table: int, place: int, type_: SqlType) -> ColumnRef:
    return ColumnRef(column=ColumnId(table, place), name=f"t{table}.c{place}", type=type_)


def hash_join(
    type_: JoinType, left: TableScan, right: TableScan, build_left: bool, null_safe: Sequence[bool], residual: bool
) -> HashJoin:
    """A join on all columns but the last, and where `residual` on a comparison of the last."""
    types = [definition.type for definition in left.source.columns]
    keys = [
        JoinKey(left=ref(0, place, key), right=ref(1, place, key), null_safe=safe)
        for place, (key, safe) in enumerate(zip(types[:-1], null_safe, strict=True))
    ]
    last = len(types) - 1
    condition = Comparison(operator="<=", left=ref(0, last, INTEGER), right=ref(1, last, INTEGER))
    conditions: tuple[Expression, ...] = (condition,) if residual else ()
    return HashJoin(
        nodes=node_set([0, 1]), rows=0, cost=0, type=type_, left=left, right=right, build_left=build_left,
        keys=tuple(keys), residual=conditions,
    )  # fmt: skip


def run(path: HashJoin | NestedLoopJoin, columns: Sequence[ColumnId], batch_rows: int) -> list[tuple[Value, ...]]:
    assert isinstance(path.left, TableScan)
    assert isinstance(path.right, TableScan)
    left, right = ScanIterator(path.left, batch_rows), ScanIterator(path.right, batch_rows)
    types = {ColumnId(s.table, p): d.type for s in (path.left, path.right) for p, d in enumerate(s.source.columns)}
    join: HashJoinIterator | NestedLoopJoinIterator
    if isinstance(path, HashJoin):
        join = HashJoinIterator(path, left, right, tuple(columns), types, batch_rows)
    else:
        join = NestedLoopJoinIterator(path, left, right, tuple(columns), types, batch_rows)
    rows = drain(join, batch_rows)
    assert left.closed
    assert right.closed
    return rows


@st.composite
def inputs(draw: st.DrawFn) -> tuple[list[SqlType], list[Any], list[Any]]:
    types = [*draw(TYPES), INTEGER]
    row = st.tuples(*[st.sampled_from(VALUES[type_]) for type_ in types])
    most = draw(st.sampled_from([3, 12]))
    return types, draw(st.lists(row, max_size=most)), draw(st.lists(row, max_size=most))


@settings(max_examples=400, deadline=None)
@given(
    inputs(), st.sampled_from(JoinType), st.booleans(), st.lists(st.booleans(), min_size=3, max_size=3), st.booleans(),
    st.sampled_from([1, 2, 5, 1000]), st.data(),
)  # fmt: skip
def test_hash_joins(
    drawn: tuple[list[SqlType], list[Any], list[Any]],
    type_: JoinType,
    build_left: bool,
    null_safe: list[bool],
    residual: bool,
    batch_rows: int,
    data: st.DataObject,
) -> None:
    types, left, right = drawn
    safe = null_safe[: len(types) - 1]
    path = hash_join(type_, scan(0, types, left), scan(1, types, right), build_left, safe, residual)
    relation = naive.as_relational(path)
    columns = data.draw(st.permutations(naive.columns(relation)))
    columns = columns[: data.draw(st.integers(0, len(columns)))]
    assert Counter(run(path, columns, batch_rows)) == naive.bag(relation, columns)


CONDITIONS: list[tuple[Expression, ...]] = [
    (),
    (Comparison(operator="<", left=ref(0, 1, INTEGER), right=ref(1, 1, INTEGER)),),
    (
        Or(
            operands=(
                Comparison(operator="=", left=ref(0, 0, INTEGER), right=ref(1, 0, INTEGER)),
                Comparison(operator="=", left=ref(0, 1, INTEGER), right=ref(1, 1, INTEGER)),
            )
        ),
    ),
    (
        Or(
            operands=(
                And(
                    operands=(
                        Comparison(operator="=", left=ref(0, 0, INTEGER), right=ref(1, 0, INTEGER)),
                        IsDistinctFrom(left=ref(1, 1, INTEGER), right=ref(0, 1, INTEGER), negated=True),
                    )
                ),
                IsDistinctFrom(left=ref(0, 0, INTEGER), right=ref(1, 1, INTEGER), negated=True),
                And(
                    operands=(
                        Comparison(operator="=", left=ref(0, 1, INTEGER), right=ref(1, 0, INTEGER)),
                        Comparison(operator="<", left=ref(0, 0, INTEGER), right=ref(1, 1, INTEGER)),
                    )
                ),
            )
        ),
        Comparison(operator="<>", left=ref(0, 1, INTEGER), right=Literal(value=2, type=INTEGER)),
    ),
    (Comparison(operator="=", left=ref(0, 0, INTEGER), right=ref(1, 0, INTEGER)),),
    (Comparison(operator="=", left=ref(0, 0, INTEGER), right=Literal(value=1, type=INTEGER)),),
    (
        Comparison(operator="<=", left=ref(1, 0, INTEGER), right=Literal(value=1, type=INTEGER)),
        Comparison(operator="<>", left=ref(0, 1, INTEGER), right=ref(1, 1, INTEGER)),
    ),
    (Literal(value=False, type=BOOLEAN),),
]
ROWS = st.lists(st.tuples(st.integers(0, 2) | st.none(), st.integers(0, 3) | st.none()), max_size=9)


@settings(max_examples=300, deadline=None)
@given(
    ROWS, ROWS, st.sampled_from(JoinType), st.sampled_from(CONDITIONS), st.sampled_from([1, 2, 5, 7, 1000]), st.data()
)
def test_nested_loop_joins(
    left: list[Any],
    right: list[Any],
    type_: JoinType,
    conditions: tuple[Expression, ...],
    batch_rows: int,
    data: st.DataObject,
) -> None:
    types = [INTEGER, INTEGER]
    path = NestedLoopJoin(
        nodes=node_set([0, 1]), rows=0, cost=0, type=type_, left=scan(0, types, left), right=scan(1, types, right),
        conditions=conditions,
    )  # fmt: skip
    relation = naive.as_relational(path)
    columns = data.draw(st.permutations(naive.columns(relation)))
    columns = columns[: data.draw(st.integers(0, len(columns)))]
    assert Counter(run(path, columns, batch_rows)) == naive.bag(relation, columns)


@pytest.mark.parametrize("build_left", [False, True])
def test_nan_equals_itself_and_the_zeros_are_one(build_left: bool) -> None:
    rows = [(math.nan, 1), (-0.0, 2), (1.0, 3)]
    left, right = scan(0, [DOUBLE, INTEGER], rows), scan(1, [DOUBLE, INTEGER], [(-math.nan, 4), (0.0, 5), (None, 6)])
    path = hash_join(JoinType.FULL, left, right, build_left, [False], residual=False)
    found = run(path, [ColumnId(0, 1), ColumnId(1, 1)], 10)
    assert Counter(found) == Counter([(1, 4), (2, 5), (3, None), (None, 6)])


@pytest.mark.parametrize("build_left", [False, True])
def test_keys_of_different_widths_compare_as_numbers(build_left: bool) -> None:
    left, right = scan(0, [INTEGER], [(1,), (-1,)]), scan(1, [BIGINT], [(1,), (2**32 - 1,), (2**32 + 1,)])
    key = JoinKey(left=ref(0, 0, INTEGER), right=ref(1, 0, BIGINT), null_safe=False)
    path = HashJoin(
        nodes=node_set([0, 1]), rows=0, cost=0, type=JoinType.INNER, left=left, right=right, build_left=build_left,
        keys=(key,), residual=(),
    )  # fmt: skip
    assert run(path, [ColumnId(0, 0), ColumnId(1, 0)], 10) == [(1, 1)]


def test_one_probe_row_with_more_matches_than_a_batch_holds() -> None:
    left = scan(0, [INTEGER, INTEGER], [(7, 0), (8, 1), (7, 2)])
    right = scan(1, [INTEGER, INTEGER], [(7, n) for n in range(25)] + [(8, 25)])
    path = hash_join(JoinType.FULL, left, right, False, [False], residual=False)
    found = run(path, [ColumnId(0, 1), ColumnId(1, 1)], 10)
    assert Counter(found) == Counter([(a, n) for a in (0, 2) for n in range(25)] + [(1, 25)])


def test_without_build_rows_an_inner_join_does_not_read_the_probe_side() -> None:
    path = hash_join(JoinType.INNER, scan(0, [INTEGER, INTEGER], [(1, 1)]), scan(1, [INTEGER, INTEGER], []), False,
                     [False], residual=False)  # fmt: skip
    assert isinstance(path.left, TableScan)
    assert isinstance(path.right, TableScan)
    left, right = ScanIterator(path.left, 1), ScanIterator(path.right, 1)
    join = HashJoinIterator(path, left, right, (), {}, 1)
    join.open()
    assert not left.is_open
    assert join.next() is None
    join.close()


def test_a_join_can_be_closed_at_any_time() -> None:
    path = hash_join(JoinType.FULL, scan(0, [INTEGER, INTEGER], [(1, 1)] * 3), scan(1, [INTEGER, INTEGER], [(1, 1)]),
                     False, [False], residual=False)  # fmt: skip
    assert isinstance(path.left, TableScan)
    assert isinstance(path.right, TableScan)
    left, right = ScanIterator(path.left, 1), ScanIterator(path.right, 1)
    join = HashJoinIterator(path, left, right, (), {}, 1)
    join.close()
    left, right = ScanIterator(path.left, 1), ScanIterator(path.right, 1)
    join = HashJoinIterator(path, left, right, (), {}, 1)
    join.open()
    assert join.next() is not None
    assert join.held_bytes() > 0
    join.close()
    assert join.held_bytes() == 0
    assert left.closed
    assert right.closed


def test_a_disjunction_of_equalities_does_not_look_at_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(number, -number) for number in range(3_000)]
    left, right = scan(0, [INTEGER, INTEGER], rows), scan(1, [INTEGER, INTEGER], rows)
    condition = Or(
        operands=(
            Comparison(operator="=", left=ref(0, 0, INTEGER), right=ref(1, 0, INTEGER)),
            Comparison(operator="=", left=ref(0, 1, INTEGER), right=ref(1, 1, INTEGER)),
        )
    )
    looked_at = 0
    real = PairFilter.passed

    def counted(self: PairFilter, held: Batch, held_rows: Array, passing: Batch, passing_rows: Array | None) -> Array:
        nonlocal looked_at
        looked_at += len(held_rows)
        return real(self, held, held_rows, passing, passing_rows)

    monkeypatch.setattr(PairFilter, "passed", counted)
    path = NestedLoopJoin(nodes=node_set([0, 1]), rows=0, cost=0, type=JoinType.FULL, left=left, right=right,
                          conditions=(condition,))  # fmt: skip
    assert len(run(path, [ColumnId(0, 0)], 1_000)) == 3_000
    assert looked_at == 3_000
