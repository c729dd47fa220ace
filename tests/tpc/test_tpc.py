from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tpc.workload import QUERY_COUNTS, Workload

SCALE = 0.01


@pytest.fixture(scope="module")
def workload(request: pytest.FixtureRequest) -> Iterator[Workload]:
    made = Workload(request.param, SCALE)
    yield made
    made.close()


@pytest.mark.parametrize("workload", QUERY_COUNTS, indirect=True)
def test_all_queries_and_all_rows_are_there(workload: Workload) -> None:
    assert list(workload.queries) == list(range(1, QUERY_COUNTS[workload.name] + 1))
    for (table,) in workload.duckdb.execute("SHOW TABLES").fetchall():
        count = f"SELECT count(*) FROM {table}"
        assert workload.minisql.execute(count).fetchall() == workload.duckdb.execute(count).fetchall()


@pytest.mark.parametrize(
    ("workload", "number"),
    [(name, number) for name, count in QUERY_COUNTS.items() for number in range(1, count + 1)],
    indirect=["workload"],
)
def test_rows_are_those_of_duckdb(workload: Workload, number: int) -> None:
    assert workload.difference(number) is None, workload.queries[number]
