from __future__ import annotations

import datetime
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import minisql
from minisql.parser.keywords import quoted_name
from minisql.query_block.table_names import format_order, table_names
from minisql.session.explanations.why_not import Answer, _block, forbidden_orders, why_not
from tests.differential.peers import Peers, bag

SCHEMA = """
CREATE TABLE a (k INTEGER, x INTEGER, s VARCHAR, d DATE);
CREATE TABLE b (k INTEGER, x INTEGER, y INTEGER, t TIMESTAMP);
CREATE TABLE c (k INTEGER, x INTEGER, y INTEGER, p DECIMAL(6,2));
CREATE TABLE e (k INTEGER PRIMARY KEY, x INTEGER NOT NULL, y INTEGER UNIQUE, f BOOLEAN);
CREATE TABLE "Order" ("Group" INTEGER, "a b" INTEGER);
"""
WRONG_TABLE_ENTRY = (
    "SELECT a.x, b.y, c.x, c.y FROM (a FULL JOIN b ON a.x = b.y) LEFT JOIN c ON (a.x IS NULL OR a.x = c.x) AND c.y = 1"
)
FILTER_BELOW_FULL = (
    "SELECT a.x, b.x, c.k, e.x FROM e FULL JOIN (b JOIN (a LEFT JOIN c ON a.k = c.k) "
    "ON a.k = b.k AND c.k IS NULL) ON e.k = b.k"
)


@pytest.fixture
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        connection.execute(SCHEMA)
        connection.execute("INSERT INTO a SELECT range, range % 3, 'a', NULL FROM range(50)")
        connection.execute("INSERT INTO b SELECT range % 10, range, range % 3, NULL FROM range(200)")
        connection.execute("INSERT INTO c SELECT range % 5, range, range % 2, 1 FROM range(20)")
        connection.execute("INSERT INTO e SELECT range, range, range, TRUE FROM range(9)")
        yield connection


def ask(connection: minisql.Connection, order: str, query: str) -> dict[str, str | None]:
    result = connection.execute(f"EXPLAIN WHY NOT {order} {query}")
    assert result.names == ("verdict", "reason", "script", "written", "reordered")
    (row,) = result.fetchall()
    return {name: None if value is None else str(value) for name, value in zip(result.names, row, strict=True)}


def rows_everywhere(script: str, queries: list[str]) -> list[list[tuple[object, ...]]]:
    """The rows of queries on a script, on which minisql, SQLite and DuckDB agree."""
    statements = [line.rstrip(";") for line in script.split("\n")]
    with minisql.connect() as connection:
        connection.execute(script)
        expected = [bag(connection.execute(query)) for query in queries]
    peers = Peers(statements)
    try:
        for query, rows in zip(queries, expected, strict=True):
            assert peers.rows_of_each(query) == {"SQLite": rows, "DuckDB": rows}, query
    finally:
        peers.close()
    return expected


def check_counterexample(answer: dict[str, str | None], query: str | None = None) -> str:
    """Runs the counterexample in all three engines; the query, if given, has the rows of `written`. The script."""
    assert answer["verdict"] == "illegal"
    script, written, reordered = answer["script"], answer["written"], answer["reordered"]
    assert script is not None
    assert written is not None
    assert reordered is not None
    first, second, *own = rows_everywhere(script, [written, reordered, *([query] if query else [])])
    assert first != second
    assert not own or own[0] == first
    return script


def test_the_order_that_the_usual_table_allows(connection: minisql.Connection) -> None:
    answer = ask(connection, "((a c) b)", WRONG_TABLE_ENTRY)
    script = check_counterexample(answer, WRONG_TABLE_ENTRY)
    assert script.count("INSERT") == 2, "a is empty"
    assert "c can be joined to a only after b" in str(answer["reason"])
    assert answer["reordered"] == (
        "SELECT a.x, b.y, c.x, c.y\n"
        "FROM a LEFT JOIN c ON (a.x IS NULL OR a.x = c.x) AND c.y = 1 FULL JOIN b ON a.x = b.y"
    )


