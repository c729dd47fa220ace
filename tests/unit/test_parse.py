from __future__ import annotations

import datetime
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from minisql.errors import NotSupportedError, ProgrammingError
from minisql.parser.lark_parser import read_grammar
from minisql.parser.parse import parse_statement, parse_statements, statement_end
from minisql.parser.parse_tree import (
    Binary,
    Call,
    CastExpression,
    ColumnName,
    Constant,
    DerivedTable,
    Exists,
    FileTable,
    Identifier,
    InPredicate,
    JoinedTable,
    JoinKind,
    JoinTreePair,
    JoinTreeTable,
    Logical,
    Parameter,
    QuantifiedComparison,
    QueryBlock,
    QueryExpression,
    Row,
    ScalarQuery,
    SetOperation,
    TableFunction,
    TableName,
    Unary,
    Values,
)
from minisql.parser.split import statement_start
from minisql.parser.statement_tree import CreateTable, Explain, SetVariable
from tests.parse_shape import block, derived, expression, shape, table


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a OR b AND c", "a OR (b AND c)"),
        ("NOT a AND b", "(NOT a) AND b"),
        ("NOT a = b", "NOT (a = b)"),
        ("NOT a IS NULL", "NOT (a IS NULL)"),
        ("NOT a IN (1)", "NOT (a IN (1))"),
        ("a = b IS NULL", "(a = b) IS NULL"),
        ("a IS NULL IS TRUE", "(a IS NULL) IS TRUE"),
        ("a IS DISTINCT FROM b = c", "a IS DISTINCT FROM (b = c)"),
        ("a < b IS NOT DISTINCT FROM c", "(a < b) IS NOT DISTINCT FROM c"),
        ("a = b BETWEEN 1 AND 2", "a = (b BETWEEN 1 AND 2)"),
        ("a BETWEEN 1 AND 2 AND b", "(a BETWEEN 1 AND 2) AND b"),
        ("a BETWEEN b || c AND d + 1", "a BETWEEN (b || c) AND (d + 1)"),
        ("a NOT BETWEEN 1 AND 2 OR b", "(a NOT BETWEEN 1 AND 2) OR b"),
        ("a || b LIKE c || d", "(a || b) LIKE (c || d)"),
        ("a IN (1) = b", "(a IN (1)) = b"),
        ("a || b + c", "a || (b + c)"),
        ("a + b || c", "(a + b) || c"),
        ("a < b || c", "a < (b || c)"),
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b * c % d", "((a / b) * c) % d"),
        ("- a * b", "(- a) * b"),
        ("a * - b", "a * (- b)"),
        ("- - a", "- (- a)"),
        ("- a::int", "- (a::int)"),
        ("a::int::text", "(a::int)::text"),
        ("a + b::int", "a + (b::int)"),
        ("a AND NOT b OR c", "(a AND (NOT b)) OR c"),
        ("a <=> b AND c", "(a <=> b) AND c"),
    ],
)
def test_precedence(written: str, meant: str) -> None:
    assert shape(expression(written)) == shape(expression(meant))


@pytest.mark.parametrize("operator", ["AND", "OR"])
def test_chains_of_and_and_or_are_flat(operator: str) -> None:
    chain = expression(f" {operator} ".join("abcd"))
    assert isinstance(chain, Logical)
    assert [operand.span.source for operand in chain.operands] == list("abcd")
    assert isinstance(expression(f"(a {operator} b) {operator} c"), Logical)


@pytest.mark.parametrize("sql", ["a = b = c", "a < b <> c", "a LIKE b LIKE c", "a BETWEEN 1 AND 2 BETWEEN 3 AND 4"])
def test_comparisons_do_not_chain(sql: str) -> None:
    with pytest.raises(ProgrammingError):
        expression(sql)


def test_unequal_has_one_spelling_in_the_tree() -> None:
    assert shape(expression("a != b")) == shape(expression("a <> b"))


# --- spans ------------------------------------------------------------------------------------------------------------


def test_spans_cover_the_parentheses_of_operands() -> None:
    product = expression("((a + b)) * (c)")
    assert isinstance(product, Binary)
    assert product.span.source == "((a + b)) * (c)"
    assert product.left.span.source == "a + b"
    assert product.right.span.source == "c"


