"""The page of EXPLAIN HTML without a browser: what is in the file, and what cannot be in it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import minisql
from minisql.explain.page import SCHEMA
from minisql.explain.page.layout import place_nodes
from minisql.optimizer.trace_records import Record
from minisql.parser.keywords import quoted_name
from minisql.session.explanations import page as page_module
from minisql.session.explanations import page_forbidden
from minisql.session.explanations.page import page_model
from minisql.session.explanations.page_forbidden import MOST_CASES
from minisql.session.explanations.page_search import chosen_steps

MOST_BYTES = 500_000
HOSTILE = [
    "</script>",
    "<!--",
    "-->",
    "]]>",
    "<script>alert(1)</script>",
    "\u2028\u2029",
    "&lt;",
    "{{script}}",
    "\\u003c",
]


@pytest.fixture(scope="module")
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        for number in range(100):
            connection.execute(
                f"CREATE TABLE t{number} AS"
                f" SELECT range % {number % 9 + 2} AS k, range AS x FROM range({9 + number % 20})"
            )
        yield connection


QUERY = "SELECT t0.x, t2.k FROM t0 LEFT JOIN t1 ON t0.k = t1.k LEFT JOIN t2 ON coalesce(t1.x, 3) = t2.x WHERE t0.x < 7"


def page_of(connection: minisql.Connection, statement: str) -> str:
    result = connection.execute(statement)
    assert result.names == ("EXPLAIN",)
    ((page,),) = result.fetchall()
    assert isinstance(page, str)
    return page


def model_of(page: str) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="model">(.*?)</script>', page, flags=re.DOTALL)
    assert len(found) == 1
    model: dict[str, Any] = json.loads(found[0])
    assert model["schema"] == SCHEMA
    return model


def chain(tables: int, join: str = "JOIN", column: str = "x") -> str:
    joins = "".join(f" {join} t{number} ON t{number - 1}.x = t{number}.{column}" for number in range(1, tables))
    return f"SELECT count(*) FROM t0{joins}"


# --- the file ---------------------------------------------------------------------------------------------------------


def check(page: str) -> None:
    """What holds for every page: small, complete, with nothing in it that could ask for something."""
    assert len(page.encode()) < MOST_BYTES
    assert page.startswith("<!DOCTYPE html>")
    code = re.sub(r'<script type="application/json" id="model">.*?</script>', "", page, flags=re.DOTALL)
    assert set(re.findall(r"https?://[^\"'\s]*", code)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(
        r"url\(|@import|\bsrc=|fetch\(|XMLHttpRequest|WebSocket|import\(|innerHTML|outerHTML|insertAdjacent", code
    )
    assert re.findall(r'href="([^"]*)"', code) == ["#panels"]
    assert page.count("<script") == page.count("</script>") == 2
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    (style,) = re.findall(r"<style>(.*?)</style>", page, flags=re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in (style, script)
    ]
    assert policy == (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; base-uri 'none'; form-action 'none'"
    )


def test_the_page_is_one_small_file_that_asks_for_nothing(connection: minisql.Connection) -> None:
    page = page_of(connection, f"EXPLAIN HTML {QUERY}")
    check(page)
    model = model_of(page)
    assert model["version"] == minisql.__version__
    assert model["sql"] == QUERY
    assert model["analyzed"] is True


def test_html_runs_the_query_and_format_html_does_not(connection: minisql.Connection) -> None:
    fails = "SELECT 1 / (x - x) FROM t0"
    with pytest.raises(minisql.DataError):
        connection.execute(f"EXPLAIN HTML {fails}")
    model = model_of(page_of(connection, f"EXPLAIN FORMAT=HTML {fails}"))
    assert model["analyzed"] is False
    assert all(node["actual"] is None for node in model["plan"]["nodes"])
    for statement in (f"EXPLAIN ANALYZE FORMAT=HTML {QUERY}", f"EXPLAIN (ANALYZE, FORMAT HTML) {QUERY}"):
        assert model_of(page_of(connection, statement))["analyzed"] is True


def test_a_change_is_shown_without_being_made(connection: minisql.Connection) -> None:
    connection.execute("CREATE TABLE target (k INT)")
    page = page_of(connection, "EXPLAIN FORMAT=HTML INSERT INTO target SELECT k FROM t0 JOIN t1 USING (k)")
    assert model_of(page)["sql"] == "INSERT INTO target SELECT k FROM t0 JOIN t1 USING (k)"
    check(page)
    with pytest.raises(minisql.NotSupportedError, match="takes a query"):
        connection.execute("EXPLAIN HTML INSERT INTO target SELECT k FROM t0")
    assert connection.execute("SELECT count(*) FROM target").fetchone() == (0,)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_looks_like_markup_is_data(text: str) -> None:
    name = '"' + text.replace('"', '""') + '"'
    literal = "'" + text.replace("'", "''") + "'"
    with minisql.connect() as connection:
        connection.execute(
            f"CREATE TABLE {name} ({name} VARCHAR); CREATE TABLE b (k VARCHAR); CREATE TABLE c (k VARCHAR)"
        )
        for _ in range(3):
            connection.execute(f"INSERT INTO {name} VALUES (?)", [text])
            connection.execute("INSERT INTO b VALUES (?)", [text])
        sql = (
            f"SELECT *, {literal} AS {name} FROM {name} LEFT JOIN b ON {name}.{name} = b.k"
            f" LEFT JOIN c ON coalesce(b.k, {literal}) = c.k /* {text.replace('*/', '')} */"
        )
        page = page_of(connection, f"EXPLAIN HTML {sql}")
    check(page)
    model = model_of(page)
    assert model["sql"] == sql.rstrip()[: len(model["sql"])]
    assert any(text in node["title"] for node in model["plan"]["nodes"])
    keys = [key["key"] for node in model["plan"]["nodes"] if node["fan_out"] for key in node["fan_out"]["keys"]]
    assert text in keys
    assert quoted_name(text) in [node["name"] for region in model["hypergraph"]["regions"] for node in region["nodes"]]
    assert any(text in line["order"] for line in model["orders"]["lines"])
    assert model["forbidden"] is not None
    (title,) = re.findall(r"<title>(.*?)</title>", page)
    assert html.unescape(title).startswith("EXPLAIN SELECT *")
    assert "<" not in title


def test_text_that_is_no_unicode_does_no_harm(tmp_path: Path) -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE a (k VARCHAR)")
        planned = connection.plan("SELECT * FROM a WHERE k = '\ud800'")
        planned.save(tmp_path / "page.html", analyze=False)
    check((tmp_path / "page.html").read_text(encoding="utf-8"))


# --- the model --------------------------------------------------------------------------------------------------------


def test_the_tree_is_that_of_the_plan(connection: minisql.Connection) -> None:
    planned = connection.plan(chain(5, "LEFT JOIN"))
    described = [node for _, node in planned.describe(analyze=True).walk()]
    nodes = page_model(planned, planned.text, analyze=True)["plan"]["nodes"]
    assert sorted(node["title"] for node in nodes) == sorted(node.title for node in described)
    below: dict[int, list[str]] = {number: [] for number in range(len(nodes))}
    for number, node in enumerate(nodes):
        assert node["parent"] is None if number == 0 else node["parent"] < number
        if node["parent"] is not None:
            below[node["parent"]].append(node["title"])
    by_title = {node.title: node for node in described}
    for number, node in enumerate(nodes):
        inputs = [each.title for each in by_title[node["title"]].inputs]
        assert below[number] == inputs[1:] + inputs[:1], "what is held comes first, what is probed runs straight down"
    for node in nodes:
        assert node["actual"]["rows"] == by_title[node["title"]].path.rows or node["q_error"] > 1
    assert sum(node["hottest"] for node in nodes) == 1


def test_the_fan_out_is_said_in_a_sentence() -> None:
    with minisql.connect() as connection:
        connection.execute("CREATE TABLE a (k INT); CREATE TABLE b (k INT)")
        connection.execute("INSERT INTO a VALUES (1), (1), (2), (NULL); INSERT INTO b VALUES (1), (1), (1), (3)")
        nodes = model_of(page_of(connection, "EXPLAIN HTML SELECT * FROM a FULL JOIN b ON a.k = b.k"))["plan"]["nodes"]
    (fan_out,) = [node["fan_out"] for node in nodes if node["fan_out"]]
    assert fan_out["kind"] == "n:m"
    assert fan_out["sentence"] == (
        "A row of a matches at most 3 rows of b, a row of b at most 2 rows of a: 6 pairs in all. "
        "2 rows of a (1 with a NULL key) and 1 row of b match none."
    )
    assert fan_out["keys"] == [{"key": "1", "left": 2, "right": 3, "pairs": 6}]


def test_everything_that_is_known_has_a_place(connection: minisql.Connection) -> None:
    model = model_of(page_of(connection, f"EXPLAIN HTML {QUERY}"))
    orders = connection.execute(f"EXPLAIN ORDERS {QUERY}").fetchall()
    assert [(line["order"], line["chosen"], line["as_written"]) for line in model["orders"]["lines"]] == [
        (order, chosen, written) for order, _, _, chosen, written in orders
    ]
    trace = [json.loads(line) for (line,) in connection.execute(f"EXPLAIN TRACE {QUERY}").fetchall()]
    assert [step[0] for step in model["trace"]["steps"]] == [
        line["verdict"] if line["event"] == "pair" else line["event"] for line in trace[1:-1]
    ]
    (region,) = model["hypergraph"]["regions"]
    assert [node["name"] for node in region["nodes"]] == ["t0", "t1", "t2"]
    assert len(region["edges"]) == 2
    for case in model["forbidden"]["cases"]:
        ((verdict, reason, script, written, reordered),) = connection.execute(
            f"EXPLAIN WHY NOT {case['order']} {QUERY}"
        ).fetchall()
        assert verdict == "illegal"
        assert (case["reason"], case["script"], case["written"], case["reordered"]) == (
            reason,
            script,
            written,
            reordered,
        )
        with minisql.connect() as other:
            other.execute(case["script"])
            for key in ("written", "reordered"):
                rows = [
                    [None if value is None else str(value) for value in row]
                    for row in other.execute(case[key]).fetchall()
                ]
                assert sorted(case[f"{key}_rows"]["rows"], key=repr) == sorted(rows, key=repr)


def test_a_simplification_is_told(connection: minisql.Connection) -> None:
    model = model_of(page_of(connection, "EXPLAIN HTML SELECT * FROM t0 FULL JOIN t1 ON t0.k = t1.k WHERE t0.x = 3"))
    assert model["simplifications"] == ["FULL became LEFT because of WHERE t0.x = 3"]


def test_a_warning_is_told(connection: minisql.Connection) -> None:
    planned = connection.plan("SELECT * FROM t0 FULL JOIN t1 ON t0.k = t1.k WHERE t0.x = 3")
    assert planned.warnings
    warnings = page_model(planned, planned.text, analyze=False)["warnings"]
    assert [warning.startswith(each.message) for warning, each in zip(warnings, planned.warnings, strict=True)] == [
        True
    ] * len(planned.warnings)


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("SELECT 1", ()),
        ("SELECT k, count(*) FROM t0 WHERE x > 3 GROUP BY k", ()),
        ("SELECT k FROM t0 WHERE x = (SELECT max(x) FROM t1 WHERE t1.k < t0.k)", ("hypergraph", "orders", "trace")),
        ("SELECT * FROM t0, t1", ("hypergraph", "orders", "trace")),
        ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r", ()),
        ("SELECT k FROM t0 JOIN t1 USING (k) UNION SELECT k FROM t2", ("hypergraph", "orders", "trace")),
        ("SELECT * FROM t0 JOIN t1 USING (k) LIMIT 0", ()),
        ("SELECT * FROM t0 WHERE false", ()),
        ("VALUES (1, 'a')", ()),
    ],
)
def test_any_query_has_a_page(connection: minisql.Connection, sql: str, parts: tuple[str, ...]) -> None:
    page = page_of(connection, f"EXPLAIN HTML {sql}")
    check(page)
    model = model_of(page)
    assert tuple(part for part in ("hypergraph", "orders", "trace", "forbidden") if model[part]) == parts


# --- large queries ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        chain(60),
        chain(100, "LEFT JOIN"),
        "SELECT " + ", ".join(f"x + {number} AS c{number}" for number in range(2_000)) + " FROM t0",
        " UNION ALL ".join(f"SELECT t{number}.k FROM t{number} JOIN t{number + 1} USING (k)" for number in range(40)),
        "SELECT count(*) FROM t0"
        + "".join(
            f" LEFT JOIN t{number} ON coalesce(t{number - 1}.x, t{max(0, number - 2)}.k) = t{number}.x"
            for number in range(1, 15)
        ),
        f"SELECT * FROM t0 WHERE x IN ({', '.join(map(str, range(5_000)))}) AND k + x NOT IN (1, '{'x' * 50_000}')",
    ],
    ids=["60 tables", "100 tables", "2,000 columns", "40 operands", "14 rules", "long text"],
)
def test_a_large_query_has_a_small_page(
    connection: minisql.Connection, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_forbidden, "SECONDS", 0.3)
    if "'x" in sql:
        sql = sql.replace("k + x NOT IN", "CAST(k + x AS VARCHAR) NOT IN").replace("(1, ", "('1', ")
    check(page_of(connection, f"EXPLAIN FORMAT=HTML {sql}"))


def test_what_is_left_out_is_said(connection: minisql.Connection) -> None:
    clique = " AND ".join(f"t{i}.x = t{j}.x" for i in range(8) for j in range(i))
    sql = f"SELECT count(*) FROM {', '.join(f't{i}' for i in range(8))} WHERE {clique}"
    model = model_of(page_of(connection, f"EXPLAIN FORMAT=HTML {sql}"))
    assert model["orders"]["count"] == 135_135
    assert model["orders"]["left_out"] == "201 orders of 135,135, the cheapest first."
    lines = model["orders"]["lines"]
    assert len(lines) == 201
    assert lines[-1]["chosen"], "the chosen order is there, though more than 200 cost the same"
    assert model["trace"]["pairs"] == 3025
    assert len(model["trace"]["steps"]) == 2000
    assert re.fullmatch(r"1,9\d\d of 3,025 pairs: .*", model["trace"]["left_out"])


def test_a_graph_that_nobody_could_read_is_not_drawn(
    connection: minisql.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "MOST_BYTES", 60_000)
    monkeypatch.setattr(page_forbidden, "SECONDS", 0.3)
    model = model_of(page_of(connection, f"EXPLAIN FORMAT=HTML {chain(40)}"))
    assert model["hypergraph"] == {"regions": [], "left_out": "Not drawn: 1 group of joins of more than 30 tables."}
    assert model["plan"]["left_out"] is None


def test_over_the_pair_budget_the_page_says_why_there_are_no_orders(connection: minisql.Connection) -> None:
    connection.execute("SET pair_budget = 5")
    try:
        page = page_of(connection, f"EXPLAIN FORMAT=HTML {chain(6)}")
    finally:
        connection.execute("SET pair_budget TO DEFAULT")
    check(page)
    orders = model_of(page)["orders"]
    assert orders["lines"] == []
    assert "more than 5 pairs" in orders["reason"]


def test_no_more_than_a_few_forbidden_orders_are_shown(connection: minisql.Connection) -> None:
    joins = "".join(f" LEFT JOIN t{i} ON coalesce(t{i - 1}.x, 1) = t{i}.x" for i in range(1, 6))
    forbidden = model_of(page_of(connection, f"EXPLAIN FORMAT=HTML SELECT * FROM t0{joins}"))["forbidden"]
    assert 1 <= len(forbidden["cases"]) <= MOST_CASES
    assert "more" in forbidden["left_out"]


def test_steps_that_kept_a_plan_are_kept() -> None:
    verdicts = ["first", "dearer", "dearer", "better", "dearer", "forbidden", "dearer", "dearer", "first", "dearer"]
    events: list[Record] = [{"event": "pair", "verdict": verdict} for verdict in verdicts]
    for most in range(12):
        places = chosen_steps(events, most)
        assert len(places) == min(most, len(events))
        assert places == sorted(set(places))
        if most >= 3:
            assert {0, 3, 8} <= set(places)
        else:
            assert set(places) <= {0, 3, 8}


# --- saving -----------------------------------------------------------------------------------------------------------


def test_a_plan_is_saved(connection: minisql.Connection, tmp_path: Path) -> None:
    planned = connection.plan(QUERY)
    planned.save(tmp_path / "plan.html")
    assert model_of((tmp_path / "plan.html").read_text(encoding="utf-8"))["analyzed"] is True
    planned.save(str(tmp_path / "plan.html"), analyze=False)
    saved = (tmp_path / "plan.html").read_text(encoding="utf-8")
    check(saved)
    assert model_of(saved)["analyzed"] is False
    assert model_of(saved)["sql"] == QUERY


def test_a_file_that_cannot_be_written_is_an_error(connection: minisql.Connection, tmp_path: Path) -> None:
    planned = connection.plan("SELECT 1")
    with pytest.raises(minisql.OperationalError, match="is a folder"):
        planned.save(tmp_path)
    with pytest.raises(minisql.OperationalError, match=r'There is no folder ".*missing"'):
        planned.save(tmp_path / "missing" / "plan.html")
    (tmp_path / "file").write_text("x")
    with pytest.raises(minisql.OperationalError, match="There is no folder"):
        planned.save(tmp_path / "file" / "plan.html")
    with pytest.raises(minisql.OperationalError, match="cannot be written to"):
        planned.save(tmp_path / ("x" * 300))
    with pytest.raises(minisql.OperationalError, match="cannot be written to"):
        planned.save(str(tmp_path / "a\0b"))
    for nothing in (3, None, "", b"x"):
        with pytest.raises(minisql.InterfaceError, match="the path of a file"):
            planned.save(nothing)  # type: ignore[arg-type]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


# --- the drawing ------------------------------------------------------------------------------------------------------

DRAWN = {
    "one": ([3], []),
    "two": ([0, 5], [((0,), (5,))]),
    "apart": ([0, 1, 2], []),
    "chain": (range(9), [((i,), (i + 1,)) for i in range(8)]),
    "star": (range(8), [((0,), (i,)) for i in range(1, 8)]),
    "cycle": (range(7), [((i,), ((i + 1) % 7,)) for i in range(7)]),
    "clique": (range(9), [((i,), (j,)) for i in range(9) for j in range(i)]),
    "hyperedge": (range(5), [((0,), (1,)), ((1,), (2,)), ((0, 1, 2), (3,)), ((3,), (4,))]),
    "large": (range(70), [((i,), (i + 1,)) for i in range(69)]),
}


@pytest.mark.parametrize("name", DRAWN)
def test_nodes_stand_apart_and_the_same_query_gives_the_same_picture(name: str) -> None:
    nodes, edges = DRAWN[name]
    places = place_nodes(list(nodes), edges)
    assert places == place_nodes(list(nodes), edges)
    assert places.keys() == set(nodes)
    assert all(math.isfinite(value) for place in places.values() for value in place)
    points = list(places.values())
    nearest = min((math.dist(a, b) for i, a in enumerate(points) for b in points[:i]), default=1.0)
    assert nearest > 0.5, "a node is about a third of an edge wide"


@pytest.mark.parametrize("name", ["chain", "star", "cycle"])
def test_what_is_joined_is_near(name: str) -> None:
    nodes, edges = DRAWN[name]
    places = place_nodes(list(nodes), edges)
    joined = [math.dist(places[left[0]], places[right[0]]) for left, right in edges]
    pairs = [math.dist(places[a], places[b]) for a in nodes for b in nodes if a < b]
    assert max(joined) < sum(pairs) / len(pairs)
