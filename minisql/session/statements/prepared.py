"""PREPARE, EXECUTE and DEALLOCATE: statements under a name, parsed once and planned each time they are run."""

from __future__ import annotations

from collections.abc import Sequence

from minisql.errors import ProgrammingError, counted, did_you_mean
from minisql.parser import statement_tree as st
from minisql.parser.parse_tree import Identifier
from minisql.query_block.resolve import resolve_constant
from minisql.session.pipeline import evaluate_constant
from minisql.session.statements.context import Context


def prepare(context: Context, statement: st.Prepare) -> None:
    """Runs PREPARE.

    Raises:
        ProgrammingError: the name is taken.
    """
    name = statement.name.name.lower()
    if name in context.prepared:
        raise ProgrammingError(
            f'"{statement.name.name}" is prepared already.', statement.name.span, hint="DEALLOCATE it first."
        )
    context.prepared[name] = statement


def to_execute(
    context: Context, statement: st.Execute, parameters: Sequence[object]
) -> tuple[st.Statement, Sequence[object]]:
    """The statement that EXECUTE runs, and the values for its parameters.

    Raises:
        ProgrammingError: nothing has the name, or there are too few or too many values.
    """
    prepared = _find(context, statement.name)
    names = [f"${each.name}" for each in prepared.parameters if each.name is not None]
    if names:
        raise ProgrammingError(
            f"The parameters of {statement.name.name} have names ({names[0]}).",
            statement.span,
            hint="What EXECUTE runs has parameters ? or $1.",
        )
    count = max((each.index + 1 for each in prepared.parameters), default=0)
    if len(statement.values) != count:
        raise ProgrammingError(
            f"{statement.name.name} takes {counted(count, 'value')}, not {len(statement.values)}.", statement.span
        )
    environment = context.environment(parameters)
    values = [evaluate_constant(resolve_constant(value, environment.parameters)) for value in statement.values]
    return prepared.statement, values


def deallocate(context: Context, statement: st.Deallocate) -> None:
    """Runs DEALLOCATE.

    Raises:
        ProgrammingError: nothing has the name.
    """
    _find(context, statement.name)
    del context.prepared[statement.name.name.lower()]


def _find(context: Context, name: Identifier) -> st.Prepare:
    found = context.prepared.get(name.name.lower())
    if found is None:
        hint = did_you_mean(name.name, context.prepared)
        raise ProgrammingError(f'Nothing is prepared as "{name.name}".', name.span, hint=hint)
    return found
