from __future__ import annotations

import pytest

import minisql
from minisql.parser.keywords import keywords, last_name, quoted_name, reserved_words
from minisql.parser.lark_parser import read_grammar


def test_every_keyword_stands_in_the_grammar() -> None:
    grammar = read_grammar()
    assert all(word in grammar for word in keywords())
    assert {"SELECT", "FULL", "QUALIFY", "ORDERS", "WITHIN", "SEPARATOR", "DIV", "ROLLUP"} <= keywords()
    assert not {"NAME", "STRING", "SEMI", "FROM WHERE"} & keywords()


@pytest.mark.parametrize("word", sorted(keywords() | reserved_words()))
def test_a_word_is_reserved_where_it_cannot_name_a_column(word: str) -> None:
    if word in reserved_words():
        with pytest.raises(minisql.ProgrammingError):
            minisql.connect().execute(f"CREATE TABLE t ({word} INTEGER)")
    name = word.lower()
    assert minisql.connect().execute(f"CREATE TABLE t ({quoted_name(name)} INTEGER); SELECT * FROM t").names == (name,)


@pytest.mark.parametrize("name", ["a", "Größe", "_1", "a b", 'a"b', "1a", "", "from", "data", "Data"])
def test_a_quoted_name_is_the_name(name: str) -> None:
    if not name:
        assert quoted_name(name) == '""'
        return
    assert minisql.connect().execute(f"SELECT 1 AS {quoted_name(name)}").names == (name,)


@pytest.mark.parametrize("name", ["a", "a b", 'a"b', '"', '""', '."', '".', "a.b", "from", 'x".""y'])
def test_the_last_name_of_several(name: str) -> None:
    for before in ("", "t.", f"{quoted_name(name)}.", f"{quoted_name(name)}.u."):
        assert last_name(before + quoted_name(name)) == quoted_name(name)
