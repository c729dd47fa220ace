"""The fan-out of joins as EXPLAIN ANALYZE measures it, against a count over all pairs of the rows of both sides."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minisql
from minisql.datatypes import INTEGER
from minisql.execution.build_iterators import build_iterators
from minisql.execution.fan_out import FanOut
from minisql.execution.profile import Profile
from minisql.explain.plan_description import NodeDescription, describe_plan
from minisql.expression.nodes import ColumnId, Value
from minisql.optimizer.access_path import AccessPath, Apply, HashJoin, NestedLoopJoin
from minisql.optimizer.find_best_plan import find_best_plan
from minisql.relational.relational_expression import ApplyType, Join, JoinType
from minisql.settings import Settings
from tests import naive
from tests.naive import Row
from tests.operators import scan
from tests.property.test_joins import CONDITIONS, hash_join, inputs
from tests.random_joins import random_tree


def measured(path: AccessPath, batch_rows: int, columns: Sequence[ColumnId] | None = None) -> NodeDescription:
    """The description of a plan that was run."""
    profile = Profile()
    columns = naive.columns(naive.as_relational(path)) if columns is None else columns
    iterator = build_iterators(path, columns, Settings(batch_rows=batch_rows), profile)
    iterator.open()
    while iterator.next() is not None:
        pass
    iterator.close()
    return describe_plan(path, profile)


class Counted:
    """The fan-out of a join by brute force; `passing_is_read` tells whether the side that is not held was."""

    def __init__(self, path: HashJoin | NestedLoopJoin, passing_is_read: bool) -> None:
        relation = naive.as_relational(path)
        assert isinstance(relation, Join)
        held = 0 if isinstance(path, HashJoin) and path.build_left else 1
        sides = [naive.rows(relation.left), naive.rows(relation.right)]
        if not passing_is_read:
            sides[1 - held] = []
        left, right = sides
        pairs = [
            (i, j)
            for i, a in enumerate(left)
            for j, b in enumerate(right)
            if naive.holds(relation.conditions, {**a, **b})
        ]
        matches = [Counter(i for i, _ in pairs), Counter(j for _, j in pairs)]
        keys = path.keys if isinstance(path, HashJoin) else ()
        of_rows = [
            [
                key_of([key.right if side else key.left for key in keys], [key.null_safe for key in keys], row)
                for row in rows
            ]
            for side, rows in enumerate(sides)
        ]
        nulls = [keys_of_side.count(None) if sides[held] else 0 for keys_of_side in of_rows]
        self.counts = (
            (len(left), len(right)),
            len(pairs),
            tuple(max(each.values(), default=0) for each in matches),
            (len(left) - len(matches[0]), len(right) - len(matches[1])),
            tuple(nulls),
        )
        by_key = Counter(of_rows[0][i] for i, _ in pairs)
        self.keys = {
            key: (of_rows[0].count(key), of_rows[1].count(key), by_key[key])
            for key in by_key
            if keys and by_key[key] > 1
        }

    def check(self, found: FanOut) -> None:
        counts = (
            (found.left_rows, found.right_rows),
            found.pairs,
            (found.left_most, found.right_most),
            (found.left_unmatched, found.right_unmatched),
            (found.left_null_keys, found.right_null_keys),
        )
        assert counts == self.counts
        most = sorted((pairs for _, _, pairs in self.keys.values()), reverse=True)[:3]
        assert [key.pairs for key in found.worst_keys] == most
        worst = {normal(key.values): (key.left_rows, key.right_rows, key.pairs) for key in found.worst_keys}
        assert len(worst) == len(found.worst_keys)
        assert worst.items() <= self.keys.items()


def key_of(expressions: Sequence[Any], null_safe: Sequence[bool], row: Row) -> tuple[Any, ...] | None:
    """The key of a row, None where it equals nothing."""
    values = [naive.evaluate(expression, row) for expression in expressions]
    if any(value is None and not safe for value, safe in zip(values, null_safe, strict=True)):
        return None
    return normal(values)


def normal(values: Sequence[Value]) -> tuple[Any, ...]:
    """A key whose equal values are one: both zeros."""
    return tuple([0.0 if value == 0 and isinstance(value, float) else value for value in values])


@settings(max_examples=200, deadline=None)
@given(
    inputs(), st.sampled_from(JoinType), st.booleans(), st.lists(st.booleans(), min_size=3, max_size=3), st.booleans(),
    st.sampled_from([1, 2, 5, 1000]),
)  # fmt: skip
def test_hash_joins(
    drawn: tuple[Any, list[Any], list[Any]],
    type_: JoinType,
    build_left: bool,
    null_safe: list[bool],
    residual: bool,
    batch_rows: int,
) -> None:
    types, left, right = drawn
    sources = scan(0, types, left), scan(1, types, right)
    path = hash_join(type_, *sources, build_left, null_safe[: len(types) - 1], residual)
    check_all(measured(path, batch_rows))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([JoinType.INNER, JoinType.LEFT, JoinType.FULL]),
    st.sampled_from(CONDITIONS),
    st.lists(st.tuples(*[st.sampled_from([0, 1, 2, None])] * 2), max_size=8),
    st.lists(st.tuples(*[st.sampled_from([0, 1, 2, None])] * 2), max_size=8),
    st.sampled_from([1, 2, 5, 1000]),
)
def test_nested_loop_joins(
    type_: JoinType, conditions: Any, left: list[Any], right: list[Any], batch_rows: int
) -> None:
    path = NestedLoopJoin(
        nodes=3, rows=0, cost=0, type=type_, left=scan(0, [INTEGER] * 2, left), right=scan(1, [INTEGER] * 2, right),
        conditions=conditions,
    )  # fmt: skip
    check_all(measured(path, batch_rows))


@settings(max_examples=100, deadline=None)
@given(
    inputs(), st.booleans(), st.lists(st.booleans(), min_size=3, max_size=3), st.booleans(),
    st.sampled_from([1, 2, 5, 1000]),
)  # fmt: skip
def test_applies(
    drawn: tuple[Any, list[Any], list[Any]], inner: bool, null_safe: list[bool], residual: bool, batch_rows: int
) -> None:
    """An Apply of a subquery that reads nothing of the rows around it is the join with the same conditions."""
    types, left, right = drawn
    sources = scan(0, types, left), scan(1, types, right)
    join = hash_join(JoinType.INNER, *sources, False, null_safe[: len(types) - 1], residual)
    path = Apply(
        nodes=3, rows=0, cost=0, type=ApplyType.INNER if inner else ApplyType.LEFT, left=join.left, right=join.right,
        runs=1.0, references=(), keys=join.keys, residual=join.residual, mark=None, comparison=None, span=None,
    )  # fmt: skip
    node = measured(path, batch_rows, [ColumnId(0, 0), ColumnId(1, 0)])
    assert node.fan_out is not None
    assert node.fan_out.complete
    Counted(join, passing_is_read=True).check(node.fan_out)


@pytest.mark.parametrize("seed", range(20))
def test_a_subquery_that_is_run_for_each_value(seed: int) -> None:
    """Each row of it belongs to the row that it was run for."""
    rng = random.Random(seed)
    a, b = ([(rng.choice([0, 1, 2, None]), rng.choice([0, 1, 2, None])) for _ in range(rng.randrange(9))] for _ in "ab")
    with minisql.connect() as connection:
        for name, rows in (("a", a), ("b", b)):
            connection.execute(f"CREATE TABLE {name} (k INTEGER, x INTEGER)")
            for row in rows:
                connection.execute(f"INSERT INTO {name} VALUES (?, ?)", row)
        connection.execute("SET unnest_subqueries = off")
        plan = connection.plan(
            "SELECT * FROM a LEFT JOIN LATERAL (SELECT k FROM b WHERE b.x < a.x) AS l ON a.k = l.k"
        ).describe(analyze=True)
    (apply,) = [node for _, node in plan.walk() if node.operator == "apply"]
    matches = [sum(None not in (*row, *other) and row[0] == other[0] and other[1] < row[1] for other in b) for row in a]
    assert apply.fan_out is not None
    assert (apply.fan_out.left_rows, apply.fan_out.pairs) == (len(a), sum(matches))
    assert (apply.fan_out.left_most, apply.fan_out.left_unmatched) == (max(matches, default=0), matches.count(0))
    assert (apply.fan_out.right_rows, apply.fan_out.right_most) == (sum(matches), min(sum(matches), 1))
    values = {row[1] for row in a}
    assert plan.actual is not None
    below = apply.inputs[1].actual
    assert (0 if below is None else below.loops) == len(values)


def test_random_trees() -> None:
    """Every join of plans of random join trees, each kind of join on what others give."""
    joins = 0
    for seed in range(120):
        rng = random.Random(seed)
        tree = random_tree(rng, rng.randint(2, 5), most_rows=5)
        plan = find_best_plan(tree, Settings(hash_join=rng.random() < 0.8))
        joins += check_all(measured(plan, rng.choice([1, 3, 1000])))
    assert joins > 100


def check_all(plan: NodeDescription) -> int:
    """Checks the fan-out of every join that was run; gives how many these were."""
    count = 0
    for _, node in plan.walk():
        path = node.path
        if not isinstance(path, HashJoin | NestedLoopJoin) or node.actual is None:
            assert node.fan_out is None
            continue
        if isinstance(path, NestedLoopJoin) and path.type in (JoinType.SEMI, JoinType.ANTI):
            assert node.fan_out is None
            continue
        passing = path.right if isinstance(path, HashJoin) and path.build_left else path.left
        read = next(below for below in node.inputs if below.path is passing).actual is not None
        assert node.fan_out is not None
        assert node.fan_out.complete == read
        Counted(path, read).check(node.fan_out)
        count += 1
    return count
