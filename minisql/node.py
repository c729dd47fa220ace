"""The two kinds of immutable data that stages hand to each other: nodes, and nodes that are values.

Both are dataclasses with slots and keyword-only fields, and frozen for the type checker only: assigning to a field is
an error of mypy. A dataclass that is frozen at run time takes twice as long to make, and a hundred of them are a tenth
of the start-up of the command line; its instances, which planning makes by the thousand, take five times as long.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True, eq_default=False, field_specifiers=(field,))
def node(cls: type[T]) -> type[T]:
    """A class whose instances are compared by identity: two plans are the same only if they are one object."""
    made = dataclass(slots=True, kw_only=True, eq=False, repr=False)(cls)
    made.__repr__ = _repr  # type: ignore[method-assign]  # one function for all, which need not be compiled for each
    return made


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def value_node(cls: type[T]) -> type[T]:
    """A class whose instances are equal where their fields are, and can be keys of dictionaries."""
    made = dataclass(slots=True, kw_only=True, unsafe_hash=True, repr=False)(cls)
    made.__repr__ = _repr  # type: ignore[method-assign]
    return made


def _repr(self: object) -> str:
    shown = [
        f"{each.name}={getattr(self, each.name)!r}"
        for each in fields(self)  # type: ignore[arg-type]  # it is a dataclass
        if each.repr
    ]
    return f"{type(self).__name__}({', '.join(shown)})"
