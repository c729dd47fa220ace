"""The selection of plans that teach most, against brute force and random sets."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from minisql.optimizer.plan_selection import (
    COMMUTED_NEAR,
    NEAR,
    Bag,
    PlanFeatures,
    are_near_copies,
    plan_distance,
    plan_interest,
    select_plans,
    set_value,
)


def random_plan(rng: random.Random, most_tables: int = 5) -> PlanFeatures:
    """The features of a random tree of joins at a random cost."""
    structure, content = Bag(), Bag()
    parts = [1 << table for table in range(rng.choice((most_tables - 1, most_tables)))]
    while len(parts) > 1:
        left, right = (parts.pop(rng.randrange(len(parts))) for _ in range(2))
        if rng.random() < 0.8:
            structure["hash", "inner", left.bit_count() > 1, right.bit_count() > 1] += 1
            content["hashed", right] += 1
        else:
            structure["loop", "inner", (left.bit_count() > 1) + (right.bit_count() > 1)] += 1
            content["looped", frozenset((left, right))] += 1
        content["joined", left | right] += 1
        parts.append(left | right)
    return PlanFeatures(structure=structure, content=content, cost=10 ** rng.uniform(0, 1.5))


def test_the_distance_is_a_metric() -> None:
    rng = random.Random(1)
    for _ in range(2000):
        a, b, c = (random_plan(rng, 4) for _ in range(3))
        assert plan_distance(a, a) == 0
        assert plan_distance(a, b) == plan_distance(b, a)
        assert 0 <= plan_distance(a, b) <= 1
        assert plan_distance(a, c) <= plan_distance(a, b) + plan_distance(b, c) + 1e-12


def test_no_two_are_near_copies() -> None:
    rng = random.Random(2)
    for _ in range(20):
        chosen = random_plan(rng)
        candidates = [random_plan(rng) for _ in range(rng.choice((0, 3, 40)))]
        candidates += rng.sample(candidates, len(candidates) // 3)
        for count in (0, 1, 5, 50):
            taken = select_plans(chosen, candidates, count)
            assert len(set(taken)) == len(taken) <= count
            shown = [chosen, *(candidates[place] for place in taken)]
            for one, other in itertools.combinations(shown, 2):
                assert plan_distance(one, other) >= NEAR
                assert not are_near_copies(one, other)


def test_when_there_are_fewer_than_asked_for_no_candidate_could_be_added() -> None:
    rng = random.Random(3)
    for _ in range(15):
        chosen, candidates = random_plan(rng, 4), [random_plan(rng, 4) for _ in range(30)]
        shown = [chosen, *(candidates[place] for place in select_plans(chosen, candidates, 30))]
        assert len(shown) < 31
        for candidate in candidates:
            # It is near to one that is shown, or to one that commutes with it.
            near = [
                plan for plan in [chosen, *candidates] if plan is not candidate and are_near_copies(plan, candidate)
            ]
            assert candidate in shown or near


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_value_is_at_least_half_of_the_best(count: int) -> None:
    """Brute force over all sets; the selection is mostly the best one, for exchanges follow the greedy taking."""
    rng = random.Random(count)
    best_found = 0
    for _ in range(15):
        chosen = random_plan(rng)
        candidates = [random_plan(rng) for _ in range(10)]
        taken = select_plans(chosen, candidates, count)
        assert len(taken) == count
        value = set_value(chosen, [candidates[place] for place in taken])
        best = max(set_value(chosen, plans) for plans in itertools.combinations(candidates, count))
        assert value <= best + 1e-12
        assert value >= best / 2
        best_found += value >= best - 1e-12
    assert best_found >= 9


def test_the_value_is_that_of_no_random_set() -> None:
    rng = random.Random(5)
    for _ in range(10):
        chosen = random_plan(rng, 6)
        candidates = [random_plan(rng, 6) for _ in range(80)]
        value = set_value(chosen, [candidates[place] for place in select_plans(chosen, candidates, 5)])
        others = [set_value(chosen, rng.sample(candidates, 5)) for _ in range(100)]
        assert value >= max(others)


def test_a_small_change_that_costs_much_is_of_interest() -> None:
    def plan(cost: float, build: int) -> PlanFeatures:
        structure = Counter({("hash", "inner", False, False): 1, ("hash", "inner", True, False): 1})
        content = Counter({("joined", 3): 1, ("joined", 7): 1, ("hashed", build): 1, ("hashed", 4): 1})
        return PlanFeatures(structure=structure, content=content, cost=cost)

    chosen = plan(1.0, 1)
    assert plan_interest(chosen, plan(10.0, 2)) > plan_interest(chosen, plan(1.5, 2))
    assert are_near_copies(chosen, plan(COMMUTED_NEAR * 0.99, 2))
    assert not are_near_copies(chosen, plan(COMMUTED_NEAR * 1.5, 2))
