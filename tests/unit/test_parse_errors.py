from __future__ import annotations

import pytest

from minisql.errors import ProgrammingError, SqlError
from minisql.parser.parse import parse_statement, parse_statements


def printed(sql: str) -> str:
    with pytest.raises(SqlError) as error:
        list(parse_statements(sql))
    return str(error.value)


RESERVED_FULL = 'HINT: FULL is a reserved word. If it is meant as a name, write "full" in double quotes.'


@pytest.mark.parametrize(
    "message",
    [
        """\
Expected a statement, found "SELEC".
LINE 1: SELEC 1
        ^^^^^
HINT: Did you mean SELECT?""",
        """\
Expected ",", FROM, WHERE, GROUP, HAVING or ORDER, found "t".
LINE 1: SELECT a FORM t
                      ^
HINT: Did you mean FROM?""",
        """\
Expected ",", JOIN, WHERE, GROUP, HAVING or ORDER, found "x".
LINE 1: SELECT a FROM t WHER x = 1
                             ^
HINT: Did you mean WHERE?""",
        """\
Expected JOIN or OUTER, found "JION".
LINE 1: SELECT a FROM t LEFT JION u ON x
                             ^^^^
HINT: Did you mean JOIN?""",
        f"""\
Expected an expression, "*", ALL or DISTINCT, found FULL.
LINE 1: SELECT full FROM t
               ^^^^
{RESERVED_FULL}""",
        f"""\
Expected an operator, an alias, ",", FROM, WHERE or GROUP, found FULL.
LINE 1: SELECT a full FROM t
                 ^^^^
{RESERVED_FULL}""",
        f"""\
Expected a table or LATERAL, found FULL.
LINE 1: SELECT a FROM full JOIN b ON x
                      ^^^^
{RESERVED_FULL}""",
        """\
Expected an alias, ",", JOIN, WHERE, GROUP or HAVING, found SEMI.
LINE 1: SELECT * FROM t SEMI JOIN u ON a = b
                        ^^^^
HINT: SEMI is a reserved word. If it is meant as a name, write "semi" in double quotes.""",
        """\
Expected an expression or "*", found FROM.
LINE 1: SELECT a, FROM t
                  ^^^^
HINT: There may be a comma too many before FROM.""",
        """\
Expected an expression, found the end of the statement.
LINE 1: SELECT a FROM t WHERE
                             ^""",
        """\
Expected an alias, ON, USING or JOIN, found WHERE.
LINE 1: SELECT a FROM t JOIN u WHERE x
                               ^^^^^
HINT: A JOIN needs ON or USING; a join without a condition is a CROSS JOIN.""",
        """\
Expected an alias, ",", JOIN, WHERE, GROUP or HAVING, found ON.
LINE 1: SELECT 1 FROM t NATURAL JOIN u ON x
                                       ^^
HINT: There is no JOIN for this ON; CROSS and NATURAL joins take none.""",
        """\
Expected an operator, "," or ")", found FROM.
LINE 1: SELECT (a FROM t
                  ^^^^""",
        """\
Expected an operator, an alias, ",", FROM, WHERE or GROUP, found "<".
LINE 1: SELECT a < b < c
                     ^
HINT: Comparisons do not chain: combine them with AND, or use parentheses.""",
        """\
Expected an expression, ALL, ANY or SOME, found "=".
LINE 1: SELECT a == b
                  ^
HINT: Equality is written "=".""",
        """\
Expected an operator or AND, found OR.
LINE 1: SELECT a BETWEEN 1 OR 2
                           ^^""",
        """\
Expected a type, found ")".
LINE 1: CREATE TABLE t (a)
                         ^""",
        """\
Expected a name or a constraint, found ")".
LINE 1: CREATE TABLE t (a int,)
                              ^
HINT: There may be a comma too many before ")".""",
        """\
Expected AS or "(", found the end of the statement.
LINE 1: CREATE TABLE t
                      ^""",
        """\
Expected "(", found 1.
LINE 1: INSERT INTO t VALUES 1
                             ^""",
        """\
Expected a statement, found "GRANT".
LINE 1: GRANT ALL ON t TO me
        ^^^^^
HINT: The statements are SELECT, VALUES, WITH, INSERT, UPDATE, DELETE, TRUNCATE, COPY, CREATE, ALTER, DROP, BEGIN, \
COMMIT, ROLLBACK, SET, SHOW, DESCRIBE and EXPLAIN.""",
        """\
Expected ")", BY, GROUPS, PARTITION, RANGE or ROWS, found "y".
LINE 1: SELECT sum(x) OVER (PARTITION y) FROM t
                                      ^""",
        """\
Expected an operator, FOLLOWING or PRECEDING, found ")".
LINE 1: SELECT sum(x) OVER (ORDER BY y ROWS 1) FROM t
                                             ^""",
        """\
Expected an operator, ",", ASC, DESC, NULLS or LIMIT, found 'a string that is longer than ....
LINE 1: SELECT 1 ORDER BY (a) 'a string that is longer than a message'
                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^""",
        """\
The string is not closed.
LINE 1: SELECT 'it''s
               ^^^^^^
HINT: A single quote in a string is written twice: ''.""",
        """\
The quoted name is not closed.
LINE 1: SELECT `a
               ^^""",
        """\
The comment is not closed.
LINE 1: SELECT 1 /* a /* b */
                 ^^^^^^^^^^^^""",
        """\
The comment is not closed.
LINE 1: SELECT /*+ a
               ^^^^^""",
        """\
Unexpected character "@".
LINE 1: SELECT a @ b
                 ^""",
        """\
Expected a unit such as DAY, found the end of the statement.
LINE 1: SELECT INTERVAL 5
                         ^""",
        """\
1abc is neither a number nor a name.
LINE 1: SELECT 1abc
               ^^^^""",
        """\
A quoted name needs at least one character.
LINE 1: SELECT "" FROM t
               ^^""",
        """\
There is no date '2013-02-30'.
LINE 1: SELECT 1, date '2013-02-30'
                  ^^^^^^^^^^^^^^^^^""",
        """\
'noon' is not a timestamp of the form year-month-day hour:minute:second.
LINE 1: SELECT timestamp 'noon'
               ^^^^^^^^^^^^^^^^""",
        """\
There is no timestamp '2013-01-01 24:00:00'.
LINE 1: SELECT timestamp '2013-01-01 24:00:00'
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^""",
        """\
A string cannot follow "a".
LINE 1: SELECT a 'x'
               ^^^^^
HINT: There are DATE '2013-01-31', TIME '05:00:00', TIMESTAMP '2013-01-31 05:00:00', TIMESTAMPTZ \
'2013-01-31 05:00:00+01', INTERVAL '3' MONTH and X'00FF'; names are quoted with ".""",
        """\
1e999 is out of the range of DOUBLE.
LINE 1: SELECT 1e999
               ^^^^^""",
        """\
"lower" does not take FROM.
LINE 1: SELECT lower(a FROM b)
               ^^^^^^^^^^^^^^^
HINT: There are extract(field FROM x), substring(x FROM start [FOR count]) and trim(characters FROM x).""",
        """\
BOTH belongs to trim, not to "lower".
LINE 1: SELECT lower(BOTH FROM b)
               ^^^^^^^^^^^^^^^^^^""",
        """\
extract needs the name of a field before FROM.
LINE 1: SELECT extract(1 + 1 FROM d)
                       ^^^^^""",
        """\
A number in a type is too large.
LINE 1: SELECT a::decimal(99999999999999999999)
                         ^^^^^^^^^^^^^^^^^^^^^^""",
        """\
Expected NAME, as in UNION BY NAME.
LINE 1: SELECT 1 UNION BY position SELECT 2
                          ^^^^^^^^""",
    ],
)
def test_messages(message: str) -> None:
    line = next(line for line in message.split("\n") if line.startswith("LINE 1: "))
    assert printed(line.removeprefix("LINE 1: ")) == message


