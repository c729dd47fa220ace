from __future__ import annotations

import pyarrow as pa
import pytest

import minisql

SCRIPT = """
CREATE TABLE parent (id INTEGER PRIMARY KEY, "Long name" VARCHAR NOT NULL, amount DECIMAL(10,2) DEFAULT 1.5);
CREATE TABLE child (
    id BIGINT, parent INTEGER REFERENCES parent, day DATE DEFAULT DATE '2013-01-02', "select" TIMESTAMP WITH TIME ZONE,
    CONSTRAINT positive CHECK (id > 0 AND parent IS NOT NULL), UNIQUE (id, parent), CHECK (coalesce(id, 1) <> 7)
);
CREATE INDEX child_day ON child (day);
CREATE UNIQUE INDEX child_key ON child (parent, day);
CREATE VIEW v AS SELECT p.id, c.day FROM parent AS p FULL JOIN child AS c ON p.id = c.parent /* ; */ WHERE c.id > 1;
CREATE VIEW w (a, "b c") AS SELECT * FROM v;
"""


def definitions(connection: minisql.Connection) -> list[list[tuple[object, ...]]]:
    """What the information schema says of all there is."""
    return [
        connection.execute(f"SELECT * FROM information_schema.{table}").fetchall()
        for table in ("tables", "columns", "table_constraints", "key_column_usage")
    ]


def test_the_statements_make_the_same_again() -> None:
    first = minisql.connect()
    first.execute(SCRIPT)
    texts = first.create_statements()
    second = minisql.connect()
    # By name, a child comes before its parent.
    second.execute("".join(sorted(texts, key=lambda text: (" VIEW " in text, "INDEX" in text, "REFERENCES" in text))))
    assert definitions(second) == definitions(first)
    assert second.create_statements() == texts
    for connection in (first, second):
        connection.execute("INSERT INTO parent VALUES (1, 'x', 2)")
        with pytest.raises(minisql.IntegrityError, match="positive"):
            connection.execute("INSERT INTO child (id, parent) VALUES (-1, 1)")
        connection.execute("INSERT INTO child (id, parent) VALUES (1, 1)")
        with pytest.raises(minisql.IntegrityError, match="child_key"):
            connection.execute("INSERT INTO child (id, parent) VALUES (2, 1)")


def test_one_table() -> None:
    connection = minisql.connect()
    connection.execute(SCRIPT)
    assert connection.create_statements("PARENT") == [
        'CREATE TABLE parent (\n    id INTEGER NOT NULL,\n    "Long name" VARCHAR NOT NULL,\n'
        "    amount DECIMAL(10,2) DEFAULT 1.5,\n    CONSTRAINT parent_pkey PRIMARY KEY (id)\n);"
    ]
    assert connection.create_statements("w") == ['CREATE VIEW w (a, "b c") AS SELECT * FROM v;']
    with pytest.raises(minisql.ProgrammingError, match=r'no table or view "paren"(.|\n)*"parent"'):
        connection.create_statements("paren")


def test_a_registered_object_says_so() -> None:
    connection = minisql.connect()
    connection.register("frame", pa.table({"a": [1]}))
    (text,) = connection.create_statements()
    assert text == (
        "-- registered by the program, its rows are not a table of the database\nCREATE TABLE frame (\n    a BIGINT\n);"
    )


@pytest.mark.parametrize("name", [1, b"t", ["t"], ""])
def test_the_name_of_a_table_is_a_str(name: object) -> None:
    with minisql.connect() as connection, pytest.raises(minisql.InterfaceError, match="A name is a str"):
        connection.create_statements(name)  # type: ignore[arg-type]
