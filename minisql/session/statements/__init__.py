"""Executes statements, each kind in one function. A statement that fails changes nothing.

Everything that a statement reads or makes is complete before the catalog is changed, in one step at the end.
`changes` has what changes rows, `integrity` the constraints that they must keep, `definitions` and `alter` what changes
what names mean, `copy` files, `describe` what there is, `prepared` PREPARE and EXECUTE.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import assert_never

from minisql.catalog.catalog import Catalog
from minisql.errors import ProgrammingError
from minisql.parser import parse_tree
from minisql.parser import statement_tree as st
from minisql.query_block.environment import Environment, View
from minisql.query_block.parameters import given_constant
from minisql.session.pipeline import evaluate_constant, plan_query
from minisql.session.plan_cache import NewPlan
from minisql.session.result import Result
from minisql.session.statements import changes, definitions
from minisql.session.statements.context import Context, Given
from minisql.settings import Settings, with_setting


class StatementRunner:
    """Runs statements against one catalog, with the settings of one connection."""

    def __init__(self, catalog: Catalog[View]) -> None:
        self._context = Context(catalog)

    @property
    def settings(self) -> Settings:
        """What SET has set."""
        return self._context.settings

    def plan(self, tree: parse_tree.QueryExpression, parameters: Sequence[object]) -> NewPlan:
        """Plans a query."""
        catalog = self._context.catalog
        version, relations = catalog.version, self._context.relations()
        environment = Environment(relations, parameters, evaluate_constant)
        planned = plan_query(tree, environment, self.settings)
        of_this_moment = environment.parameters.time_was_read or relations.is_of_this_moment
        return NewPlan(planned, version, relations.opened, is_of_this_moment=of_this_moment)

    @contextmanager
    def given(self, given: Given) -> Iterator[None]:
        """Lets statements see what a program gives for them."""
        before, self._context.given = self._context.given, given
        try:
            yield
        finally:
            self._context.given = before

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undoes what was done in it where an error ends it."""
        before = self._context.catalog.snapshot()
        try:
            yield
        except BaseException:
            self._context.catalog.restore(before)
            raise

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction has begun and not ended."""
        return self._context.before_transaction is not None

    def begin(self) -> None:
        """Begins a transaction, unless there is one."""
        if not self.in_transaction:
            self._context.before_transaction = self._context.catalog.snapshot()

    def end(self, *, rolls_back: bool) -> None:
        """Ends the transaction, if there is one."""
        before, self._context.before_transaction = self._context.before_transaction, None
        if rolls_back and before is not None:
            self._context.catalog.restore(before)

    def run(self, statement: st.Statement, parameters: Sequence[object]) -> Result:
        """Runs one statement."""
        context = self._context
        match statement:
            case parse_tree.QueryExpression():
                return self.plan(statement, parameters).planned.execute()
            case st.Insert():
                return changes.insert(context, statement, parameters)
            case st.Update():
                return changes.update(context, statement, parameters)
            case st.Delete():
                return changes.delete(context, statement, parameters)
            case st.Truncate():
                return changes.truncate(context, statement)
            case st.CreateTable():
                return definitions.create_table(context, statement, parameters)
            case st.CreateView():
                return definitions.create_view(context, statement, parameters)
            case st.CreateIndex():
                return definitions.create_index(context, statement)
            case st.Drop():
                return definitions.drop(context, statement)
            case st.SetVariable():
                return self._set(statement, parameters)
            case st.Transaction():
                return self._transaction(statement)
            case st.AlterTable() | st.CopyTo() | st.CopyFrom() | st.Describe() | st.Explain() | st.ShowTables():
                return self._run_rare(statement, parameters)
            case st.Prepare() | st.Execute() | st.Deallocate():
                return self._run_prepared(statement, parameters)
            case _:
                assert_never(statement)

    def _run_prepared(self, statement: st.Preparation, parameters: Sequence[object]) -> Result:
        from minisql.session.statements import prepared  # which few statements need

        match statement:
            case st.Prepare():
                prepared.prepare(self._context, statement)
            case st.Execute():
                return self.run(*prepared.to_execute(self._context, statement, parameters))
            case st.Deallocate():
                prepared.deallocate(self._context, statement)
            case _:
                assert_never(statement)
        return Result(rowcount=-1)

    def _run_rare(
        self,
        statement: st.AlterTable | st.CopyTo | st.CopyFrom | st.Describe | st.Explain | st.ShowTables,
        parameters: Sequence[object],
    ) -> Result:
        """Runs a statement of those that are loaded only when they are needed."""
        from minisql.session.statements import alter, copy, describe, explain

        match statement:
            case st.AlterTable():
                return alter.alter_table(self._context, statement, parameters)
            case st.CopyTo():
                return copy.copy_to(self._context, statement, parameters)
            case st.CopyFrom():
                return copy.copy_from(self._context, statement, parameters)
            case st.Describe():
                return describe.describe(self._context, statement, parameters)
            case st.Explain():
                return explain.explain(self._context, statement, parameters)
            case st.ShowTables():
                return describe.show_tables(self._context)
            case _:
                assert_never(statement)

    def _set(self, statement: st.SetVariable, parameters: Sequence[object]) -> Result:
        value = None if statement.value is None else given_constant(statement.value, parameters)
        self._context.settings = with_setting(
            self.settings,
            statement.name.name,
            None if value is None else value.value,
            name_span=statement.name.span,
            value_span=statement.span if value is None else value.span,
        )
        return Result(rowcount=-1)

    def _transaction(self, statement: st.Transaction) -> Result:
        """BEGIN keeps the catalog as it is, ROLLBACK puts it back. A statement that fails in between ends nothing."""
        context = self._context
        if statement.action == "BEGIN":
            if context.before_transaction is not None:
                raise ProgrammingError("There is a transaction already.", statement.span, hint="COMMIT it first.")
            self.begin()
            return Result(rowcount=-1)
        if context.before_transaction is None:
            raise ProgrammingError("There is no transaction.", statement.span, hint="BEGIN starts one.")
        self.end(rolls_back=statement.action == "ROLLBACK")
        return Result(rowcount=-1)
