"""Simplification, push-down and derivation: the same rows as before, whatever the query."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from minisql.optimizer.find_best_plan import find_best_plan
from minisql.optimizer.join_conditions import is_of_class
from minisql.relational.derive_conditions import derive_conditions
from minisql.relational.push_down import push_down
from minisql.relational.relational_expression import Join, JoinType, RelationalExpression, inputs
from minisql.relational.simplify_outer import simplify_outer_joins
from minisql.settings import Settings
from tests.naive import as_relational, bag, columns
from tests.random_joins import random_query, random_tree, show


@pytest.mark.parametrize("seed", range(6))
def test_rewrites_keep_the_rows(seed: int) -> None:
    rng = random.Random(seed)
    steps = derivations = 0
    for _ in range(250):
        query = random_query(rng, rng.randint(2, 5))
        wanted = sorted(columns(query))
        expected = bag(query, wanted)
        simplified, simplifications = simplify_outer_joins(query)
        steps += len(simplifications)
        assert (simplified is query) is (not simplifications)
        pushed = push_down(simplified)
        derived = derive_conditions(pushed)
        derivations += derived is not pushed
        for rewritten in (simplified, push_down(query), pushed, derived, derive_conditions(query)):
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
