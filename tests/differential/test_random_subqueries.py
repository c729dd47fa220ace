from __future__ import annotations

import random

import pytest

from tests.differential.fuzz import cases, check, check_partitions, some_queries


@pytest.mark.parametrize("seed", range(3))
def test_random_subqueries_give_the_rows_of_sqlite_and_duckdb(seed: int) -> None:
    plans = random.Random(seed)
    compared = 0
    for database, generator in cases(seed, 20, "subqueries"):
        agreed, failures = check(database, some_queries(generator), plans)
        compared += agreed
        assert not failures, str(failures[0])
    assert compared > 10


def test_three_parts_of_a_query_with_subqueries_make_the_whole() -> None:
    for database, generator in cases(2, 60, "subqueries"):
        failures = check_partitions(database, generator, 15)
        assert not failures, str(failures[0])