@pytest.mark.parametrize(
    ("order", "query"),
    [
        ("(a (b c))", "SELECT a.k, c.x FROM a LEFT JOIN b ON a.k = b.k JOIN c ON coalesce(b.x, 7) = c.x"),
        ("((a b) c)", "SELECT a.k, b.k, c.k FROM a LEFT JOIN (b JOIN c ON b.k = c.k) ON a.x = b.x"),
        ("((a c) b)", "SELECT k, a.x, b.x, c.x FROM a FULL JOIN b USING (k) LEFT JOIN c USING (k)"),
        # The full join pads the rows that a filter has taken: a subquery in FROM.
        (
            "((a c) b)",
            "SELECT a.k, b.k, c.k FROM (SELECT * FROM a WHERE x = 1) AS a FULL JOIN (SELECT * FROM b WHERE y > 3) AS b "
            "ON a.k = b.k LEFT JOIN c ON coalesce(a.k, b.k) = c.k",
        ),
        # A filter on joins below a full join.
        ("((e (b a)) c)", FILTER_BELOW_FULL),
        ("((e b) (a c))", FILTER_BELOW_FULL),
        # Strings, patterns, dates, times, decimals, booleans.
        (
            "(a (b c))",
            "SELECT a.s, b.k, c.p FROM a LEFT JOIN b ON a.k = b.k AND a.s LIKE 'x_%' "
            "LEFT JOIN c ON coalesce(b.k, 2) = c.k AND c.p >= 2.5",
        ),
        (
            "(a (b c))",
            "SELECT a.d, b.t, c.k FROM a LEFT JOIN b ON a.k = b.k AND b.t > TIMESTAMP '2020-02-02 10:00:00' "
            "LEFT JOIN c ON coalesce(b.x, 1) = c.x WHERE a.d BETWEEN DATE '2020-01-01' AND DATE '2020-01-31'",
        ),
        (
            "(a (e c))",
            "SELECT a.k, e.f, c.k FROM a LEFT JOIN e ON a.k = e.k LEFT JOIN c ON e.f IS NOT TRUE AND c.x = 5 "
            "AND (e.k = c.k OR e.k IS NULL)",
        ),
        # A long list; an OR among conjuncts.
        (
            "(a (b c))",
            "SELECT a.k, b.k, c.k FROM a LEFT JOIN b ON a.k = b.k AND b.x IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) "
            "LEFT JOIN c ON coalesce(b.x, 3) = c.k AND (c.x = 1 OR c.y NOT IN (1, 2, 3, 4, 5, 6, 7, 8, 9))",
        ),
        # Names that need quotes.
        (
            '(a (b "Order"))',
            'SELECT a.k, "Order"."a b" AS "Select" FROM a LEFT JOIN b ON a.k = b.k '
            'LEFT JOIN "Order" ON coalesce(b.x, 1) = "Order"."Group"',
        ),
        # One table under three names.
        (
            "(a1 (a2 a3))",
            "SELECT a1.k, a2.x, a3.x FROM a AS a1 LEFT JOIN a AS a2 ON a1.k = a2.x LEFT JOIN a AS a3 "
            "ON coalesce(a2.x, 0) = a3.k",
        ),
        # A condition that fails for some values.
        (
            "(a (b c))",
            "SELECT a.k, b.k, c.k FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON coalesce(b.x, 4) % c.x = c.k",
        ),
        # A condition on three tables.
        ("((a c) b)", "SELECT a.k, b.k, c.k FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON a.x + b.x = c.x"),
        ("((a c) b)", "SELECT a.k, b.k, c.k FROM a JOIN b ON a.k = b.k LEFT JOIN c ON a.x + b.x = c.x"),
    ],
)
def test_counterexamples(connection: minisql.Connection, order: str, query: str) -> None:
    check_counterexample(ask(connection, order, query), query)


