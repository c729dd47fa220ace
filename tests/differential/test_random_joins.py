from __future__ import annotations

import random

import pytest

from tests.differential.fuzz import cases, check


@pytest.mark.parametrize("seed", range(8))
def test_random_join_queries_give_the_rows_of_sqlite_and_duckdb(seed: int) -> None:
    plans = random.Random(seed)
    compared = 0
    for database, queries in cases(seed, 40):
        agreed, failures = check(database, queries, plans)
        compared += agreed
        assert not failures, str(failures[0])
    assert compared > 30
