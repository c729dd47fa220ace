"""Whole plans: random trees of operators against the naive evaluator, deep chains, and profiles."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from minisql.columnar.column import Batch
from minisql.datatypes import BIGINT, INTEGER, VARCHAR, SqlType, sum_type
from minisql.execution.build_iterators import build_iterators
from minisql.execution.profile import Profile
from minisql.expression.nodes import (
    AggregateCall,
    Arithmetic,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    Literal,
    SortKey,
)
from minisql.expression.window import DEFAULT_FRAME, WHOLE_PARTITION, WindowCall, WindowFunction
from minisql.node_set import EMPTY, single
from minisql.optimizer.access_path import (
    AccessPath,
    Filter,
    HashAggregate,
    HashJoin,
    JoinKey,
    Limit,
    NestedLoopJoin,
    OneRow,
    Project,
    SetOperation,
    Sort,
    ValuesScan,
    Window,
)
from minisql.relational.relational_expression import JoinType, SetOperator
from minisql.settings import Settings
from tests import naive
from tests.operators import drain, scan

ESTIMATES: dict[str, Any] = {"nodes": EMPTY, "rows": 1.0, "cost": 0.0}
Columns = list[tuple[ColumnId, SqlType]]
ROWS = st.lists(st.tuples(st.integers(0, 2) | st.none(), st.sampled_from("ab") | st.none()), max_size=5)


def ref(column: tuple[ColumnId, SqlType]) -> ColumnRef:
    return ColumnRef(column=column[0], type=column[1], name=f"t{column[0].table}.c{column[0].position}")


class Plans:
    """Draws plans with the columns that they give; tables are numbered as they come."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._numbers = count()

    def plan(self, depth: int) -> tuple[AccessPath, Columns]:
        if depth == 0:
            return self._leaf()
        kinds = [self._join, self._filter, self._project, self._aggregate, self._window, self._set_operation,
                 self._sort]  # fmt: skip
        return self._draw(st.sampled_from(kinds))(depth - 1)

    def _leaf(self) -> tuple[AccessPath, Columns]:
        number, rows = next(self._numbers), self._draw(ROWS)
        columns: Columns = [(ColumnId(number, 0), INTEGER), (ColumnId(number, 1), VARCHAR)]
        if self._draw(st.booleans()):
            return scan(number, [INTEGER, VARCHAR], rows), columns
        values = tuple((Literal(value=a, type=INTEGER), Literal(value=b, type=VARCHAR)) for a, b in rows)
        return (
            ValuesScan(**ESTIMATES, table=number, alias="", names=("a", "b"), types=(INTEGER, VARCHAR), values=values),
            columns,
        )

    def _pair(self, left: Columns, right: Columns) -> tuple[ColumnRef, ColumnRef]:
        """Columns of one type, one of each side."""
        pairs = [(ref(a), ref(b)) for a in left for b in right if a[1] == b[1]]
        return self._draw(st.sampled_from(pairs))

    def _join(self, depth: int) -> tuple[AccessPath, Columns]:
        left, left_columns = self.plan(depth)
        right, right_columns = self.plan(0)
        type_ = self._draw(st.sampled_from(JoinType))
        a, b = self._pair(left_columns, right_columns)
        conditions: tuple[Expression, ...] = ()
        if self._draw(st.booleans()):
            c, d = self._pair(left_columns, right_columns)
            conditions = (Comparison(operator=self._draw(st.sampled_from(["<", "<>"])), left=c, right=d),)
        path: AccessPath
        if self._draw(st.booleans()):
            key = JoinKey(left=a, right=b, null_safe=self._draw(st.booleans()))
            path = HashJoin(**ESTIMATES, type=type_, left=left, right=right, build_left=self._draw(st.booleans()),
                            keys=(key,), residual=conditions)  # fmt: skip
        else:
            path = NestedLoopJoin(**ESTIMATES, type=type_, left=left, right=right, conditions=conditions)
        return path, left_columns if type_ in (JoinType.SEMI, JoinType.ANTI) else left_columns + right_columns

    def _filter(self, depth: int) -> tuple[AccessPath, Columns]:
        path, columns = self.plan(depth)
        a, b = self._pair(columns, columns)
        return Filter(**ESTIMATES, input=path, conditions=(Comparison(operator="<=", left=a, right=b),)), columns

    def _project(self, depth: int) -> tuple[AccessPath, Columns]:
        path, columns = self.plan(depth)
        number = next(self._numbers)
        chosen: list[Expression] = [ref(column) for column in columns[:3]]
        numbers = [ref(column) for column in columns if column[1] == INTEGER]
        if numbers:
            one = Literal(value=1, type=INTEGER)
            chosen.append(Arithmetic(operator="+", left=numbers[0], right=one, type=INTEGER))
        names = tuple(f"c{place}" for place in range(len(chosen)))
        return (
            Project(**ESTIMATES, table=number, alias="", input=path, names=names, expressions=tuple(chosen)),
            [(ColumnId(number, place), expression.type) for place, expression in enumerate(chosen)],
        )

    def _aggregate(self, depth: int) -> tuple[AccessPath, Columns]:
        path, columns = self.plan(depth)
        number = next(self._numbers)
        keys: tuple[Expression, ...] = tuple(ref(column) for column in columns[: self._draw(st.integers(0, 2))])
        calls = [AggregateCall(name="count", argument=None, distinct=False, filter=None, type=BIGINT)]
        for column in columns:
            if column[1] == INTEGER:
                calls.append(AggregateCall(name="sum", argument=ref(column), distinct=self._draw(st.booleans()),
                                           filter=None, type=sum_type(INTEGER)))  # fmt: skip
            calls.append(AggregateCall(name="max", argument=ref(column), distinct=False, filter=None, type=column[1]))
        types = [*(key.type for key in keys), *(call.type for call in calls)]
        return (
            HashAggregate(**ESTIMATES, table=number, input=path, keys=keys, aggregates=tuple(calls)),
            [(ColumnId(number, place), type_) for place, type_ in enumerate(types)],
        )

    def _window(self, depth: int) -> tuple[AccessPath, Columns]:
        """Calls whose values do not depend on the order of peers."""
        path, columns = self.plan(depth)
        number = next(self._numbers)
        calls = []
        for function in (
            WindowFunction(name="rank", arguments=(), ignore_nulls=False, type=BIGINT),
            AggregateCall(name="max", argument=ref(columns[-1]), distinct=False, filter=None, type=columns[-1][1]),
        ):
            keys = [ref(column) for column in columns[: self._draw(st.integers(0, 2))]]
            order_by = tuple(SortKey(expression=key, descending=False, nulls_first=False) for key in keys)
            partition_by = (ref(columns[0]),) if self._draw(st.booleans()) else ()
            frame = DEFAULT_FRAME if order_by else WHOLE_PARTITION
            calls.append(WindowCall(function=function, partition_by=partition_by, order_by=order_by, frame=frame))
        made = [(ColumnId(number, place), call.type) for place, call in enumerate(calls)]
        return Window(**ESTIMATES, table=number, input=path, calls=tuple(calls)), [*columns, *made]

    def _set_operation(self, depth: int) -> tuple[AccessPath, Columns]:
        left, left_columns = self.plan(depth)
        right, right_columns = self.plan(0)
        a, b = self._pair(left_columns, right_columns)
        number = next(self._numbers)
        path = SetOperation(
            **ESTIMATES, table=number, operator=self._draw(st.sampled_from(SetOperator)),
            all=self._draw(st.booleans()), left=left, right=right, left_columns=(a.column,), right_columns=(b.column,),
            names=("c",), types=(a.type,),
        )  # fmt: skip
        return path, [(ColumnId(number, 0), a.type)]

    def _sort(self, depth: int) -> tuple[AccessPath, Columns]:
        path, columns = self.plan(depth)
        keys = tuple(SortKey(expression=ref(column), descending=False, nulls_first=False) for column in columns)
        # All columns are keys: which rows are first is then certain.
        limit = self._draw(st.none() | st.integers(0, 4))
        path = Sort(**ESTIMATES, input=path, keys=keys, limit=limit)
        if self._draw(st.booleans()):
            path = Limit(**ESTIMATES, input=path, limit=self._draw(st.none() | st.integers(0, 4)), offset=1)
        return path, columns


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(0, 4), st.sampled_from([1, 3, 1000]))
def test_random_plans(data: st.DataObject, depth: int, batch_rows: int) -> None:
    path, columns = Plans(data.draw).plan(depth)
    wanted = data.draw(st.permutations([column for column, _ in columns]))
    wanted = wanted[: data.draw(st.integers(0, len(wanted)))]
    profile = Profile() if data.draw(st.booleans()) else None
    iterator = build_iterators(path, wanted, Settings(batch_rows=batch_rows), profile)
    assert iterator.columns == tuple(wanted)
    found = drain(iterator, batch_rows)
    assert Counter(found) == naive.bag(naive.as_relational(path), wanted)
    if profile is not None:
        assert profile[path].rows == len(found)