def test_what_is_promised_of_the_tables_is_kept(connection: minisql.Connection) -> None:
    query = "SELECT a.k, e.x, c.k FROM a LEFT JOIN e ON a.k = e.k AND e.y = 1 LEFT JOIN c ON coalesce(e.x, 2) = c.k"
    script = check_counterexample(ask(connection, "(a (e c))", query), query)
    assert "CREATE TABLE e (k INTEGER NOT NULL PRIMARY KEY, x INTEGER NOT NULL, y INTEGER UNIQUE);" in script
    # e.x is never NULL, so no row of c finds a row of e that it would not have found.
    query = "SELECT a.k, e.x, c.k FROM a LEFT JOIN c ON a.k = c.k LEFT JOIN e ON c.x IS NOT DISTINCT FROM e.x"
    answer = ask(connection, "(a (c e))", query)
    assert (answer["verdict"], answer["script"]) == ("illegal", None)
    assert re.search(r"No difference was found in \d+,000 databases", str(answer["reason"]))
    assert answer["written"] == query.replace(" FROM a", "\nFROM a")
    connection.execute("ALTER TABLE e ALTER x DROP NOT NULL")
    check_counterexample(ask(connection, "(a (c e))", query), query)


def test_what_holds_of_the_rows_now_is_not_taken_for_granted(connection: minisql.Connection) -> None:
    """b.x has no NULL at the moment."""
    query = "SELECT a.k, b.x, c.k FROM a LEFT JOIN c ON a.k = c.k LEFT JOIN b ON c.x IS NOT DISTINCT FROM b.x"
    check_counterexample(ask(connection, "(a (c b))", query), query)


def test_files_and_derived_tables_are_tables_of_the_script(connection: minisql.Connection, tmp_path: Path) -> None:
    path = tmp_path / "some file.csv"
    path.write_text("k,x\n1,2\n")
    query = (
        f"SELECT f.x, d.n, c.k FROM '{path}' AS f FULL JOIN (SELECT k, count(*) AS n FROM b GROUP BY k) AS d "
        "ON f.k = d.k LEFT JOIN c ON coalesce(f.k, d.k) = c.k"
    )
    script = check_counterexample(ask(connection, "((f c) d)", query))
    assert script.startswith("CREATE TABLE f (")
    assert "CREATE TABLE d (" in script


def test_tables_inside_of_derived_ones_can_be_named(connection: minisql.Connection) -> None:
    query = (
        "SELECT a.k, d.x, c.k FROM a LEFT JOIN (SELECT b.k, c.x FROM b LEFT JOIN c ON coalesce(b.y, 1) = c.k) AS d "
        "ON a.k = d.k LEFT JOIN c ON d.x = c.x"
    )
    answer = ask(connection, "((a (d.b d.c)) c)", query)
    assert answer["verdict"] in ("chosen", "dearer")
    answer = ask(connection, "((a d) c)", query)
    assert answer["verdict"] in ("chosen", "dearer"), "a derived table as a whole"
    with_view = query.replace("(SELECT b.k, c.x FROM b LEFT JOIN c ON coalesce(b.y, 1) = c.k) AS d", "v AS d")
    connection.execute("CREATE VIEW v AS SELECT b.k, c.x FROM b LEFT JOIN c ON coalesce(b.y, 1) = c.k")
    assert ask(connection, "((a d) c)", with_view)["verdict"] == answer["verdict"]
    common = "WITH v AS (SELECT b.k, c.x FROM b FULL JOIN c ON b.y = c.k) "
    twice = f"{common}SELECT v.x, w.x, a.k FROM v FULL JOIN v AS w ON v.k = w.k LEFT JOIN a ON coalesce(v.k, w.k) = a.k"
    check_counterexample(ask(connection, "((v a) w)", twice))


def test_verdicts_agree_with_the_hint(connection: minisql.Connection) -> None:
    query = "SELECT a.k, b.x, c.x, e.x FROM a JOIN b ON a.k = b.k LEFT JOIN c ON b.x = c.x JOIN e ON a.x = e.k"
    orders = [row[0] for row in connection.execute(f"EXPLAIN ORDERS {query}")]
    verdicts = Counter(ask(connection, str(order), query)["verdict"] for order in orders)
    assert verdicts == {"chosen": 1, "dearer": len(orders) - 1}
    chosen = connection.plan(query).order
    assert ask(connection, chosen, query)["verdict"] == "chosen"
    assert ask(connection, chosen.translate(str.maketrans("()", ")("))[::-1], query)["verdict"] == "chosen", "flipped"


