"""Planning time of chains, stars and cliques of joins, parsing and resolving included, beside DuckDB's EXPLAIN.

    python benchmarks/planning.py

Tables are small and have statistics; nothing is executed. DuckDB reorders inner joins only.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import duckdb
from compare import measure, print_table

import minisql

ROWS = 1000


def chain(tables: int, join: str) -> str:
    joins = "".join(f" {join} JOIN t{i} ON t{i - 1}.b = t{i}.a" for i in range(1, tables))
    return f"SELECT count(*) FROM t0{joins}"


def star(tables: int, join: str) -> str:
    joins = "".join(f" {join} JOIN t{i} ON t0.c{i} = t{i}.a" for i in range(1, tables))
    return f"SELECT count(*) FROM t0{joins}"


def clique(tables: int, join: str) -> str:
    joins = ""
    for i in range(1, tables):
        equal = " AND ".join(f"t{j}.c{i} = t{i}.c{j}" for j in range(i))
        joins += f" {join} JOIN t{i} ON {equal}"
    return f"SELECT count(*) FROM t0{joins}"


CASES: tuple[tuple[str, Callable[[int, str], str], int, str], ...] = (
    ("chain of 5", chain, 5, "INNER"),
    ("chain of 10", chain, 10, "INNER"),
    ("chain of 10, LEFT", chain, 10, "LEFT"),
    ("chain of 10, FULL", chain, 10, "FULL"),
    ("chain of 20", chain, 20, "INNER"),
    ("star of 8", star, 8, "INNER"),
    ("star of 8, LEFT", star, 8, "LEFT"),
    ("clique of 6", clique, 6, "INNER"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=15)
    options = parser.parse_args()
    tables = max(count for _, _, count, _ in CASES)
    columns = ", ".join(f"range % {7 + i} AS c{i}" for i in range(tables))
    ours, theirs = minisql.connect(), duckdb.connect()
    ours.execute("SET plan_cache = off")
    for number in range(tables):
        create = f"CREATE TABLE t{number} AS SELECT range AS a, range % 100 AS b, {columns} FROM range({ROWS})"
        ours.execute(create)
        theirs.execute(create)
    measured = []
    for name, shape, count, join in CASES:
        query = shape(count, join)

        def plan(query: str = query) -> bool:
            return bool(ours.plan(query).path)

        def explain(query: str = query) -> bool:
            return bool(theirs.execute(f"EXPLAIN {query}").fetchall())

        measured.append(measure(name, plan, explain, options.repeat))
    print_table(f"Planning, DuckDB {duckdb.__version__}", measured, "DuckDB")


if __name__ == "__main__":
    main()
