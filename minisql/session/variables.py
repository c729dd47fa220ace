"""Variables of a program as tables, for connections that look for them: `connect(scan_frames=True)`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from minisql.catalog.registered import has_arrow_interface, registered_table
from minisql.catalog.table import Table


def variables_of(namespaces: Sequence[Mapping[str, object]]) -> Callable[[str], Table | None]:
    """Looks names up in namespaces, as they are written or else whatever the case of their letters.

    What is no table to us, such as a module or a number, is passed over. A statement that names an object several times
    reads it once, as a stream can be.
    """
    found: dict[int, Table] = {}

    def find(name: str) -> Table | None:
        for namespace in namespaces:
            candidates = [name] if name in namespace else [each for each in list(namespace) if _same(each, name)]
            for candidate in candidates:
                value = namespace[candidate]
                if has_arrow_interface(value):
                    if id(value) not in found:
                        found[id(value)] = registered_table(candidate, value)
                    return found[id(value)]
        return None

    return find


def namespaces_of_caller() -> list[Mapping[str, object]]:
    """The local and the global variables of the innermost function on the stack that is not ours."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "minisql":
        frame = frame.f_back
    return [] if frame is None else [frame.f_locals, frame.f_globals]


def _same(variable: object, name: str) -> bool:
    return isinstance(variable, str) and variable.lower() == name.lower()
