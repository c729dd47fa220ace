from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lark import Lark, Token, Tree, UnexpectedInput, logger
from lark.exceptions import GrammarError

from minisql.errors import SqlError
from minisql.parser import parse_tables
from minisql.parser.lalr import LalrParser
from minisql.parser.parse_tables import LARK_OPTIONS, load_parse_tables, make_tables, write_tables
from minisql.parser.scanner import Scanner
from minisql.parser.transform import callbacks


@pytest.fixture(scope="module")
def grammar() -> str:
    folder = parse_tables._grammar_folder()
    return (folder / "sql.lark").read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_grammar(grammar: str) -> None:
    kept = json.loads((parse_tables._grammar_folder() / "sql.tables.json").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(make_tables(grammar))) == kept, "run python -m minisql.parser.parse_tables"


def test_no_conflict_is_resolved_in_silence(grammar: str, caplog: pytest.LogCaptureFixture) -> None:
    old_level = logger.level
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.DEBUG)
    try:
        Lark(grammar, **LARK_OPTIONS)
        assert "conflict" not in caplog.text.lower()
        # The net is whole: a grammar with the dangling ELSE is reported.
        ambiguous = 'statement: "IF" statement ["ELSE" statement] | "X"'
        Lark(ambiguous, **LARK_OPTIONS)
        assert "Shift/Reduce conflict for terminal ELSE" in caplog.text
    finally:
        logger.setLevel(old_level)
        logger.removeHandler(caplog.handler)


def test_the_priority_decides_about_parentheses_around_queries_and_nothing_else(grammar: str) -> None:
    with pytest.raises(GrammarError) as error:
        Lark(grammar.replace("?query_primary.2:", "?query_primary:"), **LARK_OPTIONS)
    collisions = re.findall(
        r"Reduce/Reduce collision in Terminal\('(\w+)'\)(.*?)(?=Reduce/Reduce|\Z)", str(error.value), re.S
    )
    assert {(terminal, frozenset(re.findall(r"<(\w+) : (\w+)>", rules))) for terminal, rules in collisions} == {
        ("RPAR", frozenset({("query_primary", "parenthesized_query"), (other, "parenthesized_query")}))
        for other in ("primary", "table_factor")
    }


def test_every_rule_has_a_callback_and_every_callback_a_rule() -> None:
    assert {rule.callback for rule in load_parse_tables().rules if rule.callback} == set(callbacks())


def test_stale_and_missing_tables_are_made_anew(tmp_path: Path, grammar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = grammar + "\n// changed\n"
    (tmp_path / "sql.lark").write_text(changed, encoding="utf-8")
    monkeypatch.setattr(parse_tables, "_grammar_folder", lambda: tmp_path)
    fresh = load_parse_tables()
    load = load_parse_tables.__wrapped__
    assert load() == fresh  # no file
    (tmp_path / "sql.tables.json").write_text(json.dumps({"grammar": "another"}), encoding="utf-8")
    assert load() == fresh  # a file of another grammar
    write_tables()
    monkeypatch.setattr(parse_tables, "make_tables", pytest.fail)
    assert load() == fresh  # the right file


# --- Lark itself as the oracle of our loop and scanner ----------------------------------------------------------------


@pytest.fixture(scope="module")
def lark(grammar: str) -> Lark:
    return Lark(grammar, lexer="contextual", **LARK_OPTIONS)


@pytest.fixture(scope="module")
def ours() -> LalrParser[None]:
    def callback(name: str) -> Callable[..., Any]:
        return lambda context, span, *arguments: (name, *arguments)

    tables = load_parse_tables()
    names = {rule.callback for rule in tables.rules if rule.callback}
    return LalrParser(tables, Scanner(tables), {name: callback(name) for name in names})


def plain(tree: Tree[Token] | Token | None) -> object:
    if isinstance(tree, Tree):
        return (str(tree.data), *(plain(child) for child in tree.children))
    # Our tokens have the name of a keyword for a value, and fold names; the text of the others stays.
    if tree is None:
        return None
    return str(tree).lower() if tree.type not in ("STRING", "QUOTED_NAME") else str(tree)


def folded(value: object) -> object:
    if isinstance(value, tuple):
        return (value[0], *(folded(item) for item in value[1:]))
    return value.lower() if isinstance(value, str) and value[:1] not in "'\"`" else value


SENTENCES = [
    "SELECT /*+ h */ DISTINCT a.*, *, count(*) FILTER (WHERE x) y, sum(ALL z) AS \"Q\", f() FROM t AS x (p, q), 'f' v",
    "SELECT 1 FROM a JOIN b FULL OUTER JOIN c USING (d, e) ON f NATURAL LEFT JOIN (g, (h)) CROSS JOIN range(3)",
    "SELECT 1 FROM ((SELECT 1) UNION VALUES (2)) x, (((SELECT 1))), ((a JOIN b ON c))",
    "SELECT a OR b AND NOT c = -d + e * f::double precision || g IS NOT NULL AND h NOT BETWEEN 1 AND .5",
    "SELECT CASE a WHEN 1 THEN 'x' ELSE ? END, CASE WHEN b THEN c END, CAST(d AS decimal(8, 2)), date '2013-01-01'",
    "SELECT a IS DISTINCT FROM b, c LIKE 'd' ESCAPE 'e', i NOT IN (1, 2e3)",
    "SELECT trim(BOTH FROM f), substring(g FROM 1 FOR 2), extract(y FROM d), h IN ((SELECT 1)), EXISTS (SELECT 2)",
    "WITH a (b) AS (SELECT 1), c AS ((SELECT 2)) (SELECT 3) EXCEPT ALL SELECT 4 INTERSECT SELECT 5 LIMIT 3, 4",
    "SELECT a FROM t WHERE b GROUP BY c, d HAVING e ORDER BY f ASC OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY",
    "SELECT 1 ORDER BY 1 DESC NULLS LAST, 2",
    "CREATE OR REPLACE TABLE IF NOT EXISTS t (a int, b varchar(3))",
    "CREATE VIEW v (a) AS SELECT 1 LIMIT ALL OFFSET 2",
    "INSERT INTO t (a, b) VALUES (1, 2), (NULL, TRUE)",
    "EXPLAIN ANALYZE FORMAT=json (((SELECT 1)))",
    "SET x = -5",
    "DROP VIEW IF EXISTS v",
]


@pytest.mark.parametrize("sql", SENTENCES)
def test_our_loop_gives_the_trees_of_lark(sql: str, lark: Lark, ours: LalrParser[None]) -> None:
    tree, _, _ = ours.parse(sql, 0, None)
    assert folded(tree) == folded(plain(lark.parse(sql)))


@pytest.mark.parametrize("sql", SENTENCES)
def test_our_loop_refuses_what_lark_refuses(sql: str, lark: Lark, ours: LalrParser[None]) -> None:
    words = sql.split()
    for index in range(len(words)):
        for changed in (words[:index], words[:index] + words[index + 1 :], [*words[: index + 1], *words[index:]]):
            text = " ".join(changed)
            try:
                tree: object = plain(lark.parse(text))
            except UnexpectedInput:
                tree = None
            try:
                our_tree, _, _ = ours.parse(text, 0, None)
            except SqlError:
                our_tree = None
            assert folded(our_tree) == folded(tree), text
