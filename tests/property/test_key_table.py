"""The tables of keys against a Python dictionary."""

from __future__ import annotations

import datetime
import math
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minisql.columnar.column import Array, Column, StringPool
from minisql.columnar.python_values import from_values
from minisql.datatypes import (
    BIGINT,
    BLOB,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    INTERVAL,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    VARCHAR,
    SqlType,
    decimal,
)
from minisql.execution.kernels import key_states, string_table, string_words
from minisql.execution.kernels.hash_table import HashTable
from minisql.execution.kernels.key_states import next_state
from minisql.execution.kernels.key_table import KeyTable
from minisql.execution.kernels.lookup_table import LookupTable
from minisql.execution.kernels.string_table import ABSENT, StringTable
from minisql.expression.nodes import Value
from minisql.interval import Interval

BIG = 2**63
VALUES: dict[SqlType, st.SearchStrategy[Value]] = {
    INTEGER: st.integers(-3, 3) | st.sampled_from([-(2**31), 2**31 - 1]),
    BIGINT: st.integers(-3, 3) | st.sampled_from([-BIG, BIG - 1, 2**40, -(2**40)]) | st.integers(-BIG, BIG - 1),
    BOOLEAN: st.booleans(),
    DOUBLE: st.sampled_from([0.0, -0.0, 1.5, -1.5, math.inf, -math.inf, math.nan, 1e300]),
    decimal(10, 2): st.decimals(-2, 2, places=2),
    decimal(38, 1): st.sampled_from([Decimal(0), Decimal("1.5"), Decimal(10**30), Decimal(-(10**30)), Decimal(10**18)]),
    VARCHAR: st.sampled_from(["", "a", "b", "ab", "a\0", "abcdefgh", "abcdefghi", "x" * 1030, "é" * 9]),
    DATE: st.dates(datetime.date(2020, 1, 1), datetime.date(2020, 1, 4)) | st.just(datetime.date(1, 1, 1)),
    TIMESTAMP: st.datetimes(),
    TIME: st.times(),
    TIMESTAMPTZ: st.datetimes(timezones=st.just(datetime.UTC)),
    INTERVAL: st.sampled_from([Interval(1), Interval(0, 30), Interval(0, 29, 86_400_000_000), Interval(0, 0, -1)]),
    BLOB: st.sampled_from([b"", b"\xff", b"a", b"\xff\0", b"\xff" * 9]),
}


