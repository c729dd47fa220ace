"""Window functions over tables in memory, one thread, beside DuckDB.

    python benchmarks/windows.py --rows 1000000

Each query ends in sums over what the window functions give, so that making Python rows costs nothing.
"""

from __future__ import annotations

import argparse
import platform
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from compare import measure, print_table

import minisql

QUERIES = {
    "row_number, 1,000 partitions": "row_number() OVER (PARTITION BY g ORDER BY d)",
    "rank and lag, 1,000 partitions": "rank() OVER w + coalesce(lag(k) OVER (PARTITION BY g ORDER BY x, id), 0) FROM t "
    "WINDOW w AS (PARTITION BY g ORDER BY x)",
    "running sum of integers, one partition": "sum(k) OVER (ORDER BY id)",
    "running sum of doubles, 1,000 partitions": "sum(d) OVER (PARTITION BY g ORDER BY id)",
    "running sum of doubles, 300,000 partitions": "sum(d) OVER (PARTITION BY k ORDER BY id)",
    "average of a partition": "avg(d) OVER (PARTITION BY g)",
    "sum of doubles, 100 rows around": "sum(d) OVER (PARTITION BY g ORDER BY id ROWS BETWEEN 50 PRECEDING AND "
    "50 FOLLOWING)",
    "min, 100 rows before": "min(d) OVER (PARTITION BY g ORDER BY id ROWS 100 PRECEDING)",
    "count, RANGE": "count(*) OVER (PARTITION BY g ORDER BY x RANGE BETWEEN 10 PRECEDING AND 10 FOLLOWING)",
    "max, GROUPS, EXCLUDE TIES": "max(k) OVER (PARTITION BY g ORDER BY x GROUPS BETWEEN 2 PRECEDING AND CURRENT ROW "
    "EXCLUDE TIES)",
    "max of strings, running": "length(max(s) OVER (PARTITION BY g ORDER BY id))",
    "ntile over a string": "ntile(100) OVER (ORDER BY s)",
    "distinct count of a partition": "count(DISTINCT x) OVER (PARTITION BY g)",
}


def table(rows: int) -> pa.Table:
    rng = np.random.default_rng(7)
    strings = pa.array([f"customer {number}" for number in range(20_000)])
    return pa.table(
        {
            "id": rng.permutation(rows),
            "g": rng.integers(0, 1000, rows).astype(np.int32),
            "k": rng.integers(0, max(1, rows * 3 // 10), rows),
            "x": rng.integers(0, 10_000, rows).astype(np.int32),
            "d": rng.normal(100, 20, rows).round(4),
            "s": strings.take(pa.array(rng.integers(0, 20_000, rows))),
        }
    )


def comparable(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Sums of doubles depend on their order in the last digits."""
    return [tuple(float(f"{float(value):.8g}") for value in row) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    data = table(options.rows)
    theirs = duckdb.connect()
    theirs.execute("SET threads = 1")
    theirs.register("data", data)
    theirs.execute("CREATE TABLE t AS SELECT * FROM data")
    measured = []
    with minisql.connect() as ours:
        ours.register("data", data)
        ours.execute("CREATE TABLE t AS SELECT * FROM data")
        for name, call in QUERIES.items():
            inner = call.replace(" FROM t", " AS w FROM t") if " FROM t" in call else f"{call} AS w FROM t"
            query = f"SELECT count(w), sum(w), max(w) FROM (SELECT {inner}) AS q"
            measured.append(
                measure(
                    name,
                    lambda query=query: comparable(ours.execute(query).fetchall()),
                    lambda query=query: comparable(theirs.execute(query).fetchall()),
                    options.repeat,
                )
            )
    title = (
        f"Window functions over {options.rows:,} rows, DuckDB {duckdb.__version__}, Python {platform.python_version()}"
    )
    print_table(title, measured, "DuckDB")


if __name__ == "__main__":
    main()