def test_spans_of_every_kind_of_node() -> None:
    sql = "SELECT  t.a AS x, count( * ) FILTER (WHERE b) FROM  s AS t (p) JOIN (VALUES (1)) v ON TRUE ORDER BY 1 DESC ;"
    query = parse_statement(sql).statement
    assert query.span.source == sql[:-2]
    item, call = block(sql).items
    assert (item.span.source, call.span.source) == ("t.a AS x", "count( * ) FILTER (WHERE b)")
    join = block(sql).from_
    assert isinstance(join, JoinedTable)
    assert join.span.source == "s AS t (p) JOIN (VALUES (1)) v ON TRUE"
    assert (join.left.span.source, join.right.span.source) == ("s AS t (p)", "(VALUES (1)) v")
    assert isinstance(query, QueryExpression)
    assert query.order_by[0].span.source == "1 DESC"


def test_line_numbers_are_those_of_the_script() -> None:
    first, second = parse_statements("SELECT 1;\n\n-- x\n  SELECT\n 2")
    assert (first.statement.span.line, second.statement.span.line) == (1, 4)
    assert second.statement.span.source == "SELECT\n 2"


# --- names ------------------------------------------------------------------------------------------------------------

GRAMMAR = read_grammar()
(listed,) = re.findall(r"\n\?word: NAME\n((?: +\|.*\n)+)", GRAMMAR)
KEYWORDS_THAT_ARE_NAMES = re.findall("[a-z]+", listed.lower())
RESERVED_WORDS = re.findall("[a-z]+", "".join(re.findall(r"\(\?!\([A-Z|]+\)", GRAMMAR)).lower())


def test_words_that_are_not_reserved_are_names() -> None:
    assert {"nulls", "first", "values", "filter", "view", "analyze", "format"} <= set(KEYWORDS_THAT_ARE_NAMES)
    for word in [
        *KEYWORDS_THAT_ARE_NAMES,
        "date",
        "year",
        "timestamp",
        "range",
        "key",
        "extract",
        "count",
        "user",
        "value",
        "name",
    ]:
        for sql in (
            f"SELECT {word}, t.{word}, {word} + 1 FROM t ORDER BY {word}, {word} NULLS LAST",
            f"SELECT 1 AS {word} FROM {word} WHERE {word}.{word} = 1 GROUP BY {word} HAVING {word}",
            f"SELECT x {word}, 1 + x {word}, 'a' {word} FROM t {word} JOIN u AS {word} USING ({word}), v {word}",
            f'CREATE VIEW "{word}" (a, {word}) AS SELECT {word}',
            f"CREATE TABLE t ({word} INT, {word} {word}(1))",
            f"WITH t ({word}) AS (SELECT 1), {word} AS (SELECT 2) SELECT * FROM {word}",
            f"SET {word} = {word}",
        ):
            parse_statement(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a LIKE b escape",
        "SELECT f(x) filter FROM t",
        "SELECT a::b without FROM t",
    ],
)
def test_where_a_keyword_hides_a_name(sql: str) -> None:
    """LALR sees one word ahead: where a word could be both, it is the keyword. These are the places."""
    with pytest.raises((ProgrammingError, NotSupportedError)):
        parse_statement(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT (values), values(1), x precision, x escape",
        "SELECT 1 FROM (values)",
        "WITH recursive AS (SELECT 1) SELECT 2",
        "CREATE TABLE if (a INT)",
        "DROP TABLE if",
        "SELECT 1 ORDER BY nulls NULLS FIRST OFFSET rows ROWS",
    ],
)
def test_where_a_keyword_is_a_name(sql: str) -> None:
    parse_statement(sql)


def test_reserved_words_are_neither_names_nor_aliases() -> None:
    literals = ("true", "false", "null")
    for word in RESERVED_WORDS:
        for sql in (
            f"SELECT t.{word}",
            f"SELECT 1 AS {word} FROM t",
            f"SELECT 1 FROM {word}",
            f"SELECT 1 FROM t {word}",
        ):
            with pytest.raises(ProgrammingError):
                parse_statement(sql)
        if word not in literals:
            with pytest.raises(ProgrammingError):
                parse_statement(f"SELECT {word} FROM t")
        parse_statement(f'SELECT "{word}", t.`{word}` AS "{word}" FROM "{word}" "{word}"')


def test_full_is_a_join_and_never_an_alias() -> None:
    join = table("a FULL JOIN b ON x")
    assert isinstance(join, JoinedTable)
    assert join.kind is JoinKind.FULL
    assert isinstance(join.left, TableName)
    assert join.left.alias is None


