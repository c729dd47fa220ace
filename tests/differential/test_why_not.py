from __future__ import annotations

import itertools
import random

import pytest

import minisql
from tests.differential.why_not import Case, Tally, Tree, cases, check, difference_of_forms

TABLES = tuple(f"CREATE TABLE {name} (k INTEGER, x INTEGER, y INTEGER, s VARCHAR)" for name in "abc")


@pytest.mark.parametrize(
    ("order", "query"),
    [
        # COALESCE of columns that no join makes equal is no merged key: it waits for b.
        (
            (("c", "a"), "b"),
            "SELECT a.k, b.k, c.k FROM a JOIN b ON a.s = b.s "
            "JOIN c ON coalesce(b.k, a.y) = c.k AND b.y = c.x AND coalesce(a.y, 0) = c.x",
        ),
        # Nor is one of columns from both sides of the join.
        (
            (("b", "a"), "c"),
            "SELECT a.k, b.k, c.k FROM b JOIN c ON b.x = c.x "
            "JOIN a ON c.y = coalesce(a.y, c.y) AND c.y = a.y AND a.k = b.k",
        ),
    ],
)
def test_an_allowed_order_means_the_query_by_the_definition_too(order: Tree, query: str) -> None:
    case = Case(TABLES, query, order, is_plain=True)
    with minisql.connect() as connection:
        for statement in TABLES:
            connection.execute(statement)
        assert connection.plan(case.hinted).execute().fetchall() == []
        assert difference_of_forms(connection, case) == ""


def test_a_column_that_simplification_does_away_with_is_in_the_script() -> None:
    tally = Tally()
    from_ = "a FULL JOIN b ON a.k = b.k AND (TRUE OR a.y = 1) LEFT JOIN c ON coalesce(a.k, b.k) = c.k"
    query = f"SELECT a.k, b.k, c.k FROM {from_}"
    check(Case(TABLES, query, (("a", "c"), "b"), is_plain=True), random.Random(1), tally, brute_force=0)
    assert (tally.failures, tally.counterexamples) == ([], 1)


def test_answers_to_random_orders_are_true() -> None:
    """A sample of what tests/long/why_not.py does."""
    tally = Tally()
    for case, rng in itertools.islice(cases(11), 60):
        check(case, rng, tally, brute_force=300)
    assert not tally.failures, tally.failures[0]
    assert not tally.missed, tally.missed[0].statement
    assert tally.counterexamples >= 10
    assert min(tally.verdicts[verdict] for verdict in ("chosen", "dearer", "illegal", "not enumerated")) >= 5
