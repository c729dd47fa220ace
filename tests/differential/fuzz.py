"""Random queries with joins and with windows against SQLite and DuckDB: under other settings, in other join orders, and
again on other rows.

    python tests/differential/fuzz.py --queries 3000 --seed 1

Prints every difference with a script that shows it, and a summary; the exit code is 1 where there was one.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import minisql
from tests.differential.chains import VIEWS, ChainGenerator, KeyedDatabase, random_keyed_database
from tests.differential.generator import Database, QueryGenerator, random_database
from tests.differential.peers import Peers, Rows, bag
from tests.differential.windows import WindowGenerator

TABLES = 6
QUERIES_PER_DATABASE = 20
ORDERS = 2
OTHER_SETTINGS = (
    "join_order = 'as_written'",
    "hash_join = off",
    "simplify_outer_joins = off",
    "push_down_conditions = off",
    "merge_derived_tables = off",
    "derive_conditions = off",
    "fold_constants = off",
    "batch_rows = 1",
    "pair_budget = 0",
    "plan_cache = off",
)
ALL_OFF = tuple(setting for setting in OTHER_SETTINGS if setting.endswith(" = off"))


@dataclass(frozen=True)
class Failure:
    """A query whose answer is wrong or an error, and the database that it was asked of."""

    script: Sequence[str]
    settings: Sequence[str]
    query: str
    expected: Rows
    found: Rows | str

    def __str__(self) -> str:
        statements = [*self.script, *[f"SET {setting}" for setting in self.settings], self.query, ""]
        return ";\n".join(statements) + f"-- expected {self.expected}\n-- found    {self.found}"


def cases(seed: int, queries: int) -> Iterator[tuple[Database | KeyedDatabase, list[str]]]:
    """Databases, each with the queries to ask of it."""
    rng = random.Random(seed)
    for number in range(0, queries, QUERIES_PER_DATABASE):
        database: Database | KeyedDatabase
        generator: QueryGenerator | ChainGenerator | WindowGenerator
        kind = number // QUERIES_PER_DATABASE % 3
        if kind == 1:
            database = random_keyed_database(rng, TABLES)
            generator = ChainGenerator(rng, TABLES, database.family, views=VIEWS)
        else:
            database = random_database(rng, TABLES)
            generator = WindowGenerator(rng, TABLES) if kind else QueryGenerator(rng, TABLES)
        yield database, [generator.query() for _ in range(QUERIES_PER_DATABASE)]


def check(database: Database | KeyedDatabase, queries: list[str], plans: random.Random) -> tuple[int, list[Failure]]:
    """How many of the queries the peers agree on, and where minisql gives something else.

    Each query runs with the default settings, under other settings and in other join orders, picked by `plans`, and
    once more when there are more rows.
    """
    compared = 0
    failures: list[Failure] = []
    script = database.script()
    peers = Peers(script)
    with minisql.connect() as connection:
        for statement in script:
            connection.execute(statement)
        for query in queries:
            expected = peers.rows(query)
            if expected is None:
                continue
            compared += 1
            for settings in ((), (plans.choice(OTHER_SETTINGS),), ALL_OFF):
                found = _answer(connection, query, settings)
                if found != expected:
                    failures.append(Failure(script, settings, query, expected, found))
            for text, found in _in_other_orders(connection, query, plans):
                if found != expected:
                    failures.append(Failure(script, (), text, expected, found))
        source, target = plans.sample(range(TABLES), 2)
        more_rows = f"INSERT INTO t{target} SELECT * FROM t{source}"
        peers.execute(more_rows)
        connection.execute(more_rows)
        for query in queries:
            expected = peers.rows(query)
            found = [] if expected is None else _answer(connection, query, ())
            if expected is not None and found != expected:
                failures.append(Failure([*script, more_rows], (), query, expected, found))
    peers.close()
    return compared, failures


def _answer(connection: minisql.Connection, query: str, settings: Sequence[str]) -> Rows | str:
    try:
        for setting in settings:
            connection.execute(f"SET {setting}")
        return bag(connection.execute(query).fetchall())
    except minisql.Error as error:
        return f"{type(error).__name__}: {error}"
    finally:
        for setting in settings:
            connection.execute(f"SET {setting.split(' ')[0]} = DEFAULT")


def _in_other_orders(
    connection: minisql.Connection, query: str, plans: random.Random
) -> Iterator[tuple[str, Rows | str]]:
    """What random join orders of a query give: as plans, and as hints where they are for its first SELECT."""
    is_one_select = not any(f" {word} " in query for word in ("UNION", "INTERSECT", "EXCEPT"))
    is_one_select &= ") AS d WHERE" not in query  # where only the SELECT in parentheses joins
    for plan in connection.plans(query, limit=ORDERS, uniform=True, seed=plans.randrange(10**6)):
        hinted = query.replace("SELECT", f"SELECT /*+ JOIN_TREE({plan.order}) */", 1)
        yield hinted, bag(plan.execute().fetchall())
        if is_one_select:
            yield hinted, _answer(connection, hinted, ())


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