def test_unquoted_names_fold_and_quoted_ones_do_not() -> None:
    names = [item.expression for item in block('SELECT ÄB_c, "Ab""c", `A``b`, "full"').items]
    assert [name.column.name for name in names if isinstance(name, ColumnName)] == ["äb_c", 'Ab"c', "A`b", "full"]
    assert [name.column.quoted for name in names if isinstance(name, ColumnName)] == [False, True, True, True]


# --- literals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("1", 1), ("007", 7), ("9223372036854775807", 2**63 - 1), ("9223372036854775808", Decimal(2**63)),
        ("0" * 30 + "1", 1), ("9" * 5000, Decimal("9" * 5000)),
        ("1.5", Decimal("1.5")), (".5", Decimal("0.5")), ("1.", Decimal(1)), ("1.50", Decimal("1.50")),
        ("1e3", 1000.0), ("1.5E-3", 0.0015), (".5e+1", 5.0), ("1.e1", 10.0),
        ("''", ""), ("'it''s'", "it's"), ("'a\n;--b'", "a\n;--b"), ("'\"'", '"'),
        ("NULL", None), ("true", True), ("False", False),
        ("DATE '2013-01-01'", datetime.date(2013, 1, 1)), ("date '2013-1-1'", datetime.date(2013, 1, 1)),
        ("TIMESTAMP '2013-01-01 05:00:00'", datetime.datetime(2013, 1, 1, 5)),
        ("timestamp '2013-01-01T05:06:07.25'", datetime.datetime(2013, 1, 1, 5, 6, 7, 250_000)),
        ("TIMESTAMP '2013-01-01 05:06'", datetime.datetime(2013, 1, 1, 5, 6)),
        ("TIMESTAMP '2013-01-01'", datetime.datetime(2013, 1, 1)),
        ("-9223372036854775808", -(2**63)),
    ],
)  # fmt: skip
def test_literals(sql: str, value: object) -> None:
    constant = expression(sql)
    assert isinstance(constant, Constant)
    assert (type(constant.value), constant.value) == (type(value), value)
    assert constant.span.source == sql


def test_signs_are_operators() -> None:
    minus = expression("-1")
    assert isinstance(minus, Unary)
    assert shape(minus.operand) == shape(expression("1"))


def test_parameters_are_numbered_in_each_statement() -> None:
    first, second = parse_statements("SELECT ? + ? FROM t WHERE a IN (?, 1); SELECT ?")
    assert (len(first.parameters), len(second.parameters)) == (3, 1)
    sum_ = expression("? + ?")
    assert isinstance(sum_, Binary)
    assert isinstance(sum_.left, Parameter)
    assert isinstance(sum_.right, Parameter)
    assert (sum_.left.index, sum_.right.index) == (0, 1)


@pytest.mark.parametrize(
    ("sql", "name", "arguments"),
    [
        ("x::double precision", "DOUBLE PRECISION", ()),
        ("x::varchar(10)", "VARCHAR", (10,)),
        ("x::decimal(15, 2)", "DECIMAL", (15, 2)),
        ("CAST(x AS character varying(10))", "CHARACTER VARYING", (10,)),
        ("CAST(x AS timestamp(6) without time zone)", "TIMESTAMP WITHOUT TIME ZONE", (6,)),
        ("CAST(x AS timestamp with time zone)", "TIMESTAMP WITH TIME ZONE", ()),
    ],
)
def test_types(sql: str, name: str, arguments: tuple[int, ...]) -> None:
    cast = expression(sql)
    assert isinstance(cast, CastExpression)
    assert (cast.type.name, cast.type.arguments) == (name, arguments)


# --- calls ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("EXTRACT(year FROM d)", "extract('year', d)"),
        ("EXTRACT('year' FROM d)", "extract('year', d)"),
        ("SUBSTRING(s FROM 2)", "substring(s, 2)"),
        ("SUBSTRING(s FROM 2 FOR 3)", "substring(s, 2, 3)"),
        ("TRIM(BOTH 'x' FROM s)", "trim(s, 'x')"),
        ("TRIM(LEADING 'x' FROM s)", "ltrim(s, 'x')"),
        ("TRIM(TRAILING FROM s)", "rtrim(s)"),
        ("TRIM('x' FROM s)", "trim(s, 'x')"),
        ("COALESCE(a, b)", "coalesce(a, b)"),
    ],
)
def test_calls_with_words_become_plain_calls(written: str, meant: str) -> None:
    assert shape(expression(written)) == shape(expression(meant))


