"""Common table expressions that are used several times: the same rows however they are computed, and as elsewhere."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

import minisql
from minisql.expression.nodes import ColumnId
from minisql.optimizer import access_path
from minisql.optimizer.access_path import AccessPath, SharedScan
from tests.differential.peers import Peers, bag
from tests.naive import as_relational
from tests.naive import bag as naive_bag

SCRIPT = [
    "CREATE TABLE r (k INTEGER, v INTEGER)",
    "INSERT INTO r VALUES (1, 10), (1, 11), (2, 20), (3, 30), (3, 30), (4, NULL), (NULL, 50)",
    "CREATE TABLE s (k INTEGER, w INTEGER)",
    "INSERT INTO s VALUES (1, 100), (2, 200), (2, 201), (3, NULL), (5, 500), (NULL, 600)",
]

DEFINITIONS = (
    "SELECT k, sum(v) AS v FROM {0} GROUP BY k",
    "SELECT k, max(v) AS v FROM {0} WHERE v > 10 GROUP BY k",
    "SELECT DISTINCT k, v FROM {0}",
    "SELECT k, v FROM {0} WHERE k < 4",
    "SELECT a.k, b.w AS v FROM {0} AS a JOIN s AS b ON a.k = b.k",
    "SELECT a.k, b.w AS v FROM {0} AS a LEFT JOIN s AS b ON a.k = b.k",
    "SELECT coalesce(a.k, b.k) AS k, b.w AS v FROM {0} AS a FULL JOIN s AS b ON a.k = b.k",
    "SELECT k, v FROM {0} UNION ALL SELECT k, w FROM s",
    "SELECT k, v FROM {0} UNION SELECT k, w FROM s",
    "SELECT k, v FROM {0} EXCEPT SELECT k, w FROM s",
    "SELECT a.k, b.v FROM {0} AS a JOIN {0} AS b ON a.k = b.k",
    "SELECT k, v FROM {0} ORDER BY k NULLS LAST, v NULLS LAST LIMIT 4",
)
CONDITIONS = ("{0}.k = 1", "{0}.v > 15", "{0}.k IN (1, 3)", "{0}.v IS NULL", "{0}.k + 1 < 4", "coalesce({0}.v, 0) < 60")


def random_query(rng: random.Random) -> str:
    """A query over two to three common table expressions, each over those before it or a table."""
    tables: list[str] = []
    definitions = []
    for number in range(rng.randint(1, 3)):
        source = rng.choice([*tables, *tables, "r"])
        how = rng.choice(("", "", "", "MATERIALIZED ", "NOT MATERIALIZED "))
        columns = rng.choice(("", "(k, v)"))
        definitions.append(f"w{number}{columns} AS {how}({rng.choice(DEFINITIONS).format(source)})")
        tables.append(f"w{number}")
    uses = rng.randint(2, 4)
    from_ = f"{tables[-1]} AS u0"
    for use in range(1, uses):
        kind = rng.choice(("JOIN", "LEFT JOIN", "FULL JOIN", "RIGHT JOIN"))
        from_ += f" {kind} {rng.choice([tables[-1], rng.choice(tables)])} AS u{use} ON u{use - 1}.k = u{use}.k"
    conditions = [rng.choice(CONDITIONS).format(f"u{use}") for use in range(uses) if rng.random() < 0.5]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    if rng.random() < 0.3:
        columns = f"u0.k, count(*), sum(u{uses - 1}.v)"
        return f"WITH {', '.join(definitions)} SELECT {columns} FROM {from_}{where} GROUP BY u0.k"
    columns = ", ".join(rng.sample([f"u{use}.{column}" for use in range(uses) for column in "kv"], 3))
    return f"WITH {', '.join(definitions)} SELECT {columns} FROM {from_}{where}"


def paths(root: AccessPath) -> Iterator[AccessPath]:
    """All paths of a plan; what is shared is met where it is scanned."""
    waiting = [root]
    while waiting:
        path = waiting.pop()
        yield path
        waiting += access_path.inputs(path)
        if isinstance(path, SharedScan):
            waiting.append(path.shared.input)


@pytest.mark.parametrize("seed", range(4))
def test_random_queries(seed: int) -> None:
    rng = random.Random(seed)
    peers = Peers(SCRIPT)
    compared = shared = 0
    with minisql.connect() as connection:
        for statement in SCRIPT:
            connection.execute(statement)
        for _ in range(60):
            query = random_query(rng)
            expected = None
            for name in ("", "materialize_common_tables", "push_down_conditions", "merge_derived_tables",
                         "derive_conditions", "simplify_outer_joins", "hash_join"):  # fmt: skip
                if name:
                    connection.execute(f"SET {name} = off")
                planned = connection.plan(query)
                rows = bag(planned.execute().fetchall())
                if not name:
                    expected = rows
                    wanted = [ColumnId(planned.table, position) for position in range(len(planned.names))]
                    for relational in (planned.as_written, planned.rewritten, as_relational(planned.path)):
                        assert bag(naive_bag(relational, wanted).elements()) == rows, query
                    shared += any(isinstance(path, SharedScan) for path in paths(planned.path))
                assert rows == expected, (name, query)
                if name == "materialize_common_tables":
                    assert not any(isinstance(path, SharedScan) for path in paths(planned.path))
                if name:
                    connection.execute(f"SET {name} = on")
            agreed = peers.rows(query)
            compared += agreed is not None
            assert agreed is None or agreed == expected, query
    peers.close()
    assert compared > 30
    assert shared > 15


SET_DEFINITIONS = ("SELECT k, v FROM r", "SELECT k, w FROM s", "VALUES (1, 10), (2, NULL), (1, 10)", "SELECT 3, 30")


def random_set_query(rng: random.Random, depth: int) -> str:
    """Set operations, nested and in parentheses; the operands of parentheses may have WITH, ORDER BY and LIMIT."""
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(SET_DEFINITIONS)
    operator = rng.choice(("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "UNION ALL", "UNION"))
    left, right = (random_set_query(rng, depth - 1) for _ in range(2))
    match rng.randrange(4):
        case 0:
            right = f"SELECT * FROM ({right}) AS d"
        case 1:
            right = f"SELECT * FROM (WITH c(a, b) AS ({right}) SELECT * FROM c WHERE a < 4 ORDER BY a, b LIMIT 2) AS d"
        case 2:
            left = f"SELECT * FROM ({left} ORDER BY 1, 2 LIMIT 3) AS d"
    return f"{left} {operator} {right}"


def test_random_set_operations() -> None:
    rng = random.Random(5)
    peers = Peers(SCRIPT)
    compared = 0
    with minisql.connect() as connection:
        for statement in SCRIPT:
            connection.execute(statement)
        for _ in range(300):
            # SQLite has neither parentheses around operands nor an INTERSECT that binds tighter.
            query = random_set_query(rng, rng.randint(1, 3))
            if "INTERSECT" in query and ("UNION" in query or "EXCEPT" in query):
                continue
            query = query.replace("ORDER BY 1, 2", "ORDER BY 1 NULLS LAST, 2 NULLS LAST")
            query = query.replace("ORDER BY a, b", "ORDER BY a NULLS LAST, b NULLS LAST")
            agreed = peers.rows(query)
            compared += agreed is not None
            rows = bag(connection.execute(query).fetchall())
            assert agreed is None or rows == agreed, query
            planned = connection.plan(query)
            wanted = [ColumnId(planned.table, position) for position in range(2)]
            assert bag(naive_bag(planned.as_written, wanted).elements()) == rows, query
    peers.close()
    assert compared > 150


def test_precedence_and_parentheses() -> None:
    """Every way to put three operands together, against bags of Python."""
    operands = {"a": Counter([1, 1, 2, 3]), "b": Counter([1, 2, 2, 4]), "c": Counter([1, 4, 4, 5])}
    with minisql.connect() as connection:
        for name, values in operands.items():
            connection.execute(f"CREATE TABLE {name} (x INTEGER)")
            connection.execute(f"INSERT INTO {name} VALUES {', '.join(f'({value})' for value in values.elements())}")

        def applied(operator: str, left: Counter[int], right: Counter[int]) -> Counter[int]:
            word, _, is_all = operator.partition(" ")
            if not is_all:
                left, right = Counter(set(left)), Counter(set(right))
            found = {"UNION": left + right, "INTERSECT": left & right, "EXCEPT": left - right}[word]
            return found if is_all else Counter(set(found))

        words = [f"{word}{all_}" for word in ("UNION", "INTERSECT", "EXCEPT") for all_ in ("", " ALL")]
        a, b, c = operands["a"], operands["b"], operands["c"]
        for first in words:
            for second in words:
                left = applied(second, applied(first, a, b), c)
                right = applied(first, a, applied(second, b, c))
                binds_right = second.startswith("INTERSECT") and not first.startswith("INTERSECT")
                for query, expected in (
                    (f"TABLE a {first} TABLE b {second} TABLE c", right if binds_right else left),
                    (f"(TABLE a {first} TABLE b) {second} TABLE c", left),
                    (f"TABLE a {first} (TABLE b {second} TABLE c)", right),
                    (f"TABLE a {first} (SELECT x FROM b {second} (VALUES (1), (4), (4), (5)) ORDER BY x)", right),
                ):
                    rows = Counter(x for (x,) in connection.execute(query).fetchall())
                    assert rows == +expected, query
