"""WITH RECURSIVE beside DuckDB, one thread: reachability in a graph, many rounds of few rows, shared tables.

    python benchmarks/recursion.py --edges 100000

The graph has half as many nodes as edges, at random. Both engines hold the edges in their own format before the clock
starts.
"""

from __future__ import annotations

import argparse

import duckdb
import numpy as np
import pyarrow as pa
from compare import measure, print_table

import minisql

REACHABLE = (
    "WITH RECURSIVE t(n) AS (SELECT 0::bigint UNION SELECT target FROM t JOIN edge ON n = source)"
    " SELECT count(*), sum(n) FROM t"
)
DISTANCES = (
    "WITH RECURSIVE t(n, d) AS (SELECT 0::bigint, 0 UNION SELECT target, d + 1 FROM t JOIN edge ON n = source"
    " WHERE d < 8) SELECT d, count(*) FROM t GROUP BY d ORDER BY d"
)
COUNTED = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {}) SELECT count(*), sum(n) FROM t"
LINE = (
    "WITH RECURSIVE t(n) AS (SELECT 0::bigint UNION ALL SELECT next FROM t JOIN line ON n = k WHERE n < {})"
    " SELECT count(*), sum(n) FROM t"
)
SHARED = (
    "WITH g AS (SELECT source, count(*) AS c, sum(target) AS s FROM edge GROUP BY source)"
    " SELECT count(*) FROM g AS x JOIN g AS y ON x.source = y.c JOIN g AS z ON y.c = z.source"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    random = np.random.default_rng(7)
    edges, nodes = arguments.edges, arguments.edges // 2
    tables = {
        "edge": pa.table({"source": random.integers(0, nodes, edges), "target": random.integers(0, nodes, edges)}),
        "line": pa.table({"k": np.arange(edges), "next": np.arange(1, edges + 1)}),
    }
    ours, theirs = minisql.connect(), duckdb.connect()
    theirs.execute("SET threads = 1")
    for name, table in tables.items():
        ours.register(f"{name}_", table)
        ours.execute(f"CREATE TABLE {name} AS SELECT * FROM {name}_")
        theirs.register("arrow", table)
        theirs.execute(f"CREATE TABLE {name} AS FROM arrow")
    cases = {
        "reachable": REACHABLE,
        "distances up to 8": DISTANCES,
        "1,000 rounds": COUNTED.format(1_000),
        "10,000 rounds": COUNTED.format(10_000),
        "1,000 rounds of a join": LINE.format(999),
        "used three times": SHARED,
    }
    measured = [
        measure(
            name,
            lambda query=query: [tuple(map(int, row)) for row in ours.execute(query).fetchall()],  # type: ignore[misc]
            lambda query=query: [tuple(map(int, row)) for row in theirs.execute(query).fetchall()],  # type: ignore[misc]
            arguments.repeat,
        )
        for name, query in cases.items()
    ]
    print_table(f"Recursion and shared tables over {edges:,} edges", measured, "DuckDB")


if __name__ == "__main__":
    main()
