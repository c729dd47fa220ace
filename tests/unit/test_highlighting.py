from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String

from minisql.parser.keywords import keywords
from minisql.shell.highlighting import MinisqlLexer, function_names


def coloured(text: str) -> dict[str, object]:
    return {value: kind for _, kind, value in MinisqlLexer().get_tokens_unprocessed(text) if value.strip()}


@given(
    st.text()
    | st.lists(st.sampled_from(["SELECT", "'", '"', "--", "/*", "*/", ".", "(", "count", " ", "\n", "1", "é"])).map(
        "".join
    )
)
def test_nothing_is_lost(text: str) -> None:
    pieces = list(MinisqlLexer().get_tokens_unprocessed(text))
    assert "".join(value for _, _, value in pieces) == text
    place = 0
    for start, _, value in pieces:
        assert start == place
        place += len(value)


def test_what_has_which_colour() -> None:
    sql = "SELECT count(x), t.key, \"a b\" FROM t -- note\nWHERE y >= 1.5 AND z = 'it''s /* no */' /* and */;"
    kinds = coloured(sql)
    assert [word for word, kind in kinds.items() if kind is Keyword] == ["SELECT", "FROM", "WHERE", "AND"]
    assert kinds["count"] is Name.Function
    assert kinds["key"] is Name  # a keyword elsewhere
    assert kinds['"a b"'] is Name.Quoted
    assert kinds["-- note"] is Comment.Single
    assert kinds["/* and */"] is Comment.Multiline
    assert kinds["1.5"] is Number
    assert kinds["'it''s /* no */'"] is String.Single
    assert kinds[">="] is Operator
    assert kinds["("] is Punctuation


def test_every_keyword_of_the_grammar_is_one() -> None:
    for word in keywords():
        assert coloured(word) == {word: Keyword}
        assert coloured(word.lower()) == {word.lower(): Keyword}
    assert coloured("nonsense") == {"nonsense": Name}


def test_every_function_is_one() -> None:
    for name in function_names():
        assert coloured(f"{name}(")[name] is Name.Function
    assert coloured("nonsense(")["nonsense"] is Name


def test_a_dot_command() -> None:
    kinds = coloured(".orders SELECT 1")
    assert kinds[".orders"] is Keyword.Pseudo
    assert kinds["SELECT"] is Keyword
