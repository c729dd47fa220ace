from __future__ import annotations

import itertools
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import minisql
from minisql.__main__ import main


@pytest.fixture
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        for name in "abc":
            connection.execute(f"CREATE TABLE {name} (k INTEGER, x INTEGER)")
        connection.execute("INSERT INTO a VALUES (1, 10), (2, 20), (2, 21), (NULL, 30)")
        connection.execute("INSERT INTO b VALUES (2, 200), (3, 300), (5, 201)")
        connection.execute("INSERT INTO c VALUES (3, 1), (4, 2)")
        yield connection


def codes(connection: minisql.Connection, query: str) -> list[str]:
    return [warning.code for warning in connection.execute(query).warnings]


UNDONE = "SELECT a.x, b.x FROM a LEFT JOIN b ON a.k = b.k\nWHERE b.x < 202"
ONE_KEY = "SELECT a.k, b.x FROM a FULL JOIN b ON a.k = b.k"


def test_a_warning_has_a_code_a_sentence_and_its_place(connection: minisql.Connection) -> None:
    result = connection.execute(UNDONE)
    (warning,) = result.warnings
    assert isinstance(warning, minisql.QueryWarning)
    assert warning.code == "outer_join_undone"
    assert warning.span is not None
    assert (warning.span.source, warning.span.line, warning.span.column) == ("b.x < 202", 2, 7)
    assert str(warning).splitlines() == [warning.message, *warning.span.show().splitlines(), f"HINT: {warning.hint}"]
    assert connection.plan(UNDONE).warnings == result.warnings
    assert result.fetchall() == connection.execute(UNDONE.replace("LEFT", "INNER")).fetchall()


def test_they_outlive_the_connection_and_stay_with_the_plan(connection: minisql.Connection) -> None:
    first, again = connection.execute(UNDONE), connection.execute(UNDONE)
    connection.close()
    assert first.warnings == again.warnings != ()


def test_prompts_and_notebooks_show_them(connection: minisql.Connection) -> None:
    result = connection.execute(UNDONE)
    assert repr(result).endswith("(2 rows)\nWARNING: " + result.warnings[0].message)
    assert "<p><b>Warning</b> WHERE b.x &lt; 202 drops the rows of a without a partner in b" in result._repr_html_()
    assert "<br>If they are to stay, put the condition into ON" in result._repr_html_()


def test_statements_around_a_query_have_its_warnings(connection: minisql.Connection, tmp_path: Path) -> None:
    assert connection.execute("INSERT INTO c VALUES (5, 3)").warnings == ()
    query = UNDONE.replace("a.x, b.x", "a.k, b.k AS other")
    for statement in (
        f"CREATE TABLE n AS {query}",
        f"INSERT INTO c {query} RETURNING x",
        f"COPY ({query}) TO '{tmp_path}/n.csv'",
        f"COPY ({query}) TO '{tmp_path}/n.parquet'",
    ):
        assert codes(connection, statement) == ["outer_join_undone"]
        assert connection.cursor().execute(statement.replace("TABLE n", "TABLE m")).warnings[0].span is not None
    connection.execute("CREATE TABLE p AS SELECT range % 2 AS k FROM range(100)")
    assert codes(connection, "INSERT INTO c SELECT a.k, 1 FROM p AS a JOIN p AS b ON a.k = b.k") == ["rows_multiplied"]
    assert minisql.Result().warnings == ()


def test_the_setting(connection: minisql.Connection) -> None:
    connection.execute("SET warnings = off")
    multiplied = "SELECT count(*) FROM a JOIN a AS o ON a.k = o.k"
    assert codes(connection, UNDONE) == codes(connection, ONE_KEY) == codes(connection, multiplied) == []
    connection.execute("SET warnings = default")
    assert codes(connection, UNDONE) == ["outer_join_undone"]
    assert codes(connection, multiplied) == ["rows_multiplied"]


def test_explain_says_nothing_twice(connection: minisql.Connection) -> None:
    ((text,),) = connection.execute(f"EXPLAIN {UNDONE}").fetchall()
    assert str(text).startswith("LEFT became INNER because of WHERE b.x < 202\n-> ")
    ((text,),) = connection.execute(f"EXPLAIN {ONE_KEY}").fetchall()
    assert str(text).startswith("WARNING: The select list reads a.k")
    assert "LINE 1: EXPLAIN SELECT a.k, b.x" in str(text)
    ((text,),) = connection.execute(f"EXPLAIN ANALYZE {ONE_KEY}").fetchall()
    assert str(text).startswith("WARNING: The select list reads a.k")


