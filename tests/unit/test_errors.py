from __future__ import annotations

import pytest

from minisql import errors
from minisql.errors import ProgrammingError, Span, did_you_mean, nearest_name
from minisql.printable import columns_of


def _shown(text: str, part: str) -> str:
    start = text.index(part)
    return Span(text, start, start + len(part)).show()


def test_the_caret_stands_under_the_place() -> None:
    assert _shown("SELECT a,\n       bad\nFROM t", "bad") == "LINE 2:        bad\n               ^^^"


def test_a_place_over_several_lines_is_marked_on_its_first() -> None:
    assert _shown("SELECT (1\n+ 2)", "(1\n+ 2)") == "LINE 1: SELECT (1\n               ^^"


def test_the_end_of_the_text_is_a_place() -> None:
    text = "SELECT"
    assert Span(text, 6, 6).show() == "LINE 1: SELECT\n              ^"


def test_a_tab_takes_the_width_of_one_character() -> None:
    assert _shown("\tSELECT x", "x") == "LINE 1:  SELECT x\n                ^"


def test_a_long_line_is_cut_around_the_place() -> None:
    shown = _shown("a" * 500 + "HERE" + "b" * 500, "HERE")
    line, caret = shown.split("\n")
    assert line[caret.index("^") :].startswith("HERE")
    assert caret.count("^") == 4
    assert len(line) < 140


def test_line_and_column_count_from_one() -> None:
    span = Span("ab\ncd", 4, 5)
    assert (span.line, span.column, span.source) == (2, 2, "d")


def test_the_message_has_sentence_place_and_hint() -> None:
    error = ProgrammingError("No.", Span("SELECT x", 7, 8), hint="Yes.")
    assert str(error) == "No.\nLINE 1: SELECT x\n               ^\nHINT: Yes."


@pytest.mark.parametrize(
    ("name", "parent"),
    [
        ("InterfaceError", "Error"),
        ("DatabaseError", "Error"),
        ("DataError", "DatabaseError"),
        ("OperationalError", "DatabaseError"),
        ("IntegrityError", "DatabaseError"),
        ("InternalError", "DatabaseError"),
        ("ProgrammingError", "DatabaseError"),
        ("NotSupportedError", "DatabaseError"),
    ],
)
def test_the_hierarchy_is_that_of_pep_249(name: str, parent: str) -> None:
    assert issubclass(getattr(errors, name), getattr(errors, parent))


def test_a_bug_is_no_mistake_of_the_user() -> None:
    assert not issubclass(errors.InternalError, errors.SqlError)


def test_nearest_names() -> None:
    assert nearest_name("flihgts", ["flights", "airports"]) == "flights"
    assert nearest_name("FLIGHT", ["flights"]) == "flights"
    assert nearest_name("xyz", ["flights"]) is None
    assert did_you_mean("planse", ["planes"]) == 'Did you mean "planes"?'


def test_the_caret_stands_under_the_place_behind_wide_characters() -> None:
    """Two columns each for the first three characters, none for the accent."""
    assert _shown("SELECT '日本語e\u0301', bad", "bad") == f"LINE 1: SELECT '日本語e\u0301', bad\n{' ' * 26}^^^"
    assert _shown("SELECT 日本", "日本") == "LINE 1: SELECT 日本\n               ^^^^"


def test_what_speaks_to_a_terminal_is_escaped() -> None:
    assert _shown("SELECT \x1b[1m, bad", "bad") == "LINE 1: SELECT \\x1b[1m, bad\n                        ^^^"
    error = ProgrammingError("No \x1b[31m\nhere.", hint="\x07")
    assert str(error) == "No \\x1b[31m\\nhere.\nHINT: \\x07"


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("text", ["a" * 300 + "BAD" + "b" * 300, "SELECT BAD", "日本" * 50 + "BAD" + "語" * 30])
def test_the_line_fits_the_screen(text: str, width: int) -> None:
    start = text.index("BAD")
    line, caret = Span(text, start, start + 3).show(width).split("\n")
    assert columns_of(line) <= max(width, 34)  # twenty characters are shown in any case
    assert caret.strip() == "^^^"
    assert columns_of(line.partition("BAD")[0]) == caret.index("^")
