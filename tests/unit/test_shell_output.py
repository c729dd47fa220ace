"""Output modes, and results that fit the screen. What programs read is read back."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

import minisql
from minisql.printable import printable
from minisql.session.result import Result
from minisql.shell.display import Display, Limits
from minisql.shell.fitting import display_width, fit, shortened
from minisql.shell.output import FOR_PEOPLE, MODES, print_result
from tests.shell import Terminal, printed, terminal_shell

WORDS = [
    "", "a", "two words", "日本語の文字列", "👩‍👩‍👧 family", "e\u0301te\u0301", "a|b", "<b> & co", 'say "hi"',
    "tab\there", "\\N", "x" * 70, "line\nbreak", "NULL",
]  # fmt: skip
COLUMNS = (1, None, -30, 123456789012)


def odd_rows() -> list[tuple[object, ...]]:
    return [(COLUMNS[i % 4], word, None if i % 3 else "2013-01-02") for i, word in enumerate(WORDS)]


def odd_result(connection: minisql.Connection | None = None) -> Result:
    connection = connection or minisql.connect()
    connection.execute("CREATE TABLE odd (n BIGINT, word VARCHAR, day DATE)")
    for row in odd_rows():
        connection.execute("INSERT INTO odd VALUES (?, ?, ?)", row)
    return connection.execute("SELECT * FROM odd")


def shown(result: Result, mode: str, limits: Limits = Limits()) -> str:  # noqa: B008  (it never changes)
    stream = io.StringIO()
    print_result(result, mode, stream, limits)
    return stream.getvalue()


def texts(null: str) -> list[list[str]]:
    return [[null if value is None else str(value) for value in row] for row in odd_rows()]


def test_csv_is_read_back() -> None:
    text = shown(odd_result(), "csv")
    assert list(csv.reader(io.StringIO(text))) == [["n", "word", "day"], *texts("")]
    assert ',"",' in text
    assert list(csv.reader(io.StringIO(shown(odd_result(), "csv", Limits(null="-"))))) == [
        ["n", "word", "day"], *texts("-")
    ]  # fmt: skip
    # A text that is what NULL is shown as is told apart by its quotes.
    assert ',"NULL",' in shown(odd_result(), "csv", Limits(null="NULL"))


def test_tsv_is_read_back() -> None:
    lines = shown(odd_result(), "tsv").splitlines()
    escapes = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}

    def value(field: str) -> str | None:
        return None if field == "\\N" else re.sub(r"\\.", lambda found: escapes[found[0]], field)

    rows = [[value(field) for field in line.split("\t")] for line in lines[1:]]
    assert rows == [[None if each is None else str(each) for each in row] for row in odd_rows()]


def test_json_lines_are_read_back() -> None:
    records = [json.loads(line) for line in shown(odd_result(), "jsonl").splitlines()]
    assert [tuple(record.values()) for record in records] == odd_rows()
    assert json.loads(shown(odd_result(), "json")) == records


def test_html_is_read_back() -> None:
    cells: list[str] = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag in ("td", "th"):
                cells.append("")

        def handle_data(self, data: str) -> None:
            if self.getpos() and cells:
                cells[-1] += data

    Reader().feed(shown(odd_result(), "html").rstrip().replace(">\n<", "><"))
    expected = ["n", "word", "day", *(text for row in texts("NULL") for text in row)]
    assert cells == expected


def test_markdown_is_read_back() -> None:
    lines = shown(odd_result(), "markdown").splitlines()
    assert re.fullmatch(r"\|-+:\|:-+\|:-+\|", lines[1])  # numbers stand right
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]
    read = [[cell.replace("\\|", "|").replace("<br>", "\n") for cell in row] for row in cells]
    assert read == [[text.strip() for text in row] for row in texts("NULL")]


def test_vertical_and_line() -> None:
    result = "SELECT 1 AS n, 'a' AS word UNION ALL SELECT 2, NULL"
    connection = minisql.connect()
    stars = "*" * 27
    assert shown(connection.execute(result), "vertical") == (
        f"{stars} 1. row {stars}\n   n: 1\nword: a\n{stars} 2. row {stars}\n   n: 2\nword: NULL\n(2 rows)\n"
    )
    assert shown(connection.execute(result), "line", Limits(null="-")) == "   n = 1\nword = a\n\n   n = 2\nword = -\n"


def test_box() -> None:
    assert shown(minisql.connect().execute("SELECT 1 AS n, '日本' AS s"), "box") == (
        "╭───┬──────╮\n│ n │ s    │\n├───┼──────┤\n│ 1 │ 日本 │\n╰───┴──────╯\n(1 row)\n"
    )


def test_wide_characters_stand_under_each_other() -> None:
    values = "('日本', 1), ('abc', 2), ('👩‍👩‍👧', 3)"
    lines = shown(minisql.connect().execute(f"SELECT * FROM (VALUES {values}) AS v(s, n)"), "table")
    assert {wcswidth(line.partition("|")[0]) for line in lines.splitlines()[2:5]} == {6}


def test_spaces_in_values_stay() -> None:
    assert " '  a ' |" not in (text := shown(minisql.connect().execute("SELECT '  a ' AS s, 1 AS n"), "table"))
    assert "\n   a  | 1\n" in text


@pytest.mark.parametrize("mode", sorted(MODES))
@pytest.mark.parametrize("columns", ["n", "n, word, day"])
def test_no_rows(mode: str, columns: str) -> None:
    connection = minisql.connect()
    odd_result(connection)
    for limits in (Limits(), Limits(20, 40, None, True)):
        text = shown(connection.execute(f"SELECT {columns} FROM odd WHERE FALSE"), mode, limits)
        has_footer = mode in ("table", "box", "vertical") or (mode in ("markdown", "line") and limits.on_terminal)
        assert ("(0 rows" in text) == has_footer


# --- fitting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", sorted(FOR_PEOPLE - {"vertical", "line"}))
@pytest.mark.parametrize("width", [20, 27, 40, 80, 200])
def test_a_result_fits_the_screen(mode: str, width: int) -> None:
    text = shown(odd_result(), mode, Limits(width, 40, None, True))
    table = text.split("(14 rows")[0].splitlines()
    assert len(table) > len(WORDS)
    assert max(map(wcswidth, table)) <= width
    assert ("to fit" in text) == ("…" in text.split("(14 rows")[0])


@pytest.mark.parametrize("mode", sorted(FOR_PEOPLE))
def test_no_terminal_is_too_narrow(mode: str) -> None:
    for width in range(1, 20):
        assert "14 rows" in shown(odd_result(), mode, Limits(width, 40, None, True)).replace("\n", "")


def wide_result(columns: int) -> Result:
    return minisql.connect().execute(
        f"SELECT {', '.join(f'{i} AS column_{i}' for i in range(columns))}, 'the last one' AS z"
    )


def test_columns_in_the_middle_go_first() -> None:
    text = shown(wide_result(30), "table", Limits(60, 40, None, True))
    assert text.splitlines()[0].replace("|", "").split() == ["column_0", "column_1", "column_2", "…", "column_29", "z"]
    assert "5 of 31 columns shown, 1 value cut by 4 characters to fit 60: \\G or .width 0 shows all" in text
    assert "…" not in shown(wide_result(30), "table", Limits(None, 40, None, True)).split("(1 row")[0]


def test_numbers_are_never_cut() -> None:
    sql = "SELECT 1234567890123 AS n, 'many words of which few can be read here' AS t, 9876543210987 AS m"
    text = shown(minisql.connect().execute(sql), "table", Limits(45, 40, None, True))
    assert "1234567890123" in text
    assert "9876543210987" in text
    assert "1 value cut by " in text


def test_the_name_of_numbers_can_be_cut() -> None:
    sql = "SELECT 1 AS a_name_much_longer_than_the_number, 23456789012 AS another_long_name, 'x' AS s"
    text = shown(minisql.connect().execute(sql), "table", Limits(40, 40, None, True))
    assert text.startswith(" a_name_much_lo… | another_long_n… | s\n")
    assert "|     23456789012 | x\n" in text
    assert "2 values cut by 23 characters to fit 40" in text


def test_characters_that_were_cut_are_no_columns() -> None:
    text = shown(minisql.connect().execute("SELECT '日本日本日本' AS s"), "table", Limits(10, 40, None, True))
    assert " 日本日…\n" in text
    assert "1 value cut by 3 characters" in text


def test_dates_and_times_are_never_cut() -> None:
    sql = "SELECT DATE '2013-01-02' AS d, TIMESTAMP '2013-01-02 03:04:05' AS t, 'some words' AS w, 'some others' AS v"
    text = shown(minisql.connect().execute(sql), "table", Limits(55, 40, None, True))
    assert "2013-01-02 | 2013-01-02 03:04:05 | … " in text


def test_what_was_cut_is_counted() -> None:
    text = shown(
        minisql.connect().execute("SELECT 'abcdefghijklmnopqrstuvwxyz' AS a"), "table", Limits(12, 40, None, True)
    )
    assert " abcdefghi…\n" in text
    assert text.endswith("1 value cut by 17 characters to fit 12: \\G or .width 0 shows all\n")


def test_rows_left_out_are_counted_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    connection, display = minisql.connect(), Display()
    sql = "SELECT range AS n FROM range(12345)"
    for stream, rows in ((Terminal(), 40), (io.StringIO(), 12345)):
        print_result(connection.execute(sql), "table", stream, display.limits(stream))
        lines = stream.getvalue().splitlines()
        assert sum(line.strip().isdigit() for line in lines) == rows
        # Programs may look for the number of rows, which was always without separators.
        assert lines[-1].startswith("(12,345 rows, " if rows == 40 else "(12345 rows)")
        assert (", the first 40 shown: .rows all shows them all: n BIGINT)" in lines[-1]) == (rows == 40)
    display.rows = 3
    for mode in sorted(FOR_PEOPLE):
        stream = Terminal()
        print_result(connection.execute(sql), mode, stream, display.limits(stream))
        assert "(12,345 rows, the first 3 shown" in stream.getvalue()
    for mode in ("csv", "tsv", "jsonl"):  # what programs read is whole
        stream = Terminal()
        print_result(connection.execute(sql), mode, stream, display.limits(stream))
        assert len(stream.getvalue().splitlines()) >= 12345


def test_nothing_in_a_value_speaks_to_the_terminal() -> None:
    connection = minisql.connect()
    connection.execute('CREATE TABLE t ("\x1b[31mred" VARCHAR)')
    connection.execute("INSERT INTO t VALUES (?)", ["\x1b]0;title\x07\r\nx\u202e"])
    for mode in sorted(FOR_PEOPLE):
        text = shown(connection.execute("SELECT * FROM t"), mode, Limits(80, 40, None, True))
        assert not set("\x1b\x07\r\u202e") & set(text), mode
        assert "\\x1b]0;title\\x07\\r\\nx\\u202e" in text.replace("\\\\", "\\")


def test_nothing_in_a_plan_or_a_schema_speaks_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, terminal = terminal_shell(monkeypatch)
    shell.run("CREATE VIEW v AS\n\tSELECT '\x1b[31m' AS a;\nSELECT * FROM v WHERE a > '\x1b[32m';")
    shell.run(".schema\n.explain\n.graph\n.explain analyze\n.replay\n.explain dot")
    text = printed(terminal)
    assert "\x1b" not in text
    assert "CREATE VIEW v AS SELECT '\\x1b[31m' AS a;" in text


@given(st.text(), st.integers(1, 30))
def test_a_cut_text_has_at_most_the_width(text: str, width: int) -> None:
    text = printable(text)
    cut = shortened(text, width)
    assert display_width(cut) <= width
    if display_width(text) <= width:
        assert cut == text
    else:
        assert cut.endswith("…")
        assert text.startswith(cut[:-1])


@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=12), st.integers(5, 120))
def test_fitting_against_its_meaning(columns: list[tuple[int, bool]], width: int) -> None:
    """The most columns that have room at their least widths, the first ones and the last; then the largest cut."""
    natural, least = [need for need, _ in columns], [min(need, 8) if cut else need for need, cut in columns]

    def frame(count: int) -> int:
        return 3 * count - 1

    def total(kept: list[int], cap: int) -> int:
        gap = len(kept) < len(natural)
        widths = [min(natural[place], max(least[place], cap)) for place in kept]
        return sum(widths) + gap + frame(len(kept) + gap)

    for count in range(len(natural), 0, -1):
        kept = [*range((count + 1) // 2), *range(len(natural) - count // 2, len(natural))]
        if total(kept, 0) <= width:
            break
    fitted = fit(natural, least, width, frame)
    assert [place for place in fitted.columns if place is not None] == kept
    assert fitted.columns.count(None) == (len(kept) < len(natural))
    widths = [wide for place, wide in zip(fitted.columns, fitted.widths, strict=True) if place is not None]
    if total(kept, 0) > width:  # one column, whose cells are cut below what is of use
        assert sum(fitted.widths) + frame(len(fitted.columns)) == width or widths == [1]
        return
    cap = max(cap for cap in range(61) if total(kept, cap) <= width)
    assert widths == [min(natural[place], max(least[place], cap)) for place in kept]
