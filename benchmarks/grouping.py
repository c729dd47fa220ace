"""GROUP BY with several keys, COUNT(DISTINCT), grouping sets and other aggregates over a million rows, beside DuckDB.

    python benchmarks/grouping.py [--rows 1000000] [--repeat 5]

Both engines read the same Arrow table, loaded before, with one thread each. Answers are compared first.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from compare import measure, print_table

import minisql

CASES = (
    ("one key, 1,000 groups", "SELECT a, count(*), sum(v) FROM t GROUP BY a"),
    ("two keys, 100,000 groups", "SELECT a, b, count(*), sum(v), max(d) FROM t GROUP BY a, b"),
    ("three keys, all rows differ", "SELECT count(*) FROM (SELECT a, b, id, sum(v) FROM t GROUP BY a, b, id) AS g"),
    ("two keys, one a string", "SELECT s, b, count(*), avg(d) FROM t GROUP BY s, b"),
    ("count distinct, one group", "SELECT count(DISTINCT id), count(DISTINCT v) FROM t"),
    ("count distinct, 1,000 groups", "SELECT a, count(DISTINCT v) FROM t GROUP BY a"),
    ("count distinct of strings", "SELECT b, count(DISTINCT s), count(DISTINCT a) FROM t GROUP BY b"),
    ("rollup of three keys", "SELECT a, b, s, sum(v), grouping(a, b, s) FROM t GROUP BY ROLLUP (b, s, a)"),
    ("cube of three keys", "SELECT b, s, c, count(*), sum(v) FROM t GROUP BY CUBE (b, s, c)"),
    ("standard deviation, correlation", "SELECT a, round(stddev(d), 6), round(corr(d, v), 6) FROM t GROUP BY a"),
    ("median, 1,000 groups", "SELECT a, median(d), quantile_disc(v, 0.9) FROM t GROUP BY a"),
    ("median, 100,000 groups", "SELECT a, b, median(v) FROM t GROUP BY a, b"),
    ("string_agg, 1,000 groups", "SELECT a, length(string_agg(s, ',' ORDER BY id)) FROM t GROUP BY a"),
    ("string_agg, 100,000 groups", "SELECT a, b, string_agg(s, ',' ORDER BY id) FROM t GROUP BY a, b"),
    ("mode, 1,000 groups", "SELECT a, mode(c) FILTER (WHERE c < 1) FROM t GROUP BY a"),
    ("arg_max, 100,000 groups", "SELECT a, b, arg_max(s, id) FROM t GROUP BY a, b"),
)


def make_table(rows: int) -> pa.Table:
    rng = np.random.default_rng(1)
    names = np.array([f"name {number}" for number in range(500)])
    return pa.table(
        {
            "id": rng.permutation(rows).astype(np.int64),
            "a": rng.integers(0, 1000, rows, np.int32),
            "b": rng.integers(0, 100, rows, np.int32),
            "c": rng.integers(0, 4, rows, np.int32),
            "v": rng.integers(0, 10_000, rows, np.int32),
            "d": rng.integers(0, 1 << 30, rows) / 1024,
            "s": names[rng.integers(0, len(names), rows)],
        }
    )


def answer(execute: Callable[[str], Any], sql: str) -> list[tuple[Any, ...]]:
    """The rows in an order of their own, numbers of any type as what they are worth."""
    rows = execute(f"SELECT * FROM ({sql}) AS q").fetchall()
    plain = [tuple(round(float(v), 5) if isinstance(v, (int, float)) or hasattr(v, "as_tuple") else v for v in row)
             for row in rows]  # fmt: skip
    return sorted(plain, key=str)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    table = make_table(options.rows)
    theirs = duckdb.connect()
    theirs.execute("SET threads = 1")
    theirs.register("source", table)
    theirs.execute("CREATE TABLE t AS SELECT * FROM source")
    ours = minisql.connect()
    ours.register("source", table)
    ours.execute("CREATE TABLE t AS SELECT * FROM source")
    measured = []
    for name, sql in CASES:
        assert answer(ours.execute, sql) == answer(theirs.execute, sql), name

        def run_ours(sql: str = sql) -> int:
            return int(ours.execute(sql).arrow().num_rows)

        def run_theirs(sql: str = sql) -> int:
            return int(theirs.execute(sql).to_arrow_table().num_rows)

        measured.append(measure(name, run_ours, run_theirs, options.repeat))
    print_table(f"Grouping {options.rows:,} rows", measured, "DuckDB")


if __name__ == "__main__":
    main()