def test_aggregates() -> None:
    call = expression("sum(DISTINCT a) FILTER (WHERE b > 1)")
    assert isinstance(call, Call)
    assert call.distinct
    assert call.filter is not None
    star = expression("count(*)")
    assert isinstance(star, Call)
    assert (star.star, star.arguments) == (True, ())
    assert shape(expression("sum(ALL a)")) == shape(expression("sum(a)"))


# --- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a JOIN b ON x JOIN c ON y", "(a JOIN b ON x) JOIN c ON y"),
        ("a JOIN b JOIN c ON x ON y", "a JOIN (b JOIN c ON x) ON y"),
        ("a JOIN b NATURAL JOIN c ON x", "a JOIN (b NATURAL JOIN c) ON x"),
        ("a CROSS JOIN b JOIN c ON x", "(a CROSS JOIN b) JOIN c ON x"),
        ("a, b JOIN c ON x", "a, (b JOIN c ON x)"),
        ("(a, b)", "a CROSS JOIN b"),
        ("a, b, c", "(a, b), c"),
        ("((a JOIN b ON x)) LEFT JOIN (c) USING (y)", "a INNER JOIN b ON x LEFT OUTER JOIN c USING (y)"),
        ("(((SELECT 1))) x", "(SELECT 1) AS x"),
        ("a NATURAL LEFT OUTER JOIN b", "a NATURAL LEFT JOIN b"),
    ],
)
def test_joins(written: str, meant: str) -> None:
    assert shape(table(written)) == shape(table(meant))


@pytest.mark.parametrize("kind", ["INNER", "LEFT", "RIGHT", "FULL"])
def test_kinds_of_joins(kind: str) -> None:
    on, using, natural = (
        table(f"a {kind} JOIN b ON x"),
        table(f"a {kind} JOIN b USING (k, l)"),
        table(f"a NATURAL {kind} JOIN b"),
    )
    assert isinstance(on, JoinedTable)
    assert isinstance(using, JoinedTable)
    assert isinstance(natural, JoinedTable)
    assert {on.kind, using.kind, natural.kind} == {JoinKind(kind)}
    assert on.condition is not None
    assert [name.name for name in using.using] == ["k", "l"]
    assert natural.natural


def test_tables_that_are_no_names() -> None:
    file, function, values = (
        table("'data/*.parquet' f (a, b)"),
        table("range(10) AS r"),
        table("(VALUES (1, 2), (3)) v"),
    )
    assert isinstance(file, FileTable)
    assert isinstance(file.path, Constant)
    assert (file.path.value, len(file.column_aliases)) == ("data/*.parquet", 2)
    assert isinstance(function, TableFunction)
    assert len(function.arguments) == 1
    assert isinstance(values, DerivedTable)
    assert isinstance(values.query.term, Values)
    assert [len(row) for row in values.query.term.rows] == [2, 1]


# --- queries ----------------------------------------------------------------------------------------------------------


def test_intersect_binds_tighter_than_union() -> None:
    flat = parse_statement("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 EXCEPT ALL SELECT 4").statement
    assert isinstance(flat, QueryExpression)
    assert isinstance(flat.term, SetOperation)
    assert flat.term.all
    assert flat.term.left.span.source == "SELECT 1 UNION SELECT 2 INTERSECT SELECT 3"


def test_queries_in_parentheses() -> None:
    for sql in ("((SELECT 1))", "(((SELECT 1)))"):
        query = parse_statement(sql).statement
        assert isinstance(query, QueryExpression)
    union = derived("((SELECT 1) UNION (SELECT 2)) x")
    assert isinstance(union.term, SetOperation)
    limited = derived("((SELECT 1 LIMIT 1) UNION SELECT 2 ORDER BY 1) x")
    assert limited.order_by
    assert isinstance(limited.term, SetOperation)
    assert isinstance(limited.term.left, QueryExpression)
    assert limited.term.left.limit is not None


