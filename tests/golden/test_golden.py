"""Golden files: what each stage makes of a query.

A file has blocks, separated by empty lines:

    # a comment
    <stage>
    <statement, over one or more lines>
    ----
    <what the stage gives>

The stages are the keys of `STAGES`. Every file starts on a fresh database with the tables of `SCHEMA`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import minisql
from minisql.explain.hypergraph import show_hypergraphs
from minisql.explain.plan_description import describe_plan
from minisql.explain.stages import show_parse_tree, show_relational
from minisql.explain.tree import format_tree
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.leaves import leaf_names
from minisql.hypergraph.make_join_hypergraph import make_join_hypergraph
from minisql.hypergraph.reasons import Reasons
from minisql.hypergraph.why_not import explain_why_not, may_join
from minisql.node_set import node_set
from minisql.parser.parse import parse_statement
from minisql.session.explanations.outermost_region import Region
from minisql.session.pipeline import PlannedQuery
from tests.explanations import without_times

FILES = sorted(Path(__file__).parent.glob("*.test"))

SCHEMA = """
CREATE TABLE a (k INTEGER, x INTEGER, s VARCHAR);
INSERT INTO a VALUES (1, 10, 'one'), (2, 20, 'two'), (2, 21, 'two'), (3, 30, NULL), (NULL, 40, 'none');
CREATE TABLE b (k INTEGER, y INTEGER);
INSERT INTO b VALUES (2, 200), (3, 300), (3, 301), (4, 400), (NULL, 500);
CREATE TABLE c (k INTEGER, z DOUBLE, d DATE);
INSERT INTO c VALUES (3, 0.5, DATE '2013-01-01'), (4, 1.5, DATE '2013-02-28'), (5, NULL, NULL);
CREATE TABLE e (k BIGINT, p DECIMAL(8,2), t TIMESTAMP, f BOOLEAN);
INSERT INTO e VALUES (1, 1.25, TIMESTAMP '2013-01-01 05:00:00', TRUE), (4, -0.50, NULL, FALSE), (6, NULL, NULL, NULL);
"""


def _parse_tree(connection: minisql.Connection, sql: str) -> str:
    return show_parse_tree(parse_statement(sql).statement)


def _planned(connection: minisql.Connection, sql: str) -> PlannedQuery:
    return connection.plan(sql)


def _as_written(connection: minisql.Connection, sql: str) -> str:
    return show_relational(_planned(connection, sql).as_written)


def _rewritten(connection: minisql.Connection, sql: str) -> str:
    planned = _planned(connection, sql)
    reasons = [str(simplification) for simplification in planned.simplifications]
    return "\n".join([*reasons, show_relational(planned.rewritten)])


def _hypergraph(connection: minisql.Connection, sql: str) -> str:
    return show_hypergraphs(_planned(connection, sql).rewritten)


def _plan(connection: minisql.Connection, sql: str) -> str:
    """The plan and the rows: a plan alone proves nothing."""
    return f"{format_tree(describe_plan(_planned(connection, sql).path))}\n{_rows(connection, sql)}"


def _analyze(connection: minisql.Connection, sql: str) -> str:
    """EXPLAIN ANALYZE; the words before SELECT or WITH are options of it."""
    ((text,),) = connection.execute(f"EXPLAIN ANALYZE {sql}").fetchall()
    return without_times(str(text))


def _explain(connection: minisql.Connection, sql: str) -> str:
    """EXPLAIN with options."""
    ((text,),) = connection.execute(f"EXPLAIN {sql}").fetchall()
    return str(text)


def _rows(connection: minisql.Connection, sql: str) -> str:
    result = connection.execute(sql)
    if not result.names:
        return f"ok, {result.rowcount} rows" if result.rowcount >= 0 else "ok"
    header = " | ".join(f"{name} {type_}" for name, type_ in zip(result.names, result.types, strict=True))
    return "\n".join([header, *(" | ".join("NULL" if v is None else str(v) for v in row) for row in result)])


def _warnings(connection: minisql.Connection, sql: str) -> str:
    """The warnings of the result."""
    warnings = connection.execute(sql).warnings
    return "\n".join(f"{warning.code}: {warning}" for warning in warnings) or "none"


def _statement(connection: minisql.Connection, sql: str) -> str:
    connection.execute(sql)
    return "ok"


def _why_not(connection: minisql.Connection, question: str) -> str:
    """The answer, what there is of it, each part after its name. A search in vain stops when it has taken too long."""
    result = connection.execute(f"EXPLAIN WHY NOT {question}")
    (row,) = result.fetchall()
    parts = [f"{name}: {value}" for name, value in zip(result.names, row, strict=True) if value is not None]
    return re.sub(
        r"No difference was found in [\d,]+ databases", "No difference was found in N databases", "\n".join(parts)
    )


def _error(connection: minisql.Connection, sql: str) -> str:
    with pytest.raises(minisql.Error) as caught:
        connection.execute(sql)
    return f"{type(caught.value).__name__}: {caught.value}".replace(str(Path.cwd()), "<here>")


def _may_join(connection: minisql.Connection, question: str) -> str:
    """Why two sets of tables may not be joined: `a, b | c` in the first line, then the query."""
    sides, _, sql = question.partition("\n")
    graph = outermost_graph(_planned(connection, sql))
    names = leaf_names(graph, {})
    numbers = {name: number for number, name in names.items()}
    left, right = (node_set(numbers[name.strip()] for name in side.split(",")) for side in sides.split("|"))
    if may_join(graph, Reasons(graph), left, right):
        return "They can be joined."
    return explain_why_not(graph, left, right, names).text


def outermost_graph(planned: PlannedQuery) -> JoinHypergraph:
    region = Region.outermost(planned.rewritten)
    assert region is not None
    return make_join_hypergraph(region.region)


def _explain_hypergraph(connection: minisql.Connection, sql: str) -> str:
    ((text,),) = connection.execute(f"EXPLAIN HYPERGRAPH {sql}").fetchall()
    return re.sub(r"\n\n", "\n--\n", str(text))


STAGES: dict[str, Callable[[minisql.Connection, str], str]] = {
    "parse_tree": _parse_tree,
    "as_written": _as_written,
    "rewritten": _rewritten,
    "hypergraph": _hypergraph,
    "explain_hypergraph": _explain_hypergraph,
    "plan": _plan,
    "analyze": _analyze,
    "explain": _explain,
    "rows": _rows,
    "warnings": _warnings,
    "statement": _statement,
    "may_join": _may_join,
    "why_not": _why_not,
    "error": _error,
}


def _answer(file: Path) -> str:
    """The file with the answers that are given now."""
    blocks = re.split(r"\n{2,}", file.read_text().strip())
    with minisql.connect() as connection:
        for statement in SCHEMA.strip().split(";\n"):
            connection.execute(statement)
        return "\n\n".join(_answer_block(connection, block) for block in blocks) + "\n"


def _answer_block(connection: minisql.Connection, block: str) -> str:
    question = block.split("\n----")[0]
    lines = [line for line in question.split("\n") if not line.startswith("#")]
    if not lines:
        return block
    answer = STAGES[lines[0]](connection, "\n".join(lines[1:]))
    return f"{question}\n----\n{answer}".rstrip()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_golden(file: Path, request: pytest.FixtureRequest) -> None:
    answer = _answer(file)
    if request.config.getoption("--rewrite"):
        file.write_text(answer)
    assert answer == file.read_text()
