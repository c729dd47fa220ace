from __future__ import annotations

import random

import pytest

from tests.differential.fuzz import cases, check, check_partitions, some_queries


@pytest.mark.parametrize("seed", range(8))
def test_random_join_queries_give_the_rows_of_sqlite_and_duckdb(seed: int) -> None:
    plans = random.Random(seed)
    compared = 0
    for database, generator in cases(seed, 40):
        agreed, failures = check(database, some_queries(generator), plans)
        compared += agreed
        assert not failures, str(failures[0])
    assert compared > 30


def test_three_parts_of_a_join_query_make_the_whole() -> None:
    for database, generator in cases(1, 240):
        failures = check_partitions(database, generator, 15)
        assert not failures, str(failures[0])
