from __future__ import annotations

import os
from pathlib import Path

import pytest

import minisql
from tests.corpora.sqllogictest import failure, read_records

CORPORA = Path(os.environ.get("MINISQL_CORPORA", Path(__file__).parents[3] / "shared" / "corpora"))
SQLITE_JOINS = ("joinB.test", "joinC.test")
SQLLOGICTEST = (
    *("select1", "select2", "select3"),
    *(f"random/{kind}_{number}" for kind in ("aggregates", "expr", "groupby", "select") for number in (0, 7)),
)
DYNAMICALLY_TYPED = {
    "random/expr_7": (
        "SELECT ALL + 32 / - - COALESCE ( 43, ",
        "SELECT DISTINCT COALESCE ( - CAST ( NULL AS INTEGER ), + - SUM ( + - 43 ), + + AVG ( ALL - 28 ) ) / ",
    )
}
"""How the records begin that only an engine with types of values instead of columns fulfils.

In both an integer is divided by a COALESCE, or a COALESCE by an integer, in which AVG is the last operand and another
one is taken. SQLite divides integers, since the value is one; where a COALESCE has one type, that is not INTEGER, and
PostgreSQL gives -20.8 and -27.1 where 0 is expected.
"""


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


@pytest.mark.parametrize("name", SQLLOGICTEST)
def test_sqllogictest(name: str) -> None:
    path = CORPORA / "sqllogictest" / f"{name}.test"
    if not path.exists():
        pytest.skip(f"the corpus is not part of the repository and not at {path}")
    dynamic = DYNAMICALLY_TYPED.get(name, ())
    with minisql.connect() as connection:
        failed = [(record, message) for record in read_records(path) if (message := failure(connection, record))]
    unexpected = [message for record, message in failed if not record.sql.startswith(dynamic or ("-- none",))]
    assert not unexpected, unexpected[0]
    assert len(failed) == len(dynamic), "a record that is known to fail does not"
