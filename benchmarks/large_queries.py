"""Planning of queries beyond the pair budget: time, memory and cost, for chains, stars and snowflakes of every join.

    python benchmarks/large_queries.py --tables 100 1000

Milliseconds are the median of whole planning, from the text to the plan, with statistics at hand; the peak is that of a
process of its own, tables included. Costs are those of other orders divided by that of the plan: the order as written,
greedy operator ordering alone, and for queries of at most 60 tables the best order, found without a budget.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from unittest.mock import patch

from tabulate import tabulate

import minisql

SHAPES = ("chain", "star", "snowflake")
JOINS = {
    "INNER": ("INNER",),
    "LEFT": ("LEFT",),
    "FULL": ("FULL",),
    "mixed": ("INNER", "LEFT", "LEFT", "INNER", "INNER", "FULL"),
}
HEADERS = ["", "joins", "tables", "ms", "peak MB", "written / plan", "greedy / plan", "best / plan"]
MOST_TABLES_FOR_BEST = 60


def conditions(shape: str, tables: int) -> Iterator[str]:
    """The condition of each join: of the table before, of the fact table, or of a table of the ring around that."""
    ring = int(tables**0.5)
    for i in range(1, tables):
        if shape == "star" or (shape == "snowflake" and i <= ring):
            yield f"t0.c{i} = t{i}.a"
        else:
            yield f"t{i - (1 if shape == 'chain' else ring)}.b = t{i}.a"


def query(shape: str, joins: str, tables: int) -> str:
    rng = random.Random(3)
    parts = [f" {rng.choice(JOINS[joins])} JOIN t{i} ON {c}" for i, c in enumerate(conditions(shape, tables), 1)]
    return f"SELECT count(*) FROM t0{''.join(parts)}"


def connect(tables: int) -> minisql.Connection:
    """A database of tables of 10 to 10,000 rows with keys that match each other more or less."""
    rng = random.Random(1)
    connection = minisql.connect()
    connection.execute("SET plan_cache = off")
    for i in range(tables):
        rows = 10_000 if i == 0 else int(10 ** rng.uniform(1, 4))
        keys = [f"range % {rng.randint(2, rows + 2)} AS b"]
        keys += [f"range % {rng.randint(2, 5000)} AS c{j}" for j in range(1, tables) if i == 0]
        connection.execute(f"CREATE TABLE t{i} AS SELECT range AS a, {', '.join(keys)} FROM range({rows})")
    return connection


def cost(connection: minisql.Connection, sql: str, setting: str, value: str) -> float:
    """The cost of the plan under a setting."""
    connection.execute(f"SET {setting} = {value}")
    found = connection.plan(sql).path.cost
    connection.execute(f"SET {setting} = DEFAULT")
    return found


def measure(shape: str, joins: str, tables: int, repeat: int) -> str:
    """One row of the table, its cells divided by tabs."""
    connection = connect(tables)
    sql = query(shape, joins, tables)
    connection.plan(sql)
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        planned = connection.plan(sql).path.cost
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    written = cost(connection, sql, "join_order", "'as_written'") / planned
    with patch("minisql.optimizer.find_order.improve_order"):
        greedy = connection.plan(sql).path.cost / planned
    best = "-"
    if tables <= MOST_TABLES_FOR_BEST and shape != "star":
        best = f"{cost(connection, sql, 'pair_budget', '10000000') / planned:.3f}"
    milliseconds = statistics.median(seconds) * 1000
    return f"{shape}\t{joins}\t{tables}\t{milliseconds:.0f}\t{peak:.0f}\t{written:.3g}\t{greedy:.3g}\t{best}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("SHAPE", "JOINS"), help="measure one case in this process")
    options = parser.parse_args()
    if options.one:
        print(measure(*options.one, options.tables[0], options.repeat))
        return
    rows = []
    for tables in options.tables:
        for shape in SHAPES:
            for joins in JOINS:
                command = [sys.executable, __file__, "--tables", str(tables), "--repeat", str(options.repeat)]
                done = subprocess.run([*command, "--one", shape, joins], capture_output=True, text=True, check=True)
                rows.append(done.stdout.strip().split("\t"))
    print(tabulate(rows, HEADERS, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
