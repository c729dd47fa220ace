from __future__ import annotations

import itertools

from tests.differential.why_not import Tally, cases, check


def test_answers_to_random_orders_are_true() -> None:
    """A sample of what tests/long/why_not.py does."""
    tally = Tally()
    for case, rng in itertools.islice(cases(11), 60):
        check(case, rng, tally, brute_force=300)
    assert not tally.failures, tally.failures[0]
    assert not tally.missed, tally.missed[0].statement
    assert tally.counterexamples >= 10
    assert min(tally.verdicts[verdict] for verdict in ("chosen", "dearer", "illegal", "not enumerated")) >= 5