def test_where_an_order_loses(connection: minisql.Connection) -> None:
    query = "SELECT a.k, b.x, c.x FROM a JOIN b ON a.k = b.k JOIN c ON b.x = c.x WHERE a.x = 1"
    costs = {order: cost for order, cost, *_ in connection.execute(f"EXPLAIN ORDERS {query}")}
    dearest = max(costs, key=lambda order: costs[order])
    answer = ask(connection, str(dearest), query)
    assert answer["verdict"] == "dearer"
    factor = costs[dearest] / min(costs.values())
    assert f"In all it costs {factor:.3g} times the chosen order" in str(answer["reason"])


def test_where_nothing_was_searched(connection: minisql.Connection) -> None:
    query = "SELECT a.k, b.x, c.x FROM a JOIN b ON a.k = b.k JOIN c ON b.x = c.x"
    hinted = query.replace("SELECT", "SELECT /*+ JOIN_TREE((a (b c))) */")
    assert ask(connection, "((b c) a)", hinted)["verdict"] == "chosen"
    answer = ask(connection, "((a b) c)", hinted)
    assert answer["verdict"] == "not enumerated"
    assert "The hint JOIN_TREE" in str(answer["reason"])
    connection.execute("SET join_order = 'as_written'")
    assert ask(connection, "((a b) c)", query)["verdict"] == "chosen"
    answer = ask(connection, "(a (b c))", query)
    assert (answer["verdict"], "join_order is 'as_written'" in str(answer["reason"])) == ("not enumerated", True)
    connection.execute("SET join_order = 'optimal'; SET pair_budget = 1")
    verdicts = {ask(connection, order, query)["verdict"] for order in ("(a (b c))", "((a b) c)")}
    assert verdicts == {"chosen", "not enumerated"}
    answer = ask(connection, "((a c) b)", WRONG_TABLE_ENTRY)
    assert answer["verdict"] == "illegal", "whatever the budget"


def test_products_and_tables_that_take_no_part(connection: minisql.Connection) -> None:
    answer = ask(connection, "((a c) b)", "SELECT 1 FROM a JOIN b ON a.k = b.k JOIN c ON b.x = c.x")
    assert answer["verdict"] == "not enumerated"
    assert answer["reason"] == (
        "Nothing joins c to a: no condition is about both; "
        "a is joined to b by a.k = b.k, and c is joined to b by b.x = c.x."
        " A product that the query does not have is not considered."
    )
    query = "SELECT a.k FROM a JOIN b ON a.k = b.k LEFT JOIN e ON a.x = e.k"
    answer = ask(connection, "((a b) e)", query)
    assert answer["verdict"] == "chosen"
    assert "The plan leaves out e: the rows are the same without it." in str(answer["reason"])
    answer = ask(connection, "(a e)", "SELECT a.k FROM a LEFT JOIN e ON a.x = e.k")
    assert answer["verdict"] == "not enumerated"
    assert ask(connection, "(a b)", "SELECT a.k FROM a JOIN b ON a.k = b.k LIMIT 0")["verdict"] == "not enumerated"


def test_a_subquery_that_is_a_join_only_because_of_the_rows_there_are(connection: minisql.Connection) -> None:
    """NOT IN over columns that have no NULL is an anti join; over any rows it parts the joins."""
    joins = "a JOIN c ON c.k NOT IN (SELECT e.x FROM e) AND a.k = c.k LEFT JOIN b ON c.x IN (1, 3) AND a.x = b.k"
    query = f"SELECT c.k FROM {joins}"
    answer = ask(connection, "((a b) c)", query)
    assert answer["verdict"] == "illegal"
    assert (answer["script"], answer["written"], answer["reordered"]) == (None, None, None)
    assert "a subquery would be no join" in str(answer["reason"])
    assert "<html" in connection.execute(f"EXPLAIN FORMAT=HTML {query}").fetchall()[0][0]