def test_the_end_is_after_the_last_token() -> None:
    with pytest.raises(ProgrammingError) as error:
        parse_statement("SELECT a FROM\n\n  -- nothing\n\n")
    assert error.value.span is not None
    assert (error.value.span.line, error.value.span.start) == (1, len("SELECT a FROM"))


def test_errors_have_the_line_of_the_script() -> None:
    assert "LINE 3:   SELECT 1 +;" in printed("SELECT 1;\n\n  SELECT 1 +;\nSELECT 2")


@pytest.mark.parametrize("sql", ["", " -- nothing", ";;"])
def test_no_statement(sql: str) -> None:
    with pytest.raises(ProgrammingError, match="There is no statement"):
        parse_statement(sql)


def test_more_than_one_statement() -> None:
    with pytest.raises(ProgrammingError, match="more than one statement") as error:
        parse_statement("; SELECT 1; ; SELECT 2;")
    assert error.value.span is not None
    assert error.value.span.source == "SELECT 2"


@pytest.mark.parametrize("bad", ["'", '"', "/*", "(", "1e", "\x00", "é", "☃", "\\", "::", "--", "'\n", "$1", "{"])
def test_garbage_gives_no_other_error_than_one_with_a_place(bad: str) -> None:
    for sql in (bad, f"SELECT {bad}", f"SELECT a FROM t WHERE {bad} b", f"SELECT 1 {bad}{bad} +"):
        caught: SqlError | None = None
        try:
            list(parse_statements(sql))
        except SqlError as error:
            caught = error
        if caught is not None:
            assert caught.span is not None
            assert 0 <= caught.span.start <= caught.span.end <= len(sql)
            assert str(caught)
