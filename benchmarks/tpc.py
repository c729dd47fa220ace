"""All queries of TPC-H and TPC-DS from tables in memory beside DuckDB, with the time that planning takes.

    python benchmarks/tpc.py --scale 0.1

The first run makes the data (see `tpc_data`). Both engines hold the tables in their own format before the clock starts;
minisql uses one thread, DuckDB as many as `--threads` says. Every run plans anew. Rows are compared in the tests
(`python -m tests.tpc.workload 0.1`); here only their number is.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import pyarrow.parquet as pq
from compare import geometric_mean
from tabulate import tabulate
from tpc_data import tpc_folder, tpc_queries

import minisql


@dataclass(frozen=True)
class QueryTimes:
    """Median seconds of one query; `planning` is a part of `ours`."""

    name: str
    planning: float
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs


def _median_seconds(run: Callable[[], object], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _measure(name: str, scale: float, repeat: int, threads: int, only: set[int]) -> list[QueryTimes]:
    folder = tpc_folder(name, scale)
    ours, theirs = minisql.connect(), duckdb.connect()
    theirs.execute(f"SET threads = {threads}")
    ours.execute("SET plan_cache = off")
    for file in sorted(folder.glob("*.parquet")):
        ours.register("source", pq.read_table(file))
        ours.execute(f"CREATE TABLE {file.stem} AS SELECT * FROM source")
        theirs.execute(f"CREATE TABLE {file.stem} AS FROM '{file}'")
    measured = []
    for number, sql in tpc_queries(folder).items():
        if only and number not in only:
            continue
        own = len(ours.execute(sql).fetchall())
        other = len(theirs.execute(sql).fetchall())
        assert own == other, f"{name} {number}: {own} rows, DuckDB has {other}"
        measured.append(
            QueryTimes(
                name=f"{name.upper().replace('TPC', 'TPC-')} {number}",
                planning=_median_seconds(lambda sql=sql: ours.plan(sql), repeat),
                ours=_median_seconds(lambda sql=sql: ours.execute(sql).fetchall(), repeat),
                theirs=_median_seconds(lambda sql=sql: theirs.execute(sql).fetchall(), repeat),
            )
        )
    return measured


def _print(title: str, measured: list[QueryTimes]) -> None:
    rows = [
        [q.name, f"{q.planning * 1000:.0f}", f"{q.ours * 1000:.0f}", f"{q.theirs * 1000:.0f}", f"{q.ratio:.2f}"]
        for q in measured
    ]
    print(f"\n{title}")
    headers = ["", "planning ms", "minisql ms", "DuckDB ms", "ratio"]
    print(tabulate(rows, headers, tablefmt="github", colalign=("left",) + ("right",) * 4))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--benchmark", choices=["tpch", "tpcds"], action="append")
    parser.add_argument("--query", type=int, action="append", default=[])
    options = parser.parse_args()
    measured: list[QueryTimes] = []
    for name in options.benchmark or ["tpch", "tpcds"]:
        measured += _measure(name, options.scale, options.repeat, options.threads, set(options.query))
    compiled = "compiled" if minisql.planner_is_compiled() else "interpreted"
    where = f"scale factor {options.scale:g}, DuckDB {duckdb.__version__}, {platform.machine()}, planner {compiled}"
    _print(f"All queries, {where}", measured)
    _print("The ten with the largest ratio", sorted(measured, key=lambda q: -q.ratio)[:10])
    ratios = [q.ratio for q in measured]
    planning = max(q.planning for q in measured) * 1000
    print(
        f"\n{len(measured)} queries: geometric mean of the ratios {geometric_mean(ratios):.2f}, "
        f"largest {max(ratios):.2f}; longest planning {planning:.0f} ms"
    )


if __name__ == "__main__":
    main()
