"""WITH RECURSIVE on random graphs: a fixpoint in plain Python, the naive evaluation of plans, and two other engines."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

import minisql
from minisql.expression.nodes import ColumnId
from tests.differential.peers import Peers
from tests.naive import as_relational, bag

Pair = tuple[int | None, int | None]


def graph(rng: random.Random) -> list[Pair]:
    """Edges with cycles, loops, duplicates, NULLs, or none at all."""
    nodes = rng.randint(1, 7)
    end = [*range(nodes), None] if rng.random() < 0.3 else [*range(nodes)]
    return [(rng.choice(end), rng.choice(end)) for _ in range(rng.choice((0, 1, 4, 8, 14)))]


def script(edges: Iterable[Pair]) -> list[str]:
    def text(value: int | None) -> str:
        return "NULL" if value is None else str(value)

    rows = ", ".join(f"({text(source)}, {text(target)})" for source, target in edges)
    return [
        "CREATE TABLE edge (source INTEGER, target INTEGER)",
        *([f"INSERT INTO edge VALUES {rows}"] if rows else []),
        "CREATE TABLE node (k INTEGER, color INTEGER)",
        f"INSERT INTO node VALUES {', '.join(f'({k}, {k % 3})' for k in range(7))}",
    ]


def fixpoint(anchor: list[tuple[object, ...]], step: Callable[[tuple[object, ...]], list[tuple[object, ...]]],
             *, keeps_all: bool) -> Counter[tuple[object, ...]]:  # fmt: skip
    """The rows of a recursion whose step looks at one row at a time."""
    found: list[tuple[object, ...]] = []
    added = anchor
    while added:
        if not keeps_all:
            added = [row for row in dict.fromkeys(added) if row not in found]
        found += added
        added = [row for old in added for row in step(old)]
    return Counter(found)


STEPS = {
    "join": "SELECT e.target, t.depth + 1 FROM t JOIN edge AS e ON t.n = e.source WHERE t.depth < {depth}",
    "comma": "SELECT e.target, t.depth + 1 FROM edge AS e, t WHERE t.n = e.source AND depth < {depth}",
    "filtered": "SELECT target, depth + 1 FROM (SELECT * FROM t WHERE depth < {depth}) AS s JOIN edge ON n = source",
    "nested loop": "SELECT target, depth + 1 FROM t JOIN edge ON n <= source AND n >= source AND depth < {depth}",
    "null-safe": "SELECT target, depth + 1 FROM t JOIN edge ON n IS NOT DISTINCT FROM source WHERE depth < {depth}",
    "left": "SELECT target, depth + 1 FROM t LEFT JOIN edge ON n = source WHERE depth < {depth}",
    "three": (
        "SELECT e.target, t.depth + 1 FROM t JOIN edge AS e ON t.n = e.source JOIN node AS a ON e.target = a.k"
        " WHERE t.depth < {depth} AND a.color <> 1"
    ),
    "grouped": (
        "SELECT g.target, t.depth + 1 FROM t JOIN (SELECT source, target, count(*) AS c FROM edge GROUP BY 1, 2) AS g"
        " ON t.n = g.source WHERE t.depth < {depth} AND g.c = 1"
    ),
    "union inside": (
        "SELECT u.b, t.depth + 1 FROM t JOIN (SELECT source AS a, target AS b FROM edge UNION ALL"
        " SELECT target, source FROM edge WHERE source < target) AS u ON t.n = u.a WHERE t.depth < {depth}"
    ),
    "right": "SELECT target, depth + 1 FROM edge RIGHT JOIN t ON n = source WHERE depth < {depth}",
}


def neighbours(name: str, edges: list[Pair], n: object) -> list[object]:
    """What the step `name` reaches from `n`, by loops."""
    count = Counter(edges)
    matching = [target for source, target in edges if source == n and n is not None]
    match name:
        case "null-safe":
            return [target for source, target in edges if source == n]
        case "left" | "right":
            return list(matching) or [None]
        case "three":
            return [target for target in matching if target is not None and target % 3 != 1]
        case "grouped":
            return [t for (s, t), times in count.items() if s == n and n is not None and times == 1]
        case "union inside":
            back = [s for s, t in edges if t == n and s is not None and t is not None and s < t]
            return [*matching, *back]
        case _:
            return list(matching)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("union", ["UNION", "UNION ALL"])
def test_walks_in_random_graphs(name: str, union: str) -> None:
    rng = random.Random(f"{name} {union}")
    compared = 0
    for _ in range(12):
        edges, depth = graph(rng), rng.randint(0, 4)
        expected = fixpoint(
            [(start, 0) for start in (0, 1)],
            lambda row: [(n, row[1] + 1) for n in neighbours(name, edges, row[0])] if row[1] < depth else [],  # type: ignore[operator]  # noqa: B023
            keeps_all=union == "UNION ALL",
        )
        query = (
            f"WITH RECURSIVE t(n, depth) AS (SELECT k, 0 FROM node WHERE k < 2 {union}"
            f" {STEPS[name].format(depth=depth)}) SELECT n, depth FROM t"
        )
        peers = Peers(script(edges))
        agreed = peers.rows(query)
        with minisql.connect() as connection:
            for statement in script(edges):
                connection.execute(statement)
            for batch_rows in (1, 3, 131_072):
                connection.execute(f"SET batch_rows = {batch_rows}")
                for setting in ("hash_join", "merge_derived_tables", "push_down_conditions"):
                    connection.execute(f"SET {setting} = {'off' if rng.random() < 0.3 else 'on'}")
                found = connection.execute(query).fetchall()
                assert Counter(found) == expected, (edges, query)
        if agreed is not None:
            compared += 1
            assert Counter(agreed) == expected, (edges, query)
        peers.close()
    # SQLite takes no subquery in FROM that reads the query itself.
    assert compared > 6 or name == "filtered"


@pytest.mark.parametrize("seed", range(4))
def test_closures_in_random_graphs(seed: int) -> None:
    """All pairs that are connected, by UNION alone: cycles end by themselves."""
    rng = random.Random(seed)
    compared = 0
    for _ in range(20):
        edges = graph(rng)
        reached = set(edges)
        while more := {(a, d) for a, b in reached for c, d in edges if b == c and b is not None} - reached:
            reached |= more
        query = (
            "WITH RECURSIVE c AS (SELECT source, target FROM edge UNION SELECT c.source, edge.target FROM c"
            " JOIN edge ON c.target = edge.source) SELECT * FROM c"
        )
        peers = Peers(script(edges))
        with minisql.connect() as connection:
            for statement in script(edges):
                connection.execute(statement)
            assert Counter(connection.execute(query).fetchall()) == Counter(reached)
            twice = query.replace("SELECT * FROM c", "SELECT count(*) FROM c AS x JOIN c AS y ON x.target = y.source")
            joined = sum(b == c and b is not None for _, b in reached for c, _ in reached)
            for setting in ("on", "off"):
                connection.execute(f"SET materialize_common_tables = {setting}")
                assert connection.execute(twice).fetchall() == [(joined,)]
        agreed = peers.rows(twice)
        assert agreed is None or agreed == [(joined,)]
        compared += agreed is not None
        peers.close()
    assert compared > 10


@pytest.mark.parametrize("union", ["UNION", "UNION ALL"])
def test_the_plan_has_the_rows_of_the_query_as_written(union: str) -> None:
    """Of the relational expression, rewritten or not, and of its plan, by the naive evaluation."""
    rng = random.Random(union)
    for _ in range(30):
        edges = graph(rng)
        step = rng.choice(list(STEPS.values())).format(depth=rng.randint(0, 3))
        with minisql.connect() as connection:
            for statement in script(edges):
                connection.execute(statement)
            planned = connection.plan(
                f"WITH RECURSIVE t(n, depth) AS (SELECT 0, 0 {union} {step}),"
                " u AS (SELECT n, count(*) AS c FROM t GROUP BY n)"
                " SELECT x.n, y.c FROM u AS x LEFT JOIN u AS y ON x.n = y.n + 1 WHERE x.c < 3"
            )
            wanted = [ColumnId(planned.table, position) for position in range(2)]
            expected = bag(planned.as_written, wanted)
            assert bag(planned.rewritten, wanted) == expected
            assert bag(as_relational(planned.path), wanted) == expected
            assert Counter(planned.execute().fetchall()) == expected