@pytest.mark.parametrize(
    ("sql", "limit", "offset"),
    [
        ("LIMIT 1", "1", None), ("LIMIT 1 OFFSET 2", "1", "2"), ("OFFSET 2 LIMIT 1", "1", "2"),
        ("LIMIT 2, 1", "1", "2"), ("OFFSET 2", None, "2"), ("LIMIT ALL", None, None), ("LIMIT ALL OFFSET 2", None, "2"),
        ("FETCH FIRST 1 ROWS ONLY", "1", None), ("OFFSET 2 ROWS FETCH NEXT 1 ROW ONLY", "1", "2"),
    ],
)  # fmt: skip
def test_row_limits(sql: str, limit: str | None, offset: str | None) -> None:
    query = parse_statement(f"SELECT a FROM t {sql}").statement
    assert isinstance(query, QueryExpression)
    assert (query.limit and query.limit.span.source) == limit
    assert (query.offset and query.offset.span.source) == offset


def test_hints_are_read_after_select_only() -> None:
    tree = block("/*+ no */ SELECT /*+ */ /*+ join_tree((a /* no */ b)) */ a /*+ no */ FROM t /*+ no */").join_tree
    assert isinstance(tree, JoinTreePair)
    assert tree.span.source == "(a /* no */ b)"
    assert [side.span.source for side in (tree.left, tree.right)] == ["a", "b"]
    assert block("SELECT /* no */ 1").join_tree is None


def test_a_join_tree_has_names_as_in_a_query() -> None:
    tree = block('SELECT /*+ JOIN_TREE(("A ""b" d . `x`)) */ 1').join_tree
    assert isinstance(tree, JoinTreePair)
    assert isinstance(tree.left, JoinTreeTable)
    assert isinstance(tree.right, JoinTreeTable)
    assert [(name.name, name.quoted) for name in tree.left.path] == [('A "b', True)]
    assert [(name.name, name.quoted) for name in tree.right.path] == [("d", False), ("x", True)]


def test_a_join_tree_may_be_deep() -> None:
    text = f"SELECT /*+ JOIN_TREE({'(' * 4000}a{' b)' * 4000}) */ 1"
    tree, depth = block(text).join_tree, 0
    while isinstance(tree, JoinTreePair):
        tree, depth = tree.left, depth + 1
    assert depth == 4000


def test_with() -> None:
    query = parse_statement("WITH a (x) AS (SELECT 1), b AS ((VALUES (1))) SELECT * FROM a, b").statement
    assert isinstance(query, QueryExpression)
    assert [(common.name.name, len(common.columns)) for common in query.with_] == [("a", 1), ("b", 0)]


# --- statements -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a INT, b DOUBLE PRECISION)",
        "CREATE OR REPLACE TABLE IF NOT EXISTS t AS SELECT 1",
        "CREATE VIEW v AS (SELECT 1)",
        "CREATE OR REPLACE VIEW IF NOT EXISTS v (a, b) AS VALUES (1, 2)",
        "DROP TABLE t",
        "DROP VIEW IF EXISTS v",
        "INSERT INTO t VALUES (1), (2)",
        "INSERT INTO t (a, b) (SELECT 1, 2)",
        "INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x",
    ],
)
def test_statements(sql: str) -> None:
    assert parse_statement(sql).statement.span.source == sql


def test_create_table() -> None:
    create = parse_statement('CREATE OR REPLACE TABLE IF NOT EXISTS t (a INT, "B" DECIMAL(8, 2))').statement
    assert isinstance(create, CreateTable)
    assert (create.or_replace, create.if_not_exists, create.query) == (True, True, None)
    assert [(column.name.name, column.type.name) for column in create.columns] == [("a", "INT"), ("B", "DECIMAL")]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("= 5", 5),
        ("= 'as_written'", "as_written"),
        ("= Off", "off"),
        ("TO on", "on"),
        ("= TRUE", True),
        ("= greedy", "greedy"),
    ],
)
def test_set(sql: str, value: object) -> None:
    statement = parse_statement(f"SET x {sql}").statement
    assert isinstance(statement, SetVariable)
    assert statement.value is not None
    assert statement.value.value == value


def test_set_negative_number_and_default() -> None:
    default = parse_statement("SET x TO DEFAULT").statement
    assert isinstance(default, SetVariable)
    assert default.value is None


