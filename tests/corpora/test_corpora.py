from __future__ import annotations

import os
from pathlib import Path

import pytest

import minisql
from tests.corpora.sqllogictest import failure, read_records

CORPORA = Path(os.environ.get("MINISQL_CORPORA", Path(__file__).parents[3] / "shared" / "corpora"))
SQLITE_JOINS = ("joinB.test", "joinC.test")


def test_the_runner_sees_wrong_values_errors_and_hashes(tmp_path: Path) -> None:
    script = tmp_path / "small.test"
    script.write_text(
        "statement ok\nCREATE TABLE t (a INTEGER)\n\n"
        "statement ok\nINSERT INTO t VALUES (2), (1), (NULL)\n\n"
        "skipif postgresql\nstatement ok\nNONSENSE\n\n"
        "statement error\nSELECT b FROM t\n\n"
        "query I rowsort\nSELECT a FROM t\n----\n1\n2\nNULL\n\n"
        "query I nosort\nSELECT a FROM t ORDER BY a\n----\n1\n2\n3\n\n"
        "query I rowsort\nSELECT a FROM t\n----\n3 values hashing to f64f5ad61ae9a8f6ef8ac6ee8e1e6c5e\n\n"
        "query I nosort\nSELECT nothing\n----\n1\n\n"
        "halt\n\nquery I nosort\nSELECT 1\n----\n2\n"
    )
    with minisql.connect() as connection:
        outcomes = [failure(connection, record) is None for record in read_records(script)]
    assert outcomes == [True, True, True, True, False, False, False]


@pytest.mark.parametrize("name", SQLITE_JOINS)
def test_sqlite_join_tests(name: str) -> None:
    path = CORPORA / "sqlite_joins" / name
    if not path.exists():
        pytest.skip(f"the corpus is not part of the repository and not at {path}")
    with minisql.connect() as connection:
        records = list(read_records(path))
        failures = [message for record in records if (message := failure(connection, record)) is not None]
    assert not failures, failures[0]
    assert sum(record.kind == "query" for record in records) == (512 if name == "joinB.test" else 256)
