"""executemany() of `INSERT INTO t VALUES (?, ?, ?)` beside sqlite3, both in memory: seconds, the best of five.

python benchmarks/executemany.py
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import tabulate

import minisql

CREATE = "CREATE TABLE t (k INTEGER, x DOUBLE, s VARCHAR)"
INSERT = "INSERT INTO t VALUES (?, ?, ?)"


def best_of(run: Callable[[], float], count: int = 5) -> float:
    return min(run() for _ in range(count))


def with_minisql(rows: list[tuple[object, ...]], *, one_by_one: bool = False) -> float:
    with minisql.connect() as connection:
        connection.execute(CREATE)
        start = time.perf_counter()
        if one_by_one:
            insert = connection.prepare(INSERT)
            for row in rows:
                insert.execute(row)
        else:
            connection.executemany(INSERT, rows)
        seconds = time.perf_counter() - start
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (len(rows),)
        return seconds


def with_sqlite(rows: list[tuple[object, ...]]) -> float:
    connection = sqlite3.connect(":memory:")
    connection.execute(CREATE)
    start = time.perf_counter()
    connection.executemany(INSERT, rows)
    connection.commit()
    seconds = time.perf_counter() - start
    connection.close()
    return seconds


def main() -> None:
    lines = []
    for count in (10, 1_000, 100_000, 1_000_000):
        rows: list[tuple[object, ...]] = [(k, k / 7, f"row {k}") for k in range(count)]
        ours, theirs = best_of(lambda: with_minisql(rows)), best_of(lambda: with_sqlite(rows))  # noqa: B023
        single = best_of(lambda: with_minisql(rows, one_by_one=True), 1) if count <= 1_000 else None  # noqa: B023
        lines.append([f"{count:,}", ours, theirs, ours / theirs, single])
    head = ["rows", "minisql", "sqlite3", "ratio", "minisql, one by one"]
    print(tabulate.tabulate(lines, head, floatfmt=".4f", tablefmt="github"))


if __name__ == "__main__":
    main()
