"""CASE and COALESCE: an alternative is evaluated on the rows that reach it and on no other.

So `CASE WHEN x <> 0 THEN 1 / x END` does not raise. The parts, each over some of the rows, are then put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from minisql.columnar.column import Array, Batch, Column, StringPool, all_null, concat_columns
from minisql.datatypes import SqlType, TypeKind
from minisql.execution import logic
from minisql.execution.operand import Operand, evaluate, is_null_constant


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
            parts.append((rest, evaluate(result, remaining)))
            return assembly.put_together(parts, len(batch))
        if len(hits):
            parts.append((hits if rest is None else rest.take(hits), evaluate(result, remaining.select(hits))))
            misses = np.flatnonzero(~true)
            rest = misses if rest is None else rest.take(misses)
            remaining = remaining.select(misses)
    parts.append((rest, evaluate(otherwise, remaining)))
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
    parts.append((rest, evaluate(operands[-1], remaining)))
    return assembly.put_together(parts, len(batch))


class _Assembly:
    """Puts columns over parts of the rows together. Keeps the merged pool of strings from one batch to the next."""

    def __init__(self, type_: SqlType) -> None:
        self._type = type_
        self._merged: tuple[tuple[StringPool, ...], StringPool, list[Array]] | None = None

    def put_together(self, parts: Sequence[tuple[Array | None, Column]], length: int) -> Column:
        """`parts` are columns with the rows where their values belong; together these are all rows."""
        if len(parts) == 1:
            return parts[0][1]
        columns = [column for _, column in parts]
        if self._type.kind is TypeKind.VARCHAR:
            columns = self._in_one_pool(columns)
        joined = concat_columns(columns)
        places = np.empty(length, np.intp)
        places[np.concatenate([rows for rows, _ in parts if rows is not None])] = np.arange(length)
        return joined.take(places)

    def _in_one_pool(self, columns: Sequence[Column]) -> list[Column]:
        from minisql.columnar import strings

        columns = [strings.compacted(column) for column in columns]
        pools = tuple({id(pool): pool for pool in map(strings.pool_of, columns)}.values())
        if len(pools) == 1:
            return list(columns)
        if not all(pool.distinct for pool in pools):
            return list(columns)
        merged = self._merged
        if merged is None or merged[0] != pools:
            merged = self._merged = (pools, *strings.merged_pool(pools))
        codes = {id(pool): mapping for pool, mapping in zip(pools, merged[2], strict=True)}
        return [Column(c.type, codes[id(c.pool)].take(c.values), c.valid, merged[1]) for c in columns]