def test_joins_around_a_subquery_that_stays_one(connection: minisql.Connection) -> None:
    """EXPLAIN HTML, which looks for orders to offer, was an error where FROM is not one group of joins."""
    query = "SELECT 1 FROM a FULL JOIN b ON a.k = b.k RIGHT JOIN c ON b.x = c.x FULL JOIN e ON c.k IN (SELECT y FROM b)"
    assert "For each row" in connection.execute(f"EXPLAIN {query}").fetchall()[0][0]
    assert "<html" in connection.execute(f"EXPLAIN FORMAT=HTML {query}").fetchall()[0][0]


def test_a_plan_that_reads_no_table(connection: minisql.Connection) -> None:
    """It was said to leave out each of the tables."""
    query = "SELECT a.x FROM (a JOIN b ON a.k = b.k JOIN c ON b.x = c.x) JOIN e ON e.k = a.k AND FALSE"
    answer = ask(connection, "(((a b) c) e)", query)
    assert "leaves out" not in str(answer["reason"])
    assert "gives no rows" in str(answer["reason"])
    query = "SELECT a.x FROM a LEFT JOIN (b JOIN c ON b.x IS NULL RIGHT JOIN e ON b.k = e.k) ON a.x = b.x WHERE FALSE"
    answer = ask(connection, "(a (c (b e)))", query)
    assert str(answer["reason"]).endswith("The plan reads none of these tables: the query gives no rows.")


def test_subqueries(connection: minisql.Connection) -> None:
    query = (
        "SELECT a.k, b.k, c.k FROM a FULL JOIN b ON a.k = b.k LEFT JOIN c ON coalesce(a.k, b.k) = c.k "
        "WHERE a.x + b.x IS NULL AND (EXISTS (SELECT 1 FROM e WHERE e.k = c.k) OR c.k IS NULL)"
    )
    answer = ask(connection, "((a c) b)", query)
    check_counterexample(answer)
    assert "before anything is made of them" in str(answer["reason"])
    in_on = "SELECT a.k, b.k FROM a LEFT JOIN b ON a.k = b.k AND EXISTS (SELECT 1 FROM e WHERE e.k = b.x)"
    answer = ask(connection, "(a b)", in_on)
    assert answer["verdict"] == "chosen"
    assert answer["reason"] == "This is the order of the plan, the only one that the rules allow."
    three = f"{in_on} LEFT JOIN c ON coalesce(b.y, 9) = c.k"
    check_counterexample(ask(connection, "(a (b c))", three))
    with pytest.raises(minisql.ProgrammingError, match='no table "b" in FROM'):
        ask(connection, "(a b)", "SELECT k FROM a WHERE k IN (SELECT b.k FROM b JOIN c ON b.k = c.k)")


def test_subqueries_in_on_are_joined_where_their_join_is(connection: minisql.Connection) -> None:
    """They were joined after all that has a name: the order of the plan was forbidden, or an assertion failed."""
    about_both = "EXISTS (SELECT 1 FROM e WHERE e.k = a.k AND e.x <> b.y)"
    below = "a JOIN (b LEFT JOIN c ON b.x = c.x AND EXISTS (SELECT 1 FROM e WHERE e.k = c.y)) ON a.k = b.k"
    for order, from_ in (
        ("(a b)", f"a LEFT JOIN b ON {about_both}"),
        ("(b a)", f"a RIGHT JOIN b ON {about_both}"),
        ("((a b) c)", f"a FULL JOIN b ON {about_both} LEFT JOIN c ON c.k = a.k"),
        ("(a (b c))", below),
        ("((a b) c)", below),
        ("(a (c b))", below),
    ):
        query = f"SELECT a.k, b.x FROM {from_}"
        answer = ask(connection, order, query)
        assert answer["verdict"] in ("chosen", "dearer"), (query, answer)
        hinted = query.replace("SELECT", f"SELECT /*+ JOIN_TREE({order}) */", 1)
        assert bag(connection.execute(hinted)) == bag(connection.execute(query))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT c.k, count(*) FROM {} GROUP BY c.k",
        "SELECT DISTINCT a.k FROM {}",
        "SELECT a.k, b.x FROM {} ORDER BY 1 LIMIT 3",
        "SELECT a.k, row_number() OVER (ORDER BY a.k) FROM {}",
        "SELECT a.k FROM {} UNION ALL SELECT 1",
    ],
)
def test_joined_rows_are_compared_where_more_is_made_of_them(connection: minisql.Connection, query: str) -> None:
    from_ = "a FULL JOIN b ON a.k = b.k LEFT JOIN c ON coalesce(a.k, b.k) = c.k"
    answer = ask(connection, "((a c) b)", query.format(from_))
    check_counterexample(answer)
    assert "before anything is made of them" in str(answer["reason"])


