"""Union-find: things in parts, of which any two can be made one."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Partition(Generic[T]):
    """Parts of things; what was never joined with anything is a part of its own."""

    def __init__(self) -> None:
        self._above: dict[T, T] = {}

    def find(self, thing: T) -> T:
        """The one that stands for the part of this thing."""
        above = self._above
        while (parent := above.get(thing, thing)) != thing:
            above[thing] = above.get(parent, parent)
            thing = parent
        return thing

    def join(self, first: T, second: T) -> bool:
        """Makes the parts of two things one; returns whether they were two."""
        first, second = self.find(first), self.find(second)
        if first == second:
            return False
        self._above[first] = second
        return True
