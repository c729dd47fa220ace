"""Nodes do what the dataclasses do that they are said to be, although their methods are made late."""

from __future__ import annotations

import copy
import pickle
from dataclasses import InitVar, dataclass, field, replace
from typing import Any

import pytest

from minisql.node import node, value_node


@value_node
class Value:
    """A value."""

    a: int
    b: tuple[int, ...] = ()
    c: list[int] = field(default_factory=list, compare=False)
    added: InitVar[int] = 0

    def __post_init__(self, added: int) -> None:
        self.c.append(added)


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class Plain:
    a: int
    b: tuple[int, ...] = ()
    c: list[int] = field(default_factory=list, compare=False)
    added: InitVar[int] = 0

    def __post_init__(self, added: int) -> None:
        self.c.append(added)


@value_node
class Below(Value):
    d: int = 5


@node
class Identity:
    a: int


def test_values_as_dataclasses_do() -> None:
    for arguments in ({"a": 1}, {"a": 1, "b": (2,)}, {"a": 2, "added": 3}, {"a": 1, "c": [7]}):
        value: Any = Value(**copy.deepcopy(arguments))
        plain: Any = Plain(**copy.deepcopy(arguments))
        assert repr(value) == repr(plain).replace("Plain", "Value")
        assert hash(value) == hash(plain)
        assert (value == Value(a=1)) == (plain == Plain(a=1))
        assert repr(replace(value, a=9, added=4)) == repr(replace(plain, a=9, added=4)).replace("Plain", "Value")
    assert Below(a=1) == Below(a=1)
    assert Below(a=1) != Value(a=1)
    assert Below(a=1, d=6).d == 6


def test_a_field_that_no_argument_sets_has_its_default() -> None:
    @value_node
    class Fixed:
        a: int
        kind: str = field(default="fixed", init=False)

    @value_node
    class BelowFixed(Fixed):
        b: int = 0

    assert Fixed(a=1).kind == BelowFixed(a=1, b=2).kind == "fixed"


def test_nodes_are_compared_by_identity() -> None:
    one, other = Identity(a=1), Identity(a=1)
    assert one == one
    assert len({one, other, one}) == 2


@pytest.mark.parametrize("arguments", [((), {}), ((1,), {}), ((), {"a": 1, "z": 2})])
def test_wrong_arguments_are_told_as_a_dataclass_tells_them(arguments: tuple[Any, Any]) -> None:
    texts = []
    for made in (Value, Plain):
        with pytest.raises(TypeError) as caught:
            made(*arguments[0], **arguments[1])
        texts.append(str(caught.value).replace("Plain", "Value"))
    assert texts[0] == texts[1]


def test_a_value_that_no_call_has_made_is_compared_and_hashed() -> None:
    @value_node
    class Fresh:
        a: int

    one, other = object.__new__(Fresh), object.__new__(Fresh)
    one.a = other.a = 3  # type: ignore[misc]
    assert one == other
    assert hash(one) == hash((3,))


def test_copies_and_pickles_are_equal() -> None:
    value = Value(a=1, b=(2, 3))
    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value