@pytest.mark.parametrize(
    ("sql", "analyze", "form", "form_source"),
    [
        ("EXPLAIN SELECT 1", False, "TREE", None),
        ("EXPLAIN ANALYZE SELECT 1", True, "TREE", None),
        ("EXPLAIN FORMAT=json SELECT 1", False, "JSON", "json"),
        ("EXPLAIN ANALYZE FORMAT tree (SELECT 1)", True, "TREE", "tree"),
        ("EXPLAIN orders SELECT orders AS orders FROM orders", False, "ORDERS", "orders"),
        ("EXPLAIN ANALYZE ORDERS (VALUES (1))", True, "ORDERS", "ORDERS"),
    ],
)
def test_explain(sql: str, analyze: bool, form: str, form_source: str | None) -> None:
    explain = parse_statement(sql).statement
    assert isinstance(explain, Explain)
    assert (explain.analyze, explain.format) == (analyze, form)
    assert (explain.format_span and explain.format_span.source) == form_source


# --- scripts and comments ---------------------------------------------------------------------------------------------


def test_scripts() -> None:
    script = ";; SELECT ';' -- ; no\n; /* ; /* ; */ ; */ SELECT \";\" ; \n"
    assert [parsed.statement.span.source for parsed in parse_statements(script)] == ["SELECT ';'", 'SELECT ";"']
    assert list(parse_statements(" -- nothing\n")) == []
    assert list(parse_statements("")) == []


def test_statements_before_an_error_come_out() -> None:
    statements = parse_statements("SELECT 1; SELEC 2; SELECT 3")
    assert next(statements).statement.span.source == "SELECT 1"
    with pytest.raises(ProgrammingError):
        next(statements)


def test_comments_nest() -> None:
    assert shape(expression("1 /* a /* b */ c */ + /**/ 2 -- x")) == shape(expression("1 + 2"))
    assert shape(expression("1 - -1")) != shape(expression("1 --1"))
    nested = "/* a /* b /* c */ d */ e /**/ */"
    for sql in (f"{nested}SELECT{nested}1{nested} + {nested}{nested}2{nested}", f"SELECT '/*' + '{nested}' -- /*"):
        statement = parse_statement(sql).statement
        assert isinstance(statement, QueryExpression)
        assert statement.span.source in sql
        assert statement.span.source.startswith("SELECT")
        assert statement.span.source.endswith(("2", "'"))
    (constant,) = block(f"SELECT '{nested}'").items
    assert isinstance(constant.expression, Constant)
    assert constant.expression.value == nested


@pytest.mark.parametrize("comment", ["/*", "/* /* */", "/* /* */ /* /* */ ; */", "/*+ /*+ */ ; --"])
def test_comments_that_are_not_closed(comment: str) -> None:
    with pytest.raises(ProgrammingError, match="comment is not closed") as error:
        parse_statement(f"SELECT 1 /* /* */ */ {comment}")
    assert error.value.span is not None
    assert error.value.span.source == comment


def test_threads_do_not_disturb_each_other() -> None:
    def parse(name: str) -> bool:
        sql = f"SELECT ({name}) + ?, ({name} + ({name})) FROM {name} WHERE {name} IN (?, ({name}))"
        for _ in range(100):
            statement, parameters = parse_statement(sql)
            assert isinstance(statement, QueryExpression)
            assert isinstance(statement.term, QueryBlock)
            spans = [item.span.source for item in statement.term.items]
            if (*spans, len(parameters)) != (f"({name}) + ?", f"({name} + ({name}))", 2):
                return False
        return True

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(parse, ["a", "bb", "ccc", "dddd"])) == [True] * 4
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("SELECT 1; SELECT 2", "SELECT 1;"), ("SELECT ';'", None), ("SELECT ';';x", "SELECT ';';"), ("a '", None),
        ("SELECT 'it''s;' ;", "SELECT 'it''s;' ;"), ('SELECT ";" ; ', 'SELECT ";" ;'), ("SELECT `;`", None),
        ("SELECT 1 -- ;", None), ("SELECT 1 -- ;\n;", "SELECT 1 -- ;\n;"), ("/* ; /* ; */ ; */;", "/* ; /* ; */ ; */;"),
        ("/* ; /* ; */ ;", None), ("@ # 1x ; y", "@ # 1x ;"), ("", None), (";", ";"), ("SELECT 'a;\nb", None),
    ],
)  # fmt: skip
def test_statement_end(text: str, first: str | None) -> None:
    end = statement_end(text, 0)
    assert (None if end is None else text[:end]) == first
    prefix = "SELECT 1;"
    shifted = statement_end(prefix + text, len(prefix))
    assert shifted == (None if end is None else end + len(prefix))