def test_joins_of_a_merged_subquery_go_by_its_name(connection: minisql.Connection) -> None:
    query = (
        "SELECT max(q.k) FROM (SELECT a.k FROM a FULL JOIN b ON a.k = b.k LEFT JOIN c ON coalesce(a.k, b.k) = c.k) "
        "AS q GROUP BY q.k"
    )
    check_counterexample(ask(connection, "((q.a q.c) q.b)", query))


def test_random_numbers_are_not_compared(connection: minisql.Connection) -> None:
    query = "SELECT a.k FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON coalesce(b.x, 1) = c.k AND random() < 0.5"
    answer = ask(connection, "(a (b c))", query)
    assert (answer["verdict"], answer["script"]) == ("illegal", None)
    assert "random" in str(answer["reason"])
    assert answer["reordered"] is not None


@pytest.mark.parametrize(
    ("statement", "message", "place"),
    [
        ("((a b) d) SELECT 1 FROM a, b, c", 'There is no table "d"', "d"),
        ("((a b) b) SELECT 1 FROM a, b, c", '"b" is in the tree already', "b"),
        ("(a b) SELECT 1 FROM a, b, c", "The order leaves out c", "(a b)"),
        ("a SELECT 1 FROM a, b", "The order leaves out b", "a"),
        ("(a b) SELECT 1", "reads no table", "(a b)"),
        ("(a b) SELECT 1 FROM a", 'There is no table "b"', "b"),
        ("(a b) VALUES (1)", "no FROM that an order could name", "WHY"),
        ("(a b) DELETE FROM a", "Expected a query", "DELETE"),
        ("(a b c) SELECT 1 FROM a, b, c", "Expected", "c"),
        ("(a q.b) SELECT 1 FROM a, (SELECT k FROM b LIMIT 3) AS q", "computed as a whole", "(a q.b)"),
    ],
)
def test_bad_input(connection: minisql.Connection, statement: str, message: str, place: str) -> None:
    with pytest.raises(minisql.DatabaseError, match=message.replace("(", r"\(")) as raised:
        connection.execute(f"EXPLAIN WHY NOT {statement}")
    assert not isinstance(raised.value, minisql.InternalError)
    assert raised.value.span.source == place  # type: ignore[attr-defined]


def test_a_query_of_one_table(connection: minisql.Connection) -> None:
    answer = ask(connection, "a", "SELECT k FROM a WHERE x > 3")
    assert answer == {
        "verdict": "chosen",
        "reason": "a is the only table: there is no other order.",
        "script": None,
        "written": None,
        "reordered": None,
    }


def test_forbidden_orders_to_offer(connection: minisql.Connection) -> None:
    query = "SELECT a.k FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON coalesce(b.x, 1) = c.x JOIN e ON a.x = e.k"
    planned = connection.plan(query)
    orders = forbidden_orders(planned, 3)
    assert 1 <= len(orders) <= 3
    assert len(forbidden_orders(planned, 1)) == 1
    names = table_names(_block(planned))
    answers = [why_not(planned, order) for order in orders]
    assert [answer.order for answer in answers] == [format_order(order, names) for order in orders]
    assert {answer.verdict for answer in answers} == {"illegal"}
    first: Answer = answers[0]
    assert first.databases > 0
    assert first.names == ("k",) or "hides" in first.reason
    assert bag(first.rows_written) != bag(first.rows_reordered)
    assert forbidden_orders(connection.plan("SELECT 1 FROM a JOIN b ON a.k = b.k"), 5) == []
    assert forbidden_orders(connection.plan("SELECT 1"), 5) == []


