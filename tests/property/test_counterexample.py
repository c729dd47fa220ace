"""The parts of the search for counterexamples against the stupid oracle: thousands of databases at once against one."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import minisql
from minisql.explain.counterexample.compare import FormComparison
from minisql.explain.counterexample.databases import Databases, find_domains, random_databases
from minisql.explain.counterexample.reorder import reordered
from minisql.explain.counterexample.script_table import ScriptRegion, ScriptTable, script_region, visible_scans
from minisql.explain.counterexample.search import find_database
from minisql.explain.counterexample.write_sql import write_query, write_script
from minisql.expression.nodes import ColumnRef, Value
from minisql.hypergraph.make_join_hypergraph import is_join_region
from minisql.node_set import NodeSet, single
from minisql.query_block.query_block import OrderedJoin
from minisql.relational.relational_expression import BaseTable, Join, RelationalExpression, inputs, with_inputs
from tests.naive import ListTable, bag
from tests.random_joins import random_tree, show

Rows = list[list[tuple[Value, ...]]]


def random_order(rng: random.Random, tables: list[int]) -> list[OrderedJoin]:
    parts = [single(table) for table in tables]
    joins = []
    while len(parts) > 1:
        left = parts.pop(rng.randrange(len(parts)))
        right = parts.pop(rng.randrange(len(parts)))
        joins.append(OrderedJoin(left=left, right=right))
        parts.append(NodeSet(left | right))
    return joins


def random_forms(rng: random.Random) -> tuple[ScriptRegion, RelationalExpression] | None:
    """A region with any kind of join, and the same in any order of its visible tables."""
    tree = random_tree(rng, rng.choice([2, 3, 3, 4]))
    if not is_join_region(tree):
        return None
    region = script_region(tree, (), (), {}, ())
    tables = [scan.table for scan in visible_scans(region.tree)]
    if len(tables) < 2:
        return None
    return region, reordered(region.tree, random_order(rng, tables))


def rows_of(databases: Databases, number: int) -> Rows:
    return [
        [tuple(domain[value] for domain, value in zip(domains, row, strict=True)) for row in rows]
        for rows, domains in zip(databases[number], databases.domains.values, strict=True)
    ]


def over(tree: RelationalExpression, region: ScriptRegion, rows: Rows) -> RelationalExpression:
    """The tree over one database."""
    if isinstance(tree, BaseTable):
        assert isinstance(tree.source, ScriptTable)
        place = region.tables.index(tree.source)
        return replace(tree, source=ListTable(tree.source.name, tree.source.definitions, rows[place]))
    return with_inputs(tree, tuple([over(each, region, rows) for each in inputs(tree)]))


def naive_bag(tree: RelationalExpression, region: ScriptRegion, rows: Rows) -> Counter[tuple[Value, ...]]:
    columns = [each.column for each in region.expressions if isinstance(each, ColumnRef)]
    return bag(over(tree, region, rows), columns)


@pytest.mark.parametrize("seed", range(2))
def test_many_databases_at_once_are_compared_as_one_by_one(seed: int) -> None:
    rng = random.Random(seed)
    told_apart = 0
    for _ in range(70):
        forms = random_forms(rng)
        if forms is None:
            continue
        region, other = forms
        databases = random_databases(find_domains(region), region.tables, 30, 3, np.random.default_rng(seed))
        expected = [
            number
            for number in range(30)
            if naive_bag(region.tree, region, rows := rows_of(databases, number)) != naive_bag(other, region, rows)
        ]
        assert FormComparison(region, other).differing(databases) == expected, show(region.tree)
        told_apart += bool(expected)
    assert told_apart > 5


@pytest.mark.parametrize("seed", range(2))
def test_what_is_written_is_what_was_compared(seed: int) -> None:
    """Semi and anti joins, filters between joins, whatever order they come to stand in."""
    rng = random.Random(seed)
    generator = np.random.default_rng(seed)
    for _ in range(20):
        forms = random_forms(rng)
        if forms is None:
            continue
        region, other = forms
        databases = random_databases(find_domains(region), region.tables, 3, 3, generator)
        for number in range(3):
            rows = rows_of(databases, number)
            with minisql.connect() as connection:
                connection.execute(write_script(region.tables, rows))
                for tree in (region.tree, other):
                    query = write_query(region, tree)
                    found = Counter(connection.execute(query).fetchall())
                    assert found == naive_bag(tree, region, rows), f"{write_script(region.tables, rows)}\n{query}"


@pytest.mark.parametrize("seed", range(2))
def test_a_row_less_and_there_is_no_difference(seed: int) -> None:
    rng = random.Random(seed)
    found = 0
    for _ in range(50):
        forms = random_forms(rng)
        if forms is None:
            continue
        region, other = forms
        result = find_database(region, other, batches=((200, 2), (200, 3)))
        if result.rows is None:
            continue
        found += 1
        rows = [list(table) for table in result.rows]
        assert naive_bag(region.tree, region, rows) != naive_bag(other, region, rows)
        for place, table in enumerate(rows):
            for number in range(len(table)):
                smaller = [*rows[:place], [*table[:number], *table[number + 1 :]], *rows[place + 1 :]]
                assert naive_bag(region.tree, region, smaller) == naive_bag(other, region, smaller)
    assert found > 3


def test_every_join_is_in_the_reordered_query() -> None:
    rng = random.Random(5)
    for _ in range(200):
        forms = random_forms(rng)
        if forms is not None:
            region, other = forms
            assert count_joins(other) == count_joins(region.tree)


def count_joins(tree: RelationalExpression) -> int:
    return isinstance(tree, Join) + sum(map(count_joins, inputs(tree)))
