from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisql.shell.script import Part, is_complete, parts
from minisql.shell.tokens import tokens_of

PIECES = [
    "SELECT 1", ";", "\n", " ", "'a;b", "'", '"', "`", "\\G", "\\g", "--", "/*", "*/", ".tables", ".mode csv", "x''y",
    "\\", "é", "1.5e3", "$",
]  # fmt: skip


def texts(text: str) -> list[str]:
    return [part.text for part in parts(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1; SELECT 2", ["SELECT 1;", "SELECT 2"]),
        ("SELECT ';' -- ;\n;SELECT 2;", ["SELECT ';' -- ;\n;", "SELECT 2;"]),
        (" -- only\n /* ; */ ", []),
        (".tables\nSELECT 1;\n  .mode csv  \n", [".tables", "SELECT 1;", ".mode csv"]),
        ("-- about\n.read x;\n", [".read x"]),
        ("SELECT 1\n.5;", ["SELECT 1\n.5;"]),
        ("/* a /* b */ */ .help", [".help"]),
        ("SELECT 1 \\G SELECT '\\G';", ["SELECT 1 ", "SELECT '\\G';"]),
        ("SELECT 1\\G;SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT 1 \\g SELECT 2\\g;", ["SELECT 1 ", "SELECT 2"]),
        ("SELECT 1;\n\\dt x\nSELECT 2;", ["SELECT 1;", "\\dt x", "SELECT 2;"]),
        ('SELECT 1 /* \\G */ -- \\G\n, "\\G" \\gx \\g', ['SELECT 1 /* \\G */ -- \\G\n, "\\G" \\gx ']),
    ],
)
def test_a_script_falls_into_statements_and_commands(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_what_a_part_knows() -> None:
    assert list(parts("SELECT 2\\g")) == [Part("SELECT 2", 0, 10)]
    assert list(parts("SELECT 1\\G\n.help\nSELECT")) == [
        Part("SELECT 1", 0, 10, is_vertical=True),
        Part(".help", 11, 16, is_command=True),
        Part("SELECT", 17, 23, is_complete=False),
    ]


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("", True), ("  \n", True), ("SELECT 1", False), ("SELECT 1;", True), ("SELECT 1;  -- done", True),
        ("SELECT 1; SELECT", False), ("SELECT ';", False), (".tables", True), ("-- a", True), ("/* a", False),
        ("/* a */", True), ("SELECT 1; /* a", False), ("quit", True), (" EXIT; ", True), ("exit 1", False),
        ("\\q", True), (".exit", True), ("\\dt", True),
        ("SELECT 1 \\G", True), ("SELECT '\\G", False),
    ],
)  # fmt: skip
def test_enter_runs_what_is_complete(text: str, complete: bool) -> None:
    assert is_complete(text) is complete


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_parts_cover_the_text_in_order(text: str) -> None:
    end = 0
    for part in parts(text):
        assert end <= part.start < part.end <= len(text)
        assert text[part.start : part.end].startswith(part.text)
        assert part.is_command == (re.match(r"\.|\\(?!\\|[gG]\b)\S", text[part.start :]) is not None)
        end = part.end
    if is_complete(text):
        assert texts(f"{text}\nSELECT 7;") == [*texts(text), "SELECT 7;"]


@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_tokens_are_the_text(text: str) -> None:
    tokens = list(tokens_of(text))
    assert "".join(token.text for token in tokens) == text
    assert [token.start for token in tokens] == [sum(len(t.text) for t in tokens[:i]) for i in range(len(tokens))]


@pytest.mark.parametrize(
    ("text", "kind", "name", "is_open"),
    [
        ("'it''s'", "string", "it's", False), ("'it''", "string", "it'", True), ("'", "string", "", True),
        ('"a""b"', "quoted_name", 'a"b', False), ("`a", "quoted_name", "a", True), ("été", "word", "été", False),
        ("/* /* */", "comment", "/* /* */", True), ("/* /* */ */", "comment", "/* /* */ */", False),
        ("-- x", "comment", "-- x", False), ("1.5e-3", "number", "1.5e-3", False), ("<=>", "symbol", "<=>", False),
    ],
)  # fmt: skip
def test_what_a_token_is(text: str, kind: str, name: str, is_open: bool) -> None:
    (token,) = tokens_of(text)
    assert (token.kind, token.name, token.is_open) == (kind, name, is_open)
