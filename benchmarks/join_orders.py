"""Outer-join queries written in a bad order, beside the best order by hand, in minisql and in DuckDB.

    python benchmarks/join_orders.py

Both texts of a case give the same rows, which is checked. minisql reorders the first and runs the second as it is
written, so its ratio says what its choice costs; DuckDB's says what it leaves on the table. The second list has the
cases in which no order of the joins helps: a semijoin with the small side first, or a filter passed sideways, would.
Before them stand expensive conditions that wait for a join, beside the same applied at once.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import duckdb
from compare import geometric_mean, measure
from tabulate import tabulate

import minisql

# name: rows, columns. Keys are spread, so that neighbors in a table are no neighbors in another one.
TABLES = {
    "big": (3_000_000, "range * 7 % 3000000 AS k, range % 1000 AS j, range AS x"),
    "wide": (2_000_000, "range * 3 % 4000000 AS k, range % 500 AS j, range AS y"),
    "third": (1_000_000, "range * 11 % 5000000 AS k, range % 700 AS j, range AS z"),
    "fan": (4_000_000, "range % 400000 AS k, range % 90 AS j, range AS f"),
    "fan2": (1_500_000, "range % 300000 AS k, range % 80 AS j, range AS g"),
    "small": (2_000, "range * 1499 % 3000000 AS k, range AS j, range AS s"),
    "tiny": (10, "range * 97 AS j, range * 299993 AS k, range AS t"),
    "fact": (
        3_000_000,
        ", ".join([f"range * {i} % {20_000 * i} AS d{i}" for i in range(1, 9)]) + ", range % 1000 AS j",
    ),
    **{f"d{i}": (20_000 * i, f"range AS d{i}, range % 7 AS v{i}") for i in range(1, 9)},
}


@dataclass(frozen=True)
class Case:
    """A query in two orders; `columns` are what is selected in both."""

    name: str
    columns: str
    written: str
    hand: str


ORDERS = (
    Case(
        "LEFT JOINs that associate",
        "count(*), count(x), sum(y)",
        "small LEFT JOIN (big LEFT JOIN wide ON big.k = wide.k) ON small.k = big.k",
        "small LEFT JOIN big ON small.k = big.k LEFT JOIN wide ON big.k = wide.k",
    ),
    Case(
        "LEFT JOINs, the one with fan-out first",
        "count(*), sum(f), sum(y), sum(z)",
        "big LEFT JOIN fan ON big.k = fan.k LEFT JOIN wide ON big.k = wide.k LEFT JOIN third ON big.k = third.k",
        "big LEFT JOIN third ON big.k = third.k LEFT JOIN wide ON big.k = wide.k LEFT JOIN fan ON big.k = fan.k",
    ),
    Case(
        "LEFT JOIN below a selective INNER JOIN",
        "count(*), sum(y)",
        "big LEFT JOIN wide ON big.k = wide.k JOIN tiny ON big.j = tiny.j",
        "big JOIN tiny ON big.j = tiny.j LEFT JOIN wide ON big.k = wide.k",
    ),
    Case(
        "FULL JOIN below a selective INNER JOIN",
        "count(*), sum(y)",
        "big FULL JOIN wide ON big.k = wide.k JOIN small ON big.k = small.k",
        "big JOIN small ON big.k = small.k LEFT JOIN wide ON big.k = wide.k",
    ),
    Case(
        "FULL of FULL, a filter on the last table",
        "count(*), sum(x), sum(y)",
        "big FULL JOIN wide ON big.k = wide.k FULL JOIN third ON wide.k = third.k WHERE third.z < 1000",
        "third LEFT JOIN wide ON wide.k = third.k LEFT JOIN big ON big.k = wide.k WHERE third.z < 1000",
    ),
    Case(
        "FULL of FULL, the one with fan-out first",
        "count(*), sum(x), sum(f), sum(z)",
        "fan FULL JOIN fan2 ON fan.k = fan2.k FULL JOIN third ON fan2.g = third.k FULL JOIN big ON third.z = big.k",
        "fan FULL JOIN (fan2 FULL JOIN (third FULL JOIN big ON third.z = big.k) ON fan2.g = third.k) ON fan.k = fan2.k",
    ),
    Case(
        "FULL JOIN USING, the ones with fan-out first",
        "count(*), count(k), sum(f), sum(g), sum(z)",
        "fan FULL JOIN fan2 USING (k) FULL JOIN third USING (k) FULL JOIN small USING (k)",
        "third FULL JOIN small USING (k) FULL JOIN fan2 USING (k) FULL JOIN fan USING (k)",
    ),
    Case(
        "star of eight LEFT JOINs, then a selective INNER JOIN",
        "count(*), " + ", ".join(f"sum(v{i})" for i in range(1, 9)),
        "fact "
        + " ".join(f"LEFT JOIN d{i} ON fact.d{i} = d{i}.d{i}" for i in range(1, 9))
        + " JOIN tiny ON fact.j = tiny.j",
        "fact JOIN tiny ON fact.j = tiny.j "
        + " ".join(f"LEFT JOIN d{i} ON fact.d{i} = d{i}.d{i}" for i in range(1, 9)),
    ),
    Case(
        "star of eight LEFT JOINs, a filter on the last dimension",
        "count(*), " + ", ".join(f"sum(v{i})" for i in range(1, 9)),
        "fact " + " ".join(f"LEFT JOIN d{i} ON fact.d{i} = d{i}.d{i}" for i in range(1, 9)) + " WHERE d8.d8 < 200",
        "fact JOIN d8 ON fact.d8 = d8.d8 "
        + " ".join(f"LEFT JOIN d{i} ON fact.d{i} = d{i}.d{i}" for i in range(1, 8))
        + " WHERE d8.d8 < 200",
    ),
    Case(
        "two FULL pairs, INNER JOIN",
        "count(*), sum(x), sum(y), sum(z)",
        "(big FULL JOIN wide ON big.k = wide.k) JOIN (small FULL JOIN third ON small.k = third.k) ON big.k = small.k",
        "big JOIN small ON big.k = small.k LEFT JOIN wide ON big.k = wide.k LEFT JOIN third ON small.k = third.k",
    ),
    Case(
        "two FULL pairs, FULL JOIN",
        "count(*), sum(x), sum(y), sum(f), sum(z)",
        "(fan FULL JOIN wide ON fan.k = wide.k) FULL JOIN (third FULL JOIN big ON third.k = big.k) ON wide.y = third.z",
        "fan FULL JOIN (wide FULL JOIN (third FULL JOIN big ON third.k = big.k) ON wide.y = third.z) ON fan.k = wide.k",
    ),
    Case(
        "filter on the merged key of three FULL JOINs",
        "count(*), sum(x), sum(y), sum(z)",
        "big FULL JOIN wide USING (k) FULL JOIN third USING (k) WHERE k BETWEEN 1000 AND 3000",
        "(SELECT * FROM big WHERE k BETWEEN 1000 AND 3000) AS b "
        "FULL JOIN (SELECT * FROM wide WHERE k BETWEEN 1000 AND 3000) AS w USING (k) "
        "FULL JOIN (SELECT * FROM third WHERE k BETWEEN 1000 AND 3000) AS t USING (k)",
    ),
    Case(
        "filter on the key of the preserved side",
        "count(*), sum(x), sum(y), sum(z)",
        "big LEFT JOIN wide ON big.k = wide.k LEFT JOIN third ON wide.k = third.k WHERE big.k < 2000",
        "(SELECT * FROM big WHERE k < 2000) AS b LEFT JOIN (SELECT * FROM wide WHERE k < 2000) AS w ON b.k = w.k "
        "LEFT JOIN (SELECT * FROM third WHERE k < 2000) AS t ON w.k = t.k",
    ),
    Case(
        "LEFT JOIN of a subtree, an INNER JOIN with its preserved side last",
        "count(*), sum(y), sum(z)",
        "big LEFT JOIN (wide JOIN third ON wide.k = third.k) ON big.k = wide.k JOIN tiny ON big.j = tiny.j",
        "(big JOIN tiny ON big.j = tiny.j) LEFT JOIN (wide JOIN third ON wide.k = third.k) ON big.k = wide.k",
    ),
)

NOT_BY_ORDER = (
    Case(
        "LEFT JOIN of a subtree (semijoin)",
        "count(*), sum(x), sum(y)",
        "small LEFT JOIN (big JOIN wide ON big.k = wide.k) ON small.k = big.k",
        "small LEFT JOIN (big JOIN (SELECT DISTINCT k AS s FROM small) AS keys ON big.k = keys.s "
        "JOIN wide ON big.k = wide.k) ON small.k = big.k",
    ),
    Case(
        "LEFT JOIN of a FULL JOIN (semijoin)",
        "count(*), sum(x), sum(y)",
        "small LEFT JOIN (SELECT k, x, y FROM big FULL JOIN wide USING (k)) AS pair ON small.k = pair.k",
        "small LEFT JOIN (SELECT k, x, y "
        "FROM (SELECT big.* FROM big JOIN (SELECT DISTINCT k AS s FROM small) AS m ON big.k = m.s) AS b "
        "FULL JOIN (SELECT wide.* FROM wide JOIN (SELECT DISTINCT k AS s FROM small) AS n ON wide.k = n.s) AS w "
        "USING (k)) AS pair ON small.k = pair.k",
    ),
    Case(
        "LEFT JOIN of a grouping (filter passed sideways)",
        "count(*), sum(n)",
        "small LEFT JOIN (SELECT k, count(*) AS n FROM fan GROUP BY k) AS g ON small.k = g.k",
        "small LEFT JOIN (SELECT k, count(*) AS n FROM fan JOIN (SELECT DISTINCT k AS s FROM small) AS m "
        "ON fan.k = m.s GROUP BY k) AS g ON small.k = g.k",
    ),
)


EXPENSIVE = (
    ("LIKE, a selective JOIN", "big JOIN tiny ON big.j = tiny.j", "CAST(x AS VARCHAR) || 'name' LIKE '%1_2%'"),
    (
        "LIKE, a selective JOIN behind another one",
        "fact JOIN d1 ON fact.d1 = d1.d1 JOIN d2 ON d1.v1 = d2.d2",
        "CAST(fact.d8 AS VARCHAR) || 'name' LIKE '%1_2%' AND d2.d2 < 1",
    ),
    (
        "LIKE, a JOIN that keeps a part of the rows",
        "big JOIN wide ON big.k = wide.k",
        "CAST(x AS VARCHAR) || 'name' LIKE '%1_2%'",
    ),
)
"""Joins and a condition that costs more than they do."""


def print_expensive(ours: Any, repeat: int) -> None:
    """The expensive conditions, beside the same with the setting that lets them wait switched off."""
    rows = []
    for name, joins, condition in EXPENSIVE:

        def run(setting: str, joins: str = joins, condition: str = condition) -> list[tuple[object, ...]]:
            ours.execute(f"SET delay_expensive_conditions = {setting}")
            return [tuple(row) for row in ours.execute(f"SELECT count(*) FROM {joins} WHERE {condition}").fetchall()]

        measured = measure(name, lambda run=run: run("on"), lambda run=run: run("off"), repeat)
        rows.append([name, f"{measured.ours * 1000:.0f}", f"{measured.theirs * 1000:.0f}", f"{measured.ratio:.2f}"])
    ours.execute("SET delay_expensive_conditions = on")
    print("\nExpensive conditions that wait for a join")
    print(tabulate(rows, ["", "waiting, ms", "at once", "ratio"], tablefmt="github", disable_numparse=True))


def times(case: Case, database: Any, repeat: int, *, keep_hand: bool) -> tuple[float, float]:
    """The milliseconds of the query as written, and in the order by hand."""

    def run(text: str, order: str) -> list[tuple[object, ...]]:
        if keep_hand:
            database.execute(f"SET join_order = '{order}'")
        return [tuple(row) for row in database.execute(f"SELECT {case.columns} FROM {text}").fetchall()]

    measured = measure(case.name, lambda: run(case.written, "optimal"), lambda: run(case.hand, "as_written"), repeat)
    return measured.ours * 1000, measured.theirs * 1000


def print_cases(title: str, cases: tuple[Case, ...], ours: Any, theirs: Any, repeat: int) -> None:
    rows, our_ratios, their_ratios = [], [], []
    for case in cases:
        written, hand = times(case, ours, repeat, keep_hand=True)
        their_written, their_hand = times(case, theirs, repeat, keep_hand=False)
        our_ratios.append(written / hand)
        their_ratios.append(their_written / their_hand)
        numbers = [written, hand, our_ratios[-1], their_written, their_hand, their_ratios[-1]]
        rows.append([case.name, *[f"{n:.2f}" if i % 3 == 2 else f"{n:.0f}" for i, n in enumerate(numbers)]])
    means = f"{geometric_mean(our_ratios):.2f}", f"{geometric_mean(their_ratios):.2f}"
    rows.append(["geometric mean", "", "", means[0], "", "", means[1]])
    headers = ["", "minisql ms", "by hand", "ratio", "DuckDB ms", "by hand", "ratio"]
    print(f"\n{title}")
    print(tabulate(rows, headers, tablefmt="github", colalign=("left",) + ("right",) * 6, disable_numparse=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    ours, theirs = minisql.connect(), duckdb.connect()
    theirs.execute("SET threads = 1")
    for database in (ours, theirs):
        for name, (rows, columns) in TABLES.items():
            database.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM range({rows})")
    print_cases(f"Written in a bad order, DuckDB {duckdb.__version__}", ORDERS, ours, theirs, options.repeat)
    print_cases("What no order of the joins can do", NOT_BY_ORDER, ours, theirs, options.repeat)


if __name__ == "__main__":
    main()
