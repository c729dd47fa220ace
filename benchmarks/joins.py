"""INNER, LEFT and FULL JOIN of two tables in memory, one thread, beside DuckDB; and the most memory that minisql takes.

    python benchmarks/joins.py --rows 10000000

`count(*)` and a sum of each side of 10 million rows joined with 1 million and with 10 million: on 8-byte keys without
duplicates, in any order, once all those of a range and once of random bits; and on strings. About 9 of 10 rows find a
partner. Both engines hold the tables in their own format before the clock starts.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
from compare import Measured, measure, print_table
from tabulate import tabulate

import minisql

JOINS = ("INNER", "LEFT", "FULL")
QUERY = "SELECT count(*), sum(a.v), sum(b.w) FROM a {} JOIN b ON a.k = b.k"


def keys(kind: str, rows: int, build_rows: int, random: np.random.Generator) -> tuple[pa.Array, pa.Array]:
    """The keys of both tables. Those of the second are distinct."""
    if kind == "random":
        distinct = random.integers(-(2**63), 2**63, build_rows * 11 // 10)
    else:
        distinct = np.append(random.permutation(build_rows), np.arange(build_rows, build_rows * 11 // 10))
    chosen = random.integers(0, len(distinct), rows)
    if kind != "string":
        return pa.array(distinct[chosen]), pa.array(distinct[:build_rows])
    digits = pc.utf8_lpad(pa.array(distinct).cast(pa.string()), 10, "0")
    strings = pc.binary_join_element_wise("key", digits, "")
    return strings.take(pa.array(chosen)), strings.slice(0, build_rows)


def tables(kind: str, rows: int, build_rows: int) -> dict[str, pa.Table]:
    random = np.random.default_rng(7)
    probe, build = keys(kind, rows, build_rows, random)
    return {
        "a": pa.table({"k": probe, "v": random.integers(0, 1000, rows)}),
        "b": pa.table({"k": build, "w": random.integers(0, 1000, build_rows)}),
    }


def compare_joins(kind: str, rows: int, build_rows: int, repeat: int) -> Iterator[Measured]:
    ours, theirs = minisql.connect(), duckdb.connect()
    theirs.execute("SET threads = 1")
    for name, table in tables(kind, rows, build_rows).items():
        ours.register(name, table)
        theirs.register("arrow", table)
        theirs.execute(f"CREATE TABLE {name} AS FROM arrow")
    for join in JOINS:
        query = QUERY.format(join)
        yield measure(
            f"{join}, {rows:,} x {build_rows:,}, {kind}",
            lambda query=query: ours.execute(query).fetchall(),
            lambda query=query: theirs.execute(query).fetchall(),
            repeat,
        )


def megabytes_of_join(folder: Path, join: str) -> tuple[float, float]:
    """For the child process: megabytes of the input, and by how many the process grew at most to read and join it."""
    connection = minisql.connect()
    connection.execute("SELECT count(*), sum(x.range) FROM range(9) x FULL JOIN range(9) y ON x.range = y.range")
    before = peak_megabytes()
    size = 0
    for name in ("a", "b"):
        # Mapped, and so in memory once, like tables that an application has; the pages read count as memory.
        table = feather.read_table(folder / f"{name}.arrow", memory_map=True)
        size += table.nbytes
        connection.register(name, table)
    connection.execute(QUERY.format(join)).fetchall()
    return size / 2**20, peak_megabytes() - before


def peak_megabytes() -> float:
    """The most memory that this process ever had, on Linux. (getrusage counts the parent's memory in before exec.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**10


def print_memory(cases: list[tuple[str, int, int]]) -> None:
    rows = []
    for kind, probe_rows, build_rows in cases:
        with tempfile.TemporaryDirectory() as folder:
            for name, table in tables(kind, probe_rows, build_rows).items():
                file = Path(folder) / f"{name}.arrow"
                feather.write_feather(table, file, compression="uncompressed", chunksize=len(table))
            command = [sys.executable, __file__, "--memory-of", folder]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        size, growth = map(float, output.split())
        case = f"FULL, {probe_rows:,} x {build_rows:,}, {kind}"
        rows.append([case, f"{size:.0f}", f"{growth:.0f}", f"{growth / size:.1f}"])
    print("\nMemory")
    print(tabulate(rows, ["", "input MB", "peak MB with input", "ratio"], tablefmt="github"))


def print_times(rows: int, small: int, repeat: int) -> None:
    print(f"One thread, DuckDB {duckdb.__version__}, {platform.machine()}")
    measured = [
        case
        for kind in ("dense", "random")
        for build_rows in (small, rows)
        for case in compare_joins(kind, rows, build_rows, repeat)
    ]
    print_table("8-byte keys", measured, "DuckDB")
    print_table("String keys", list(compare_joins("string", rows, small, repeat)), "DuckDB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only-memory", action="store_true", help="skip the times")
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of is not None:
        print(*megabytes_of_join(options.memory_of, "FULL"))
        return
    rows, small = options.rows, options.rows // 10
    if not options.only_memory:
        print_times(rows, small, options.repeat)
    print_memory([("dense", rows, small), ("dense", rows, rows), ("random", rows, rows), ("string", rows, small)])


if __name__ == "__main__":
    main()
