"""`%load_ext minisql`: SQL in the cells of IPython and Jupyter.

    %sql SELECT 1 + 1
    %%sql [-c CONNECTION] [NAME <<]
    SELECT * FROM frame WHERE k = $key

Data frames in variables are tables, and `$name` is the value of a variable. The result of the last statement is
shown, or put into the variable NAME. The magics have a connection of their own, or use that in the variable CONNECTION.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from minisql.errors import Error, InterfaceError
from minisql.parser.parse import parse_statements
from minisql.session.connection import Connection, connect
from minisql.session.prepared import PreparedStatement
from minisql.session.result import Result

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_OPTIONS: Final = re.compile(r"\s*(?:(?:-c|--connection)\s+(?P<connection>\w+)\b)?\s*(?:(?P<target>[^\W\d]\w*)\s*<<)?")


class SqlMagic:
    """The magic `sql`, of lines and of cells."""

    _ipython_magic_no_var_expand = True  # IPython would put the text of a variable in the place of `$name`

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._connection = connect(scan_frames=shell.user_ns)

    def __call__(self, line: str, cell: str | None = None) -> Result | None:
        """Runs the statements of a line, or of a line and the cell under it."""
        options = _OPTIONS.match(line)
        assert options is not None, "everything in it is optional"
        text = line[options.end() :].strip() if cell is None else f"{line[options.end() :].strip()}\n{cell}"
        try:
            result = self._run(self._chosen(options["connection"]), text)
        except Error as error:
            # The message shows the place in the statement; where in our code it was noticed tells nobody anything.
            raise error.with_traceback(None) from error.__cause__
        if options["target"] is not None:
            self._shell.user_ns[options["target"]] = result
            return None
        return result if result is not None and result.names else None

    def _chosen(self, name: str | None) -> Connection:
        if name is None:
            return self._connection
        found = self._shell.user_ns.get(name)
        if not isinstance(found, Connection):
            raise InterfaceError(f"{name} is no variable with a connection.")
        return found

    def _run(self, connection: Connection, text: str) -> Result | None:
        result = None
        for parsed in parse_statements(text):
            names = [each.name for each in parsed.parameters if each.name is not None]
            missing = next((name for name in names if name not in self._shell.user_ns), None)
            if missing is not None:
                raise InterfaceError(f"There is no variable {missing} for the parameter ${missing}.")
            values: Mapping[str, object] = {name: self._shell.user_ns[name] for name in names}
            result = PreparedStatement(connection, parsed).execute(values)
        return result


def load(shell: InteractiveShell) -> None:
    """Gives a shell the magics."""
    magic = SqlMagic(shell)
    for name in ("sql", "minisql"):
        shell.magics_manager.register_function(magic, magic_kind="line_cell", magic_name=name)
