"""The search space for longer.

The counts for five tables, every rejected order of three tables, then random queries over up to six tables until time
is up.

    python tests/long/search_space.py --minutes 10 --seed 1

The exit code is 1 where a count differs, no database tells a rejected order from the query as written, or a plan gives
other rows than it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from minisql.hypergraph.make_join_hypergraph import is_join_region
from minisql.relational.relational_expression import JoinType
from tests.naive import bag
from tests.property.test_search_space import PREDICATES, as_bag, explore, queries, small_databases, valid_orders
from tests.random_joins import random_tree, show

FIVE_TABLES = (
    (list(JoinType), (25_056, 934_229)),
    ([JoinType.INNER, JoinType.LEFT, JoinType.ANTI], (5_834, 301_898)),
)


def main() -> int:
    """Runs both parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    arguments = parser.parse_args()
    failed = False
    for types, expected in FIVE_TABLES:
        counts = []
        for query, _, _ in queries(range(5), types):
            plans, everything = explore(query)
            counts.append(plans.plans[everything])
        found = (len(counts), sum(counts))
        failed |= found != expected
        names = ", ".join(type_.value for type_ in types)
        print(f"{names}: {found[0]} queries, {found[1]} plans, expected {expected[0]}, {expected[1]}")
    failed |= rejected_orders() > 0
    return 1 if random_queries(arguments.seed, arguments.minutes) or failed else 0


def rejected_orders() -> int:
    """Prints each query over three tables with a rejected order that gives the same rows; returns their number."""
    databases, count, wrong = small_databases(), 0, 0
    for query, _, _ in queries(range(3), list(JoinType), PREDICATES):
        plans, everything = explore(query)
        count += 1
        if plans.plans[everything] != valid_orders(query, databases):
            wrong += 1
            print(f"an order is missing of\n{show(query)}\n")
    print(f"three tables, predicates of every kind: {count} queries, {wrong} with an order that is missing")
    return wrong


def random_queries(seed: int, minutes: float) -> int:
    """Prints each query that has a wrong plan; returns their number."""
    print(f"random queries with seed {seed}")
    rng = random.Random(seed)
    end = time.monotonic() + 60 * minutes
    executed = plans_executed = wrong = 0
    while time.monotonic() < end:
        region = random_tree(rng, rng.choice([3, 4, 4, 5, 5, 6]))
        if not is_join_region(region):
            continue
        plans, everything = explore(region)
        executed += 1
        plans_executed += plans.plans[everything]
        results = plans.results.get(everything, [])
        if [as_bag(relation) for relation in results] != [bag(region)]:
            wrong += 1
            print(f"{len(results)} different results of\n{show(region)}\n")
    print(f"{executed} queries with {plans_executed} plans, {wrong} of them wrong")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