# --- depth and length -------------------------------------------------------------------------------------------------


def test_parentheses_cost_no_depth() -> None:
    assert shape(expression("(" * 2000 + "1" + ")" * 2000)) == shape(expression("1"))
    assert isinstance(derived("(" * 2000 + "SELECT 1" + ")" * 2000 + " x"), QueryExpression)
    assert isinstance(table("(" * 2000 + "t" + ")" * 2000), TableName)


def _nested_tables(depth: int) -> str:
    return "SELECT 1 FROM " + "(SELECT 1 FROM " * depth + "t" + ") x" * depth


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1" + " + 1" * 20_000,
        "SELECT " + "NOT " * 20_000 + "a",
        "SELECT " + "- " * 5_000 + "a",
        "SELECT " + "f(" * 2_000 + "1" + ")" * 2_000,
        "SELECT " + "CASE WHEN a THEN " * 2_000 + "1" + " END" * 2_000,
        "SELECT a" + "::int" * 2_000,
        _nested_tables(1_000),
        "SELECT 1 FROM t WHERE " + "(a OR (b AND " * 800 + "c" + "))" * 800,
    ],
    ids=["sum", "not", "minus", "calls", "case", "casts", "tables", "logic"],
)
def test_deep_nodes_are_refused(sql: str) -> None:
    with pytest.raises(ProgrammingError, match=r"nested too deeply: more than 1,000 levels") as error:
        parse_statement(sql)
    assert error.value.span is not None


def test_nesting_below_the_limit() -> None:
    parse_statement("SELECT 1" + " + 1" * 990)
    parse_statement(_nested_tables(240))


def test_long_chains_are_not_deep() -> None:
    parse_statement("SELECT 1 FROM t0 " + " ".join(f"JOIN t{i} ON t{i}.a = t0.a" for i in range(500)))
    parse_statement("SELECT 1 FROM t" + ", t" * 4_900)
    parse_statement(" UNION ALL ".join(["SELECT 1"] * 4_900))
    assert isinstance(expression(" AND ".join(["a"] * 10_000)), Logical)
    for sql in ("SELECT 1 FROM t" + ", t" * 5_100, " UNION ".join(["SELECT 1"] * 5_100)):
        with pytest.raises(ProgrammingError, match="more than 5,000"):
            parse_statement(sql)


def test_a_long_list_takes_linear_time() -> None:
    def seconds(items: int) -> float:
        sql = f"a IN ({', '.join(map(str, range(items)))})"
        start = time.process_time()
        predicate = expression(sql)
        assert isinstance(predicate, InPredicate)
        assert len(predicate.items) == items
        return time.process_time() - start

    seconds(1_000)
    assert seconds(50_000) < 60 * min(seconds(5_000) for _ in range(3))


def test_subqueries_in_expressions() -> None:
    assert isinstance(expression("(SELECT 1) + 1"), Binary)
    assert isinstance(expression("((SELECT 1))"), ScalarQuery)
    assert isinstance(expression("EXISTS (SELECT 1)"), Exists)
    for sql, operator, all_ in (
        ("a IN (SELECT 1)", "=", False),
        ("a NOT IN ((SELECT 1) UNION SELECT 2)", "<>", True),
        ("a != SOME (SELECT 1)", "<>", False),
        ("a >= ALL (SELECT 1)", ">=", True),
    ):
        comparison = expression(sql)
        assert isinstance(comparison, QuantifiedComparison)
        assert (comparison.operator, comparison.all) == (operator, all_)


def test_rows_of_values() -> None:
    row = expression("(a, 1)")
    assert isinstance(row, Row)
    assert len(row.items) == 2
    assert row.span.source == "(a, 1)"
    assert isinstance(expression("(a, b) IN ((1, 2), (3, 4))"), InPredicate)


def test_identifiers_have_spans() -> None:
    name = expression("t.Abc")
    assert isinstance(name, ColumnName)
    assert isinstance(name.column, Identifier)
    assert name.column.span.source == "Abc"


def test_where_a_statement_starts() -> None:
    for skipped in ("", "  \n", "-- a; b\n", "/* a /* b; */ ' */ ", "--x\n\t/* y */\n-- z\n"):
        assert statement_start(f";{skipped}SELECT 1", 1) == 1 + len(skipped)
    assert statement_start("-- only", 0) == len("-- only")
    assert statement_start("/* open", 0) == len("/* open")
