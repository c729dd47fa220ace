"""What a result gives: Arrow without copies, readers, text and HTML; and what happens when it is closed."""

from __future__ import annotations

import datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import minisql


@pytest.fixture
def connection() -> minisql.Connection:
    return minisql.connect()


class Stream:
    """What has an Arrow stream and nothing else."""

    def __init__(self, data: pa.Table) -> None:
        self._data = data

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._data.__arrow_c_stream__(requested_schema)


class ArrowArray:
    """What has an Arrow array and nothing else: a record batch."""

    def __init__(self, data: pa.RecordBatch) -> None:
        self._data = data

    def __arrow_c_array__(self, requested_schema: object | None = None) -> object:
        return self._data.__arrow_c_array__(requested_schema)


def addresses(array: pa.ChunkedArray | pa.Array) -> list[int | None]:
    """Where the values of an array lie in memory; the validity bits, which are made anew, left out."""
    chunk = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    return [None if buffer is None else buffer.address for buffer in chunk.buffers()[1:]]


def distinct_strings(count: int) -> pa.Array:
    return pa.array([f"string number {n}" for n in range(count)], pa.large_string())


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1, 2, 3], pa.int32()),
        pa.array([1, None, 3], pa.int64()),
        pa.array([1.5, None, 2.5]),
        pa.array([datetime.date(2013, 1, 2), None, datetime.date(2013, 1, 3)]),
        pa.array([1, 2, None], pa.timestamp("us")),
        pa.array([1, 2, None], pa.timestamp("us", "UTC")),
        pa.array([1, 2, None], pa.time64("us")),
        distinct_strings(2000),
        pa.array([*distinct_strings(1000).to_pylist(), None], pa.large_string()),
    ],
    ids=lambda array: str(array.type),
)
@pytest.mark.parametrize("wrap", [lambda table: table, Stream, lambda table: ArrowArray(table.to_batches()[0])])
def test_arrow_goes_in_and_out_without_copies(connection: minisql.Connection, array: pa.Array, wrap: Any) -> None:
    connection.register("r", wrap(pa.table({"x": array, "n": range(len(array))})))
    result = connection.execute("SELECT x FROM r")
    expected = addresses(array)
    assert None not in expected
    assert addresses(result.arrow()["x"]) == expected
    assert addresses(result.reader().read_all()["x"]) == expected
    assert addresses(pa.table(result)["x"]) == expected, "through __arrow_c_stream__"
    assert result.arrow()["x"].to_pylist() == array.to_pylist()


def test_numpy_and_polars_share_memory(connection: minisql.Connection) -> None:
    values = np.arange(1000)
    result = connection.sql("SELECT x FROM r", r={"x": values})
    assert addresses(result.arrow()["x"]) == [values.ctypes.data]
    frame = pl.DataFrame({"x": values})
    (address,) = addresses(frame.to_arrow()["x"])
    assert addresses(connection.sql("SELECT x FROM r", r=frame).arrow()["x"]) == [address]


def test_what_is_sliced_is_still_shared(connection: minisql.Connection) -> None:
    connection.execute("SET batch_rows = 100")
    array = pa.array(range(1000))
    result = connection.sql("SELECT x FROM r", r=pa.table({"x": array}))
    (start,) = addresses(array)
    found = [chunk.buffers()[1].address + 8 * chunk.offset for chunk in result.arrow()["x"].chunks]
    assert start is not None
    assert found == [start + 800 * n for n in range(10)]


def test_a_few_strings_do_not_hold_on_to_many(connection: minisql.Connection) -> None:
    connection.register("r", pa.table({"s": distinct_strings(100_000)}))
    few = connection.execute("SELECT s FROM r LIMIT 3").arrow()
    assert few["s"].to_pylist() == [f"string number {n}" for n in range(3)]
    assert sum(buffer.size for buffer in few["s"].chunk(0).buffers() if buffer is not None) < 1000
    part = connection.execute("SELECT s FROM r LIMIT 50000 OFFSET 10").arrow()
    assert part["s"].to_pylist() == [f"string number {n}" for n in range(10, 50_010)]


