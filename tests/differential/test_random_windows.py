from __future__ import annotations

import random

import pytest

from tests.differential.fuzz import TABLES, check
from tests.differential.generator import random_database
from tests.differential.windows import WindowGenerator


@pytest.mark.parametrize("seed", range(6))
def test_random_window_queries_give_the_rows_of_sqlite_and_duckdb(seed: int) -> None:
    rng = random.Random(f"windows {seed}")
    compared = 0
    for _ in range(2):
        database = random_database(rng, TABLES)
        generator = WindowGenerator(rng, TABLES)
        agreed, failures = check(database, [generator.query() for _ in range(25)], rng)
        compared += agreed
        assert not failures, str(failures[0])
    assert compared > 35
