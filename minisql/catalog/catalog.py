"""The names of a database: its tables, views and registered objects.

Everything in the catalog is immutable, so a statement that has looked something up keeps what it found whatever others
do. A change is one call that puts a new object in the place of the old one, or an error that changes nothing. As an
interrupt may come between any two steps of a change, the version grows first, and what others see is set in one step.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

from minisql.catalog.files import Files
from minisql.catalog.table import Table
from minisql.errors import InterfaceError, did_you_mean
from minisql.expression.user_function import UserFunction

ViewT = TypeVar("ViewT")


class Snapshot(NamedTuple, Generic[ViewT]):
    """What `Catalog.snapshot` has seen: entries with their names, and which of them are registered objects."""

    entries: Mapping[str, tuple[str, Table | ViewT]]
    registered: frozenset[str]


class Catalog(Generic[ViewT]):
    """Tables and views by name, whatever the case of its letters; what a view is only its users know. Thread-safe."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[str, Table | ViewT]] = {}
        self._registered: set[str] = set()
        self._lock = threading.Lock()
        self._version = 0
        self.functions: Mapping[str, UserFunction] = {}
        """The functions of the program, by names in lower case."""
        self.files = Files()
        """Tables that are files, by path."""

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        return self._version

    def find(self, name: str) -> Table | ViewT | None:
        """The table or view with this name."""
        entry = self._entries.get(name.lower())
        return None if entry is None else entry[1]

    def names(self) -> Sequence[str]:
        """The names of all tables and views, sorted."""
        return sorted(name for name, _ in list(self._entries.values()))

    def put(self, name: str, entry: Table | ViewT) -> None:
        """Gives the name to a table or view, whatever had it before."""
        key = name.lower()
        with self._lock:
            self._version += 1
            if key in self._registered:
                self._registered.discard(key)
            self._entries[key] = (name, entry)

    def remove(self, name: str) -> None:
        """Takes away the table or view with this name, if there is one."""
        with self._lock:
            if name.lower() in self._entries:
                self._version += 1
                self._registered.discard(name.lower())
                del self._entries[name.lower()]

    def change(self, new: Mapping[str, Table | ViewT], removed: Sequence[str] = ()) -> None:
        """Takes names away and then puts new tables and views, all in one step."""
        with self._lock:
            self._version += 1
            gone = {name.lower() for name in (*removed, *new)}
            kept = {key: entry for key, entry in self._entries.items() if key not in gone}
            self._registered -= gone
            self._entries = {**kept, **{name.lower(): (name, entry) for name, entry in new.items()}}

    def snapshot(self) -> Snapshot[ViewT]:
        """All the names as they are now."""
        with self._lock:
            return Snapshot(dict(self._entries), frozenset(self._registered))

    def restore(self, snapshot: Snapshot[ViewT]) -> None:
        """Makes all the names what they were."""
        with self._lock:
            self._version += 1
            self._entries, self._registered = dict(snapshot.entries), set(snapshot.registered)

    def tables(self) -> Sequence[tuple[str, Table | ViewT]]:
        """All tables and views with their names, sorted by name."""
        return sorted(self._entries.values(), key=itemgetter(0))

    def register(self, name: str, table: Table) -> None:
        """Gives the name to a registered object.

        Raises:
            InterfaceError: a stored table or a view has the name.
        """
        with self._lock:
            if name.lower() in self._entries and name.lower() not in self._registered:
                raise InterfaceError(f'"{name}" is a stored table or a view already; drop it or take another name.')
            self._version += 1
            self._entries[name.lower()] = (name, table)
            self._registered.add(name.lower())

    def add_function(self, function: UserFunction) -> None:
        """Takes a function of the program.

        Raises:
            InterfaceError: there is one of this name.
        """
        with self._lock:
            if function.name in self.functions:
                raise InterfaceError(f"{function.name} is a function already; remove it first.")
            self._version += 1
            self.functions = {**self.functions, function.name: function}

    def remove_function(self, name: str) -> None:
        """Forgets a function of the program.

        Raises:
            InterfaceError: there is none of this name.
        """
        with self._lock:
            if name.lower() not in self.functions:
                hint = did_you_mean(name, self.functions)
                raise InterfaceError(" ".join(filter(None, (f"No function {name} was created.", hint))))
            kept = {each: function for each, function in self.functions.items() if each != name.lower()}
            self._version += 1
            self.functions = kept

    def unregister(self, name: str) -> None:
        """Forgets a registered object.

        Raises:
            InterfaceError: nothing is registered under the name.
        """
        with self._lock:
            if name.lower() not in self._registered:
                raise InterfaceError(f'Nothing is registered as "{name}".')
            self._version += 1
            del self._entries[name.lower()]
            self._registered.discard(name.lower())
