from __future__ import annotations

import itertools

import pyarrow as pa
import pytest

from minisql.columnar.python_values import from_values
from minisql.columnar.strings import string_column
from minisql.datatypes import VARCHAR
from minisql.errors import DataError
from minisql.execution.like import Wildcard, parse_pattern
from minisql.expression.nodes import Expression, Like
from tests import naive
from tests.expressions import SPAN, lit, ref, values

ALPHABET = "ab%_!\n."
TEXTS = ["".join(letters) for length in range(4) for letters in itertools.product("ab%\n.\\", repeat=length)]
TEXTS += ["äö", "a😀b", "(a|b)*", "a" * 50, "^a$", "[a-b]"]


def like(pattern: Expression, escape: str | None = None, *, negated: bool = False) -> Like:
    return Like(operand=ref(0, VARCHAR), pattern=pattern, escape=escape, negated=negated, span=SPAN)


@pytest.mark.parametrize("escape", [None, "!", "\\", "%", "_"])
def test_every_short_pattern_against_the_naive_matcher(escape: str | None) -> None:
    patterns = ["".join(letters) for length in range(4) for letters in itertools.product(ALPHABET, repeat=length)]
    patterns += ["%ä%", "_ö", "a_b", "(a|b)*", "%|%", "^a$", "[a-b]", "%.%", "\\", "%\\%", "a\\%", "%\\\\%", "%ab%ba%"]
    texts = from_values(TEXTS, VARCHAR)
    for pattern in patterns:
        if escape is not None and ends_with_escape(pattern, escape):
            continue
        expected = [naive.like(text, pattern, escape) for text in TEXTS]
        assert values(like(lit(pattern, VARCHAR), escape), texts) == expected, pattern


LONG_INFIXES = [
    "%aba%",
    "%aaa%",
    "%abab%",
    "%aba%bab%",
    "%aab%aab%",
    "a%bab%b",
    "ab%aba%ba",
    "aba%aba%",
    "%aba%aba",
    "%bba%a%",
]


@pytest.mark.parametrize("pattern", [*LONG_INFIXES, "%äö%", "%äö%äö%", "ä%öäö%", "%ab\x00%"])
def test_texts_that_are_searched_in_all_strings_at_once(pattern: str) -> None:
    # One after the other in memory, so that a text may seem to begin in one string and end in the next.
    texts = ["".join(letters) for length in range(9) for letters in itertools.product("ab", repeat=length)]
    texts += ["".join(letters) for length in range(6) for letters in itertools.product("äö", repeat=length)] + [
        "ab\x00"
    ]
    expected = [naive.like(text, pattern, None) for text in texts]
    assert any(expected)
    for column in (from_values(texts, VARCHAR), string_column(pa.array(["aba", *texts], pa.large_string())[1:], None)):
        assert values(like(lit(pattern, VARCHAR)), column) == expected


def ends_with_escape(pattern: str, escape: str) -> bool:
    characters = iter(pattern)
    return any(character == escape and next(characters, None) is None for character in characters)


def test_a_pattern_for_each_row() -> None:
    texts = ["abc", "abc", None, "b", "abc", "x"]
    patterns = ["a%", "%z", "%", None, "a%", "_"]
    columns = from_values(texts, VARCHAR), from_values(patterns, VARCHAR)
    assert values(like(ref(1, VARCHAR)), *columns) == [True, False, None, None, True, True]
    assert values(like(ref(1, VARCHAR), negated=True), *columns) == [False, True, None, None, False, False]
    constant = Like(operand=lit("abc", VARCHAR), pattern=ref(0, VARCHAR), escape=None, negated=False)
    assert values(constant, columns[1]) == [True, False, True, None, True, False]


def test_no_row_needs_a_match() -> None:
    columns = from_values([None, "a"], VARCHAR), from_values(["x!", None], VARCHAR)
    assert values(like(ref(1, VARCHAR), "!"), *columns) == [None, None]
    assert values(like(lit(None, VARCHAR)), columns[0]) == [None, None]


def test_a_pattern_must_not_end_with_the_escape_character() -> None:
    for pattern in (lit("a!", VARCHAR), ref(1, VARCHAR)):
        with pytest.raises(DataError, match="must not end with escape character") as caught:
            values(like(pattern, "!"), from_values(["a"], VARCHAR), from_values(["a!"], VARCHAR))
        assert caught.value.span == SPAN


def test_the_parts_of_a_pattern() -> None:
    many, one = Wildcard.MANY, Wildcard.ONE
    assert parse_pattern("%%a!%b_%", "!", None) == [many, "a%b", one, many]
    assert parse_pattern("a!b", None, None) == ["a!b"]
    assert parse_pattern("", None, None) == []
