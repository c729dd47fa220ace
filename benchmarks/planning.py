"""Planning time of chains, stars and cliques of joins, parsing and resolving included, beside DuckDB and PostgreSQL.

    python benchmarks/planning.py
    python benchmarks/planning.py --postgresql 'host=/tmp dbname=postgres'

Tables are small and have statistics; nothing is executed. The peers run EXPLAIN. DuckDB reorders inner joins only, and
all of them greedily where they are many; PostgreSQL runs with geqo off and without limits to what it reorders. A case
that takes a peer longer than its limit is left out of the mean.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import time
from collections.abc import Callable
from typing import Any

import duckdb
from compare import Measured, geometric_mean, measure
from tabulate import tabulate

import minisql
from minisql.parser.parse import parse_statement

ROWS = 1000
COLUMNS = 50
KINDS = ("INNER", "LEFT", "FULL")
POSTGRESQL_SECONDS = 10


def _joins(join: str, tables: int, condition: Callable[[int], str]) -> str:
    kinds = KINDS if join == "mixed" else (join,)
    joins = [f" {kinds[i % len(kinds)]} JOIN t{i} ON {condition(i)}" for i in range(1, tables)]
    return f"SELECT count(*) FROM t0{''.join(joins)}"


def chain(tables: int, join: str) -> str:
    return _joins(join, tables, lambda i: f"t{i - 1}.b = t{i}.a")


def star(tables: int, join: str) -> str:
    return _joins(join, tables, lambda i: f"t0.c{i} = t{i}.a")


def clique(tables: int, join: str) -> str:
    return _joins(join, tables, lambda i: " AND ".join(f"t{j}.c{i} = t{i}.c{j}" for j in range(i)))


SHAPES: tuple[tuple[str, Callable[[int, str], str], tuple[int, ...]], ...] = (
    ("chain", chain, (5, 10, 20, 50, 100)),
    ("star", star, (5, 8, 12, 20, 50)),
    ("clique", clique, (5, 8, 10, 15)),
)


def create_tables(database: Any, tables: int, columns: int = COLUMNS) -> None:
    """Creates t0, t1, ... in an engine that knows range()."""
    listed = ", ".join(f"range % {7 + i} AS c{i}" for i in range(columns))
    for number in range(tables):
        database.execute(f"CREATE TABLE t{number} AS SELECT range AS a, range % 100 AS b, {listed} FROM range({ROWS})")


class PostgreSQL:
    """A server, asked through psql: the planning time that it reports, without the way to it."""

    def __init__(self, connection: str) -> None:
        self._connection = connection

    def create_tables(self, tables: int) -> None:
        listed = ", ".join(f"i % {7 + i} AS c{i}" for i in range(COLUMNS))
        for number in range(tables):
            source = f"SELECT i AS a, i % 100 AS b, {listed} FROM generate_series(0, {ROWS - 1}) AS i"
            self._ask(f"DROP TABLE IF EXISTS t{number}; CREATE TABLE t{number} AS {source}; ANALYZE t{number}")

    def milliseconds(self, query: str) -> float | None:
        """The best of three; None where it takes too long."""
        settings = f"SET geqo = off; SET join_collapse_limit = 1000; SET statement_timeout = '{POSTGRESQL_SECONDS}s'"
        answer = self._ask(f"{settings};" + f"EXPLAIN (SUMMARY) {query};" * 3)
        times = [float(line.split()[2]) for line in answer.splitlines() if line.startswith("Planning Time")]
        return min(times) if len(times) == 3 else None

    def _ask(self, sql: str) -> str:
        command = ["psql", "-X", "-q", "-A", "-t", "-c", sql, self._connection]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--postgresql", metavar="CONNECTION", help="a server for psql that may be written to")
    options = parser.parse_args()
    tables = max(max(sizes) for _, _, sizes in SHAPES)
    ours, theirs = minisql.connect(), duckdb.connect()
    ours.execute("SET plan_cache = off")
    theirs.execute("SET threads = 1")
    for database in (ours, theirs):
        create_tables(database, tables)
    server = PostgreSQL(options.postgresql) if options.postgresql else None
    if server:
        server.create_tables(tables)
    measured: list[tuple[Measured, float | None]] = []
    for shape, make, sizes in SHAPES:
        for size in sizes:
            for kind in KINDS:
                query = make(size, kind)

                def plan(query: str = query) -> bool:
                    return bool(ours.plan(query).path)

                def explain(query: str = query) -> bool:
                    return bool(theirs.execute(f"EXPLAIN {query}").fetchall())

                case = measure(f"{shape} of {size}, {kind}", plan, explain, options.repeat)
                measured.append((case, server.milliseconds(query) if server else None))
    print_times(measured)
    print_small_times(ours)


def print_small_times(connection: minisql.Connection) -> None:
    """Prints the time for a usual query to be parsed and resolved, and to be planned again."""
    query = (
        "SELECT t0.a, t1.b + t2.b AS total, CASE WHEN t0.b > 5 THEN 'big' ELSE 'small' END AS size, count(*) "
        "FROM t0 FULL JOIN t1 ON t0.a = t1.a LEFT JOIN t2 ON t1.b = t2.a AND t2.b < 100 JOIN t3 ON t3.a = t0.a "
        "WHERE t0.b BETWEEN 1 AND 50 AND (t1.b IS NULL OR t1.b <> 7) GROUP BY t0.a, t1.b + t2.b, size LIMIT 10"
    )

    def best_of(run: Callable[[], object]) -> float:
        times = []
        for _ in range(30):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        return min(times) * 1000

    tokens = len(re.findall(r"\w+|[^\s\w]", query))
    parsing = best_of(lambda: parse_statement(query))
    planning = best_of(lambda: connection.plan(query))
    no_joins = best_of(lambda: connection.plan("SELECT 1"))
    connection.execute("SET plan_cache = on")
    again = best_of(lambda: connection.plan(query))
    print(
        f"\nA query of {tokens} tokens: parsing {parsing:.2f} ms, planning as a whole {planning:.2f} ms, "
        f"again from the plan cache {again * 1000:.0f} µs (SELECT 1: {no_joins:.2f} ms)"
    )


def print_times(measured: list[tuple[Measured, float | None]]) -> None:
    rows = []
    for case, milliseconds in measured:
        row = [case.name, f"{case.ours * 1000:.1f}", f"{case.theirs * 1000:.1f}", f"{case.ratio:.2f}"]
        row += ["", ""] if milliseconds is None else [f"{milliseconds:.1f}", f"{case.ours * 1000 / milliseconds:.2f}"]
        rows.append(row)
    mean = geometric_mean([case.ratio for case, _ in measured])
    ratios = [case.ours * 1000 / milliseconds for case, milliseconds in measured if milliseconds is not None]
    rows.append(["geometric mean", "", "", f"{mean:.2f}", "", f"{geometric_mean(ratios):.2f}" if ratios else ""])
    how = "compiled" if minisql.planner_is_compiled() else "interpreted"
    print(f"\nPlanning, {how}, beside DuckDB {duckdb.__version__} and PostgreSQL (where given, its own report)")
    headers = ["", "minisql ms", "DuckDB ms", "ratio", "PostgreSQL ms", "ratio"]
    print(tabulate(rows, headers, tablefmt="github", colalign=("left",) + ("right",) * 5, disable_numparse=True))


if __name__ == "__main__":
    main()
