"""Random queries in SQL: every order that EXPLAIN ORDERS lists is a hint that gives the same cost and the same rows."""

from __future__ import annotations

import random

import pytest

import minisql
from tests.differential.generator import QueryGenerator, random_database
from tests.differential.peers import bag


@pytest.mark.parametrize("seed", range(3))
def test_every_listed_order_is_a_hint(seed: int) -> None:
    rng = random.Random(seed)
    tried = 0
    for _ in range(5):
        database = random_database(rng, 6)
        with minisql.connect() as connection:
            for statement in database.script():
                connection.execute(statement)
            # A hint names all tables, also those that the query turns out not to need.
            for setting in ("prune_branches", "drop_joins"):
                connection.execute(f"SET {setting} = off")
            for _ in range(12):
                tried += check(connection, QueryGenerator(rng, 6).query(), rng)
    assert tried > 150


def check(connection: minisql.Connection, query: str, rng: random.Random) -> int:
    """Tries the listed orders of a query, or some of many; gives their number."""
    assert query.startswith("SELECT ")
    if rng.random() < 0.3:
        # In a subquery, and what is joined to it is not merged with it.
        hinted = "SELECT count(*) FROM (SELECT /*+ JOIN_TREE({}) */ " + query[len("SELECT ") :] + ") AS q"
        expected = [(len(connection.execute(query).fetchall()),)]
    else:
        hinted = "SELECT /*+ JOIN_TREE({}) */ " + query[len("SELECT ") :]
        expected = connection.execute(query).fetchall()
    orders = connection.execute(f"EXPLAIN ORDERS {query}").fetchall()
    assert sum(chosen for _, _, _, chosen, _ in orders) == 1
    assert len({order for order, *_ in orders}) == len(orders)
    best = connection.plan(query)
    assert best.order in {order for order, *_, chosen, _ in orders if chosen}
    tried = rng.sample(orders, min(len(orders), 12))
    for order, cost, rows, *_ in tried:
        planned = connection.plan(hinted.format(order))
        if hinted.startswith("SELECT /*+"):
            assert planned.order == order
            assert planned.cost == pytest.approx(cost, rel=1e-5)
        assert rows >= 0
        assert bag(planned.execute()) == bag(expected), hinted.format(order)
    return len(tried)


@pytest.mark.parametrize("seed", range(2))
def test_plans_give_the_rows_of_the_query(seed: int) -> None:
    rng = random.Random(seed)
    database = random_database(rng, 6)
    with minisql.connect() as connection:
        for statement in database.script():
            connection.execute(statement)
        for _ in range(30):
            query = QueryGenerator(rng, 6).query()
            expected = bag(connection.execute(query))
            costs = []
            for plan in connection.plans(query, limit=4):
                costs.append(plan.cost)
                assert bag(plan.execute()) == expected, query
            assert costs == pytest.approx(sorted(costs))
            assert costs[0] == pytest.approx(connection.plan(query).cost)
            for plan in connection.plans(query, limit=4, uniform=True, seed=seed):
                assert bag(plan.execute()) == expected, query