def test_blocks_everywhere(connection: minisql.Connection) -> None:
    connection.execute(f"CREATE VIEW v AS {UNDONE.replace('a.x, b.x', 'a.x AS ax, b.x AS bx')}")
    assert codes(connection, "SELECT * FROM v") == ["outer_join_undone"]
    (warning,) = connection.execute("SELECT * FROM v").warnings
    assert warning.span is not None
    assert warning.span.text.startswith("CREATE VIEW")
    for query in (
        f"WITH w AS ({ONE_KEY}) SELECT * FROM w",
        f"WITH w AS ({ONE_KEY}) SELECT w.x, v.x FROM w JOIN w AS v ON w.x = v.x",
        f"SELECT * FROM ({ONE_KEY}) AS d",
        f"SELECT x, (SELECT max(q.x) FROM ({ONE_KEY}) AS q) FROM c",
        f"SELECT 1, 2 UNION ALL {ONE_KEY}",
        "SELECT * FROM c FULL JOIN (SELECT b.k FROM a FULL JOIN b ON a.k = b.k GROUP BY b.k) AS d ON c.k = d.k",
    ):
        assert codes(connection, query) == ["full_join_key"], query


@pytest.mark.parametrize(
    "query",
    [
        # Who reads the padded side of the subquery may know what it is.
        "SELECT * FROM (SELECT a.k, b.x FROM a LEFT JOIN b ON a.k = b.k) AS d WHERE d.x = 1",
        # The condition of an outer join above drops nothing that its own join would keep.
        "SELECT a.x FROM c LEFT JOIN (a LEFT JOIN b ON a.k = b.k) ON c.k = b.k",
        # WHERE makes the FULL JOIN one-sided, and the key that is read is that of the side that is there.
        "SELECT * FROM (SELECT a.k, b.x FROM a FULL JOIN b ON a.k = b.k) AS d WHERE d.k = 2",
        # EXISTS and NOT EXISTS make joins that nobody wrote.
        "SELECT x FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE a.k = b.k)",
        "SELECT x, (SELECT max(b.x) FROM b WHERE b.k = a.k) FROM a WHERE (SELECT max(b.x) FROM b WHERE b.k = a.k) > 1",
        "SELECT a.k, b.x FROM a NATURAL FULL JOIN b",
        "SELECT a.k FROM a FULL JOIN b ON a.k = b.k AND a.x = b.x WHERE b.x IS NULL",
        "SELECT a.x FROM a FULL JOIN b ON a.k = b.k JOIN c ON COALESCE(b.k, a.k) = c.k",
        "SELECT a.x FROM a FULL JOIN b ON a.k = b.k JOIN c ON a.k = c.k OR b.k = c.k",
        "SELECT a.x FROM a FULL JOIN b ON a.k < b.k FULL JOIN c ON b.k = c.k",
        "SELECT count(*) OVER (PARTITION BY b.k), a.k FROM a FULL JOIN b ON a.k = b.k",
        "SELECT a.k, sum(b.k) FROM a FULL JOIN b ON a.k = b.k GROUP BY a.k",
        # A query in FROM or ON reads the other key.
        "SELECT a.k FROM a FULL JOIN b ON a.k = b.k LEFT JOIN LATERAL (SELECT x FROM c WHERE k = b.k) AS d ON TRUE",
        "SELECT a.k FROM a FULL JOIN b ON a.k = b.k LEFT JOIN c ON c.x = (SELECT max(c.x) FROM c WHERE c.k = b.k)",
    ],
)
def test_no_false_alarm(connection: minisql.Connection, query: str) -> None:
    assert codes(connection, query) == []


def test_one_key_of_several_conditions(connection: minisql.Connection) -> None:
    query = "SELECT a.x AS one, c.x FROM a FULL JOIN b ON a.k = b.k AND a.x < b.x {} JOIN c ON c.k = {}"
    for kind, key in itertools.product(("LEFT", "RIGHT", "FULL", "INNER"), ("a.k", "b.k", "CAST(b.k AS BIGINT)")):
        (warning, *others) = connection.execute(query.format(kind, key)).warnings
        assert warning.code == "full_join_key"
        assert warning.message.endswith("and is dropped.") == (kind == "INNER")
        assert not others


def test_where_is_a_join_condition_too(connection: minisql.Connection) -> None:
    query = "SELECT a.x AS one FROM a FULL JOIN b ON a.k = b.k, c WHERE c.k = b.k"
    (warning,) = connection.execute(query).warnings
    assert warning.message.startswith("WHERE c.k = b.k reads the key of b only")
    assert warning.message.endswith("and is dropped.")


def test_keys_have_to_be_there_on_both_sides() -> None:
    """No join of which one side has unique keys is said to multiply rows, whatever its type and its order."""
    rng = random.Random(4)
    said = 0
    with minisql.connect() as connection:
        for _ in range(60):
            sides = []
            for name in "lr":
                keys = [rng.choice((None, *range(6))) for _ in range(rng.randint(0, 12))]
                connection.execute(f"CREATE OR REPLACE TABLE {name} (k INTEGER)")
                for key in keys:
                    connection.execute(f"INSERT INTO {name} VALUES (?)", [key])
                sides.append(Counter(key for key in keys if key is not None))
            many = any(sides[0][key] > 1 and count > 1 for key, count in sides[1].items())
            for join in ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"):
                warnings = codes(connection, f"SELECT l.k, r.k FROM l {join} r ON l.k = r.k")
                assert warnings in ([], ["rows_multiplied"])
                assert many or not warnings
                said += bool(warnings)
    assert said > 10