def test_readers(connection: minisql.Connection) -> None:
    connection.execute("SET batch_rows = 100")
    result = connection.execute("SELECT range AS k, CAST(range AS VARCHAR) AS s FROM range(250)")
    reader = result.reader()
    assert isinstance(reader, pa.RecordBatchReader)
    assert [batch.num_rows for batch in reader] == [100, 100, 50]
    sizes = [batch.num_rows for batch in result.reader(30)]
    assert max(sizes) == 30
    assert sum(sizes) == 250
    reader = result.reader()
    result.close()
    assert reader.read_all()["k"].to_pylist() == list(range(250)), "a reader outlives its result"
    empty = connection.execute("SELECT 1 AS k, 'x' AS s WHERE FALSE").reader().read_all()
    assert (empty.num_rows, empty.column_names) == (0, ["k", "s"])
    for rows in (0, -1, "5"):
        with pytest.raises(minisql.InterfaceError, match="one row or more"):
            connection.execute("SELECT 1").reader(rows)  # type: ignore[arg-type]


def test_results_go_into_queries(connection: minisql.Connection) -> None:
    result = connection.execute("SELECT range AS k FROM range(5)")
    connection.close()
    other = minisql.connect()
    assert other.sql("SELECT sum(k) FROM r", r=result).fetchone() == (10,)
    assert pl.DataFrame(result)["k"].to_list() == list(range(5))
    assert pd.DataFrame.from_arrow(result)["k"].tolist() == list(range(5))


