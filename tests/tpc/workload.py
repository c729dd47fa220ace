"""The data and the queries of TPC-H and TPC-DS, made by DuckDB's extensions, and DuckDB's answers."""

from __future__ import annotations

import datetime
import importlib
import math
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

import minisql

GENERATORS = {"tpch": "dbgen", "tpcds": "dsdgen"}
QUERY_COUNTS = {"tpch": 22, "tpcds": 99}

# DECIMAL digits of a sum are exact on both sides; averages and quotients are DOUBLE and differ in their last digits.
_RELATIVE = 1e-9


class Workload:
    """One benchmark at one scale factor, in both engines."""

    def __init__(self, name: str, scale: float) -> None:
        self.name = name
        module = importlib.import_module(f"duckdb_extension_{name}")
        extension = next(Path(module.__path__[0]).rglob(f"{name}.duckdb_extension"))
        self.duckdb = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        self.duckdb.execute(f"LOAD '{extension}'")
        self.duckdb.execute(f"CALL {GENERATORS[name]}(sf={scale})")
        self.minisql = minisql.connect()
        for (table,) in self.duckdb.execute("SHOW TABLES").fetchall():
            self.minisql.register("source", self.duckdb.execute(f"SELECT * FROM {table}").to_arrow_table())
            self.minisql.execute(f"CREATE TABLE {table} AS SELECT * FROM source")
        self.minisql.unregister("source")
        self.queries: dict[int, str] = dict(
            self.duckdb.execute(f"SELECT query_nr, query FROM {name}_queries()").fetchall()
        )

    def close(self) -> None:
        self.duckdb.close()
        self.minisql.close()

    def difference(self, number: int) -> str | None:
        """Runs a query in both engines; None where they give the same rows, else the first that differ."""
        sql = self.queries[number]
        expected = self.duckdb.execute(sql).fetchall()
        found = self.minisql.execute(sql).fetchall()
        if len(found) != len(expected):
            return f"{len(found)} rows, expected {len(expected)}"
        # Ties in ORDER BY may come in any order, so rows are compared as bags.
        for own, other in zip(sorted(found, key=_sort_key), sorted(expected, key=_sort_key), strict=True):
            if not _same_row(own, other):
                return f"{own}, expected {other}"
        return None


def _sort_key(row: Sequence[Any]) -> list[tuple[int, Any]]:
    return [_comparable(value) for value in row]


def _comparable(value: Any) -> tuple[int, Any]:
    match value:
        case None:
            return 0, 0
        case bool():
            return 1, value
        case int() | float() | Decimal():
            return 2, round(float(value), 4)
        case datetime.datetime():
            return 3, value.isoformat()
        case datetime.date():
            return 3, datetime.datetime(value.year, value.month, value.day).isoformat()
        case _:
            return 4, str(value)


def _same_row(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return len(left) == len(right) and all(_same(a, b) for a, b in zip(left, right, strict=True))


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, float) or isinstance(right, float):
        if left is None or right is None:
            return left is right
        return math.isclose(left, right, rel_tol=_RELATIVE, abs_tol=1e-9) or (left != left and right != right)
    return _comparable(left)[0] == _comparable(right)[0] and (left == right or _comparable(left) == _comparable(right))


def main(arguments: Sequence[str]) -> int:
    """`python -m tests.tpc.workload 0.1`: compares all queries at a scale factor."""
    scale = float(arguments[0]) if arguments else 0.1
    wrong = 0
    for name, count in QUERY_COUNTS.items():
        workload = Workload(name, scale)
        for number in range(1, count + 1):
            difference = workload.difference(number)
            if difference is not None:
                wrong += 1
                print(f"{name} {number}: {difference}")
        print(f"{name} at scale factor {scale:g}: {count} queries compared")
        workload.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
