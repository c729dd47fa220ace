"""Random queries against SQLite and DuckDB: under other settings, in other join orders, and again on other rows.

    python tests/differential/fuzz.py --queries 3000 --seed 1
    python tests/differential/fuzz.py --queries 3000 --seed 1 --kind subqueries

Each database is also asked queries in three parts: ternary-logic partitioning, see `partition`.

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
from typing import TypeAlias

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import minisql
from tests.differential.chains import VIEWS, ChainGenerator, KeyedDatabase, random_keyed_database
from tests.differential.generator import Database, QueryGenerator, random_database
from tests.differential.partition import parts
from tests.differential.peers import Peers, Rows, bag
from tests.differential.subqueries import SubqueryGenerator
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
    "unnest_subqueries = off",
    "batch_rows = 1",
    "pair_budget = 0",
    "plan_cache = off",
    "materialize_common_tables = off",
)
KINDS = ("joins", "subqueries")
Generator: TypeAlias = QueryGenerator | ChainGenerator | SubqueryGenerator | WindowGenerator
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


def cases(seed: int, queries: int, kind: str = "joins") -> Iterator[tuple[Database | KeyedDatabase, Generator]]:
    """Databases, each with the generator of the queries to ask of it; there are `queries` in all."""
    rng = random.Random(seed)
    for number in range(0, queries, QUERIES_PER_DATABASE):
        database: Database | KeyedDatabase
        if kind == "subqueries":
            database = random_database(rng, TABLES)
            yield database, SubqueryGenerator(rng, TABLES)
        elif number // QUERIES_PER_DATABASE % 3 == 1:
            database = random_keyed_database(rng, TABLES)
            yield database, ChainGenerator(rng, TABLES, database.family, views=VIEWS)
        else:
            database = random_database(rng, TABLES)
            windows = number // QUERIES_PER_DATABASE % 3 == 2
            yield database, WindowGenerator(rng, TABLES) if windows else QueryGenerator(rng, TABLES)


def some_queries(generator: Generator) -> list[str]:
    """The queries to ask of one database."""
    return [generator.query() for _ in range(QUERIES_PER_DATABASE)]


def check(database: Database | KeyedDatabase, queries: list[str], plans: random.Random) -> tuple[int, list[Failure]]:
    """How many of the queries the peers agree on, and where minisql gives something else.

    Each query runs with the default settings, under other settings and in other join orders, picked by `plans`, and
    once more when there are more rows. Where the peers do not agree, minisql has to agree with itself.
    """
    compared = 0
    failures: list[Failure] = []
    script = database.script()
    peers = Peers(script)
    with minisql.connect() as connection:
        for statement in script:
            connection.execute(statement)
        for query in queries:
            expected = peers.rows_of_either(query)
            if expected is not None:
                compared += 1
            else:
                own = _answer(connection, query, ())
                if isinstance(own, str):
                    if not own.startswith("DataError"):
                        failures.append(Failure(script, (), query, [], own))
                    continue
                expected = own
            for settings in ((), (plans.choice(OTHER_SETTINGS),), ALL_OFF):
                found = _answer(connection, query, settings)
                if _is_wrong(found, expected):
                    failures.append(Failure(script, settings, query, expected, found))
            for text, found in _in_other_orders(connection, query, plans):
                if _is_wrong(found, expected):
                    failures.append(Failure(script, (), text, expected, found))
        source, target = plans.sample(range(TABLES), 2)
        more_rows = f"INSERT INTO t{target} SELECT * FROM t{source}"
        peers.execute(more_rows)
        connection.execute(more_rows)
        for query in queries:
            expected = peers.rows_of_either(query)
            found = [] if expected is None else _answer(connection, query, ())
            if expected is not None and _is_wrong(found, expected):
                failures.append(Failure([*script, more_rows], (), query, expected, found))
    peers.close()
    return compared, failures


def _is_wrong(found: Rows | str, expected: Rows) -> bool:
    """Whether this is not the answer. Several rows in a scalar subquery may be an error in one plan and not in another:
    a join without rows on one side may not look at the other side."""
    return found != expected and not (isinstance(found, str) and "used as a value gave more than one row" in found)


def check_partitions(database: Database | KeyedDatabase, generator: Generator, queries: int) -> list[Failure]:
    """Where the three parts of a query do not make the whole."""
    if isinstance(generator, WindowGenerator):
        return []  # the rows that a condition leaves out are rows that a window does not see
    failures = []
    script = database.script()
    with minisql.connect() as connection:
        for statement in script:
            connection.execute(statement)
        for _ in range(queries):
            whole, *three = parts(*generator.partitionable())
            answers = [_answer(connection, query, ()) for query in (whole, *three)]
            wrong = next((each for each in answers if isinstance(each, str)), None)
            if wrong is not None:
                # Several rows in a scalar subquery are an error, in the part that comes to them.
                if not wrong.startswith("DataError"):
                    failures.append(Failure(script, (), ";\n".join((whole, *three)), [], wrong))
                continue
            expected, *found = [answer for answer in answers if not isinstance(answer, str)]
            together = bag(row for part in found for row in part)
            if together != expected:
                failures.append(Failure(script, (), ";\n".join((whole, *three)), expected, together))
    return failures


def _answer(connection: minisql.Connection, query: str, settings: Sequence[str]) -> Rows | str:
    try:
        for setting in settings:
            connection.execute(f"SET {setting}")
        return bag(connection.execute(query).fetchall())
    except Exception as error:
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
        try:
            yield hinted, bag(plan.execute().fetchall())
        except Exception as error:
            yield hinted, f"{type(error).__name__}: {error}"
        # No hint names the tables of subqueries.
        if is_one_select and "(SELECT" not in query:
            yield hinted, _answer(connection, hinted, ())


def main() -> int:
    """Runs the queries and prints what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=3000)
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    plans = random.Random(options.seed)
    asked = compared = wrong = 0
    start = time.perf_counter()
    for database, generator in cases(options.seed, options.queries, options.kind):
        queries = some_queries(generator)
        asked += len(queries)
        agreed, failures = check(database, queries, plans)
        failures += check_partitions(database, generator, QUERIES_PER_DATABASE // 2)
        compared += agreed
        wrong += len(failures)
        for failure in failures:
            print(f"{failure}\n")
    seconds = time.perf_counter() - start
    print(f"seed {options.seed}: {asked} queries, {compared} on which the peers agree, {wrong} wrong, {seconds:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
