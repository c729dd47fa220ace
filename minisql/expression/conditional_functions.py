"""Conditionals and what else takes values of any type. All but `greatest` and `least` are written out as CASE."""

from __future__ import annotations

from typing import Final

from minisql.datatypes import INTEGER, VARCHAR, SqlType, TypeKind
from minisql.expression.function import Function, Types


def _common(types: Types) -> SqlType:
    return INTEGER if types[-1].kind is TypeKind.NULL else types[-1]


def _of_first(types: Types) -> SqlType:
    return INTEGER if types[0].kind is TypeKind.NULL else types[0]


CONDITIONAL_FUNCTIONS: Final[tuple[Function, ...]] = (
    Function("coalesce(value...)", "c", _common, "The first value that is not NULL.", "coalesce(NULL, 2, 3)", "2",
             strict=False, written_out=True),
    Function("ifnull(value, otherwise)", "cc", _common, "The value, or the other one where it is NULL.",
             "ifnull(NULL, 2)", "2", aliases="nvl", strict=False, written_out=True),
    Function("nullif(value, other)", "aa", _of_first, "NULL where both are equal, else the value, in its type.",
             "nullif(2, 2)", None, strict=False, written_out=True),
    Function("if(condition, then, otherwise)", "bcc", _common, "One or the other value.", "if(1 < 2, 'yes', 'no')",
             "yes", aliases="iff", strict=False, written_out=True),
    Function("nvl2(value, then, otherwise)", "acc", _common, "`then` where the value is not NULL.",
             "nvl2(NULL, 'known', 'unknown')", "unknown", strict=False, written_out=True),
    Function("decode(value, search, result [, more...])", "a", _common,
             "The result behind the first search that the value is not distinct from; a last one for all else.",
             "decode(2, 1, 'one', 2, 'two', 'many')", "two", strict=False, written_out=True),
    Function("greatest(value...)", "c", _common, "The greatest of the values, NULLs left out.",
             "greatest(1, NULL, 3)", "3", strict=False, total=True),
    Function("least(value...)", "c", _common, "The least of the values, NULLs left out.", "least(1, NULL, 3)", "1",
             strict=False, total=True),
    Function("typeof(value)", "a", VARCHAR, "The name of the type.", "typeof(1.5)", "DECIMAL(2,1)",
             aliases="pg_typeof", strict=False, written_out=True),
)  # fmt: skip
