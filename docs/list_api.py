"""Writes docs/api.md, the reference of the Python API, from the docstrings of the code.

python docs/list_api.py
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

TARGET: Final = Path(__file__).with_name("api.md")

HEAD: Final = """\
# Python API

This page is made from the docstrings of the code by `python docs/list_api.py`; its examples are run as a test.

`minisql` is a module of PEP 249 (`apilevel` "2.0", `paramstyle` "qmark"), and its `threadsafety` is 2: threads may
share a connection, and take a cursor each.

```python
import minisql

connection = minisql.connect()
connection.execute("CREATE TABLE beer (name VARCHAR, price DECIMAL(6,2))")
connection.executemany("INSERT INTO beer VALUES (?, ?)", [("Pils", "2.50"), ("Stout", "4.20")])
assert connection.execute("SELECT name FROM beer WHERE price > $limit", {"limit": 3}).fetchall() == [("Stout",)]

# Data of the program: anything with an Arrow interface, and dicts of columns.
stock = {"name": ["Pils", "Porter"], "count": [3, 5]}
rows = connection.sql("SELECT * FROM beer FULL JOIN stock USING (name) ORDER BY name", stock=stock)
assert rows.arrow().column("count").to_pylist() == [3, 5, None]

# Functions of the program, computed for many rows at once.
import pyarrow.compute as pc

connection.create_function("shout", lambda text: pc.utf8_upper(text), ["VARCHAR"], "VARCHAR")
assert connection.execute("SELECT shout(name) FROM beer").fetchone() == ("PILS",)
```

In IPython and Jupyter `%load_ext minisql` gives the magics `%sql` and `%%sql` (also called `%minisql`): data frames in
variables are tables there, `$name` is the value of a variable, and `%%sql name <<` puts the result into one. `-c NAME`
before that takes the connection in a variable, which finds data frames if it was opened with `scan_frames`.

## Values

| SQL | Python, in and out | Parameters may also be | Arrow, out |
| --- | --- | --- | --- |
| BOOLEAN | `bool` | `numpy.bool_` | `bool` |
| INTEGER, BIGINT | `int` | integers of numpy | `int32`, `int64` |
| DECIMAL | `decimal.Decimal` | `int` beyond BIGINT | `decimal128` |
| DOUBLE | `float` | floats of numpy | `double` |
| VARCHAR | `str` | `numpy.str_`, `uuid.UUID` | `large_string` |
| BLOB | `bytes` | `bytearray`, `memoryview` | `large_binary` |
| DATE | `datetime.date` | `numpy.datetime64` of days | `date32` |
| TIME | `datetime.time` | | `time64[us]` |
| TIMESTAMP | `datetime.datetime` without a time zone | `numpy.datetime64`, `pandas.Timestamp` | `timestamp[us]` |
| TIMESTAMP WITH TIME ZONE | `datetime.datetime` in UTC | one in any time zone, `pandas.Timestamp` | `timestamp[us, UTC]` |
| INTERVAL | `minisql.Interval` | `datetime.timedelta`, `numpy.timedelta64`, `pandas.Timedelta` | `month_day_nano_interval` |
| LIST | `list` (only out) | | `large_list` |
| NULL | `None` | `pandas.NA`, `pandas.NaT`, `numpy.datetime64("NaT")` | `null` |

Arrow scalars are taken for what they hold; nanoseconds are cut to microseconds. Parameters are `?`, or `$1`, `$2` and so
on, or `$name`; a statement has one kind of them. They stand wherever a value may: in expressions, LIMIT and OFFSET,
INTERVAL ? DAY, for the path of a file in FROM and COPY, for options of COPY, and for the value of SET.

Arrow data comes in as these types, too, and as the nearest one: integers of at most 32 bits are INTEGER, `uint64` is
DECIMAL(20,0), floats are DOUBLE, durations INTERVAL; strings of every layout are VARCHAR, as are UUIDs and JSON; what is
encoded as a dictionary or in runs is what it encodes. Structs, maps and unions are a NotSupportedError.

## Errors

Every error is a `minisql.Error`, as PEP 249 has them, and an attribute of connections, too. A mistake in a statement or
in its data is an `SqlError` with `message`, `span` (its place in the text) and `hint`.

