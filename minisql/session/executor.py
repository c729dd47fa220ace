"""Runs the statements of one connection: finds or makes their plans, lets changes take turns, and can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, TypeVar

from minisql.catalog.catalog import Catalog
from minisql.errors import InterfaceError, NotSupportedError, ProgrammingError, Span
from minisql.parser import parse_tree
from minisql.parser import statement_tree as st
from minisql.parser.parse import ParsedStatement, parse_statement, parse_statements
from minisql.query_block.environment import View
from minisql.query_block.parameters import Parameters, values_in_order
from minisql.session.pipeline import PlannedQuery
from minisql.session.plan_cache import NewPlan, PlanCache
from minisql.session.recursion import deep_recursion
from minisql.session.result import Result
from minisql.session.running import RunningStatements, checked_timeout
from minisql.session.statements import StatementRunner
from minisql.session.statements.context import Given

if TYPE_CHECKING:
    from minisql.execution.progress import Callback

T = TypeVar("T")


class Script:
    """Statements that are run one after the other, and how far that has come.

    Raises:
        InterfaceError: the text is none.
    """

    def __init__(self, text: str, parameters: Parameters) -> None:
        self.text = checked_text(text)
        self.parameters = parameters
        self.statements: Iterator[ParsedStatement] | None = None
        self.count = 0
        self.is_done = False
        self.plan: NewPlan | None = None


class Executor:
    """See the module. Threads may share it.

    Attributes:
        runner: executes single statements.
        plans: of the queries run last.
        lock: held while the catalog, the settings or the plans may change, and while something is planned.
        running: the statements that are being run, which can be interrupted.
        autocommit: whether a statement outside of BEGIN and COMMIT is a transaction of its own.
    """

    def __init__(self, *, autocommit: bool, scan_frames: bool | Mapping[str, object]) -> None:
        catalog: Catalog[View] = Catalog()
        self.autocommit = autocommit
        self._scan_frames = scan_frames
        self._catalog: Catalog[View] | None = catalog
        self.runner = StatementRunner(catalog)
        self.plans = PlanCache(catalog)
        self.lock = threading.RLock()
        self.running = RunningStatements()
        self._is_changing = False

    def close(self) -> None:
        """Lets go of all tables."""
        with self.lock:
            self._catalog = None
            self.plans = PlanCache(Catalog())

    def last_result(
        self,
        sql: str,
        parameters: Parameters,
        timeout: float | None,
        progress: Callback | None,
        validate: Mapping[str, str] | None,
        given: Given,
    ) -> Result:
        """Runs statements; the result of the last one."""
        script = Script(sql, parameters)

        def work() -> Result:
            if validate is not None:
                from minisql.session.validate import execute_validated  # which few programs need

                planned = self.planned(script.text, parameters, given, "can be validated")
                return execute_validated(planned, validate)
            last = Result(rowcount=-1)
            while (result := self.next_result(script, given)) is not None:
                last = result
            return last

        return self.run(work, timeout, progress)

    def run(self, work: Callable[[], T], timeout: float | None = None, progress: Callback | None = None) -> T:
        """Does some work that can be interrupted."""
        seconds = checked_timeout(timeout)
        if progress is None:
            return self.running.run(work, seconds)
        if not callable(progress):
            raise InterfaceError(f"A progress callback is a function, not {progress!r}.")
        from minisql.execution.progress import reporting  # which few programs need

        with reporting(progress):
            return self.running.run(work, seconds)

    def next_result(self, script: Script, given: Given) -> Result | None:
        """The result of the next statement of a script; None at the end. Only to run queries threads take no turns."""
        with self.lock, deep_recursion():
            self.open_catalog()
            if script.is_done:
                return None
            planned = None
            if script.count == 0 and not given.objects:
                planned = self._known_plan(script.text, script.parameters)
            if planned is not None:
                script.is_done = True
                self._begin()
            else:
                if script.statements is None:
                    script.statements = parse_statements(script.text)
                parsed = next(script.statements, None)
                if parsed is None:
                    if script.plan is not None and script.count == 1 and not _has_values(script.parameters):
                        self.plans.keep(script.text, script.plan)
                    return None
                script.count += 1
                started = self._start(parsed, script.parameters, given)
                if isinstance(started, Result):
                    return started
                script.plan, planned = started, started.planned
        return planned.execute()

    def planned(self, text: str, parameters: Parameters, given: Given, purpose: str = "has a plan") -> PlannedQuery:
        """The plan of a text that is one query; what it is for is told who gives another statement."""
        with self.lock, deep_recursion():
            planned = None if given.objects else self._known_plan(text, parameters)
            if planned is not None:
                return planned
            parsed = parse_statement(text)
            if not isinstance(parsed.statement, parse_tree.QueryExpression):
                raise ProgrammingError(f"Only a query {purpose}.", parsed.statement.span)
            new_plan = self._start(parsed, parameters, given)
            assert isinstance(new_plan, NewPlan)
            if not _has_values(parameters):
                self.plans.keep(text, new_plan)
            return new_plan.planned

    def run_prepared(
        self, parsed: ParsedStatement, parameters: Parameters, timeout: float | None, progress: Callback | None
    ) -> Result:
        """Runs a statement that was parsed before."""

        def work() -> Result:
            with self.lock, deep_recursion():
                started = self._start(parsed, parameters, Given())
            return started if isinstance(started, Result) else started.planned.execute()

        return self.run(work, timeout, progress)

    def run_many(self, sql: str, parameters: Iterable[Parameters], timeout: float | None) -> Result:
        """Runs a statement once for each set of values, all or nothing; see `many`."""
        from minisql.session.many import checked_sets, run_many  # which few programs need

        given = checked_sets(parameters)

        def work() -> Result:
            sets = list(given)
            with self.lock, deep_recursion():
                self.open_catalog()
                self._begin()
                parsed = parse_statement(sql)
                with self.changing(parsed.statement.span), self.runner.given(self._with_variables(Given())):
                    result = run_many(self.runner, parsed, sets)
                self.plans.forget_old()
                return result

        return self.run(work, timeout)

    def _start(self, parsed: ParsedStatement, parameters: Parameters, given: Given) -> Result | NewPlan:
        """Runs a statement, or plans it where it is a query."""
        self.open_catalog()
        values = values_in_order(parameters, parsed.parameters)
        self._begin()
        with self.runner.given(self._with_variables(given)):
            if isinstance(parsed.statement, parse_tree.QueryExpression):
                return self.runner.plan(parsed.statement, values)
            only_looks = isinstance(parsed.statement, st.Describe | st.Explain | st.ShowTables)
            with nullcontext() if only_looks else self.changing(parsed.statement.span):
                result = self.runner.run(parsed.statement, values)
        self.plans.forget_old()
        return result

    @contextmanager
    def changing(self, span: Span | None = None) -> Iterator[None]:
        """What changes something runs in it, under the lock; what only looks does not.

        Raises:
            NotSupportedError: a function that is called by what runs in it wants to change something itself. What it
                changed would be lost when the table of before is put back with other rows.
        """
        if self._is_changing:
            raise NotSupportedError(
                "A function or callback of a statement that changes something cannot change anything itself.", span
            )
        self._is_changing = True
        try:
            yield
        finally:
            self._is_changing = False

    def _begin(self) -> None:
        """Begins a transaction where every statement belongs to one."""
        if not self.autocommit:
            self.runner.begin()

    def _with_variables(self, given: Given) -> Given:
        if self._scan_frames is False:
            return given
        from minisql.session.variables import namespaces_of_caller, variables_of  # which few programs need

        namespaces = namespaces_of_caller() if self._scan_frames is True else [self._scan_frames]
        return given._replace(variables=variables_of(namespaces))

    def _known_plan(self, sql: str, parameters: Parameters) -> PlannedQuery | None:
        """The plan of a text that is one query and was planned before, if it is still good."""
        self.open_catalog()
        planned = None if _has_values(parameters) else self.plans.find(sql, self.runner.settings)
        if planned is not None:
            values_in_order(parameters, ())
        return planned

    def open_catalog(self) -> Catalog[View]:
        """The catalog.

        Raises:
            InterfaceError: the connection is closed.
        """
        if self._catalog is None:
            raise InterfaceError("The connection is closed.")
        return self._catalog


def _has_values(parameters: Parameters) -> bool:
    """Whether parameters are given; also True of what is none, of which an error is made where they are needed."""
    return not isinstance(parameters, (Sequence, Mapping)) or len(parameters) > 0


def checked_text(sql: object) -> str:
    """The text of statements.

    Raises:
        InterfaceError: it is none.
    """
    if not isinstance(sql, str):
        raise InterfaceError(f"SQL is a str, not {type(sql).__name__}.")
    return sql
