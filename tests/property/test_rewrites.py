"""Simplification, push-down and derivation: the same rows as before, whatever the query."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from minisql.catalog.table import Key
from minisql.datatypes import BIGINT
from minisql.expression.nodes import AggregateCall, Value
from minisql.optimizer.find_best_plan import find_best_plan
from minisql.optimizer.join_conditions import is_of_class
from minisql.relational.derive_conditions import derive_conditions
from minisql.relational.drop_joins import drop_joins
from minisql.relational.new_tables import NewTables
from minisql.relational.prune_branches import prune_branches
from minisql.relational.prune_columns import prune_columns
from minisql.relational.push_down import push_down
from minisql.relational.push_down_grouping import push_down_grouping
from minisql.relational.relational_expression import (
    Aggregate,
    BaseTable,
    Join,
    JoinType,
    Limit,
    RelationalExpression,
    inputs,
    with_inputs,
)
from minisql.relational.rewriting import nodes_of
from minisql.relational.simplify_conditions import simplify_conditions
from minisql.relational.simplify_outer import simplify_outer_joins
from minisql.settings import Settings
from tests.builders import column, literal, project, where
from tests.naive import ListTable, as_relational, bag, columns
from tests.random_joins import random_query, random_tree, show


@pytest.mark.parametrize("seed", range(6))
def test_rewrites_keep_the_rows(seed: int) -> None:
    rng = random.Random(seed)
    steps = derivations = 0
    for _ in range(250):
        query = random_query(rng, rng.randint(2, 5))
        wanted = sorted(columns(query))
        expected = bag(query, wanted)
        under_simpler = simplify_conditions(query)
        simplified, simplifications = simplify_outer_joins(query)
        steps += len(simplifications)
        assert (simplified is query) is (not simplifications)
        pushed = push_down(simplified)
        derived = derive_conditions(pushed)
        derivations += derived is not pushed
        for rewritten in (under_simpler, simplified, push_down(query), pushed, derived, derive_conditions(query)):
            assert bag(rewritten, wanted) == expected, f"{show(query)}\n\n{show(rewritten)}"
        planned = as_relational(find_best_plan(derived, Settings()))
        assert bag(planned, wanted) == expected, f"{show(query)}\n\n{show(planned)}"
    assert steps > 50
    assert derivations > 50


@pytest.mark.parametrize("seed", range(3))
def test_plans_keep_the_rows_where_equalities_follow_from_each_other(seed: int) -> None:
    rng = random.Random(seed)
    types = (JoinType.INNER, JoinType.INNER, JoinType.INNER, JoinType.LEFT, JoinType.SEMI)
    orders = (Settings(), Settings(hash_join=False), Settings(join_order="as_written"), Settings(pair_budget=0))
    with_classes = 0
    for _ in range(150):
        query = random_tree(rng, rng.randint(3, 6), types=types)
        derived = derive_conditions(push_down(query))
        with_classes += any(is_of_class(condition) for each in joins(derived) for condition in each.conditions)
        expected = bag(query)
        for order in orders:
            planned = as_relational(find_best_plan(derived, order))
            assert bag(planned) == expected, f"{show(query)}\n\n{show(planned)}"
    assert with_classes > 20


@pytest.mark.parametrize("seed", range(2))
def test_what_has_been_rewritten_stays_as_it_is(seed: int) -> None:
    rng, trees = random.Random(seed), random.Random(seed)
    for _ in range(200):
        query = random_query(rng, rng.randint(1, 5))
        under_simpler = simplify_conditions(query)
        assert simplify_conditions(under_simpler) is under_simpler
        simplified, _ = simplify_outer_joins(query)
        assert simplify_outer_joins(simplified) == (simplified, ())
        pushed = push_down(query)
        assert push_down(pushed) is pushed
        # What is derived does not come up through a set operation, so this holds of joins and filters.
        derived = derive_conditions(push_down(random_tree(trees, trees.randint(1, 6))))
        assert derive_conditions(derived) is derived, f"{show(derived)}\n\n{show(derive_conditions(derived))}"


def joins(query: RelationalExpression) -> Iterator[Join]:
    if isinstance(query, Join):
        yield query
    for input_ in inputs(query):
        yield from joins(input_)


def test_each_step_names_a_join_of_the_query_and_its_types() -> None:
    rng = random.Random(3)
    for _ in range(300):
        query = random_query(rng, rng.randint(2, 5))
        simplified, steps = simplify_outer_joins(query)
        before, after = sorted(j.type.name for j in joins(query)), sorted(j.type.name for j in joins(simplified))
        for step in steps:
            assert step.join in set(joins(query))
            before.remove(step.before.name)
            before.append(step.after.name)
        assert sorted(before) == after


@pytest.mark.parametrize("seed", range(4))
def test_rewrites_that_look_at_what_is_read_keep_the_rows(seed: int) -> None:
    rng = random.Random(seed)
    pruned = dropped = 0
    for _ in range(250):
        query = random_reader(rng, with_keys(rng, random_query(rng, rng.randint(1, 5))))
        wanted = columns(query)
        expected = bag(query, wanted)
        rewritten = prune_columns(query, wanted)
        pruned += rewritten is not query
        assert prune_columns(rewritten, wanted) is rewritten
        fewer = drop_joins(rewritten)
        dropped += fewer is not rewritten
        numbers = NewTables([query])
        grouped = push_down_grouping(fewer, numbers.next, lambda *_: True)
        for each in (rewritten, fewer, grouped, drop_joins(query), drop_joins(push_down(query))):
            assert bag(each, wanted) == expected, f"{show(query)}\n\n{show(each)}"
        planned = as_relational(find_best_plan(fewer, Settings()))
        assert bag(planned, wanted) == expected, f"{show(query)}\n\n{show(planned)}"
    assert pruned > 30
    assert dropped > 15


@pytest.mark.parametrize("seed", range(4))
def test_groupings_below_joins_give_the_same_groups(seed: int) -> None:
    rng = random.Random(seed)
    moved = 0
    for _ in range(400):
        types = (JoinType.INNER, JoinType.INNER, JoinType.LEFT)
        tree = with_keys(rng, random_tree(rng, rng.randint(2, 4), types=types, most_rows=5))
        available = [column(*each) for each in columns(tree)]
        keys = tuple(rng.sample(available, rng.randint(1, min(3, len(available)))))
        names = rng.sample(("count", "sum", "min", "max"), rng.randint(0, 2))
        argument = rng.choice(available)
        calls = tuple(
            AggregateCall(name=name, argument=argument, distinct=rng.random() < 0.2, filter=None, type=BIGINT)
            for name in names
        )
        query = Aggregate(table=8, input=tree, keys=keys, aggregates=calls)
        expected = bag(query)
        for before in (query, push_down(query)):
            grouped = push_down_grouping(before, NewTables([query]).next, lambda *_: True)
            moved += grouped is not before
            assert bag(grouped) == expected, f"{show(query)}\n\n{show(grouped)}"
            planned = as_relational(find_best_plan(derive_conditions(grouped), Settings()))
            assert bag(planned) == expected, f"{show(query)}\n\n{show(planned)}"
    assert moved > 15


def with_keys(rng: random.Random, node: RelationalExpression) -> RelationalExpression:
    """The query over tables of which some have a key, which drops the rows that break it."""
    node = with_inputs(node, tuple([with_keys(rng, input_) for input_ in inputs(node)]))
    if not isinstance(node, BaseTable) or rng.random() < 0.4:
        return node
    source = node.source
    assert isinstance(source, ListTable)
    key = Key(rng.choice(((0,), (1,), (0, 1))), not_null=rng.random() < 0.5)
    rows: list[tuple[Value, ...]] = []
    for row in source.rows:
        values = [row[place] for place in key.columns]
        if None in values:
            if not key.not_null:
                rows.append(row)
        elif values not in [[other[place] for place in key.columns] for other in rows]:
            rows.append(row)
    return replace(node, source=ListTable(source.name, source.columns, rows, keys=(key,)))


def random_reader(rng: random.Random, query: RelationalExpression) -> RelationalExpression:
    """Some columns of the query, or groups of them."""
    number = NewTables([query]).next()
    read = [column(*each) for each in rng.sample(columns(query), rng.randint(1, 2))]
    if rng.random() < 0.4:
        return project(number, query, read)
    name = rng.choice(("count", "sum", "min", "max"))
    call = AggregateCall(name=name, argument=read[-1], distinct=rng.random() < 0.3, filter=None, type=BIGINT)
    keys = tuple(read if rng.random() < 0.5 else read[:1])
    return Aggregate(table=number, input=query, keys=keys, aggregates=(call,) if rng.random() < 0.6 else ())


@pytest.mark.parametrize("seed", range(4))
def test_branches_without_rows_are_pruned(seed: int) -> None:
    rng = random.Random(seed)
    removed = 0
    for _ in range(250):
        query = partly_empty(rng, random_query(rng, rng.randint(2, 5)))
        query = random_reader(rng, query) if rng.random() < 0.5 else query
        wanted = sorted(columns(query))
        expected = bag(query, wanted)
        for before in (query, push_down(query)):
            pruned = prune_branches(before, simplify_conditions)
            removed += len(list(nodes_of(before))) - len(list(nodes_of(pruned)))
            assert prune_branches(pruned, simplify_conditions) is pruned
            assert bag(pruned, wanted) == expected, f"{show(query)}\n\n{show(pruned)}"
            planned = as_relational(find_best_plan(pruned, Settings()))
            assert bag(planned, wanted) == expected, f"{show(query)}\n\n{show(planned)}"
    assert removed > 500


def partly_empty(rng: random.Random, node: RelationalExpression) -> RelationalExpression:
    """The query with some of its nodes under a filter that is never TRUE, or LIMIT 0."""
    node = with_inputs(node, tuple([partly_empty(rng, input_) for input_ in inputs(node)]))
    if rng.random() < 0.12:
        return (
            where(node, literal(rng.choice((False, None))))
            if rng.random() < 0.8
            else Limit(input=node, limit=0, offset=0)
        )
    return node