def test_a_closed_result(connection: minisql.Connection) -> None:
    result = connection.execute("SELECT range FROM range(5)")
    rows = iter(result)
    assert next(rows) == (0,)
    result.close()
    result.close()
    uses = [
        result.fetchone, result.fetchmany, result.fetchall, result.arrow, result.reader, result.df, result.pl,
        result.__arrow_c_stream__, lambda: iter(result), lambda: next(rows),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(minisql.InterfaceError, match="result is closed"):
            use()
    assert repr(result) == "<Result: closed>"
    assert result.rowcount == 5
    assert result.description is not None
    with pytest.raises(minisql.InterfaceError, match="result is closed"):
        connection.sql("SELECT * FROM r", r=result)


def test_text(connection: minisql.Connection) -> None:
    result = connection.execute("SELECT range AS k, 'x' || range AS s, NULL AS n, 1.50 AS d FROM range(2)")
    assert repr(result) == (
        "     k | s       | n    |            d\n"
        "BIGINT | VARCHAR | NULL | DECIMAL(3,2)\n"
        "-------+---------+------+-------------\n"
        "     0 | x0      | NULL |         1.50\n"
        "     1 | x1      | NULL |         1.50\n"
        "(2 rows)"
    )
    assert result.fetchone() == (0, "x0", None, result.fetchall()[0][3]), "to show rows fetches none"
    assert repr(connection.execute("SELECT 1 AS one WHERE FALSE")).splitlines()[-1] == "(0 rows)"
    assert repr(connection.execute("CREATE TABLE t (k INTEGER)")) == "<Result: no columns>"
    assert repr(connection.execute("INSERT INTO t VALUES (1)")) == "<Result: 1 row changed>"
    assert repr(connection.execute("EXPLAIN SELECT k FROM t")).startswith("-> ")


def test_text_is_bounded(connection: minisql.Connection) -> None:
    columns = ", ".join(f"range AS c{n}" for n in range(100))
    text = repr(connection.execute(f"SELECT repeat('long\n', 1000) AS \"a\nb\", {columns} FROM range(5000)"))
    lines = text.splitlines()
    assert lines[-1] == "(5,000 rows, the first 10 shown; 101 columns, the first 12 shown)"
    assert len(lines) == 14
    assert max(map(len, lines)) < 200
    assert "long\\nlong" in text


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    tags.close()
    return tags


def test_html_is_escaped(connection: minisql.Connection) -> None:
    evil = "</td><script>alert('x')</script> & \"q\""
    result = connection.sql('SELECT s AS "<b>name</b>", 1.5 AS n, NULL AS z FROM r', r={"s": [evil]})
    html = parsed(result._repr_html_())
    assert set(html.tags) == {"table", "thead", "tbody", "tr", "th", "td", "br", "small", "i", "p"}
    assert html.text == ["<b>name</b>", "VARCHAR", "n", "DECIMAL(2,1)", "z", "NULL", evil, "1.5", "NULL", "1 row"]


def test_html_is_bounded(connection: minisql.Connection) -> None:
    columns = ", ".join(f"range AS c{n}" for n in range(100))
    html = parsed(connection.execute(f"SELECT repeat('long', 100000) AS s, {columns} FROM range(50000)")._repr_html_())
    assert html.tags.count("tr") == 41
    assert html.tags.count("th") == 41
    assert html.text[-1] == "50,000 rows, the first 40 shown; 101 columns, the first 40 shown"
    assert sum(map(len, html.text)) < 50_000


def test_html_of_what_has_no_rows(connection: minisql.Connection) -> None:
    assert connection.execute("CREATE TABLE t (k INTEGER)")._repr_html_() == "<pre>&lt;Result: no columns&gt;</pre>"
    html = connection.execute("EXPLAIN SELECT k FROM t WHERE k < 2")._repr_html_()
    assert html.startswith("<pre>-&gt; ")
    assert "k &lt; 2" in html
    planned = connection.plan("SELECT k FROM t WHERE k < 2")
    assert parsed(planned._repr_html_()).text == [planned.explain()]
    assert repr(planned) == planned.explain()


# --- objects of the program -------------------------------------------------------------------------------------------

OBJECTS = [
    pa.table({"k": [1, 2]}),
    pa.table({"k": [1, 2]}).to_batches()[0],
    pd.DataFrame({"k": [1, 2]}),
    pl.DataFrame({"k": [1, 2]}),
    pl.DataFrame({"k": [1, 2]}).lazy().collect(),
    Stream(pa.table({"k": [1, 2]})),
    ArrowArray(pa.table({"k": [1, 2]}).to_batches()[0]),
    {"k": [1, 2]},
    {"k": np.array([1, 2])},
    {"k": pd.Series([1, 2])},
    [{"k": 1}, {"k": 2}],
]


@pytest.mark.parametrize("data", OBJECTS, ids=lambda data: type(data).__name__)
def test_objects_for_one_query(connection: minisql.Connection, data: object) -> None:
    connection.execute("CREATE TABLE t (k INTEGER)")
    for _ in range(2):
        assert connection.sql("SELECT sum(k) FROM R", r=data).fetchone() == (3,)
    with pytest.raises(minisql.ProgrammingError, match='no table "r"'):
        connection.execute("SELECT sum(k) FROM R")
    assert connection.sql("INSERT INTO t SELECT k + ? FROM r", [10], r=data).rowcount == 2
    assert connection.sql("SELECT sum(k) FROM T", t=data).fetchone() == (3,), "it hides the table"
    assert connection.sql("SELECT sum(k) FROM t").fetchone() == (23,)
    assert connection.sql("SELECT sum(k) FROM t; SELECT min(x.k) FROM x, y", x=data, y=data).fetchone() == (1,)


def test_views_see_objects_too(connection: minisql.Connection) -> None:
    connection.register("r", {"k": [1]})
    connection.execute("CREATE VIEW v AS SELECT k FROM r")
    assert connection.sql("SELECT k FROM v", r={"k": [2]}).fetchone() == (2,)
    assert connection.sql("SELECT k FROM v").fetchone() == (1,)


@pytest.mark.parametrize("data", [5, "text", None, [1, 2], [], {}, {1: [2]}, object(), pa.Table, np.zeros((2, 2))])
def test_objects_that_are_no_tables(connection: minisql.Connection, data: object) -> None:
    for use in (lambda: connection.sql("SELECT * FROM r", r=data), lambda: connection.register("r", data)):
        with pytest.raises(minisql.InterfaceError, match=r"it has no Arrow interface\. Register a data frame"):
            use()


@pytest.mark.parametrize("data", [pa.array([1]), {"k": [1, 2], "n": [1]}, {"k": [1, "x"]}, {"k": 5}])
def test_data_that_is_no_table(connection: minisql.Connection, data: object) -> None:
    with pytest.raises(minisql.InterfaceError, match="data is no table"):
        connection.register("r", data)


def test_names_of_registered_objects(connection: minisql.Connection) -> None:
    for name in ("", None, 5):
        for use in (
            lambda name: connection.register(name, {"k": [1]}), connection.unregister, connection.remove_function
        ):  # fmt: skip
            with pytest.raises(minisql.InterfaceError, match="A name is a str"):
                use(name)  # type: ignore[arg-type]
    with pytest.raises(minisql.InterfaceError, match="Nothing is registered"):
        connection.unregister("r")


# --- variables as tables ----------------------------------------------------------------------------------------------

GLOBAL = {"k": [1]}
global_frame = pl.DataFrame({"k": [100]})


def test_variables_are_no_tables_unless_asked_for(connection: minisql.Connection) -> None:
    frame = pl.DataFrame({"k": [1]})
    with pytest.raises(minisql.ProgrammingError, match='no table "frame"'):
        connection.execute("SELECT * FROM frame")
    assert frame.height == 1


def test_variables_as_tables() -> None:
    connection = minisql.connect(scan_frames=True)
    frame = pl.DataFrame({"k": [1, 2]})
    upperCase = pa.table({"k": [5]})  # noqa: N806
    number = 7
    query = "SELECT sum(k) FROM frame"
    assert connection.execute(query).fetchone() == (3,)
    assert connection.sql(query).fetchone() == (3,)
    assert connection.cursor().execute(query).fetchone() == (3,)
    assert next(connection.execute_script(query)).fetchone() == (3,)
    assert connection.prepare(query).execute().fetchone() == (3,)
    assert connection.plan(query).execute().fetchone() == (3,)
    assert connection.execute("SELECT k FROM uppercase JOIN upperCase AS u USING (k)").fetchone() == (5,)
    assert connection.execute("SELECT k FROM global_frame").fetchone() == (100,)
    connection.execute("CREATE TABLE t AS SELECT k FROM frame; INSERT INTO t SELECT k + 10 FROM frame")
    assert connection.execute("SELECT sum(k) FROM t").fetchone() == (26,)
    frame = pl.DataFrame({"k": [7]})  # noqa: F841
    assert connection.execute(query).fetchone() == (7,), "a plan with a variable is not kept"
    assert (lambda frame: connection.execute(query))(pa.table({"k": [0]})).fetchone() == (0,)
    connection.execute("CREATE TABLE frame AS SELECT 1000 AS k")
    assert connection.execute(query).fetchone() == (1000,), "tables hide variables"
    for name in ("number", "pa", "nothing", "connection", "GLOBAL"):
        with pytest.raises(minisql.ProgrammingError, match="no table"):
            connection.execute(f"SELECT * FROM {name}")
    assert (number, upperCase.num_rows) == (7, 1)


def test_a_stream_in_a_variable_is_read_once_for_all_its_uses() -> None:
    stream = pa.table({"k": [1, 2]}).to_reader()
    connection = minisql.connect(scan_frames={"stream": stream})
    query = "SELECT count(*) FROM stream AS a, stream AS b WHERE EXISTS (SELECT 1 FROM stream)"
    assert connection.execute(query).fetchone() == (4,)


def test_where_variables_may_be_looked_for() -> None:
    with pytest.raises(minisql.InterfaceError, match="scan_frames is True, False or a mapping"):
        minisql.connect(scan_frames=5)  # type: ignore[arg-type]


def test_variables_of_a_mapping() -> None:
    variables: dict[str, object] = {}
    connection = minisql.connect(scan_frames=variables)
    with pytest.raises(minisql.ProgrammingError, match="no table"):
        connection.execute("SELECT * FROM x")
    variables["x"] = pa.table({"k": [1]})
    assert connection.execute("SELECT * FROM x").fetchone() == (1,)


def test_more_rows_than_any_list_has_may_be_asked_for() -> None:
    with minisql.connect() as connection:
        assert connection.execute("SELECT 1").fetchmany(10**30) == [(1,)]


@pytest.mark.parametrize("type_", [pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC")])
def test_a_date_that_python_does_not_have_is_an_error_when_it_is_fetched(type_: pa.DataType) -> None:
    number = pa.int32() if type_ == pa.date32() else pa.int64()
    far = pa.array([None, 2 ** (number.bit_width - 2)], number).cast(type_)
    near = pa.array([None, 0], number).cast(type_)
    with minisql.connect() as connection:
        result = connection.sql("SELECT x FROM far", far=pa.table({"x": far}))
        for fetch in (result.fetchall, result.fetchone, result.fetchmany, lambda: list(result), result.fetchall):
            with pytest.raises(minisql.DataError, match="1 to 9999"):
                fetch()
        assert "(2 rows)" in repr(result)
        assert "2 rows" in result._repr_html_()
        assert result.arrow()["x"].equals(pa.chunked_array([far]))
        assert len(connection.sql("SELECT x FROM near", near=pa.table({"x": near})).fetchall()) == 2


def test_polars_has_no_intervals() -> None:
    with minisql.connect() as connection, pytest.raises(minisql.InterfaceError, match='INTERVAL "i"'):
        connection.execute("SELECT INTERVAL '1' DAY AS i").pl()
