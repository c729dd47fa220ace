"""A runner for sqllogictest files (https://sqlite.org/sqllogictest), as PostgreSQL would read them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import minisql

ENGINE = "postgresql"


@dataclass(frozen=True)
class Record:
    """One statement or query of a file; `expected` are the lines below `----`."""

    line: int
    kind: str
    arguments: tuple[str, ...]
    sql: str
    expected: tuple[str, ...]


def read_records(path: Path) -> Iterator[Record]:
    """The records of a file that are meant for us, up to `halt`."""
    lines = path.read_text().splitlines()
    position = 0
    while position < len(lines):
        if not lines[position].strip() or lines[position].startswith("#"):
            position += 1
            continue
        start = position
        block = []
        while position < len(lines) and lines[position].strip():
            block.append(lines[position])
            position += 1
        wanted = True
        while block and block[0].split()[0] in ("skipif", "onlyif"):
            word, engine = block.pop(0).split("#")[0].split()
            wanted = wanted and (engine == ENGINE) == (word == "onlyif")
        if not block or not wanted:
            continue
        kind, *arguments = block[0].split("#")[0].split()
        if kind == "halt":
            return
        if kind == "hash-threshold":
            continue
        body = block[1:]
        cut = body.index("----") if "----" in body else len(body)
        yield Record(start + 1, kind, tuple(arguments), "\n".join(body[:cut]), tuple(body[cut + 1 :]))


def failure(connection: minisql.Connection, record: Record) -> str | None:
    """Runs a record; None where it gives what it should, else what went wrong."""
    if record.kind == "statement":
        wants_error = record.arguments[0] == "error"
        try:
            connection.execute(record.sql)
        except minisql.DatabaseError as error:
            return None if wants_error else f"line {record.line}: {error}"
        return f"line {record.line}: an error was expected" if wants_error else None
    if record.kind != "query":
        return f"line {record.line}: unknown record {record.kind}"
    types = record.arguments[0]
    sort = record.arguments[1] if len(record.arguments) > 1 else "nosort"
    try:
        rows = connection.execute(record.sql).fetchall()
    except minisql.DatabaseError as error:
        return f"line {record.line}: {error}\n{record.sql}"
    found = _lines(rows, types, sort)
    expected = list(record.expected)
    if len(expected) == 1 and "values hashing to" in expected[0]:
        digest = hashlib.md5("".join(f"{line}\n" for line in found).encode()).hexdigest()
        found = [f"{len(found)} values hashing to {digest}"]
    elif sort == "valuesort":
        expected.sort()
    if found == expected:
        return None
    return f"line {record.line}: {record.sql}\nexpected {expected[:60]}\nfound    {found[:60]}"


def _lines(rows: list[tuple[Any, ...]], types: str, sort: str) -> list[str]:
    printed = [[_value(value, type_) for value, type_ in zip(row, types, strict=True)] for row in rows]
    if sort == "rowsort":
        printed.sort()
    lines = [value for row in printed for value in row]
    return sorted(lines) if sort == "valuesort" else lines


def _value(value: Any, type_: str) -> str:
    if value is None:
        return "NULL"
    if type_ == "I":
        return str(int(value))
    if type_ == "R":
        return f"{float(value):.3f}"
    return str(value) or "(empty)"
