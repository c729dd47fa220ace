from __future__ import annotations

import logging
import re
import threading
from pathlib import Path
from typing import Any

import lark.lark
import pytest
from lark import Lark, Token
from lark.exceptions import GrammarError

from minisql.parser import lark_parser
from minisql.parser.lark_parser import LARK_OPTIONS, make_parser, read_grammar
from minisql.parser.split import next_piece
from minisql.parser.token_stream import TokenStream
from minisql.parser.transform import Transform

# --- the grammar ------------------------------------------------------------------------------------------------------


def make(grammar: str) -> Lark:
    return Lark(grammar, postlex=TokenStream(), **LARK_OPTIONS)


def test_the_conflicts_are_the_known_ones(caplog: pytest.LogCaptureFixture) -> None:
    """Lark resolves them in favour of the keyword; it says so at a level of its log that nobody sees."""
    with caplog.at_level(logging.DEBUG, logger="lark"):
        make(read_grammar())
    conflicts = re.findall(r"conflict for terminal (\w+): \(resolving as shift\).*\n.*<(\w+) : (.*)>", caplog.text)
    assert caplog.text.lower().count("conflict for") == len(conflicts)
    # COLUMN may be left out in ALTER TABLE, and be the name of one.
    conflicts = [conflict for conflict in conflicts if conflict[1:] != ("word", "COLUMN")]
    assert {(terminal, rule) for terminal, rule, _ in conflicts} == {
        ("DIV", "sum"),
        ("ESCAPE", "predicate"),
        ("FILTER", "filter_clause"),
        ("KEY", "word"),
        ("LPAR", "word"),
        ("OVER", "primary"),
        ("PRECISION", "second_word"),
        ("SET", "word"),
        ("VARYING", "second_word"),
        ("WITHOUT", "time_zone"),
        # A window, or an offset of a frame, may have the name of a word that could stand there.
        *((terminal, "word") for terminal in ("FOLLOWING", "GROUPS", "PARTITION", "PRECEDING", "RANGE", "ROWS")),
    }
    assert {words for terminal, _, words in conflicts if terminal == "LPAR"} == {"CUBE", "ROLLUP", "SET", "VALUES"}


def test_the_priority_decides_about_parentheses_around_queries_and_nothing_else() -> None:
    with pytest.raises(GrammarError) as error:
        make(read_grammar().replace("?query_primary.2:", "?query_primary:"))
    collisions = re.findall(
        r"Reduce/Reduce collision in Terminal\('(\w+)'\)(.*?)(?=Reduce/Reduce|\Z)", str(error.value), re.S
    )
    assert {(terminal, frozenset(re.findall(r"<(\w+) : (\w*)>", rules))) for terminal, rules in collisions} == {
        ("RPAR", frozenset({("query_primary", "parenthesized_query"), other}))
        for other in (("primary", "parenthesized_query"), ("table_alias", ""))
    }


def test_every_rule_has_a_callback_and_every_callback_a_rule() -> None:
    rules = make(read_grammar()).rules
    needed = {
        rule.alias or str(rule.origin.name)
        for rule in rules
        if not rule.origin.name.startswith("_") and (rule.alias or not rule.options.expand1)
    }
    callbacks = {name for each in Transform.__mro__ if each.__module__.startswith("minisql.") for name in vars(each)}
    methods = {name for name in callbacks if not name.startswith("_")} - {"begin"}
    assert methods == needed


def test_an_alternative_without_a_callback_has_one_value() -> None:
    """Otherwise Lark would make one of its own trees of it, which no callback expects."""
    for rule in make(read_grammar()).rules:
        if rule.options.expand1 and rule.alias is None:
            traces = [symbol for symbol in rule.expansion if not (symbol.is_term and symbol.filter_out)]
            lists = [symbol for symbol in traces if symbol.name.startswith("__")]
            absent = sum(rule.options.empty_indices or ())
            assert not lists
            assert len([symbol for symbol in traces if not symbol.name.startswith("_")]) + absent == 1, rule


