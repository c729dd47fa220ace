"""The formats of EXPLAIN: what they say is what TREE says, and other programs can read it."""

from __future__ import annotations

import datetime
import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import lark
import pytest

import minisql
from minisql.datatypes import INTEGER
from minisql.execution.build_iterators import build_iterators
from minisql.execution.fan_out import FanOut, KeyFanOut
from minisql.execution.profile import Profile
from minisql.explain.dot import format_dot
from minisql.explain.graph import graph_of, node_lines
from minisql.explain.json_format import format_json
from minisql.explain.mermaid import format_mermaid
from minisql.explain.numbers import format_bytes, format_factor, format_milliseconds
from minisql.explain.plan_description import NodeDescription, describe_plan
from minisql.explain.tree import format_tree
from minisql.expression.nodes import ColumnId, ColumnRef, Value
from minisql.optimizer.access_path import AccessPath, HashJoin, JoinKey
from minisql.optimizer.q_error import q_error
from minisql.relational.relational_expression import JoinType
from minisql.session.pipeline import PlannedQuery
from minisql.session.recursion import deep_recursion
from minisql.settings import Settings
from tests.golden.test_golden import FILES, SCHEMA
from tests.operators import drain, scan

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "schemas" / "plan.schema.json"
FORMATS = ("tree", "json", "dot", "mermaid")

NASTY = """<script>alert("x")</script>\n[a](b){c}|`\\ \\n #quot; &lt; ' %% --> end"""
NASTY_NAME = '"' + NASTY.replace('"', '""') + '"'

DOT = lark.Lark(
    r"""
    start: "digraph" "plan" "{" (statement ";")* "}"
    statement: NAME "=" value        -> graph_attribute
             | NAME [attributes]     -> node
             | NAME "->" NAME [attributes] -> edge
    attributes: "[" attribute ("," attribute)* "]"
    attribute: NAME "=" value
    ?value: NAME | NUMBER | STRING
    NAME: /[a-zA-Z_][a-zA-Z0-9_]*/
    NUMBER: /-?(\.[0-9]+|[0-9]+(\.[0-9]*)?)/
    STRING: /"([^"\\]|\\.)*"/
    %ignore /\s+/
    """,
    parser="lalr",
)
MERMAID = lark.Lark(
    r"""
    start: "flowchart BT" (_NEWLINE (node | edge | style | comment))*
    node: NAME "[" LABEL "]"
    edge: NAME ("-->" | "-.->") "|" LABEL "|" NAME
    style: ("linkStyle" NUMBER | "style" NAME) STYLES
    comment: COMMENT
    NAME: /n[0-9]+/
    NUMBER: /[0-9]+/
    STYLES: /[a-z0-9:,.-]+/
    LABEL: /"([^"`<>#]|<br\/>|#[0-9]+;)*"/
    COMMENT: /%% [^{}\n]*/
    _NEWLINE: /\n/
    %ignore / +/
    """,
    parser="lalr",
)


@pytest.fixture
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        for statement in SCHEMA.strip().split(";\n"):
            connection.execute(statement)
        yield connection


