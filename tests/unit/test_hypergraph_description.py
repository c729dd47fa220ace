"""EXPLAIN HYPERGRAPH: the data, the sentences about real orders, and random queries."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

import minisql
from minisql.explain.regions import RegionDescription
from minisql.hypergraph.make_join_hypergraph import is_join_region, make_join_hypergraph
from minisql.relational.relational_expression import inputs
from minisql.session.explanations.hypergraph import describe_hypergraph
from minisql.session.pipeline import PlannedQuery
from tests.differential.generator import QueryGenerator, random_database
from tests.differential.subqueries import SubqueryGenerator


@pytest.fixture
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        for name, columns in (
            ("a", "k INTEGER, x INTEGER"),
            ("b", "k INTEGER, y INTEGER"),
            ("c", "k INTEGER, z INTEGER"),
        ):
            connection.execute(f"CREATE TABLE {name} ({columns})")
            connection.execute(f"INSERT INTO {name} VALUES (1, 10), (2, 20), (NULL, 30)")
        yield connection


def describe(connection: minisql.Connection, sql: str) -> list[RegionDescription]:
    return describe_hypergraph(connection.plan(sql))


def test_nodes_edges_and_rules(connection: minisql.Connection) -> None:
    sql = "SELECT 1 FROM a AS one LEFT JOIN b ON one.k = b.k LEFT JOIN c ON coalesce(b.y, 4) = c.k WHERE one.x > 15"
    (region,) = describe(connection, sql)
    assert [(node.number, node.name, node.table, node.conditions) for node in region.nodes] == [
        (0, "one", "a", ("one.x > 15",)),
        (1, "b", "b", ()),
        (2, "c", "c", ()),
    ]
    assert 0 < region.nodes[0].rows < 3 == region.nodes[1].rows
    first, second = region.edges
    assert (first.number, first.join_type, first.left, first.right) == (1, "left", (0,), (1,))
    assert (first.ses, first.tes, first.conditions, first.rules) == ((0, 1), (0, 1), ("one.k = b.k",), ())
    assert (second.left, second.right, second.ses, second.tes) == ((0, 1), (2,), (1, 2), (0, 1, 2))
    assert second.rules == (
        "c can be joined to b only after one, since the ON condition coalesce(b.y, 4) = c.k of the LEFT JOIN with c "
        "does not reject NULLs on b, which the LEFT JOIN of one with b may pad.",
    )
    assert json.loads(json.dumps(region.to_dict()))["edges"][1]["tes"] == [0, 1, 2]


def test_a_chain_has_an_edge_for_each_two_members(connection: minisql.Connection) -> None:
    (region,) = describe(connection, "SELECT 1 FROM a FULL JOIN b USING (k) FULL JOIN c USING (k)")
    assert [(edge.left, edge.right, edge.chain) for edge in region.edges] == [
        ((0,), (1,), 1),
        ((0,), (2,), 1),
        ((1,), (2,), 1),
    ]


def test_a_query_without_joins_has_no_region(connection: minisql.Connection) -> None:
    assert describe(connection, "SELECT x FROM a") == []
    assert connection.execute("EXPLAIN HYPERGRAPH SELECT 1").fetchall() == [("The query joins nothing.",)]
    with pytest.raises(minisql.NotSupportedError, match="EXPLAIN HYPERGRAPH does not execute the query"):
        connection.execute("EXPLAIN ANALYZE HYPERGRAPH SELECT x FROM a")


SWITCHED = {
    "simplify_outer_joins": "SELECT 1 FROM a FULL JOIN b ON a.k = b.k WHERE a.x > 5",
    "derive_conditions": "SELECT 1 FROM a JOIN b ON a.k = b.k WHERE a.k = 1",
}


@pytest.mark.parametrize("setting", SWITCHED)
def test_what_is_told_is_what_was_done(connection: minisql.Connection, setting: str) -> None:
    (region,) = describe(connection, SWITCHED[setting])
    assert region.simplifications or region.derived
    connection.execute(f"SET {setting} = off")
    (region,) = describe(connection, SWITCHED[setting])
    assert not region.simplifications
    assert not region.derived


# A sentence that says what would help, and the query with that.
REMEDIES = [
    ("a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON coalesce(b.k, 4) = c.k", "((b c) a)", "b"),
    ("a FULL JOIN b ON a.k = b.k FULL JOIN c ON coalesce(b.y, 1) = c.k", "((b c) a)", "b"),
    ("a FULL JOIN b ON a.k = b.k LEFT JOIN c ON a.x IS NULL OR a.x = c.k", "((a c) b)", "a"),
    ("a LEFT JOIN (b LEFT JOIN c ON coalesce(b.k, 1) = c.k) ON a.k = b.k", "((a b) c)", "b"),
    ("b LEFT JOIN c ON b.y IS NOT DISTINCT FROM c.z FULL JOIN a ON a.k = b.k", "((b a) c)", "b"),
]


@pytest.mark.parametrize(("from_", "order", "table"), REMEDIES)
def test_what_would_help_helps(connection: minisql.Connection, from_: str, order: str, table: str) -> None:
    """The order is refused with the condition as it is, and taken once it rejects NULLs on the table as asked."""
    for setting in ("drop_joins", "prune_branches"):
        connection.execute(f"SET {setting} = off")
    hinted = f"SELECT /*+ JOIN_TREE({order}) */ * FROM "
    with pytest.raises(minisql.ProgrammingError, match=f"It could if that condition rejected NULLs on {table}"):
        connection.execute(hinted + from_)
    for condition in ("coalesce(b.k, 4) = c.k", "coalesce(b.y, 1) = c.k", "a.x IS NULL OR a.x = c.k",
                      "coalesce(b.k, 1) = c.k", "b.y IS NOT DISTINCT FROM c.z"):  # fmt: skip
        from_ = from_.replace(condition, f"({condition}) AND {table}.k IS NOT NULL")
    expected = connection.execute(f"SELECT * FROM {from_}").fetchall()
    found = connection.execute(hinted + from_).fetchall()
    assert sorted(found, key=repr) == sorted(expected, key=repr)


def graphs_of(planned: PlannedQuery) -> int:
    """How many regions a query without shared parts has."""
    count, waiting = 0, [planned.rewritten]
    while waiting:
        node = waiting.pop()
        if is_join_region(node):
            count += 1
            waiting += make_join_hypergraph(node).leaves.values()
        else:
            waiting += inputs(node)
    return count


@pytest.mark.parametrize("seed", range(3))
def test_random_queries(seed: int) -> None:
    """Every query has a description that agrees with itself and with the regions of the plan."""
    rng = random.Random(seed)
    database = random_database(rng, 6)
    described = 0
    with minisql.connect() as connection:
        for statement in database.script():
            connection.execute(statement)
        for _ in range(60):
            query = QueryGenerator(rng, 6).query() if rng.random() < 0.5 else SubqueryGenerator(rng, 6).query()
            planned = connection.plan(query)
            regions = describe_hypergraph(planned)
            assert len(regions) >= graphs_of(planned)
            for region in regions:
                described += 1
                numbers = {node.number for node in region.nodes}
                assert len(numbers) == len(region.nodes) > 1
                assert len({node.name for node in region.nodes}) == len(region.nodes)
                assert all(node.rows >= 0 for node in region.nodes)
                for edge in region.edges:
                    assert set(edge.tes) == {*edge.left, *edge.right} <= numbers
                    assert not {*edge.left} & {*edge.right}
                    assert {*edge.ses} <= {*edge.tes}
                for filter_ in region.filters:
                    assert {*filter_.nodes} <= numbers
                text = json.dumps(region.to_dict())
                assert "#" not in text, "everything has a name"
            ((text,),) = connection.execute(f"EXPLAIN HYPERGRAPH {query}").fetchall()
            assert str(text).count("Joins of ") == len(regions)
    assert described > 30
