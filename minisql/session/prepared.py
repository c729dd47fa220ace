"""Statements that are parsed once and run many times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from minisql.parser.parse import ParsedStatement
from minisql.query_block.parameters import Parameters
from minisql.session.result import Result

if TYPE_CHECKING:
    from minisql.execution.progress import Callback
    from minisql.session.connection import Connection


class PreparedStatement:
    """A statement that is parsed, made by `Connection.prepare`.

    It is planned each time it is run: the values of its parameters are constants to the optimizer, which chooses the
    order of joins by them, and the tables may have changed.
    """

    def __init__(self, connection: Connection, parsed: ParsedStatement) -> None:
        self.connection = connection
        """The connection that made it."""
        self._parsed = parsed

    @property
    def sql(self) -> str:
        """The text of the statement."""
        return self._parsed.statement.span.source

    @property
    def parameters(self) -> Sequence[str]:
        """The parameters as they are written, each once: `["?", "?"]`, `["$1"]`, `["$low", "$high"]`."""
        written = {each.index: each.span.source for each in reversed(self._parsed.parameters)}
        return [written[index] for index in sorted(written)]

    def execute(
        self, parameters: Parameters = (), *, timeout: float | None = None, progress: Callback | None = None
    ) -> Result:
        """Runs the statement with these values; see `Connection.execute`."""
        return self.connection._executor.run_prepared(self._parsed, parameters, timeout, progress)

    def __repr__(self) -> str:
        return f"<PreparedStatement: {' '.join(self.sql.split())}>"
