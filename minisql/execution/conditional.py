"""CASE and COALESCE: an alternative is evaluated on the rows that reach it and on no other.

So `CASE WHEN x <> 0 THEN 1 / x END` does not raise. The parts, each over some of the rows, are then put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from minisql.columnar.column import Array, Batch, Bounds, Column, StringPool, all_null
from minisql.datatypes import SqlType
from minisql.execution import logic
from minisql.execution.operand import Operand, evaluate, is_null_constant, repeated


def case(branches: Sequence[tuple[Operand, Operand]], otherwise: Operand, type_: SqlType) -> Operand:
    """CASE WHEN branches[0][0] THEN branches[0][1] ... ELSE otherwise END."""
    reachable: list[tuple[Operand, Operand]] = []
    for condition, result in branches:
        if isinstance(condition, Column):
            if logic.is_true(condition)[0]:
                otherwise = result
                break
        else:
            reachable.append((condition, result))
    if not reachable:
        return otherwise
    return partial(_case, reachable, otherwise, _Assembly(type_))


def _case(branches: Sequence[tuple[Operand, Operand]], otherwise: Operand, assembly: _Assembly, batch: Batch) -> Column:
    parts: list[tuple[Array | None, Column]] = []
    rest: Array | None = None  # None: all rows of the batch
    remaining = batch
    for condition, result in branches:
        true = logic.is_true(evaluate(condition, remaining))
        hits = np.flatnonzero(true)
        if len(hits) == len(remaining):
            parts.append((rest, _column(result, remaining)))
            return assembly.put_together(parts, len(batch))
        if len(hits):
            parts.append((hits if rest is None else rest.take(hits), _column(result, remaining.select(hits))))
            misses = np.flatnonzero(~true)
            rest = misses if rest is None else rest.take(misses)
            remaining = remaining.select(misses)
    parts.append((rest, _column(otherwise, remaining)))
    return assembly.put_together(parts, len(batch))


def coalesce(operands: Sequence[Operand], type_: SqlType) -> Operand:
    """The first operand that is not NULL."""
    reachable: list[Operand] = []
    for operand in operands:
        if is_null_constant(operand):
            continue
        reachable.append(operand)
        if isinstance(operand, Column):
            break
    if not reachable:
        return all_null(type_, 1)
    if len(reachable) == 1:
        return reachable[0]
    return partial(_coalesce, reachable, _Assembly(type_))


def _coalesce(operands: Sequence[Operand], assembly: _Assembly, batch: Batch) -> Column:
    parts: list[tuple[Array | None, Column]] = []
    rest: Array | None = None
    remaining = batch
    for operand in operands[:-1]:
        column = evaluate(operand, remaining)
        if column.valid is None:
            parts.append((rest, column))
            return assembly.put_together(parts, len(batch))
        known = np.flatnonzero(column.valid)
        if len(known):
            parts.append((known if rest is None else rest.take(known), column.take(known)))
            missing = np.flatnonzero(~column.valid)
            if len(missing) == 0:
                return assembly.put_together(parts, len(batch))
            rest = missing if rest is None else rest.take(missing)
            remaining = remaining.select(missing)
    parts.append((rest, _column(operands[-1], remaining)))
    return assembly.put_together(parts, len(batch))


def _column(operand: Operand, batch: Batch) -> Column:
    """The operand on every row alive, or the constant that it is."""
    return operand if isinstance(operand, Column) else operand(batch)


class _Assembly:
    """Puts columns over parts of the rows together. Keeps the merged pool of strings from one batch to the next."""

    def __init__(self, type_: SqlType) -> None:
        self._type = type_
        self._merged: tuple[tuple[StringPool, ...], StringPool, list[Array]] | None = None

    def put_together(self, parts: Sequence[tuple[Array | None, Column]], length: int) -> Column:
        """`parts` are columns, or constants, with the rows where their values belong; together these are all rows."""
        if len(parts) == 1:
            column = parts[0][1]
            return column if len(column) == length else repeated(column, length)
        columns = [column for _, column in parts]
        pool = None
        if columns[0].pool is not None:
            columns, pool = self._in_one_pool(columns)
        values = np.empty(length, np.result_type(*[column.values for column in columns]))
        valid = None if all(column.valid is None for column in columns) else np.ones(length, np.bool_)
        for (rows, _), column in zip(parts, columns, strict=True):
            values[rows] = column.values
            if valid is not None and column.valid is not None:
                valid[rows] = column.valid
        return Column(self._type, values, valid, pool, _union_of_bounds(columns))

    def _in_one_pool(self, columns: Sequence[Column]) -> tuple[list[Column], StringPool]:
        from minisql.columnar import strings

        columns = [strings.compacted(column) for column in columns]
        pools = tuple({id(pool): pool for pool in map(strings.pool_of, columns)}.values())
        if len(pools) == 1:
            return list(columns), pools[0]
        merged = self._merged
        if merged is None or merged[0] != pools:
            merged = self._merged = (pools, *strings.merged_pool(pools))
        codes = {id(pool): mapping for pool, mapping in zip(pools, merged[2], strict=True)}
        return [Column(c.type, codes[id(c.pool)].take(c.values), c.valid, merged[1]) for c in columns], merged[1]


def _union_of_bounds(columns: Sequence[Column]) -> Bounds | None:
    """The bounds of all the columns, of which those that are all NULL have none and need none."""
    bounds = [column.bounds for column in columns if column.bounds is not None]
    unknown = [column for column in columns if column.bounds is None]
    if not bounds or not all(column.valid is not None and not column.valid.any() for column in unknown):
        return None
    return min(low for low, _ in bounds), max(high for _, high in bounds)