def test_parameters_are_constants(connection: minisql.Connection) -> None:
    query = "SELECT a.k, b.x, c.k FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON coalesce(b.x, ?) = c.k AND a.d < ?"
    result = connection.execute(f"EXPLAIN WHY NOT (a (b c)) {query}", [77, datetime.date(2020, 1, 1)])
    answer = dict(zip(result.names, result.fetchall()[0], strict=True))
    assert "77" in str(answer["written"])


def test_five_tables_take_less_than_two_seconds(connection: minisql.Connection) -> None:
    query = (
        "SELECT a.k, b.x, c.x, e.x, f.x FROM a FULL JOIN b ON a.k < b.k FULL JOIN c ON coalesce(a.x, b.x) <> c.x "
        "LEFT JOIN e ON b.y >= e.y LEFT JOIN b AS f ON coalesce(e.x, c.k) <> f.k"
    )
    start = time.process_time()  # what other processes take does not count
    answer = ask(connection, "((((a b) c) f) e)", query)
    assert time.process_time() - start < 2
    check_counterexample(answer, query)


def test_no_counterexample_is_tried_on_functions_of_the_program() -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
        connection.create_function("same", lambda values: values, [int], int, null_handling="special")
        query = "t x LEFT JOIN t y ON same(x.a) = y.a LEFT JOIN t z ON coalesce(same(y.a), 1) = z.a"
        rows = connection.execute(f"EXPLAIN WHY NOT (x (y z)) SELECT * FROM {query}").fetchall()
    assert rows[0][0] == "illegal"
    assert any("functions of the program" in str(value) for row in rows for value in row)


@pytest.mark.parametrize("source", ["CREATE VIEW v AS SELECT * FROM t", "CREATE VIEW v AS SELECT k, x FROM t"])
def test_a_view_that_is_read_several_times_is_joined_as_a_table_is(source: str) -> None:
    joins = "{0} a FULL JOIN {0} b ON a.k = b.k LEFT JOIN {0} c ON c.k = b.k"
    with minisql.connect() as connection:
        connection.execute(f"CREATE TABLE t (k INTEGER, x INTEGER); INSERT INTO t VALUES (1, 2), (2, 3); {source}")
        for tree in ("(a (b c))", "((a b) c)", "((a c) b)"):
            asked = [f"EXPLAIN WHY NOT {tree} SELECT * FROM {joins.format(name)}" for name in ("t", "v")]
            of_table, of_view = (connection.execute(sql).fetchall()[0][:2] for sql in asked)
            assert of_view == of_table


@pytest.mark.parametrize(
    ("tables", "columns"),
    [
        (("a.b", "a_b", "b.c"), ("x.y", "y")),
        (("Order", "select", "c d"), ("Key", "group")),
        (('q"r', "<script>", "😀"), ('s"t', "u'v")),
        (("x" * 200, "x" * 199 + "y", "né"), ("end", "1")),
    ],
)
def test_names_are_quoted_wherever_sql_is_shown(tables: tuple[str, ...], columns: tuple[str, ...]) -> None:
    """A condition in a sentence and in a plan is SQL, and scripts run in SQLite 3.40 and DuckDB, too."""
    a, b, c, x, y = (quoted_name(name) for name in (*tables, *columns))
    condition = f"coalesce({b}.{y}, 0) < {c}.{y}"
    query = f"SELECT {a}.{x}, {b}.{y} FROM {a} LEFT JOIN {b} ON {a}.{x} = {b}.{x} JOIN {c} ON {condition}"
    with minisql.connect() as connection:
        for table in (a, b, c):
            connection.execute(f"CREATE TABLE {table} ({x} INTEGER, {y} INTEGER)")
            connection.execute(f"INSERT INTO {table} VALUES (1, 2), (2, 3)")
        answer = ask(connection, f"({a} ({b} {c}))", query)
        assert answer["verdict"] == "illegal"
        assert condition in str(answer["reason"])
        assert condition in str(connection.execute(f"EXPLAIN {query}").fetchone()[0])
        assert condition in "".join(row[0] for row in connection.execute(f"EXPLAIN HYPERGRAPH {query}").fetchall())
        written, reordered = rows_everywhere(str(answer["script"]), [str(answer["written"]), str(answer["reordered"])])
        assert written != reordered
        for order, *_ in connection.execute(f"EXPLAIN ORDERS {query}").fetchall():
            assert ask(connection, order, query)["verdict"] in ("chosen", "dearer")
            hinted = query.replace("SELECT", f"SELECT /*+ JOIN_TREE({order}) */")
            assert connection.plan(hinted).order == order


