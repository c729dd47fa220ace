"""EXPLAIN TRACE: lines of the documented form that can be replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import minisql
from minisql.session.explanations import trace
from minisql.session.explanations.trace import trace_of

DOCS = Path(__file__).parents[2] / "docs"

QUERIES = (
    "SELECT 1",
    "SELECT count(*) FROM t0 WHERE x > 3",
    "SELECT t0.x, t1.x FROM t0 JOIN t1 ON t0.k = t1.k",
    "SELECT * FROM t0 JOIN t1 ON t0.k = t1.k LEFT JOIN t2 ON t1.x = t2.x JOIN t3 ON t0.x = t3.x",
    "SELECT * FROM t0 LEFT JOIN t1 ON t0.k = t1.k LEFT JOIN t2 ON coalesce(t1.k, 4) = t2.k",
    "SELECT * FROM t0 FULL JOIN t1 ON t0.k < t1.k LEFT JOIN t2 ON t0.x = t2.x WHERE coalesce(t0.k, t1.k) = 2",
    "SELECT * FROM t0 FULL JOIN t1 USING (k) FULL JOIN t2 USING (k) FULL JOIN t3 USING (k)",
    "SELECT * FROM t0 WHERE EXISTS (SELECT 1 FROM t1 WHERE t1.k = t0.k) AND x NOT IN (SELECT x FROM t2) AND k = 1",
    "SELECT /*+ JOIN_TREE(((t2 t1) t0)) */ * FROM t0 JOIN t1 ON t0.k = t1.k JOIN t2 ON t1.k = t2.k",
    "SELECT * FROM (SELECT t0.k, count(*) AS n FROM t0 JOIN t1 USING (k) GROUP BY t0.k) AS d JOIN t2 ON d.n = t2.x",
    "SELECT k FROM t0 UNION ALL SELECT t1.k FROM t1 JOIN t2 USING (k)",
    'WITH "<b>" AS (SELECT * FROM t0) SELECT * FROM "<b>" AS "x""y" JOIN "<b>" AS z USING (k) WHERE z.x = 3',
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r JOIN t1 ON t1.x = r.n) SELECT * FROM r",
    "SELECT * FROM t0, LATERAL (SELECT t1.x FROM t1 JOIN t2 ON t1.k = t2.k AND t1.x < t0.x LIMIT 1) AS l",
    "SELECT * FROM (VALUES (1), (2)) AS v(k) JOIN t0 USING (k)",
    "SELECT * FROM t0 FULL JOIN (SELECT t1.k FROM t1 LEFT JOIN t2 USING (k) WHERE t2.k IS NULL) AS d USING (k)",
)


@pytest.fixture(scope="module")
def connection() -> Iterator[minisql.Connection]:
    with minisql.connect() as connection:
        for number in range(10):
            rows = 10 + 30 * (7 * number % 10)
            connection.execute(
                f"CREATE TABLE t{number} AS SELECT range % {number + 2} AS k, range AS x FROM range({rows})"
            )
        yield connection


def traced(connection: minisql.Connection, query: str) -> list[dict[str, Any]]:
    return [json.loads(line) for (line,) in connection.execute(f"EXPLAIN TRACE {query}").fetchall()]


def check_form(records: list[dict[str, Any]]) -> None:
    schema = json.loads((DOCS / "schemas" / "trace.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for record in records:
        validator.validate(record)
    assert records[0]["event"] == "begin"
    assert records[-1]["event"] == "end"
    assert [record["step"] for record in records[1:-1]] == list(range(1, len(records) - 1))


def replay(records: list[dict[str, Any]]) -> dict[frozenset[int], tuple[float, str]]:
    """The best cost and the order of each set of tables, as the lines tell them."""
    names = {table["number"]: table["name"] for table in records[0]["tables"]}
    best: dict[frozenset[int], tuple[float, str]] = {}
    for record in records:
        if record["event"] == "table":
            (number,) = record["tables"]
            best[frozenset([number])] = record["cost"], names[number]
        elif record["event"] == "pair":
            left, right = frozenset(record["left"]), frozenset(record["right"])
            before = best.get(left | right)
            assert record["beaten"] == (None if before is None else before[0])
            if record["verdict"] in ("first", "better"):
                best[left | right] = record["cost"], f"({best[left][1]} {best[right][1]})"
            now = best.get(left | right)
            assert record["best"] == (None if now is None else now[0])
            if record["verdict"] == "better":
                assert record["factor"] == pytest.approx(record["beaten"] / record["cost"], rel=1e-6)
            if record["verdict"] == "dearer":
                assert record["factor"] == pytest.approx(record["cost"] / record["best"], rel=1e-6)
    return best


@pytest.mark.parametrize("setting", ["pair_budget = 30000", "pair_budget = 3", "join_order = 'as_written'"])
@pytest.mark.parametrize("query", QUERIES)
def test_the_lines_have_the_documented_form_and_lead_to_the_plan(
    connection: minisql.Connection, query: str, setting: str
) -> None:
    connection.execute(f"SET {setting}")
    try:
        records, plan = traced(connection, query), connection.plan(query)
    finally:
        connection.execute(f"SET {setting.split(' ')[0]} = DEFAULT")
    check_form(records)
    end = records[-1]
    assert end["query_cost"] == pytest.approx(plan.cost, rel=1e-8)
    # The tables of subqueries have names here, and none that a hint could use.
    assert end["order"] == plan.order or "#" in plan.order
    best = replay(records)
    if end["pairs"]:
        everything = frozenset(table["number"] for table in records[0]["tables"])
        cost, order = best[everything]
        assert cost == end["cost"]
        # What is the same in every round of a recursion is hashed, whatever was searched for.
        assert order == end["order"] or ("RECURSIVE" in query and sorted(order) == sorted(end["order"]))


def test_the_schema_refuses_what_is_no_line(connection: minisql.Connection) -> None:
    records = traced(connection, QUERIES[3])
    pair = next(record for record in records if record["event"] == "pair")
    for broken in ({"cost": None}, {"verdict": "best"}, {"left": []}, {"reason": "x"}, {"more": 1}, {"beaten": 1.0}):
        with pytest.raises(jsonschema.ValidationError):
            check_form([records[0], {**pair, "step": 1, **broken}, records[-1]])


def test_every_field_is_documented() -> None:
    schema = json.loads((DOCS / "schemas" / "trace.schema.json").read_text())
    text = (DOCS / "explain.md").read_text().split("## EXPLAIN TRACE")[1].split("\n## ")[0]
    fields = {field for form in schema["$defs"].values() for field in form.get("properties", ())}
    assert [field for field in sorted(fields - {"event"}) if f"`{field}`" not in text] == []


def test_of_too_many_pairs_the_first_are_listed_and_all_are_counted(
    connection: minisql.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "PAIRS_LISTED", 500)
    conditions = " AND ".join(f"t{i}.x = t{j}.k" for i in range(8) for j in range(i))
    query = f"SELECT count(*) FROM {', '.join(f't{i}' for i in range(8))} WHERE {conditions}"
    result = connection.execute(f"EXPLAIN TRACE {query}")
    pairs = (3**8 - 2**9 + 1) // 2
    assert result.notice == f"The first 500 of {pairs:,} pairs."
    records = [json.loads(line) for (line,) in result.fetchall()]
    check_form(records)
    assert sum(record["event"] == "pair" for record in records) == 500
    assert records[-1]["pairs"] == pairs
    assert records[-1]["order"] == connection.plan(query).order


def test_a_trace_is_data(connection: minisql.Connection) -> None:
    found = trace_of(connection.plan(QUERIES[3]))
    assert [json.loads(line) for line in found.lines()] == list(found.records) == traced(connection, QUERIES[3])
    assert found.notice is None
    assert found.pairs == found.records[-1]["pairs"] == 10


def test_other_regions_do_not_mix_with_the_outermost_one(connection: minisql.Connection) -> None:
    inside = "SELECT t0.k FROM t0 JOIN t1 USING (k)"
    query = f"SELECT * FROM (SELECT t2.k FROM t2 JOIN t3 USING (k)) UNION ALL {inside}"
    records = traced(connection, query)
    assert {table["name"].rpartition(".")[2] for table in records[0]["tables"]} == {"t2", "t3"}
    assert [record["phase"] for record in records if record["event"] == "phase"] == ["dphyp"]
