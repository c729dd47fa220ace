"""Random join queries against SQLite and DuckDB, and against minisql itself under other plans.

    python tests/differential/fuzz.py --queries 3000 --seed 1

Prints every difference with a script that shows it, and a summary; the exit code is 1 where there was one.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import minisql
from tests.differential.generator import Database, QueryGenerator, random_database
from tests.differential.peers import Peers, Rows, bag

TABLES = 6
QUERIES_PER_DATABASE = 20
OTHER_PLANS = (
    "join_order = 'as_written'",
    "hash_join = off",
    "simplify_outer_joins = off",
    "push_down_conditions = off",
    "merge_derived_tables = off",
    "derive_conditions = off",
    "fold_constants = off",
    "batch_rows = 1",
    "pair_budget = 0",
)


@dataclass(frozen=True)
class Failure:
    """A query whose answer is wrong or an error, and the database that it was asked of."""

    database: Database
    query: str
    setting: str
    expected: Rows
    found: Rows | str

    def __str__(self) -> str:
        script = ";\n".join(self.database.script())
        setting = f"SET {self.setting};\n" if self.setting else ""
        return f"{script};\n{setting}{self.query};\n-- expected {self.expected}\n-- found    {self.found}"


def cases(seed: int, queries: int) -> Iterator[tuple[Database, list[str]]]:
    """Databases, each with the queries to ask of it."""
    rng = random.Random(seed)
    for _ in range(0, queries, QUERIES_PER_DATABASE):
        database = random_database(rng, TABLES)
        generator = QueryGenerator(rng, TABLES)
        yield database, [generator.query() for _ in range(QUERIES_PER_DATABASE)]


def check(database: Database, queries: list[str], plans: random.Random) -> tuple[int, list[Failure]]:
    """How many of the queries the peers agree on, and where minisql gives something else.

    Each query runs with the default settings and under one other plan, picked by `plans`.
    """
    compared, failures = 0, []
    peers = Peers(database.script())
    with minisql.connect() as connection:
        for statement in database.script():
            connection.execute(statement)
        for query in queries:
            expected = peers.rows(query)
            if expected is None:
                continue
            compared += 1
            for setting in ("", plans.choice(OTHER_PLANS)):
                found = _answer(connection, query, setting)
                if found != expected:
                    failures.append(Failure(database, query, setting, expected, found))
    peers.close()
    return compared, failures


def _answer(connection: minisql.Connection, query: str, setting: str) -> Rows | str:
    name = setting.split(" ")[0]
    try:
        if setting:
            connection.execute(f"SET {setting}")
        return bag(connection.execute(query).fetchall())
    except minisql.Error as error:
        return f"{type(error).__name__}: {error}"
    finally:
        if setting:
            connection.execute(f"SET {name} = DEFAULT")


def main() -> int:
    """Runs the queries and prints what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    plans = random.Random(options.seed)
    asked = compared = wrong = 0
    start = time.perf_counter()
    for database, queries in cases(options.seed, options.queries):
        asked += len(queries)
        agreed, failures = check(database, queries, plans)
        compared += agreed
        wrong += len(failures)
        for failure in failures:
            print(f"{failure}\n")
    seconds = time.perf_counter() - start
    print(f"seed {options.seed}: {asked} queries, {compared} on which the peers agree, {wrong} wrong, {seconds:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
