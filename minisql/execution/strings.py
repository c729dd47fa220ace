"""VARCHAR and BLOB columns in expressions: computing on the pool or on the rows, comparisons, IN, and string functions.

What depends on one string alone is computed once for each string of the pool, where the pool is not much larger than
the rows that ask, and then fetched by code. Otherwise the strings of the rows alive are gathered first. Either way the
work on the bytes is pyarrow's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from minisql.columnar.column import Array, Column, StringPool
from minisql.columnar.strings import gathered, pool_of
from minisql.datatypes import BOOLEAN
from minisql.execution.arithmetic import both_valid
from minisql.execution.comparison import OPERATIONS

StringFunction = Callable[[pa.LargeStringArray], Column]
"""From strings to a column of as many rows."""

_ARROW_COMPARISONS: Final = {
    "=": "equal",
    "<>": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
}


def joined(*parts: pa.LargeStringArray | str, separator: str = "") -> pa.LargeStringArray:
    """The parts of each row, one after the other; a part that is a str is the same in every row."""
    large = [pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*large, pa.scalar(separator, pa.large_string()))


def bools(values: pa.BooleanArray) -> Array:
    """An Arrow array of bools without NULLs as a numpy array."""
    array: Array = values.to_numpy(zero_copy_only=False)
    return array


class PerString:
    """A function of one string, on columns: on the pool where that is less work, and then once for a pool."""

    def __init__(self, function: StringFunction) -> None:
        self._function = function
        self._done: tuple[StringPool, Column] | None = None
        self._asked: tuple[StringPool, int] | None = None

    def __call__(self, column: Column) -> Column:
        """The function of each row's string, NULL where either is. The result may share its pool over batches."""
        pool = pool_of(column)
        done = self._done
        if done is None or done[0] is not pool:
            if not self._is_pool_cheaper(pool, len(column)):
                result = self._function(gathered(column))
                return Column(result.type, result.values, both_valid(result, column), result.pool, result.bounds)
            done = self._done = (pool, _distinct(self._function(pool.strings)) if pool.distinct
                                 else self._function(pool.strings))  # fmt: skip
        result = done[1].take(column.values)
        return Column(result.type, result.values, both_valid(result, column), result.pool, result.bounds)

    def _is_pool_cheaper(self, pool: StringPool, rows: int) -> bool:
        """Whether to compute on the pool: when as many rows have asked for it as it has strings.

        So the work is at most doubled, whatever the number of batches. A pool with a string for each row of a table is
        asked for each of its strings once, and there is nothing to gain over several batches.
        """
        asked = self._asked
        if pool.distinct and asked is not None and asked[0] is pool:
            rows += asked[1]
        self._asked = (pool, rows)
        return len(pool) <= 2 * rows


def _distinct(column: Column) -> Column:
    """A column over the strings of a pool with equal results merged, so that equal codes are equal strings again."""
    if not column.type.is_string:
        return column
    encoded = gathered(column).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return Column(column.type, codes, column.valid, StringPool(encoded.dictionary, distinct=True))


def compare_strings(operator: str, left: Column, right: Column) -> Column:
    """`left operator right` by the bytes of UTF-8."""
    valid = both_valid(left, right)
    if pool_of(left) is pool_of(right) and pool_of(left).distinct and operator in ("=", "<>"):
        return Column(BOOLEAN, OPERATIONS[operator](left.values, right.values), valid)
    compare = getattr(pc, _ARROW_COMPARISONS[operator])
    return Column(BOOLEAN, bools(compare(gathered(left), gathered(right))), valid)


class CompareWithString:
    """`string operator constant` by the bytes of UTF-8."""

    def __init__(self, operator: str, constant: Column) -> None:
        """`constant` has one row, which is not NULL."""
        self._operator = operator
        self._constant = gathered(constant)[0]
        self._compare = getattr(pc, _ARROW_COMPARISONS[operator])
        self._per_string = PerString(self._compare_all)
        self._code: tuple[StringPool, int] | None = None

    def __call__(self, column: Column) -> Column:
        """The comparison, NULL where the string is."""
        pool = pool_of(column)
        if not pool.distinct or self._operator not in ("=", "<>"):
            return self._per_string(column)
        code = self._code
        if code is None or code[0] is not pool:
            # The index is -1, which is no code, where the pool does not have the string.
            code = self._code = (pool, pc.index(pool.strings, self._constant).as_py())
        return Column(BOOLEAN, OPERATIONS[self._operator](column.values, code[1]), column.valid)

    def _compare_all(self, strings: pa.LargeStringArray) -> Column:
        return Column(BOOLEAN, bools(self._compare(strings, self._constant)))


def string_membership(items: Column) -> PerString:
    """Whether strings are among the items, which are not NULL."""
    value_set = gathered(items)
    return PerString(lambda strings: Column(BOOLEAN, bools(pc.is_in(strings, value_set=value_set))))
