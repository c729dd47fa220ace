"""The kinds of immutable data that stages hand to each other: nodes, nodes that are values, and other values.

All are dataclasses with slots, and frozen for the type checker only: assigning to a field is an error of mypy. A
dataclass that is frozen at run time takes twice as long to make, and its instances, which planning makes by the
thousand, take five times as long. The fields of nodes are given by name.

What `dataclass` writes and compiles for a class is most of what it costs to load one, and a statement makes instances
of few of the two hundred: `__init__`, `__eq__` and `__hash__` are made when they are first called. What programs see is
frozen in earnest, by `dataclass` itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True, eq_default=False, field_specifiers=(field,))
def node(cls: type[T]) -> type[T]:
    """A class whose instances are compared by identity: two plans are the same only if they are one object."""
    return _made(cls, ["__init__"])


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def value_node(cls: type[T]) -> type[T]:
    """A class whose instances are equal where their fields are, and can be keys of dictionaries."""
    return _made(cls, ["__init__", "__eq__", "__hash__"])


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """The same with fields that may be given by place, for small values."""
    return _made(cls, ["__init__", "__eq__", "__hash__"], kw_only=False)


def _made(cls: type[T], methods: Sequence[str], *, kw_only: bool = True) -> type[T]:
    cls.__doc__ = cls.__doc__ or cls.__name__  # without one, `dataclass` would look at the signature to write it
    made = dataclass(init=False, slots=True, kw_only=kw_only, eq=False, repr=False)(cls)
    if made.__repr__ is object.__repr__:
        made.__repr__ = _repr  # type: ignore[method-assign]  # one function for all, which need not be compiled for each
    for name in methods:
        setattr(made, name, _made_when_called(made, name, methods))
    return made


def _made_when_called(cls: type, name: str, methods: Sequence[str]) -> Any:
    """A method that puts those of `dataclass` into the class, in its own place, too, and calls the one of its name."""

    def method(self: object, /, *arguments: object, **values: object) -> object:
        # A subclass inherits the fields, so that `dataclass` writes for it what it would have written for the class.
        # Only with slots does `__init__` set a field that it does not take.
        below = type(cls.__name__, (cls,), {"__doc__": cls.__doc__, "__qualname__": cls.__qualname__})
        is_value = "__eq__" in methods
        twin: type = dataclass(slots=True, eq=is_value, repr=False, unsafe_hash=is_value)(below)
        for each in methods:
            setattr(cls, each, twin.__dict__[each])
        return getattr(cls, name)(self, *arguments, **values)

    return method


def _repr(self: object) -> str:
    shown = [
        f"{each.name}={getattr(self, each.name)!r}"
        for each in fields(self)  # type: ignore[arg-type]  # it is a dataclass
        if each.repr
    ]
    return f"{type(self).__name__}({', '.join(shown)})"
