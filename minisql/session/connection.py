"""Connections: what a program holds to run SQL."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType

from minisql.catalog.catalog import Catalog
from minisql.catalog.registered import registered_table
from minisql.errors import InterfaceError, ProgrammingError, counted
from minisql.parser import parse_tree
from minisql.parser.parse import parse_statement, parse_statements
from minisql.query_block.environment import View
from minisql.session.pipeline import PlannedQuery
from minisql.session.plan_cache import PlanCache
from minisql.session.recursion import deep_recursion
from minisql.session.result import Result
from minisql.session.statements import StatementRunner


def connect() -> Connection:
    """Opens a new, empty database in memory."""
    return Connection()


class Connection:
    """A database in memory, and the settings of its user. Usable as a context manager; threads take turns."""

    def __init__(self) -> None:
        catalog: Catalog[View] = Catalog()
        self._catalog: Catalog[View] | None = catalog
        self._runner = StatementRunner(catalog)
        self._plans = PlanCache(catalog)
        self._lock = threading.RLock()

    def execute(
        self, sql: str, parameters: Sequence[object] = (), *, validate: Mapping[str, str] | None = None
    ) -> Result:
        """Runs one or more statements, separated by `;`, and gives the result of the last one.

        `?` in the text stands for the parameters in their order, counted in each statement from the first one.

        `validate` says how many rows of two tables of a query may meet, `{"a-b": "1:m"}`, and that is checked before
        the query is run: see `session.validate`.

        Raises:
            SqlError: a mistake in a statement; those before it have been run, the one at fault has changed nothing.
            InterfaceError: the connection is closed, or there are too few or too many parameters.
            IntegrityError: keys are there several times on a side of a join that `validate` says has them once.
        """
        if validate is not None:
            from minisql.session.validate import execute_validated  # which few programs need

            with self._lock:
                return execute_validated(self.plan(sql, parameters), validate)
        last = Result(rowcount=-1)
        for result in self.execute_script(sql, parameters):
            last = result
        return last

    def execute_script(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Result]:
        """Runs statements one after the other as their results are asked for."""
        with self._lock, deep_recursion():
            planned = self._known_plan(sql, parameters)
            result = None if planned is None else planned.execute()
        if result is not None:
            yield result
            return
        statements = parse_statements(sql)
        count, new_plan = 0, None
        while True:
            with self._lock, deep_recursion():
                self._open_catalog()
                parsed = next(statements, None)
                if parsed is None:
                    if new_plan is not None and count == 1 and not parameters:
                        self._plans.keep(sql, new_plan)
                    return
                statement, parameter_count = parsed
                _check_parameters(parameters, parameter_count)
                count += 1
                if isinstance(statement, parse_tree.QueryExpression):
                    new_plan = self._runner.plan(statement, parameters)
                    result = new_plan.planned.execute()
                else:
                    result = self._runner.run(statement, parameters)
                    self._plans.forget_old()
            yield result

    def sql(self, sql: str, parameters: Sequence[object] = (), *, validate: Mapping[str, str] | None = None) -> Result:
        """The same as `execute`, for queries: reads well in front of `.df()` and `.arrow()`."""
        return self.execute(sql, parameters, validate=validate)

    def plan(self, sql: str, parameters: Sequence[object] = ()) -> PlannedQuery:
        """Plans a query without running it: what each stage made of it, to be looked at or executed.

        A query that was planned before, on the same catalog with the same settings and without parameters, is not
        planned again.
        """
        with self._lock, deep_recursion():
            planned = self._known_plan(sql, parameters)
            if planned is not None:
                return planned
            statement, parameter_count = parse_statement(sql)
            _check_parameters(parameters, parameter_count)
            if not isinstance(statement, parse_tree.QueryExpression):
                raise ProgrammingError("Only a query has a plan.", statement.span)
            new_plan = self._runner.plan(statement, parameters)
            if not parameters:
                self._plans.keep(sql, new_plan)
            return new_plan.planned

    def plans(
        self,
        sql: str,
        parameters: Sequence[object] = (),
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
            parameters: the values for `?`.
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

    def register(self, name: str, data: object) -> None:
        """Makes an object a table: anything with an Arrow C stream (Arrow, pandas, Polars), without a copy if possible.

        A table registered before under this name is replaced.

        Raises:
            InterfaceError: the object has no Arrow interface, or the name is that of a stored table or view.
        """
        with self._lock:
            self._open_catalog().register(name, registered_table(name, data))
            self._plans.forget_old()

    def unregister(self, name: str) -> None:
        """Forgets a registered object."""
        with self._lock:
            self._open_catalog().unregister(name)
            self._plans.forget_old()

    def close(self) -> None:
        """Closes the connection; its tables are gone, results stay."""
        with self._lock:
            self._catalog = None
            self._plans = PlanCache(Catalog())

    def _known_plan(self, sql: str, parameters: Sequence[object]) -> PlannedQuery | None:
        """The plan of a text that is one query and was planned before, if it is still good."""
        self._open_catalog()
        planned = None if parameters else self._plans.find(sql, self._runner.settings)
        if planned is not None:
            _check_parameters(parameters, 0)
        return planned

    def _open_catalog(self) -> Catalog[View]:
        if self._catalog is None:
            raise InterfaceError("The connection is closed.")
        return self._catalog

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


def _check_parameters(parameters: Sequence[object], count: int) -> None:
    if isinstance(parameters, (str, bytes)) or not isinstance(parameters, Sequence):
        raise InterfaceError("Parameters are a list or a tuple of values.")
    if len(parameters) != count:
        raise InterfaceError(
            f"The statement has {counted(count, 'parameter')} (?), and {counted(len(parameters), 'value')} given."
        )
