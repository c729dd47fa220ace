"""The history of the shell: whole statements, however many lines they have, kept between runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from minisql.catalog.paths import user_path


def history_file() -> Path | None:
    """$MINISQL_HISTORY, or else a file in the user's state folder; None, for no history, where the variable is empty.

    Nor is there one where nobody knows the user's folder, as in some containers.
    """
    named = os.environ.get("MINISQL_HISTORY")
    if named is not None:
        return user_path(named).absolute() if named else None  # which `.cd` does not change
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        state = os.environ.get("XDG_STATE_HOME", "")
        folder = Path(state) if state.startswith("/") else user_path("~/.local/state")
    return folder / "minisql" / "history" if folder.is_absolute() else None


def open_history() -> History:
    """The history in the user's file, or in memory where there is none or it cannot be written, which is told."""
    file = history_file()
    if file is None:
        return InMemoryHistory()
    try:
        if file.exists() and not file.is_file() and not file.is_dir():
            return InMemoryHistory()  # /dev/null
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # statements may have secrets in them
    except OSError as error:
        sys.stderr.write(f"minisql: {file}: {error.strerror}: there is no history. MINISQL_HISTORY names its file.\n")
        return InMemoryHistory()
    return StatementHistory(str(file))


class StatementHistory(FileHistory):
    """A file of statements. That it can no longer be written does not disturb the user's work, and is told once."""

    _is_told = False

    def load_history_strings(self) -> Iterable[str]:
        """The statements, the newest first."""
        try:
            return list(super().load_history_strings())
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        """Adds a statement."""
        try:
            super().store_string(string)
        except OSError as error:
            if not self._is_told:
                file = os.fsdecode(self.filename)
                sys.stderr.write(f"minisql: {file}: {error.strerror}: statements are no longer kept.\n")
            self._is_told = True