def chain(length: int, join: Any) -> tuple[AccessPath, ColumnId]:
    path: AccessPath = scan(0, [INTEGER], [(7,)])
    for number in range(1, length):
        left = ref((ColumnId(0, 0), INTEGER))
        right = ref((ColumnId(number, 0), INTEGER))
        path = join(path, scan(number, [INTEGER], [(7,)]), left, right)
    return path, ColumnId(length - 1, 0)


def test_seven_hundred_joins_in_a_chain() -> None:
    def hash_join(left: AccessPath, right: AccessPath, a: ColumnRef, b: ColumnRef) -> AccessPath:
        return HashJoin(**ESTIMATES, type=JoinType.FULL, left=left, right=right, build_left=False,
                        keys=(JoinKey(left=a, right=b, null_safe=False),), residual=())  # fmt: skip

    path, column = chain(700, hash_join)
    assert drain(build_iterators(path, [column], Settings()), 10) == [(7,)]


def test_a_profile_has_every_operator_that_ran() -> None:
    first = scan(0, [INTEGER], [(number,) for number in range(10)])
    second = scan(1, [INTEGER], [])
    join = NestedLoopJoin(**ESTIMATES, type=JoinType.INNER, left=first, right=second, conditions=())
    profile = Profile()
    assert drain(build_iterators(join, [], Settings(batch_rows=4), profile), 4) == []
    assert first not in profile
    assert (profile[second].rows, profile[join].rows, profile[join].batches) == (0, 0, 0)
    profile = Profile()
    iterator = build_iterators(first, [ColumnId(0, 0)], Settings(batch_rows=4), profile)
    assert len(drain(iterator, 4)) == 10
    assert (profile[first].rows, profile[first].batches) == (10, 3)
    assert profile[first].seconds > 0


def test_a_query_without_tables() -> None:
    one = Project(**ESTIMATES, table=1, alias="", input=OneRow(**ESTIMATES), names=("x",),
                  expressions=(Literal(value=1, type=INTEGER),))  # fmt: skip
    assert drain(build_iterators(one, [ColumnId(1, 0)], Settings()), 10) == [(1,)]


def test_operators_that_hold_rows_tell_how_many_bytes() -> None:
    rows = [(number,) for number in range(1_000)]
    key = SortKey(expression=ref((ColumnId(0, 0), INTEGER)), descending=False, nulls_first=False)
    iterator = build_iterators(
        Sort(nodes=single(0), rows=1, cost=0, input=scan(0, [INTEGER], rows), keys=(key,), limit=None),
        [ColumnId(0, 0)],
        Settings(),
    )
    iterator.open()
    assert iterator.held_bytes() >= 4_000
    batch = iterator.next()
    assert isinstance(batch, Batch)
    iterator.close()
    assert iterator.held_bytes() == 0