def test_rows_are_counted_once(connection: minisql.Connection) -> None:
    """What runs several times is not counted: the sum of its rounds says nothing of one of them."""
    recursive = (
        "WITH RECURSIVE r AS (SELECT 0 AS n UNION ALL SELECT r.n + 1 FROM r JOIN (SELECT 2 AS d) AS one ON r.n < 9 "
        "JOIN c ON c.k - 3 = r.n % 2) SELECT count(*) FROM r"
    )
    assert codes(connection, recursive) == []
    assert codes(connection, "SELECT a.x FROM a JOIN a AS o ON a.k = o.k LIMIT 1") in ([], ["rows_multiplied"])
    assert codes(connection, "SELECT a.x FROM a JOIN a AS o ON a.k = o.k AND a.x <> o.x") == [], (
        "pairs of a key are meant"
    )


def test_part_of_a_key(connection: minisql.Connection) -> None:
    connection.execute("CREATE TABLE item (o INTEGER, line INTEGER, part INTEGER, PRIMARY KEY (o, line))")
    connection.execute("CREATE TABLE offer (part INTEGER, supplier INTEGER, PRIMARY KEY (part, supplier))")
    connection.execute("CREATE TABLE orders (o INTEGER PRIMARY KEY, supplier INTEGER)")
    warned = "SELECT item.o AS o FROM item JOIN offer ON item.part = offer.part"
    assert codes(connection, warned) == ["part_of_key"]
    for query in (
        f"{warned} WHERE offer.supplier = 3",
        "SELECT item.o AS o FROM item JOIN offer USING (part) JOIN orders ON orders.supplier = offer.supplier",
        "SELECT item.o AS o FROM orders JOIN item ON orders.o = item.o",
        "SELECT item.o AS o FROM item JOIN b ON b.k = item.o",
        "SELECT 1 FROM item JOIN item AS other ON item.o = other.o AND item.line = other.line",
        "SELECT 1 FROM item JOIN (SELECT part FROM offer) AS d ON d.part = item.part",
    ):
        assert codes(connection, query) == [], query


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    query = "SELECT l.range FROM range(2) AS l FULL JOIN range(2) AS r ON l.range = r.range"
    printed = {}
    for options in ((), ("--warnings",), ("--no-warnings",)):
        assert main([*options, "-c", query]) == 0
        printed[options] = capsys.readouterr()
    assert len({out for out, _ in printed.values()}) == 1, "standard output is for rows"
    assert printed[()].err == printed["--no-warnings",].err == ""
    assert printed["--warnings",].err.startswith("WARNING: The select list reads l.range")


def test_queries_without_joins_do_not_load_it() -> None:
    program = (
        "import sys, minisql\n"
        "minisql.connect().execute('SELECT count(*) FROM range(3)')\n"
        "print([name for name in sys.modules if 'warnings' in name and 'minisql' in name])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize("format_", ["TREE", "JSON", "DOT", "MERMAID", "HTML"])
def test_a_plan_that_was_run_warns_of_joins_that_multiply(connection: minisql.Connection, format_: str) -> None:
    connection.execute("CREATE TABLE few AS SELECT range % 3 AS k FROM range(30)")
    query = "SELECT count(*) FROM few JOIN few AS o ON few.k = o.k"
    ((ran,),) = connection.execute(f"EXPLAIN ANALYZE FORMAT={format_} {query}").fetchall()
    assert "makes 300 rows of 30 and 30" in ran
    ((planned,),) = connection.execute(f"EXPLAIN FORMAT={format_} {query}").fetchall()
    assert "makes 300 rows" not in planned
    connection.execute("SET warnings = off")
    ((silent,),) = connection.execute(f"EXPLAIN ANALYZE FORMAT={format_} {query}").fetchall()
    assert "makes 300 rows" not in silent


def test_names_in_warnings_are_quoted(connection: minisql.Connection) -> None:
    connection.execute('CREATE TABLE "o p" ("K x" INTEGER, "select" INTEGER, PRIMARY KEY ("K x", "select"))')
    one, _ = connection.execute('SELECT t."K x" FROM "o p" AS t FULL JOIN "o p" ON t."K x" = "o p"."K x"').warnings
    assert one.message.startswith('The select list reads t."K x", which is NULL in the rows of "o p" without a partner')
    assert one.hint == 'COALESCE(t."K x", "o p"."K x") is the key of either side, as is "K x" after USING ("K x").'
    (part,) = connection.execute('SELECT 1 FROM "o p" JOIN "o p" AS u ON "o p"."K x" = u."K x"').warnings
    assert part.message.startswith('The key of "o p" is ("K x", "select"), and ON has only "K x" of it: a row of u may')
    assert part.hint == 'If one row is meant, add "o p"."select" to ON.'