def test_tokens() -> None:
    stream = TokenStream()
    parser = make_parser(Transform(stream), stream)

    def tokens(text: str) -> list[tuple[str, str]]:
        stream.begin(text, next_piece(text, 0))
        found: list[Token] = list(parser.parse_interactive(text).lexer_thread.lex(None))
        return [(token.type, str(token)) for token in found]

    def types(text: str) -> str:
        return " ".join(type_ for type_, _ in tokens(text))

    assert types("a select_ Selected SELECT sElEcT") == "NAME NAME NAME SELECT SELECT"
    assert types("nulls isnull semi ordering fulls full") == "NULLS RESERVED RESERVED NAME NAME FULL"
    assert types("1 1. .5 1.5 1e5 .5E-3 1.e+2") == "INTEGER DECIMAL DECIMAL DECIMAL FLOAT FLOAT FLOAT"
    assert types("t.a t.1 1.5.") == "NAME DOT NAME NAME DECIMAL DECIMAL DOT"
    assert types("= <> != <= <=> || / - :: -- x") == (
        "EQUAL COMPARISON COMPARISON COMPARISON COMPARISON CONCATENATE SLASH MINUS DOUBLE_COLON"
    )
    assert tokens("'it''s' \"a\"\"b\"") == [("STRING", "'it''s'"), ("QUOTED_NAME", '"a""b"')]
    assert types("/*+ a */ SELECT /* b */ /*+ c */ /*+ d */ 1 /*+ e */") == "SELECT HINT HINT INTEGER"


# --- the cache --------------------------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file of the cache is going to be."""
    monkeypatch.setattr(lark_parser, "_user_cache_folder", lambda: tmp_path)
    return tmp_path / "minisql" / f"sql-rows.{lark_parser.sys.implementation.cache_tag}.lark"


def parses() -> bool:
    stream = TokenStream()
    transform = Transform(stream)
    parser = make_parser(transform, stream)
    text = "SELECT a FROM t WHERE b IN (1, ?)"
    stream.begin(text, next_piece(text, 0))
    statement: Any = parser.parse(text)
    return bool(statement.span.source == text and len(transform.parameters) == 1)


def test_the_second_parser_is_not_made_of_the_grammar(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parses()
    assert cache.exists()
    monkeypatch.setattr(lark.lark, "load_grammar", pytest.fail)
    assert parses()


def test_the_table_of_the_cache_is_that_of_the_grammar(cache: Path) -> None:
    first, second = (make_parser(Transform(stream), stream) for stream in (TokenStream(), TokenStream()))
    made, read = (parser.parser.parser._parse_table for parser in (first, second))
    assert (read.start_states, read.end_states) == (made.start_states, made.end_states)
    assert not read.states
    assert {state: read.states[state] for state in made.states} == made.states
    assert read.states == made.states


def test_the_folder_is_the_users_alone(cache: Path) -> None:
    assert parses()
    assert cache.parent.stat().st_mode & 0o777 == 0o700 or lark_parser.sys.platform == "win32"


def test_another_grammar_is_not_taken_from_the_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parses()
    before = cache.read_bytes()
    changed = read_grammar() + "\n// changed\n"
    monkeypatch.setattr(lark_parser, "read_grammar", lambda: changed)
    assert parses()
    assert cache.read_bytes() != before


def test_a_broken_cache_is_made_anew(cache: Path) -> None:
    assert parses()
    whole = cache.read_bytes()
    for broken in (b"", b"garbage", whole[: len(whole) // 2]):
        cache.write_bytes(broken)
        assert parses()
        assert len(cache.read_bytes()) > len(whole) // 2


def test_without_a_folder_there_is_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(lark_parser, "_user_cache_folder", lambda: tmp_path / "file")
    assert parses()

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(lark_parser, "_user_cache_folder", homeless)
    assert parses()


@pytest.mark.skipif(lark_parser.sys.platform == "win32", reason="The mode says nothing there.")
def test_a_folder_that_others_can_write_to_is_not_used(cache: Path) -> None:
    cache.parent.mkdir()
    cache.parent.chmod(0o777)
    assert parses()
    assert list(cache.parent.iterdir()) == []


def test_one_process_at_a_time_has_the_cache(cache: Path) -> None:
    other = threading.Thread(target=parses)
    with lark_parser._cache_file() as path:
        assert path == str(cache)
        other.start()
        other.join(0.5)
        assert other.is_alive()
        assert not cache.exists()
    other.join()
    assert cache.exists()


@pytest.mark.skipif(lark_parser.sys.platform != "linux", reason="Other systems have other places.")
def test_the_place_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/x")
    for value, folder in (("/c", "/c"), ("", "/home/x/.cache"), ("relative", "/home/x/.cache")):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert lark_parser._user_cache_folder() == Path(folder)
