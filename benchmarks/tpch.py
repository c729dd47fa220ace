"""TPC-H Q1, Q3 and Q6 from tables in memory, one thread, beside DuckDB.

    python benchmarks/tpch.py --scale 1

The first run makes the data (see `tpc_data`). Both engines hold the tables in their own format before the clock
starts.
"""

from __future__ import annotations

import argparse
import platform
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow.parquet as pq
from compare import measure, print_table
from tpc_data import tpc_folder

import minisql

QUERIES = {
    "Q1": """
        SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price,
               sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
               sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge,
               avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc,
               count(*) AS count_order
        FROM lineitem
        WHERE l_shipdate <= DATE '1998-09-02'
        GROUP BY l_returnflag, l_linestatus
        ORDER BY l_returnflag, l_linestatus""",
    "Q3": """
        SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority
        FROM customer, orders, lineitem
        WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey
              AND o_orderdate < DATE '1995-03-15' AND l_shipdate > DATE '1995-03-15'
        GROUP BY l_orderkey, o_orderdate, o_shippriority
        ORDER BY revenue DESC, o_orderdate
        LIMIT 10""",
    "Q6": """
        SELECT sum(l_extendedprice * l_discount) AS revenue
        FROM lineitem
        WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'
              AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24""",
}


def _comparable(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Averages are DOUBLE in both engines, and sums of doubles depend on their order in the last digits."""
    return [tuple(round(value, 6) if isinstance(value, float) else _exact(value) for value in row) for row in rows]


def _exact(value: Any) -> Any:
    return value.normalize() if isinstance(value, Decimal) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    folder = tpc_folder("tpch", options.scale)
    ours, theirs = minisql.connect(), duckdb.connect()
    theirs.execute("SET threads = 1")
    for table in ("customer", "orders", "lineitem"):
        file = folder / f"{table}.parquet"
        ours.register(table, pq.read_table(file))
        theirs.execute(f"CREATE TABLE {table} AS FROM '{file}'")
    measured = [
        measure(
            name,
            lambda query=query: _comparable(ours.execute(query).fetchall()),
            lambda query=query: _comparable(theirs.execute(query).fetchall()),
            options.repeat,
        )
        for name, query in QUERIES.items()
    ]
    title = f"TPC-H at scale factor {options.scale:g}, one thread, DuckDB {duckdb.__version__}, {platform.machine()}"
    print_table(title, measured, "DuckDB")


if __name__ == "__main__":
    main()