def normal(value: Value) -> Value:
    """Equal for values that are equal as keys."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value + 0.0
    if isinstance(value, Interval):
        return value.length
    return value


@st.composite
def keys(draw: st.DrawFn) -> tuple[list[SqlType], list[bool], list[list[list[Value]]]]:
    """Types, which NULLs are equal, and batches of columns."""
    types = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4))
    nulls_equal = [draw(st.booleans()) for _ in types]
    batches = []
    for _ in range(draw(st.integers(1, 4))):
        length = draw(st.integers(1, 12))
        column = [st.lists(VALUES[type_] | st.none(), min_size=length, max_size=length) for type_ in types]
        batches.append([draw(values) for values in column])
    return types, nulls_equal, batches


@settings(deadline=None)
@given(keys(), st.integers(0, 20), st.sampled_from(["as it comes", "no lookup tables", "hashed"]))
def test_ids_are_those_of_a_dictionary(
    drawn: tuple[list[SqlType], list[bool], list[list[list[Value]]]], expected: int, limits: str
) -> None:
    types, nulls_equal, batches = drawn
    with pytest.MonkeyPatch.context() as patch:
        if limits != "as it comes":
            patch.setattr(key_states, "is_dense", lambda total, rows: False)
        if limits == "hashed":
            patch.setattr(key_states, "_MOST_CODES", 0)
        table = KeyTable(types, nulls_equal, expected)
        known: dict[tuple[Value, ...], int] = {}
        for batch in batches:
            columns = [from_values(values, type_) for values, type_ in zip(batch, types, strict=True)]
            rows = [tuple(map(normal, row)) for row in zip(*batch, strict=True)]
            comparable = [
                all(equal or value is not None for value, equal in zip(row, nulls_equal, strict=True)) for row in rows
            ]
            before = [known.get(row, -1) if usable else -1 for row, usable in zip(rows, comparable, strict=True)]
            assert table.lookup(columns).tolist() == before
            wanted, new_rows = [], []
            for number, (row, usable) in enumerate(zip(rows, comparable, strict=True)):
                if usable and row not in known:
                    new_rows.append(number)
                wanted.append(known.setdefault(row, len(known)) if usable else -1)
            if all(nulls_equal):
                ids, fresh = table.insert_and_tell_new(columns)
                assert (ids.tolist(), fresh.tolist()) == (wanted, new_rows)
            else:
                assert table.insert(columns).tolist() == wanted
            assert table.lookup(columns).tolist() == wanted
            assert len(table) == len(known)


@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=50), min_size=1, max_size=5), st.integers(0, 40))
def test_both_tables_number_keys_in_order_of_appearance(batches: list[list[int]], expected: int) -> None:
    tables = [(HashTable(expected), 2**58), (LookupTable(31), 1)]
    known: dict[int, int] = {}
    for batch in batches:
        wanted = [known.setdefault(key, len(known)) for key in batch]
        for table, factor in tables:
            assert table.insert(np.array(batch) * factor)[0].tolist() == wanted
            assert table.keys().tolist() == [key * factor for key in known]
            everything = np.arange(31) * factor
            assert table.lookup(everything).tolist() == [known.get(key, -1) for key in range(31)]


def test_a_hash_table_survives_keys_that_share_a_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HashTable, "_first_slots", lambda self, keys: np.zeros(len(keys), np.int64))
    table = HashTable()
    keys = np.arange(300) * 7
    assert table.insert(keys)[0].tolist() == list(range(300))
    assert table.insert(keys[::-1])[0].tolist() == list(range(300))[::-1]
    assert table.lookup(keys + 1).tolist() == [-1] * 300


def pool(strings: list[str], distinct: bool = False) -> StringPool:
    # A slice of a longer array: offsets do not start at 0.
    array = pa.array(["before", *strings, "after"], pa.large_string()).slice(1, len(strings))
    return StringPool(array, distinct)


@pytest.mark.parametrize("distinct", [False, True])
def test_strings_with_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch, distinct: bool) -> None:
    real = string_words.hash_strings

    def weak(strings: string_words.StringBytes, codes: Array, seed: int) -> Array:
        return real(strings, codes, seed) if seed else np.zeros(len(codes), np.int64)

    monkeypatch.setattr(string_table, "hash_strings", weak)
    table = StringTable()
    assert table.insert(pool(["one"]), np.array([0, 0])).tolist() == [0, 0]
    assert table.lookup(pool(["two", "one"], distinct), np.array([0, 1])).tolist() == [ABSENT, 0]
    assert table.insert(pool(["two", "one", "three"], distinct), np.array([0, 1, 2])).tolist() == [1, 0, 2]
    assert table.lookup(pool(["three", "four", "two"], distinct), np.array([0, 1, 2])).tolist() == [2, ABSENT, 1]


def test_rows_with_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    real = key_states.HashedState._hashes
    monkeypatch.setattr(key_states, "_MOST_CODES", 0)
    monkeypatch.setattr(key_states, "is_dense", lambda total, rows: False)
    monkeypatch.setattr(
        key_states.HashedState,
        "_hashes",
        lambda self, values: real(self, values) if self._seed else np.zeros(len(values[0][0]), np.int64),
    )
    table = KeyTable([BIGINT, BIGINT], [True, True])

    def columns(*rows: tuple[int | None, int]) -> list[Column]:
        return [from_values([row[place] for row in rows], BIGINT) for place in range(2)]

    assert table.insert(columns((1, 2))).tolist() == [0]
    assert table.lookup(columns((2, 1), (1, 2), (None, 2))).tolist() == [-1, 0, -1]
    assert table.insert(columns((2, 1), (1, 2), (None, 2))).tolist() == [1, 0, 2]
    assert table.lookup(columns((None, 2), (2, 1), (None, 1))).tolist() == [2, 1, -1]


def test_keys_in_order_move_to_a_larger_range_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    real = key_states.PackedState.__init__

    def counted(self: key_states.PackedState, *arguments: object) -> None:
        nonlocal calls
        calls += 1
        real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(key_states.PackedState, "__init__", counted)
    table = KeyTable([BIGINT], [True])
    for start in range(0, 100_000, 1_000):
        table.insert([Column(BIGINT, np.arange(start, start + 1_000))])
    assert len(table) == 100_000
    assert calls < 12


@given(st.lists(st.text(max_size=20), min_size=1, max_size=30))
def test_prefix_words_order_as_bytes_do(strings: list[str]) -> None:
    words = string_words.prefix_words(string_words.pool_bytes(pool(strings)), np.arange(len(strings)))
    encoded = [text.encode()[:8].ljust(8, b"\0") for text in strings]
    assert words.tolist() == [int.from_bytes(text, "big") for text in encoded]


def test_several_threads_may_look_up_at_once() -> None:
    count = 20_000
    table = KeyTable([VARCHAR, BIGINT], [False, False])
    strings = pool([f"key{number}" for number in range(count)], distinct=True)
    numbers = np.arange(count)
    columns = [Column(VARCHAR, numbers.astype(np.int32), None, strings), Column(BIGINT, numbers * 2**40)]
    table.insert(columns)
    others = [pool([f"key{number}" for number in range(count)], distinct) for distinct in (True, False)] * 4

    def look_up(other: StringPool) -> bool:
        found = table.lookup([Column(VARCHAR, numbers.astype(np.int32), None, other), columns[1]])
        return found.tolist() == numbers.tolist()

    with ThreadPoolExecutor(4) as workers:
        assert all(workers.map(look_up, others))


def test_keys_in_order_that_come_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a lookup table with room for more is no longer worth it, it must not be made anew for each key."""
    made = 0

    def counted(*arguments: Any) -> Any:
        nonlocal made
        made += 1
        return next_state(*arguments)

    monkeypatch.setattr("minisql.execution.kernels.key_table.next_state", counted)
    table = KeyTable([INTEGER, INTEGER], [True, True])
    for number in range(20_000):
        columns = [Column(INTEGER, np.array([number % 500], np.int32)), Column(INTEGER, np.array([number], np.int32))]
        assert table.insert(columns).tolist() == [number]
    assert made < 60
