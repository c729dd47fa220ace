"""Measures what operators take for each row, beside the constants of the cost model.

    python benchmarks/cost_constants.py

Plans are made by hand from those of the optimizer, so that it is known which side of a join is built. The time of an
operator is that of its plan less that of its inputs. Keys are 8-byte integers; scattered ones are spread over so wide a
range that they need a hash table, dense ones are found in a lookup table.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from tabulate import tabulate

import minisql
from minisql.execution.build_iterators import build_iterators
from minisql.expression.nodes import ColumnId
from minisql.optimizer import cost_constants
from minisql.optimizer.access_path import AccessPath, HashAggregate, HashJoin, NestedLoopJoin, Project
from minisql.settings import Settings

PROBE_ROWS = 2_000_000
BUILD_SIZES = (1_000, 10_000, 100_000, 300_000, 1_000_000, 3_000_000)


class Bench:
    """A connection and the ways to time its plans."""

    def __init__(self, repeat: int) -> None:
        self.connection = minisql.connect()
        self.repeat = repeat
        self.random = np.random.default_rng(1)

    def table(self, name: str, **columns: np.ndarray) -> None:
        self.connection.register(name, pa.table(columns))

    def path(self, query: str) -> AccessPath:
        """The plan of a query below its select list."""
        path = self.connection.plan(query).path
        while isinstance(path, Project):
            path = path.input
        return path

    def seconds(self, path: AccessPath, columns: Sequence[ColumnId] = ()) -> float:
        """The best time of running a path for these columns; the first run, which loads tables, does not count."""
        times = []
        for _ in range(self.repeat + 1):
            iterator = build_iterators(path, columns, Settings())
            start = time.perf_counter()
            iterator.open()
            while iterator.next() is not None:
                pass
            iterator.close()
            times.append(time.perf_counter() - start)
        return min(times[1:])

    def per_row(self, query: str, rows: float, *, less: str | None = None) -> float:
        """Microseconds for each of `rows` rows of a query with an aggregate on top, less those of another query."""
        taken = self._query(query) - (0.0 if less is None else self._query(less))
        return taken / rows * 1e6

    def _query(self, query: str) -> float:
        planned = self.connection.plan(query)
        columns = [ColumnId(planned.table, position) for position in range(len(planned.names))]
        return self.seconds(planned.path, columns)


def keys(bench: Bench, rows: int, *, dense: bool) -> np.ndarray:
    """Distinct keys in random order."""
    return bench.random.permutation(rows).astype(np.int64) * (1 if dense else 1_000_003)


def join_costs(bench: Bench, build_rows: int, *, dense: bool) -> tuple[float, float]:
    """Microseconds for a build row and for a probe row, nothing but the number of pairs asked for."""
    build = keys(bench, build_rows, dense=dense)
    bench.table("build_side", k=build, v=build)
    bench.table("probe_side", k=bench.random.choice(build, PROBE_ROWS))
    bench.table("one_probe", k=build[:1])
    taken = {}
    for probe in ("probe_side", "one_probe"):
        path = bench.path(f"SELECT count(*) FROM {probe} p JOIN build_side b ON p.k = b.k")
        assert isinstance(path, HashAggregate)
        join = path.input
        assert isinstance(join, HashJoin)
        # The side that is built has `build_rows` rows, whichever the optimizer would build.
        join = replace(join, build_left=False)
        taken[probe] = bench.seconds(replace(path, input=join))
    build_cost = taken["one_probe"] / build_rows
    return build_cost * 1e6, (taken["probe_side"] - taken["one_probe"]) / PROBE_ROWS * 1e6


def pair_cost(bench: Bench) -> float:
    """Microseconds for a pair of a nested loop."""
    bench.table("outer_side", x=np.arange(2_000))
    bench.table("inner_side", y=np.arange(20_000) + 5_000)
    path = bench.path("SELECT count(*) FROM outer_side o JOIN inner_side i ON o.x > i.y")
    assert isinstance(path, HashAggregate)
    assert isinstance(path.input, NestedLoopJoin)
    return bench.seconds(path) / (2_000 * 20_000) * 1e6


def residual_cost(bench: Bench) -> float:
    """Microseconds for a pair with equal keys and a further condition, which no pair passes."""
    bench.table("many", k=np.repeat(np.arange(1_000), 100) * 1_000_003, x=np.arange(100_000))
    query = "SELECT count(*) FROM many a JOIN many b ON a.k = b.k"
    return bench.per_row(f"{query} AND a.x + 1000000 < b.x", 10_000_000)


# Conditions for which `predicate_rank` has a cost, and others near to them. Strings are distinct, those of f are few.
CONDITIONS = (
    "x < 500", "x IN (1, 2, 3)", "x IS NULL", "x < 5 OR y < 5", "x + y < 5000", "y / 3 > 5",
    "CASE WHEN x < 5 THEN y ELSE x END < 5", "extract(year FROM d) = 2000", "s < 'customer 5'", "f < 'customer 5'",
    "s IN ('a', 'b', 'c')", "s LIKE 'customer 12%'", "s LIKE '%12%3%'", "f LIKE '%12%3%'", "length(s) = 3",
    "trim(s) = 'a'", "lower(s) = 'a'", "contains(s, '99')", "s ~ '[1-3]{3} '",
    "split_part(s, ' ', 2) = '5'", "CAST(n AS BIGINT) < 500", "CAST(x AS VARCHAR) = '5'",
)  # fmt: skip


def condition_costs(bench: Bench, rows: int) -> list[list[str]]:
    """For each condition its cost as it is expected and as it is measured, in microseconds for a row."""
    random = bench.random
    bench.table(
        "conditions",
        x=random.integers(0, 1000, rows),
        y=random.integers(0, 1 << 40, rows),
        d=random.integers(0, 10_000, rows).astype("datetime64[D]"),
        s=np.array([f"customer {number:09d}" for number in random.permutation(rows)], dtype=object),
        f=np.array([f"customer {number:09d}" for number in random.integers(0, 100, rows)], dtype=object),
        n=np.array([str(number) for number in random.permutation(rows)], dtype=object),
    )
    count = "SELECT count(*) FROM conditions"
    table = []
    for condition in CONDITIONS:
        path = bench.path(f"{count} WHERE {condition}")
        assert isinstance(path, HashAggregate)
        expected = (path.input.cost - rows * cost_constants.SCAN_ROW) / rows
        measured = bench.per_row(f"{count} WHERE {condition}", rows, less=count)
        table.append([condition, f"{expected:.4f}", f"{measured:.4f}"])
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    bench = Bench(parser.parse_args().repeat)
    rows = 4_000_000
    random = bench.random
    bench.table(
        "t",
        x=random.integers(0, 1000, rows),
        y=random.integers(0, 1 << 40, rows),
        g=random.integers(0, 10_000, rows) * 1_000_003,
    )
    bench.table("u", k=np.arange(1000), v=np.arange(1000), w=np.arange(1000))
    count = "SELECT count(*) FROM t"
    over = "OVER (ORDER BY y)"
    joined = "FROM t JOIN u ON t.x = u.k"
    measured = {
        "SCAN_ROW": bench.per_row("SELECT sum(x) FROM t", rows),
        "CONDITION_ROW": bench.per_row(f"{count} WHERE x < 500", rows, less=count),
        "EXPRESSION_ROW": bench.per_row("SELECT sum(x + y) FROM t", rows, less="SELECT sum(y) FROM t"),
        "PAIR": pair_cost(bench),
        "RESIDUAL_PAIR": residual_cost(bench),
        "OUTPUT_ROW": bench.per_row(
            f"SELECT max(t.y), max(u.v), max(u.w) {joined}", rows, less=f"SELECT count(*) {joined}"
        ),
        "GROUP_ROW": bench.per_row("SELECT g, count(*), sum(x) FROM t GROUP BY g", rows),
        "SORT_ROW": bench.per_row("SELECT y FROM t ORDER BY y", rows * math.log2(rows)),
        "WINDOW_ROW": bench.per_row(
            f"SELECT max(a), max(b) FROM (SELECT rank() {over} AS a, sum(x) {over} AS b FROM t) AS q",
            rows,
            less=f"SELECT max(a) FROM (SELECT rank() {over} AS a FROM t) AS q",
        ),
    }
    table = [[name, f"{getattr(cost_constants, name):.4f}", f"{value:.4f}"] for name, value in measured.items()]
    print(tabulate(table, ["", "constant", "measured, us"], tablefmt="github"))
    print(tabulate(condition_costs(bench, 1_000_000), ["", "expected", "measured, us"], tablefmt="github"))
    table = []
    for size in BUILD_SIZES:
        costs = (*join_costs(bench, size, dense=False), *join_costs(bench, size, dense=True))
        table.append([f"{size:,}", *(f"{cost:.4f}" for cost in costs)])
    print(tabulate(table, ["build rows", "build", "probe", "build, dense", "probe, dense"], tablefmt="github"))


if __name__ == "__main__":
    main()
