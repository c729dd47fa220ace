"""Scalar functions that a program brings with it: `Connection.create_function`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minisql.datatypes import SqlType


@dataclass(frozen=True, slots=True, eq=False)
class UserFunction:
    """A function, the types of its arguments and of its result. It is equal only to itself.

    `strict`, `volatile` and `total` mean what they mean of a `Function`. `compute` is called with an Arrow array for
    each argument and gives an array, or, where it is not `vectorized`, with the Python values of a row, and gives one.
    """

    name: str
    compute: Callable[..., Any]
    arguments: tuple[SqlType, ...]
    result: SqlType
    vectorized: bool = True
    strict: bool = True
    volatile: bool = False
    total: bool = False

    @property
    def signature(self) -> str:
        """How it is written: `hypotenuse(DOUBLE, DOUBLE)`."""
        return f"{self.name}({', '.join(map(str, self.arguments))})"
