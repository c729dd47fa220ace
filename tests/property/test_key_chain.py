"""Full joins that merge a key: every order of a chain is in the search space, and gives the same rows."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

import minisql
from minisql.expression.nodes import Arithmetic, Coalesce, Expression
from minisql.hypergraph.make_join_hypergraph import make_join_hypergraph
from minisql.relational.relational_expression import JoinType, RelationalExpression
from tests.builders import column, compare, equal, is_null, join, literal, table, where
from tests.naive import bag
from tests.property.test_search_space import as_bag, explore
from tests.random_joins import random_tree, show


def merged(tables: Sequence[int]) -> Expression:
    keys = tuple(column(number) for number in tables)
    return keys[0] if len(keys) == 1 else Coalesce(operands=keys, type=keys[0].type)


def chain(tables: int, rng: random.Random) -> RelationalExpression:
    rows = [[(rng.choice([None, 1, 1, 2, 3]), number) for _ in range(rng.randint(0, 3))] for number in range(tables)]
    result: RelationalExpression = table(0, rows[0])
    for number in range(1, tables):
        condition = equal(merged(range(number)), column(number))
        result = join("full", result, table(number, rows[number]), condition)
    return result


@pytest.mark.parametrize(("tables", "trees"), [(3, 3), (4, 15), (5, 105)])
def test_every_tree_of_a_chain_gives_the_same_rows(tables: int, trees: int) -> None:
    rng = random.Random(tables)
    for _ in range(40):
        query = chain(tables, rng)
        plans, everything = explore(query)
        assert plans.plans[everything] == trees * 2 ** (tables - 1)
        assert [as_bag(relation) for relation in plans.results[everything]] == [bag(query)], show(query)


def test_the_key_of_one_table_is_no_merged_key() -> None:
    """ON b.k = c.k asks b alone, so c may not be joined to a first."""
    a, b, c = table(0), table(1), table(2)
    query = join("full", join("full", a, b, equal(column(0), column(1))), c, equal(column(1), column(2)))
    assert not any(edge.chain for edge in make_join_hypergraph(query).edges)
    plans, everything = explore(query)
    assert plans.plans[everything] == 2 * 2**2


def test_a_key_that_is_not_null_where_its_table_is_padded_makes_no_chain() -> None:
    a, b, c = table(0), table(1), table(2)
    zero = Coalesce(operands=(column(2), literal(0)), type=column(2).type)
    query = join("full", join("full", a, b, equal(column(0), column(1))), c, equal(merged([0, 1]), zero))
    assert not any(edge.chain for edge in make_join_hypergraph(query).edges)


def test_a_member_may_be_a_leaf_of_several_tables() -> None:
    """A filter stays above a join below a full join, and the key is not of the table that the leaf is named after."""
    b, c = table(1, [(1, 1), (2, None)]), table(2, [(1, 1), (2, 3)])
    leaf = where(join("inner", c, b, equal(column(2), column(1))), is_null(column(1, 1)))
    d, e = table(3, [(1, 0), (2, 5)]), table(4, [(2, 7), (None, 1)])
    query = join("full", leaf, d, equal(column(2), column(3)))
    query = join("full", query, e, equal(merged([2, 3]), column(4)))
    plans, everything = explore(query)
    assert plans.plans[everything] == 3 * 2**2
    assert [as_bag(relation) for relation in plans.results[everything]] == [bag(query)]


def test_the_order_within_the_key_of_a_member_matters() -> None:
    a, b, c = table(0), table(1), table(2)
    key = Coalesce(operands=(column(0), column(0, 1)), type=column(0).type)
    query = join("full", a, b, equal(key, column(1)))
    for operands, is_chain in (
        ((column(0), column(0, 1), column(1)), False),
        ((column(0, 1), column(0), column(1)), False),
        ((column(1), key), True),
    ):
        above = join("full", query, c, equal(Coalesce(operands=operands, type=key.type), column(2)))
        assert any(edge.chain for edge in make_join_hypergraph(above).edges) is is_chain


def test_a_key_of_tables_that_are_kept_together_by_a_filter() -> None:
    """The key a.k + c.k waits for the leaf that b and c are, whose node has the number of b."""
    a, b, c, d, e = (table(number, [(0, 0), (1, None), (None, 2)]) for number in range(5))
    leaf = where(join("full", b, c, compare("<>", column(1, 1), column(2, 1))), equal(column(2, 1), column(2)))
    key = Arithmetic(operator="+", left=column(0), right=column(2), type=column(0).type)
    member = join("full", a, leaf, equal(column(0), column(1)))
    query = join("full", member, join("full", d, e, equal(column(3), column(4))), equal(key, merged([3, 4])))
    edges = [edge for edge in make_join_hypergraph(query).edges if edge.chain]
    assert {edge.eligibility.left for edge in edges if edge.members[0] == 0} == {0b00011}
    plans, everything = explore(query)
    assert [as_bag(relation) for relation in plans.results[everything]] == [bag(query)]


@pytest.mark.parametrize("seed", range(2))
def test_joins_in_and_above_a_chain(seed: int) -> None:
    rng = random.Random(seed)
    found = 0
    while found < 300:
        query = random_tree(rng, rng.choice([4, 4, 5]), types=[*JoinType, JoinType.FULL], filters=False)
        if any(edge.chain for edge in make_join_hypergraph(query).edges):
            found += 1
            plans, everything = explore(query)
            assert [as_bag(relation) for relation in plans.results[everything]] == [bag(query)], show(query)


def test_the_chain_with_the_selective_join_is_made_first() -> None:
    """Written, every join has the rows of the large tables; d and e are small, and joined first they stay small."""
    connection = minisql.connect()
    for name, rows in (("a", 5000), ("b", 5000), ("c", 5000), ("d", 10), ("e", 10)):
        connection.execute(f"CREATE TABLE {name} AS SELECT range AS k, range + 1 AS {name}x FROM range({rows})")
    joins = " ".join(f"FULL JOIN {name} USING (k)" for name in "bcde")
    query = f"SELECT k, ax, b.k, dx FROM a {joins}"
    best = connection.execute(f"{query} ORDER BY 1").fetchall()
    plan = connection.plan(query).path
    connection.execute("SET join_order = 'as_written'")
    assert connection.execute(f"{query} ORDER BY 1").fetchall() == best
    assert plan.cost < connection.plan(query).path.cost