def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA_FILE.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def objects(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node["inputs"]:
        yield from objects(below)


def known_fields(schema: Any, operator: str) -> set[str]:
    """The fields that the schema has for nodes of an operator."""
    node = schema["$defs"]["node"]
    found = set(node["properties"])
    for case in node["allOf"]:
        if case["if"]["properties"]["operator"]["const"] == operator:
            found |= set(case["then"]["properties"])
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_plans_of_the_golden_files_fulfil_the_schema(file: Path, connection: minisql.Connection) -> None:
    """Every plan of the file, run too, has the fields of the schema and no others, and the nodes of TREE."""
    check = validator()
    for block in re.split(r"\n{2,}", file.read_text().strip()):
        stage, _, sql = "\n".join(x for x in block.split("\n----")[0].split("\n") if not x.startswith("#")).partition(
            "\n"
        )
        if stage == "rows" and not sql.startswith("EXPLAIN"):
            connection.execute(sql)
        if stage != "plan":
            continue
        plan = connection.plan(sql)
        for analyze in (False, True):
            text = plan.explain(analyze=analyze, format="json")
            document = json.loads(text)
            check.validate(document)
            nodes = list(objects(document["plan"]))
            for node in nodes:
                assert set(node) == known_fields(check.schema, node["operator"])
            assert len(text.split("\n")) == len(nodes) + 1
            check_tree(plan, nodes)


def check_tree(plan: PlannedQuery, nodes: list[dict[str, Any]]) -> None:
    """The nodes are those of TREE, in its order, its headings left out."""
    headings = r"-> (Hash|Repeat until it gives no new rows|Compute .* once)$"
    lines = [line.strip() for line in plan.explain().split("\n") if line.lstrip().startswith("-> ")]
    lines = [line for line in lines if not re.match(headings, line)]
    assert len(lines) == len(nodes)
    for line, node in zip(lines, nodes, strict=True):
        assert line.startswith(f"-> {node['title']}  (cost=")


def test_every_operator_is_in_the_schema(connection: minisql.Connection) -> None:
    """The golden plans alone do not prove that no operator is forgotten."""
    from minisql.explain.node_details import _OPERATOR_NAMES

    names = validator().schema["$defs"]["node"]["properties"]["operator"]["enum"]
    assert set(names) == set(_OPERATOR_NAMES.values())


def test_every_field_and_operator_is_documented() -> None:
    text = (SCHEMA_FILE.parents[1] / "explain.md").read_text()
    schema = validator().schema
    node = schema["$defs"]["node"]
    names = {*schema["properties"], *schema["$defs"]["fan_out"]["properties"], *schema["$defs"]["actual"]["properties"]}
    names |= {*node["properties"], *node["properties"]["operator"]["enum"], *node["properties"]["role"]["enum"]}
    names |= {name for case in node["allOf"] for name in case["then"]["properties"]}
    names |= {f"estimate.{name}" for name in node["properties"]["estimate"]["properties"]}
    assert not [name for name in names - {"estimate"} if f"`{name}`" not in text]


def test_to_json_is_the_document(connection: minisql.Connection) -> None:
    plan = connection.plan("SELECT a.x, b.y FROM a FULL JOIN b ON a.k = b.k WHERE a.x > 10")
    document = json.loads(plan.explain(format="json"))
    assert document["plan"] == json.loads(json.dumps(plan.describe().to_json()))
    assert document["simplifications"] == ["FULL became LEFT because of WHERE a.x > 10"]


def test_settings_that_are_not_the_default(connection: minisql.Connection) -> None:
    connection.execute("SET pair_budget = 7")
    connection.execute("SET join_order = 'as_written'")
    document = json.loads(connection.plan("SELECT 1").explain(format="json"))
    assert document["settings"] == {"pair_budget": 7, "join_order": "as_written"}


def test_values_of_keys_in_json(connection: minisql.Connection) -> None:
    node = connection.plan("SELECT 1").describe()
    values: tuple[Value, ...] = (
        None, True, 7, 0.5, float("nan"), Decimal("1.50"), "é\n", b"\xff", datetime.date(2013, 1, 2),
    )  # fmt: skip
    fan_out = FanOut(3, 3, 9, 3, 3, 0, 0, worst_keys=(KeyFanOut(values, 3, 3, 9),))
    described = NodeDescription(
        **{name: getattr(node, name) for name in node.__dataclass_fields__} | {"fan_out": fan_out}
    )
    found = json.loads(format_json(described, [], [], {}))["plan"]["fan_out"]["worst_keys"][0]["values"]
    assert found == [None, True, 7, 0.5, "nan", "1.50", "é\n", "ff", "2013-01-02"]


def test_estimates_beyond_a_double_are_null() -> None:
    path = scan(0, [INTEGER], [])
    path = type(path)(**{name: getattr(path, name) for name in path.__dataclass_fields__} | {"cost": float("inf")})
    document = json.loads(format_json(describe_plan(path), [], [], {}))
    validator().validate(document)
    assert document["plan"]["estimate"] == {"rows": 0, "cost": None}


@pytest.mark.parametrize(
    ("estimate", "actual", "expected"),
    [(10, 10, 1), (10, 5, 2), (5, 10, 2), (0, 0, 1), (0, 8, 8), (8, 0, 8), (0.1, 1, 1), (0.1, 0, 1)],
)
def test_q_error(estimate: float, actual: float, expected: float) -> None:
    """What is less than one row counts as one."""
    assert q_error(estimate, actual) == expected


def test_numbers() -> None:
    assert [format_bytes(size) for size in (0, 999, 1000, 999_600, 1_250_000)] == ["0B", "999B", "1kB", "1MB", "1.25MB"]
    assert [format_milliseconds(time) for time in (0.0000123, 0.0123, 1.23)] == ["0.0123ms", "12.3ms", "1230ms"]
    assert [format_factor(factor) for factor in (1, 9.876, 98.76, 987.6, 9.876e9)] == [
        "1.00", "9.88", "98.8", "988", "9.88e+09",
    ]  # fmt: skip


def test_own_times_add_up_to_the_whole(connection: minisql.Connection) -> None:
    plan = connection.plan(
        "WITH t AS MATERIALIZED (SELECT k FROM a) "
        "SELECT count(*) FROM t JOIN t AS u ON t.k = u.k LEFT JOIN b ON b.k = t.k"
    ).describe(analyze=True)
    nodes = [node for _, node in plan.walk()]
    own = [node.actual.own_seconds for node in nodes if node.actual is not None]
    assert plan.actual is not None
    assert len(own) == len(nodes)
    assert sum(own) == pytest.approx(plan.actual.seconds)
    (hottest,) = [node for node in nodes if node.hottest]
    assert hottest.actual is not None
    assert hottest.actual.own_seconds == max(own)


def test_nothing_is_measured_and_loaded_without_analyze() -> None:
    code = """
import sys, minisql
minisql.connect().execute("SELECT * FROM range(3) AS a FULL JOIN range(2) AS b ON a.range = b.range").fetchall()
modules = ("minisql.explain", "minisql.execution.fan_out", "minisql.execution.measured_join")
assert not [name for name in sys.modules if name.startswith(modules)]
"""
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_a_join_that_is_several_joins_has_no_fan_out(connection: minisql.Connection) -> None:
    """In the step of a recursion the held side of a nested loop is read in every round."""
    plan = connection.plan(
        "WITH RECURSIVE t(k) AS (SELECT 1 UNION ALL SELECT t.k + 1 FROM t JOIN b ON t.k < b.k WHERE t.k < 3) "
        "SELECT * FROM t"
    ).describe(analyze=True)
    (join,) = [node for _, node in plan.walk() if node.operator == "nested loop join"]
    assert join.actual is not None
    assert join.actual.loops > 1
    assert join.fan_out is None


def test_a_failing_key_fails_no_more_often_when_it_is_measured(connection: minisql.Connection) -> None:
    sql = "SELECT a.x FROM a LEFT JOIN (SELECT k FROM b WHERE y > 1000) AS b ON 10 / (a.k - 1) = b.k"
    assert len(connection.execute(sql).fetchall()) == 5
    connection.plan(sql).explain(analyze=True)


@pytest.mark.parametrize("name", ["JOSN", "", "html"])
def test_an_unknown_format(connection: minisql.Connection, name: str) -> None:
    with pytest.raises(minisql.NotSupportedError, match="only TREE, JSON, DOT and MERMAID"):
        connection.plan("SELECT 1").explain(format=name)


# --- names and strings that are text in every format -----------------------------------------------------------------


def nasty_plan(connection: minisql.Connection) -> PlannedQuery:
    connection.execute(f"CREATE TABLE {NASTY_NAME} ({NASTY_NAME} VARCHAR, k INTEGER)")
    quoted = NASTY.replace("'", "''")
    connection.execute(f"INSERT INTO {NASTY_NAME} VALUES ('{quoted}', 1), ('{quoted}', 2)")
    return connection.plan(
        f"SELECT * FROM {NASTY_NAME} AS x JOIN {NASTY_NAME} AS {NASTY_NAME} USING ({NASTY_NAME}) WHERE x.k <> 8"
    )


@pytest.mark.parametrize("analyze", [False, True])
def test_nasty_names_in_json(connection: minisql.Connection, analyze: bool) -> None:
    document = json.loads(nasty_plan(connection).explain(analyze=analyze, format="json"))
    validator().validate(document)
    aliases = {node["alias"] for node in objects(document["plan"]) if node["operator"] == "table scan"}
    assert aliases == {"x", NASTY}
    if analyze:
        (join,) = [node for node in objects(document["plan"]) if node["operator"] == "hash join"]
        assert join["fan_out"]["worst_keys"] == [{"values": [NASTY], "left_rows": 2, "right_rows": 2, "pairs": 4}]


def dot_label(text: str) -> list[str]:
    """The lines that Graphviz draws for a label: its escapes, then its entities."""
    drawn = re.sub(r"\\(.)", lambda match: "\0" if match[1] == "n" else match[1], text[1:-1])
    return [html.unescape(line) for line in drawn.split("\0")]


@pytest.mark.parametrize("analyze", [False, True])
def test_nasty_names_in_dot(connection: minisql.Connection, analyze: bool) -> None:
    plan = nasty_plan(connection).describe(analyze=analyze)
    tree = DOT.parse(format_dot(plan, [NASTY.replace("\n", " ")]))
    nodes = {str(node.children[0]): attributes(node) for node in tree.find_data("node")}
    assert nodes.pop("node")["shape"] == "box"  # what holds for all nodes and all edges
    assert nodes.pop("edge")
    edges = [(*map(str, edge.children[:2]), attributes(edge)) for edge in tree.find_data("edge")]
    check_graph(
        plan,
        {name: dot_label(found["label"]) for name, found in nodes.items()},
        [(source, target, dot_label(found["label"])) for source, target, found in edges],
    )


def attributes(tree: lark.Tree[Any]) -> dict[str, str]:
    return {str(each.children[0]): str(each.children[1]) for each in tree.find_data("attribute")}


def mermaid_label(text: str) -> list[str]:
    lines = text[1:-1].split("<br/>")
    return [re.sub(r"#(\d+);", lambda match: chr(int(match[1])), line) for line in lines]


@pytest.mark.parametrize("analyze", [False, True])
def test_nasty_names_in_mermaid(connection: minisql.Connection, analyze: bool) -> None:
    plan = nasty_plan(connection).describe(analyze=analyze)
    text = format_mermaid(plan, [NASTY.replace("\n", " ")])
    tree = MERMAID.parse(text)
    nodes = {str(node.children[0]): mermaid_label(str(node.children[1])) for node in tree.find_data("node")}
    edges = [
        (str(edge.children[0]), str(edge.children[2]), mermaid_label(str(edge.children[1])))
        for edge in tree.find_data("edge")
    ]
    check_graph(plan, nodes, edges)
    assert text.count("linkStyle") == len(edges)


def check_graph(plan: NodeDescription, nodes: dict[str, list[str]], edges: list[tuple[str, str, list[str]]]) -> None:
    """A drawn graph has the nodes and edges of the plan, and their words come out as they went in."""
    graph = graph_of(plan)
    assert nodes == {f"n{number}": node_lines(node) for number, node in enumerate(graph.nodes)}
    assert edges == [(f"n{edge.source}", f"n{edge.target}", [edge.label]) for edge in graph.edges]
    assert any("<script>" in line for lines in nodes.values() for line in lines)
    assert {label.split(":")[0] for _, _, (label,) in edges} >= {"probe", "build"}


# --- plans that are a thousand joins deep -----------------------------------------------------------------------------


def test_a_thousand_joins() -> None:
    path: AccessPath = scan(0, [INTEGER], [(7,)])
    for number in range(1, 1001):
        left, right = (ColumnRef(column=ColumnId(n, 0), name=f"t{n}.c0", type=INTEGER) for n in (number - 1, number))
        path = HashJoin(
            nodes=1, rows=1, cost=0, type=JoinType.FULL, left=path, right=scan(number, [INTEGER], [(7,)]),
            build_left=False, keys=(JoinKey(left=left, right=right, null_safe=False),), residual=(),
        )  # fmt: skip
    profile = Profile()
    with deep_recursion():
        drain(build_iterators(path, [ColumnId(1000, 0)], Settings(), profile), 10)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(300)  # no format may need more
    try:
        plan = describe_plan(path, profile)
        texts = [format_tree(plan), format_json(plan, [], [], {}), format_dot(plan, []), format_mermaid(plan, [])]
        document = plan.to_json()
    finally:
        sys.setrecursionlimit(limit)
    assert [text.count("hash join") for text in texts] == [1000, 2000, 1000, 1000] or texts[0].count(
        " hash join"
    ) == 1000
    assert document["operator"] == "hash join"
