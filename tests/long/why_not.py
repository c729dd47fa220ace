"""EXPLAIN WHY NOT for longer: random queries of three to five tables with random orders.

    python tests/long/why_not.py --cases 10000 --seed 1

Prints what was wrong, the orders that are called illegal though many databases show no difference, how long answers
took, and a summary. The exit code is 1 where something was wrong, or fewer than 95 of 100 illegal orders that have a
counterexample came with one.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.differential.why_not import Tally, cases, check


def main() -> int:
    """Checks the cases and prints what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--tables", type=int, choices=(3, 4, 5), help="of each query; any number without that")
    parser.add_argument("--databases", type=int, default=20_000, help="tried for an order without a counterexample")
    arguments = parser.parse_args()
    tally = Tally()
    start = time.perf_counter()
    for number, (case, rng) in enumerate(
        itertools.islice(cases(arguments.seed, arguments.tables), arguments.first, arguments.first + arguments.cases)
    ):
        failed = len(tally.failures)
        check(case, rng, tally, brute_force=arguments.databases)
        for failure in tally.failures[failed:]:
            print(f"case {arguments.first + number}: {failure}\n", flush=True)
    for title, orders in (("MISSED", tally.missed), ("NO DIFFERENCE", tally.without_difference)):
        for case in orders:
            print(f"{title}: {'; '.join(case.definitions)}; {case.statement}")
    seconds = sorted(tally.seconds) or [0.0]
    possible = tally.counterexamples + len(tally.missed)
    share = 100 * tally.counterexamples / possible if possible else 100.0
    print(
        f"seed {arguments.seed}: {arguments.cases} cases in {time.perf_counter() - start:.0f} s, {dict(tally.verdicts)}"
    )
    print(
        f"illegal: {tally.counterexamples} with a counterexample, {len(tally.missed)} without one that there is "
        f"({share:.1f} of 100 found), {len(tally.without_difference)} without a difference"
    )
    points = {f"{quantile} of 100": seconds[int((len(seconds) - 1) * quantile / 100)] for quantile in (50, 90, 99, 100)}
    print("seconds an answer: " + ", ".join(f"{name} {value:.2f}" for name, value in points.items()))
    for bug, count in tally.known_bugs.items():
        print(f"{count} times: {bug}")
    print(f"{len(tally.failures)} failures")
    return 1 if tally.failures or share < 95 else 0


if __name__ == "__main__":
    sys.exit(main())