"""  # noqa: E501  (a row of a table is one line)

SECTIONS: Final = {
    "Connections": ("connect", "Connection", "Cursor", "PreparedStatement"),
    "Results and plans": ("Result", "PlannedQuery", "QueryWarning", "Progress"),
    "Errors and places": (
        "Error", "InterfaceError", "DatabaseError", "SqlError", "ProgrammingError", "DataError", "OperationalError",
        "IntegrityError", "NotSupportedError", "InternalError", "Warning", "Span",
    ),
    "Types of PEP 249": (
        "STRING", "BINARY", "NUMBER", "DATETIME", "ROWID", "LIST", "Date", "Time", "Timestamp", "DateFromTicks",
        "TimeFromTicks", "TimestampFromTicks", "Binary", "Interval",
    ),
    "Other functions": ("planner_is_compiled", "load_ipython_extension"),
}  # fmt: skip
"""What is documented, in this order."""

Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


def page() -> str:
    """The text of docs/api.md."""
    parts = [HEAD]
    for title, names in SECTIONS.items():
        parts.append(f"## {title}\n\n")
        for name in names:
            parts += _described(name)
    return "".join(parts).rstrip("\n") + "\n"


def _described(name: str) -> Iterator[str]:
    definition, docstring = _definitions(_module_of(name))[name]
    yield f"### `{_heading(name, definition)}`\n\n{_markdown(docstring)}\n"
    if isinstance(definition, ast.ClassDef):
        for member, (node, text) in _members(definition.body):
            if not text and isinstance(node, ast.AnnAssign):
                continue  # a field that the docstring of the class speaks of, or that is for the curious
            yield f"#### `{name}.{_heading(member, node)}`\n\n{_markdown(text)}\n"


def _module_of(name: str) -> Path:
    """The file in which a public name is defined."""
    import minisql

    module = minisql._LOADED_WHEN_USED.get(name)
    if module is None:
        module = getattr(minisql, name).__module__
    file = import_module(module).__file__
    assert file is not None
    path = Path(file)
    return path if path.suffix == ".py" else path.parent / f"{path.name.partition('.')[0]}.py"


def _definitions(path: Path) -> dict[str, tuple[Definition, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return dict(_members(tree.body))


def _members(body: Sequence[ast.stmt]) -> Iterator[tuple[str, tuple[Definition, str]]]:
    """The public things that are defined in a module or a class, each with its docstring."""
    for place, node in enumerate(body):
        match node:
            case ast.FunctionDef() if any(isinstance(each, ast.Attribute) for each in node.decorator_list):
                pass  # `name.setter`: the property says it
            case ast.FunctionDef() | ast.ClassDef() if not node.name.startswith("_"):
                yield node.name, (node, _docstring(node))
            case ast.FunctionDef(name="__init__"):
                # Attributes that are explained are public.
                yield from _attributes(node.body)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                if not name.startswith("_") and not _is_exception(node):
                    yield name, (node, _text_after(body, place))


def _is_exception(node: ast.Assign | ast.AnnAssign) -> bool:
    """Whether this is an exception that a connection has as an attribute: the class says so for all of them."""
    return isinstance(node.value, ast.Attribute) and ast.unparse(node.value).startswith("errors.")


def _attributes(body: Sequence[ast.stmt]) -> Iterator[tuple[str, tuple[Definition, str]]]:
    for place, node in enumerate(body):
        match node:
            case (
                ast.AnnAssign(target=ast.Attribute(value=ast.Name(id="self"), attr=name))
                | ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)])
            ):
                text = _text_after(body, place)
                if text and not name.startswith("_"):
                    yield name, (node, text)


def _docstring(node: ast.FunctionDef | ast.ClassDef) -> str:
    return ast.get_docstring(node) or ""


def _text_after(body: Sequence[ast.stmt], place: int) -> str:
    match body[place + 1 : place + 2]:
        case [ast.Expr(value=ast.Constant(value=str() as text))]:
            return cleandoc(text)
        case _:
            return ""


def _heading(name: str, node: Definition) -> str:
    if not isinstance(node, ast.FunctionDef) or any(_is_property(each) for each in node.decorator_list):
        return name
    arguments = ast.unparse(node.args)
    arguments = re.sub(r"^self(, )?", "", arguments)
    arguments = re.sub(r"(?<=[\w\]])=(?=\S)", " = ", arguments)
    result = "" if node.returns is None else f" -> {ast.unparse(node.returns)}"
    return f"{name}({arguments}){result}"


def _is_property(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Name) and decorator.id == "property"


def _markdown(docstring: str) -> str:
    """A docstring with its sections (Args, Raises, Returns, Attributes) as lists."""
    lines: list[str] = []
    in_section = False
    for line in docstring.splitlines():
        if re.fullmatch(r"(Args|Raises|Returns|Attributes):", line):
            in_section = line not in ("Returns:",)
            lines += [f"**{line}**", ""]
        elif in_section and (found := re.match(r"    (\w[\w, ]*): (.*)", line)) is not None:
            names = ", ".join(f"`{name.strip()}`" for name in found[1].split(","))
            lines.append(f"- {names}: {found[2]}")
        elif in_section and line.startswith("      "):
            lines.append(f"  {line.strip()}")
        else:
            lines.append(line.strip() if in_section or line.startswith("    ") else line)
    return "\n".join(lines).strip() + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
