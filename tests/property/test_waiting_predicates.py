"""Expensive conditions that wait for a join: the same rows in every order, and no plan that costs more for it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from minisql.catalog.table import ColumnDefinition, ColumnStatistics
from minisql.datatypes import INTEGER
from minisql.expression.nodes import Case, Expression
from minisql.hypergraph.make_join_hypergraph import is_join_region, make_join_hypergraph
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs
from minisql.optimizer import waiting_predicates
from minisql.optimizer.find_best_plan import find_best_plan, find_search_space
from minisql.optimizer.search_space import SearchSpace, same_order
from minisql.relational.relational_expression import BaseTable, Filter, Join, JoinType, RelationalExpression
from minisql.session.explanations.outermost_region import order_of, path_of_region
from minisql.settings import Settings
from tests.builders import column, compare, equal, is_null, join, literal, where
from tests.naive import ListTable, as_relational, bag
from tests.property.test_orders import forced, joins_of
from tests.property.test_search_space import EveryPlan, as_bag
from tests.random_joins import random_filter, random_tree, show

OFF = Settings(delay_expensive_conditions=False)
TYPES = (*JoinType, *[JoinType.INNER] * 6)


@pytest.fixture(autouse=True)
def _every_saving_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables are small."""
    monkeypatch.setattr(waiting_predicates, "LEAST_SAVING", 0.0)


def expensive(table: int, branches: int, wanted: int) -> Expression:
    """A condition on a table that takes as long as many conditions."""
    cases = tuple([(equal(column(table), literal(number)), column(table, 1)) for number in range(branches)])
    return equal(Case(branches=cases, otherwise=column(table), type=INTEGER), literal(wanted))


def with_filters(rng: random.Random, tree: RelationalExpression) -> RelationalExpression:
    """The tree with conditions on its tables, many of them expensive."""
    if isinstance(tree, Join):
        return replace(tree, left=with_filters(rng, tree.left), right=with_filters(rng, tree.right))
    if isinstance(tree, Filter):
        return replace(tree, input=with_filters(rng, tree.input))
    assert isinstance(tree, BaseTable)
    conditions = [expensive(tree.table, rng.randint(4, 60), rng.randrange(3)) for _ in range(rng.choice([0, 1, 1, 2]))]
    conditions += [random_filter(rng, [tree.table]) for _ in range(rng.choice([0, 0, 1]))]
    rng.shuffle(conditions)
    return where(tree, *conditions) if conditions else tree


def regions(seed: int, number: int, most_tables: int) -> Iterator[tuple[RelationalExpression, SearchSpace]]:
    """Random regions in which a condition waits, with their orders."""
    rng = random.Random(seed)
    tried = 0
    while number:
        tried += 1
        region = with_filters(rng, random_tree(rng, rng.randint(2, most_tables), types=TYPES))
        if not is_join_region(region):
            continue
        space = find_search_space(region, region, Settings())
        if len(space.graph.filters) > len(make_join_hypergraph(region).filters):
            number -= 1
            yield region, space
    assert tried < 100_000


SETTINGS = (
    Settings(),
    OFF,
    Settings(hash_join=False),
    Settings(join_order="as_written"),
    Settings(pair_budget=0),
    Settings(pair_budget=3),
)


@pytest.mark.parametrize("seed", range(3))
def test_the_rows_are_those_of_the_query_under_every_setting(seed: int) -> None:
    for region, _ in regions(seed, 40, 5):
        expected = bag(region)
        for settings in SETTINGS:
            path = find_best_plan(region, settings)
            assert bag(as_relational(path)) == expected, f"{settings}\n{show(region)}\n{show(as_relational(path))}"


@pytest.mark.parametrize("seed", range(3))
def test_every_plan_gives_the_rows_of_the_query(seed: int) -> None:
    for region, space in regions(seed, 50, 5):
        plans, graph = EveryPlan(space.graph), space.graph.graph
        assert enumerate_subgraph_pairs(graph, plans, 1_000_000)
        assert plans.results[graph.nodes]
        for relation in plans.results[graph.nodes]:
            assert as_bag(relation) == bag(region), show(region)


def test_waiting_takes_no_order_away() -> None:
    for region, space in regions(5, 40, 5):
        assert space.count == find_search_space(region, region, OFF).count, show(region)


def test_every_order_can_be_forced_and_costs_what_is_said() -> None:
    for region, space in regions(7, 30, 5):
        nodes = space.graph.graph.nodes
        best = find_best_plan(region, Settings()).cost
        for place, (order, cost) in enumerate(itertools.islice(space.cheapest(), 40)):
            assert place or cost == pytest.approx(best)
            path = find_best_plan(forced(region, order), Settings())
            assert path.cost == pytest.approx(cost)
            found = order_of(path_of_region(path, nodes), nodes)
            assert same_order(found, order)
            assert space.rows(order) == pytest.approx(sum(each.rows for each in joins_of(path, found[:-1], nodes)))


@dataclass(frozen=True, eq=False)
class KnownTable(ListTable):
    """A table of which there are only statistics."""

    count: int = 0
    distinct: tuple[int, ...] = ()
    nulls: float = 0.0

    def row_count(self) -> int:
        return self.count

    def column_statistics(self, column: int) -> ColumnStatistics:
        return ColumnStatistics(self.distinct[column], self.nulls, 0, self.distinct[column])


