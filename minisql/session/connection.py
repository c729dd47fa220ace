"""Connections: what a program holds to run SQL."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING

from minisql import errors
from minisql.catalog.registered import registered_table
from minisql.errors import InterfaceError, NotSupportedError
from minisql.parser.parse import parse_statement
from minisql.query_block.parameters import Parameters
from minisql.session.executor import Executor, Script, checked_text
from minisql.session.pipeline import PlannedQuery
from minisql.session.recursion import deep_recursion
from minisql.session.result import Result
from minisql.session.statements.context import Given

if TYPE_CHECKING:
    from minisql.execution.progress import Callback
    from minisql.session.cursor import Cursor
    from minisql.session.prepared import PreparedStatement


def connect(
    database: str | os.PathLike[str] = ":memory:",
    *,
    autocommit: bool = True,
    scan_frames: bool | Mapping[str, object] = False,
) -> Connection:
    """Opens a new, empty database in memory.

    Args:
        database: `":memory:"`, which is the only one yet.
        autocommit: whether a statement outside of BEGIN and COMMIT is a transaction of its own. If not, the first
            statement begins a transaction, and the next one after a commit or rollback another, as in PEP 249.
        scan_frames: whether names that no table has may be variables of the program that hold data frames or other
            Arrow data: those of the function that runs the statement, then the global ones, or those of a mapping.

    Raises:
        NotSupportedError: the database is a file.
        InterfaceError: an argument is none of these.
    """
    if not isinstance(database, (str, os.PathLike)):
        raise InterfaceError(f"A database is named by a path, not by a {type(database).__name__}.")
    if os.fspath(database) not in ("", ":memory:"):
        raise NotSupportedError(
            f"Databases in files are not there yet, so '{os.fspath(database)}' cannot be opened.",
            hint="Open connect(), and read Parquet and CSV files by their path: SELECT * FROM 'path.parquet'.",
        )
    if not isinstance(scan_frames, (bool, Mapping)):
        raise InterfaceError(f"scan_frames is True, False or a mapping of variables, not {scan_frames!r}.")
    return Connection(autocommit=autocommit, scan_frames=scan_frames)


class Connection:
    """A database in memory, and the settings of its user.

    As a context manager it is closed at the end of the block. Threads may share it: queries run side by side,
    statements that change something take turns, and all are in the one transaction that there is. Results and cursors
    are for one thread each. The exceptions of PEP 249 are attributes of it.
    """

    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    def __init__(self, *, autocommit: bool = True, scan_frames: bool | Mapping[str, object] = False) -> None:
        self._executor = Executor(autocommit=autocommit, scan_frames=scan_frames)

    @property
    def autocommit(self) -> bool:
        """Whether a statement outside of BEGIN and COMMIT is a transaction of its own; see `connect`."""
        return self._executor.autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        self._executor.autocommit = value

    # --- statements ---------------------------------------------------------------------------------------------------

    def execute(
        self,
        sql: str,
        parameters: Parameters = (),
        *,
        timeout: float | None = None,
        progress: Callback | None = None,
        validate: Mapping[str, str] | None = None,
    ) -> Result:
        """Runs one or more statements, separated by `;`, and gives the result of the last one.

        Args:
            sql: the statements.
            parameters: the values for `?` or `$1`, a list or a tuple, or for `$name`, a dict. Each statement takes all
                of them.
            timeout: the most seconds that all this may take.
            progress: is called with the first rows that are read, and then, while rows are read and joined, ten times a
                second at most, with a `Progress`: its `rows` are those read so far, its `fraction` is the share of all,
                or None. If it gives False or raises an exception, the statement is stopped.
            validate: how many rows of two tables in FROM may meet, by the names that they have there: `{"a-b": "1:m"}`
                says that each key is once in a. It is for a single query, and checked before that is run.

        Raises:
            SqlError: a mistake in a statement; those before it have been run, the one at fault has changed nothing.
            OperationalError: the time is up, or the statement was stopped by `progress` or by `interrupt`.
            InterfaceError: the connection is closed, or there are too few or too many parameters.
            IntegrityError: keys are there several times on a side of a join that `validate` says has them once.
        """
        return self._executor.last_result(sql, parameters, timeout, progress, validate, Given())

    def execute_script(self, sql: str, parameters: Parameters = ()) -> Iterator[Result]:
        """Runs statements one after the other, each when its result is asked for.

        Args:
            sql: the statements, separated by `;`.
            parameters: as for `execute`.

        Raises:
            SqlError: a mistake in the statement, which has changed nothing; those before it have been run.
            InterfaceError: the connection is closed, or there are too few or too many parameters.
        """
        script = Script(sql, parameters)
        while (result := self._executor.run(lambda: self._executor.next_result(script, Given()))) is not None:
            yield result

    def sql(
        self,
        sql: str,
        parameters: Parameters = (),
        *,
        timeout: float | None = None,
        progress: Callback | None = None,
        validate: Mapping[str, str] | None = None,
        **objects: object,
    ) -> Result:
        """Runs statements as `execute` does, on objects that are tables for them under the names of the keywords.

        `connection.sql("SELECT count(*) FROM flights", flights=frame)`. What an object may be says `register`, which is
        for names that are those of arguments, too.

        Raises:
            SqlError, OperationalError, InterfaceError: as `execute` and `register` do.
        """
        tables = {name.lower(): registered_table(name, data) for name, data in objects.items()}
        return self._executor.last_result(sql, parameters, timeout, progress, validate, Given(tables))

    def executemany(self, sql: str, parameters: Iterable[Parameters], *, timeout: float | None = None) -> Result:
        """Runs a statement that changes something once for each of the sets of values, all or nothing.

        It is parsed once. An `INSERT INTO t VALUES (?, ?)` is run as one statement that adds all the rows.

        Args:
            sql: one statement that is no query.
            parameters: for each run, what `execute` takes; any iterable of these.
            timeout: the most seconds that all this may take.

        Returns:
            A result whose `rowcount` is that of all runs together.

        Raises:
            SqlError: a mistake in the statement or in the data; nothing has been changed.
            OperationalError: the time is up, or the statement was interrupted.
            InterfaceError: the connection is closed, or values are missing or too many in one of the sets.
        """
        return self._executor.run_many(checked_text(sql), parameters, timeout)

    def prepare(self, sql: str) -> PreparedStatement:
        """Parses one statement, to be run many times with different values for its parameters.

        Raises:
            ProgrammingError: a mistake in the syntax, or there is not exactly one statement.
            InterfaceError: the connection is closed.
        """
        from minisql.session.prepared import PreparedStatement  # which few programs need

        with deep_recursion():
            self._executor.open_catalog()
            return PreparedStatement(self, parse_statement(checked_text(sql)))

    def plan(self, sql: str, parameters: Parameters = ()) -> PlannedQuery:
        """Plans a query without running it: what each stage made of it, to be looked at or executed.

        A query that was planned before, on the same catalog with the same settings and without parameters, is not
        planned again.

        Raises:
            SqlError: a mistake in the query, or the statement is none.
            InterfaceError: the connection is closed, or there are too few or too many parameters.
        """
        text = checked_text(sql)
        return self._executor.run(lambda: self._executor.planned(text, parameters, Given()))

    def plans(
        self,
        sql: str,
        parameters: Parameters = (),
        *,
        limit: int | None = None,
        uniform: bool = False,
        seed: int | None = None,
    ) -> Iterator[PlannedQuery]:
        """Plans of a query that differ in the order of their joins, each made when it is asked for.

        Every plan gives the rows of the query. What varies is the order of the outermost group of joins (the one that
        the plan comes to first from the top, in set operations from the left); commutations are left out.

        Args:
            sql: one query.
            parameters: the values for its parameters, as for `execute`.
            limit: the most plans; None is all of them, and endlessly many where they are drawn at random.
            uniform: draw orders at random, each as likely as any other, with replacement; otherwise all orders come
                once, the cheapest first.
            seed: makes a random draw repeatable; of no use without `uniform`.

        Raises:
            SqlError: a mistake in the query, or more pairs of sets of tables than the setting `pair_budget`.
            InterfaceError: the connection is closed, there are too few or too many parameters, or the limit or the
                seed is none.
        """
        from minisql.session.explanations.orders import iterate_plans

        if limit is not None and (not isinstance(limit, int) or limit < 0):
            raise InterfaceError(f"The limit is a number of plans, not {limit!r}.")
        if seed is not None and not isinstance(seed, int):
            raise InterfaceError(f"The seed is an integer, not {seed!r}.")
        if seed is not None and not uniform:
            raise InterfaceError("A seed is for plans drawn at random: give uniform=True, too.")
        planned = self.plan(sql, parameters)
        plans = _deeply(iterate_plans(planned, uniform=uniform, seed=seed))
        return islice(plans, None if limit is None else min(limit, sys.maxsize))

    def interrupt(self) -> None:
        """Stops the statements that are running now, from another thread; without one nothing happens.

        They end with an OperationalError and have changed nothing. It returns at once; a statement stops when the call
        into numpy or Arrow that it is in has come back.
        """
        self._executor.running.interrupt()

    # --- PEP 249 ------------------------------------------------------------------------------------------------------

    def cursor(self) -> Cursor:
        """A new cursor, which holds the rows of the last statement that it ran. It costs nothing; take one a thread."""
        from minisql.session.cursor import Cursor  # which few programs need

        self._executor.open_catalog()
        return Cursor(self)

    def commit(self) -> None:
        """Ends the transaction and keeps what it changed; without one nothing happens."""
        with self._executor.lock, self._executor.changing():
            self._executor.open_catalog()
            self._executor.runner.end(rolls_back=False)

    def rollback(self) -> None:
        """Ends the transaction and undoes what it changed; without one nothing happens."""
        with self._executor.lock, self._executor.changing():
            self._executor.open_catalog()
            self._executor.runner.end(rolls_back=True)
            self._executor.plans.forget_old()

    def create_statements(self, name: str | None = None) -> list[str]:
        """The statements that would make one table or view again, or all of them by their names.

        Raises:
            ProgrammingError: there is no table or view with this name.
            InterfaceError: the name is none.
        """
        from minisql.session.create_statements import create_statements

        with self._executor.lock:
            return create_statements(self._executor.open_catalog(), None if name is None else _checked_name(name))

    def close(self) -> None:
        """Closes the connection; its tables are gone, results stay. Closing it once more does nothing."""
        self._executor.close()

    # --- what statements see of the program ---------------------------------------------------------------------------

    def register(self, name: str, data: object) -> None:
        """Makes an object a table: anything with an Arrow C stream (Arrow, pandas, Polars), without a copy if possible.

        So are a dict of columns and a list of dicts, each a row, and, computed or read at once, lazy frames of Polars,
        datasets of Arrow and streams. Of a pandas frame the levels of the index that have names are columns. Data that
        is shared must not be changed. A table registered before under this name is replaced; a rollback undoes it.

        Raises:
            InterfaceError: the object is no table, or the name is that of a stored table or view.
        """
        table = registered_table(_checked_name(name), data)
        with self._executor.lock:
            self._executor.open_catalog().register(name, table)
            self._executor.plans.forget_old()

    def unregister(self, name: str) -> None:
        """Forgets a registered object.

        Raises:
            InterfaceError: nothing is registered under the name.
        """
        with self._executor.lock:
            self._executor.open_catalog().unregister(_checked_name(name))
            self._executor.plans.forget_old()

    def create_function(
        self,
        name: str,
        function: Callable[..., object],
        arg_types: Sequence[object],
        return_type: object,
        *,
        vectorized: bool = True,
        null_handling: str = "default",
        deterministic: bool = True,
    ) -> None:
        """Makes a Python function one of SQL, computed for many rows at once.

        Args:
            name: what it is called in SQL; not the name of a function that there is.
            function: is given an Arrow array for each argument, all of one length, and gives an Arrow array, a numpy
                array, a series or a list of that length. It may be called with any part of the rows, also while a query
                is planned, and in several threads. It may run statements; in a statement that changes something,
                queries only.
            arg_types: the types of the arguments, at least one: each the name of a SQL type ("DECIMAL(8,2)"), an
                Arrow type, or one of the Python types bool, int (BIGINT), float, str, bytes, Decimal (DECIMAL(38,10)),
                date, datetime, time, timedelta.
            return_type: the type of the result.
            vectorized: if not, `function` is called for every row with Python values, and gives one. That is
                convenient, and slow: it takes a microsecond a row where an array takes some nanoseconds.
            null_handling: "default": the result is NULL where an argument is, and the function is not given these rows.
                "special": it is given them, and decides.
            deterministic: whether it gives the same for the same arguments. If not, it is called for every row in the
                place where it is written, and never once for several; not at all where nothing reads its value.

        Raises:
            InterfaceError: an argument is none of these, or the name is taken.
            ProgrammingError: there is no such SQL type.
        """
        from minisql.session.functions import make_function  # which few programs need

        made = make_function(
            name, function, arg_types, return_type, vectorized=vectorized, null_handling=null_handling,
            deterministic=deterministic,
        )  # fmt: skip
        with self._executor.lock:
            self._executor.open_catalog().add_function(made)
            self._executor.plans.forget_old()

    def remove_function(self, name: str) -> None:
        """Forgets a function made by `create_function`.

        Raises:
            InterfaceError: there is no such function.
        """
        with self._executor.lock:
            self._executor.open_catalog().remove_function(_checked_name(name))
            self._executor.plans.forget_old()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _deeply(plans: Iterator[PlannedQuery]) -> Iterator[PlannedQuery]:
    while True:
        with deep_recursion():
            planned = next(plans, None)
        if planned is None:
            return
        yield planned


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise InterfaceError(f"A name is a str that is not empty, not {name!r}.")
    return name