def test_a_script_with_a_dot_in_names_has_joins_in_parentheses() -> None:
    """In which SQLite 3.40 finds no column of the table "a.b"; "a_b" is another one."""
    query = """SELECT * FROM a_b LEFT JOIN ("a.b" JOIN "b.c" ON "a.b".y = "b.c".y) ON a_b.x = "a.b".x"""
    with minisql.connect() as connection:
        connection.execute("""CREATE TABLE "a.b" (x INTEGER, y INTEGER); CREATE TABLE a_b (x INTEGER, y INTEGER);
            CREATE TABLE "b.c" (x INTEGER, y INTEGER)""")
        answer = ask(connection, '((a_b "a.b") "b.c")', query)
        assert '("a.b" AS a_b_2 JOIN "b.c" AS b_c ON a_b_2.y = b_c.y)' in str(answer["written"])
        written, reordered = rows_everywhere(str(answer["script"]), [str(answer["written"]), str(answer["reordered"])])
        assert written != reordered


@pytest.mark.parametrize(
    ("query", "became"),
    [
        (
            "a LEFT JOIN (b LEFT JOIN c ON b.y = c.y) ON a.x = b.x AND c.x > 1",
            "b LEFT JOIN c became b INNER JOIN c because of ON c.x > 1, which rejects the rows in which c is padded",
        ),
        (
            "a LEFT JOIN (b FULL JOIN c ON b.y = c.y) ON a.x = b.x AND c.x > 1 AND b.x > 1",
            "In the query, b FULL JOIN c became b LEFT JOIN c because of ON a.x = b.x, which rejects the rows in which "
            "b is padded; b LEFT JOIN c became b INNER JOIN c because of ON c.x > 1",
        ),
        ("a LEFT JOIN (b JOIN c ON b.y = c.y) ON a.x = b.x", ""),
    ],
)
def test_a_reason_says_what_a_join_was_that_simplification_changed(
    connection: minisql.Connection, query: str, became: str
) -> None:
    reason = str(ask(connection, "((a b) c)", f"SELECT * FROM {query}")["reason"])
    assert "the INNER JOIN of b and c ON b.y = c.y" in reason
    assert ("In the query" in reason) is bool(became)
    assert became in reason


def test_tables_of_a_query_that_is_used_twice_are_named_as_a_whole(connection: minisql.Connection) -> None:
    connection.execute("SET materialize_common_tables = off")
    query = (
        "WITH q AS (SELECT a.k, b.x FROM a JOIN b ON a.k = b.k) "
        "SELECT * FROM q JOIN q AS r ON q.k = r.k JOIN c ON c.k = q.k"
    )
    with pytest.raises(
        minisql.ProgrammingError, match=r"r\.a is q\.a, a table of a query that is used twice"
    ) as raised:
        ask(connection, "(((q.a q.b) c) (r.a r.b))", query)
    assert raised.value.hint == "Name q and r in their places."
    assert ask(connection, "((q r) c)", query)["verdict"] in ("chosen", "dearer")
    with pytest.raises(minisql.ProgrammingError, match=r'"q\.a" is in the tree already'):
        ask(connection, "((q.a q.a) (c r))", query)