def known_table(number: int, rows: int, distinct: Sequence[int], nulls: float = 0.0) -> BaseTable:
    name = chr(97 + number)
    columns = tuple([ColumnDefinition("xyzuvw"[place], INTEGER) for place in range(len(distinct))])
    return BaseTable(table=number, alias=name, source=KnownTable(name, columns, (), rows, tuple(distinct), nulls))


def random_known_table(rng: random.Random, number: int) -> BaseTable:
    rows = int(10 ** rng.uniform(0, 6))
    return known_table(number, rows, [max(1, int(rows ** rng.random())) for _ in range(2)], rng.choice([0.0, 0.3]))


def test_of_two_tables_it_is_the_cheaper_way() -> None:
    rng = random.Random(3)
    waited = 0
    for _ in range(300):
        tables = [random_known_table(rng, number) for number in range(2)]
        filters = [
            [expensive(number, rng.randint(4, 100), 1) for _ in range(rng.choice([0, 1, 2]))] for number in (0, 1)
        ]
        sides = [where(table, *each) if each else table for table, each in zip(tables, filters, strict=True)]
        region = join("inner", *sides, equal(column(0, 1), column(1, 1)))
        for hash_join in (True, False):
            on = find_best_plan(region, Settings(hash_join=hash_join)).cost
            off = find_best_plan(region, replace(OFF, hash_join=hash_join)).cost
            assert on <= off * (1 + 1e-9)
            waited += on < off * 0.99
    assert waited > 25


def star(*dimensions: tuple[int, float], fact_filter: bool = True) -> RelationalExpression:
    """A fact table of a million rows and dimensions, each with its rows and the share of them that a filter leaves."""
    fact = known_table(0, 1_000_000, [1_000_000, *[rows for rows, _ in dimensions]])
    tree: RelationalExpression = where(fact, expensive(0, 40, 1)) if fact_filter else fact
    for number, (rows, share) in enumerate(dimensions, 1):
        dimension: RelationalExpression = known_table(number, rows, [rows, rows])
        if share < 1:
            dimension = where(dimension, compare("<", column(number), literal(int(rows * share))))
        tree = join("inner", tree, dimension, equal(column(0, number), column(number, 1)))
    return tree


def snowflake(share: float) -> RelationalExpression:
    """A fact table, a dimension, and a selective filter on what lies behind the dimension."""
    dimension = join(
        "inner",
        known_table(1, 10_000, [10_000, 100]),
        where(known_table(2, 100, [100, 100]), compare("<", column(2), literal(int(100 * share)))),
        equal(column(1, 1), column(2, 1)),
    )
    fact = where(known_table(0, 1_000_000, [1_000_000, 10_000]), expensive(0, 40, 1))
    return join("inner", fact, dimension, equal(column(0, 1), column(1)))


@pytest.mark.parametrize(
    ("region", "pays"),
    [
        (star((1000, 0.01)), True),
        (star((1000, 0.99)), False),
        (star((1000, 0.5), (1000, 0.01), (1000, 0.3)), True),
        (star((1000, 0.3), (1000, 0.3), (1000, 0.3)), True),
        (star((1000, 0.01), fact_filter=False), False),
        (snowflake(0.02), True),
        (snowflake(1.0), False),
        (join("left", star((1000, 0.01)), known_table(5, 1000, [1000, 9]), equal(column(0), column(5))), True),
        (join("full", star((1000, 0.01)), known_table(5, 1000, [1000, 9]), equal(column(0), column(5))), False),
        (join("left", known_table(5, 1000, [1000, 9]), star((1000, 0.01)), equal(column(0), column(5))), False),
        (join("anti", known_table(5, 1000, [1000, 9]), star((1000, 0.01)), equal(column(0), column(5))), False),
        (where(star((1000, 0.01)), is_null(column(0, 1))), True),
    ],
)
def test_it_pays_where_a_join_is_selective(region: RelationalExpression, pays: bool) -> None:
    on, off = find_best_plan(region, Settings()).cost, find_best_plan(region, OFF).cost
    assert on < off * 0.9 if pays else on == pytest.approx(off)


def test_in_the_order_as_written_it_waits_for_the_first_join_only() -> None:
    first, last = star((1000, 0.01), (1000, 0.9)), star((1000, 0.9), (1000, 0.01))
    as_written, off = Settings(join_order="as_written"), replace(OFF, join_order="as_written")
    assert find_best_plan(first, as_written).cost < find_best_plan(first, off).cost * 0.9
    assert find_best_plan(last, as_written).cost == pytest.approx(find_best_plan(last, off).cost)


def test_a_case_over_nothing_but_nulls_has_no_negative_rows() -> None:
    """The NULL shares of its branches summed up to a little more than 1, and greedy ordering never ended."""
    tables = [known_table(number, 3, [3, 3], nulls=1.0) for number in range(3)]
    for branches in range(4, 40):
        filtered = [where(table, expensive(number, branches, 0)) for number, table in enumerate(tables)]
        tree = join("inner", filtered[0], filtered[1], equal(column(0), column(1)))
        region = join("inner", tree, filtered[2], equal(column(1), column(2)))
        assert find_best_plan(region, Settings(pair_budget=0)).rows >= 0
