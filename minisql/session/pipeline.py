"""The stages of a query in their order, from the parse tree to batches.

Each stage is one call here, so that this module is the table of contents of the engine; EXPLAIN and the tests look at
what is between the stages through `PlannedQuery`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from minisql.columnar.column import Batch
from minisql.columnar.python_values import to_values
from minisql.datatypes import SqlType
from minisql.errors import QueryWarning
from minisql.execution.build_iterators import build_iterators
from minisql.execution.counted_join import CountedJoin
from minisql.execution.evaluate import compile_expression
from minisql.execution.profile import Profile
from minisql.expression.nodes import ColumnId, Expression, Value
from minisql.node import node
from minisql.node_set import node_set
from minisql.optimizer.access_path import AccessPath
from minisql.optimizer.find_best_plan import find_best_plan
from minisql.parser import parse_tree
from minisql.query_block.environment import Environment
from minisql.query_block.query_block import JoinedTable, QueryBlock, QueryExpression
from minisql.query_block.resolve import resolve_query
from minisql.query_block.table_names import blocks_of
from minisql.relational.derive_conditions import Derivation, derive_conditions
from minisql.relational.drop_joins import drop_joins
from minisql.relational.fold_constants import fold_constants
from minisql.relational.from_query_block import relational_expression
from minisql.relational.merge_derived import merge_derived_tables
from minisql.relational.new_tables import NewTables
from minisql.relational.prune_branches import prune_branches
from minisql.relational.prune_columns import prune_columns
from minisql.relational.push_down import push_down
from minisql.relational.push_down_grouping import has_many_rows_a_group, push_down_grouping
from minisql.relational.relational_expression import RelationalExpression, output_tables
from minisql.relational.shared import finish, rewrite_all, shared_users_first, uses_in
from minisql.relational.simplify_conditions import simplify_conditions
from minisql.relational.simplify_outer import Simplification, simplify_outer_joins
from minisql.relational.unnest.unnest import copy_correlated, unnest_subqueries
from minisql.session.recursion import deep_recursion
from minisql.session.result import Result
from minisql.settings import Settings, changed_settings

if TYPE_CHECKING:
    from pathlib import Path

    from minisql.explain.plan_description import NodeDescription
    from minisql.optimizer.laboratory import JoinGraph


@node
class PlannedQuery:
    """A query after every stage of planning, to be looked at or executed: see `Connection.plan`.

    It belongs to no connection: it reads the tables as they were when it was planned, with the settings of then. What
    the stages made of it (`query`, `as_written`, `rewritten`, `path`) is told by "How your query is planned".
    """

    # The columns of the result are `ColumnId(table, 0..)` of the path.
    query: QueryExpression
    settings: Settings
    table: int
    names: tuple[str, ...]
    """The names of the columns of the result."""
    types: tuple[SqlType, ...]
    """Their types."""
    as_written: RelationalExpression
    rewritten: RelationalExpression
    simplifications: tuple[Simplification, ...]
    derivations: tuple[Derivation, ...]
    # The tables of common queries that are computed for each use: for the table of a use, what became of theirs.
    copies: Mapping[int, Mapping[int, int]]
    path: AccessPath
    warnings: tuple[QueryWarning, ...] = ()
    """What planning finds that is most likely not meant; a result has those of its execution, too."""
    # The blocks of which hints say how many rows of two tables may meet; that is checked before the query is run.
    validated: tuple[QueryBlock, ...] = ()
    text: str = ""
    """The query as the user wrote it; '' where it is a part of another statement."""

    @property
    def cost(self) -> float:
        """The estimated cost, in microseconds of one thread, about."""
        return self.path.cost

    @property
    def order(self) -> str:
        """The order of the outermost group of joins, in the syntax of the hint JOIN_TREE; '' where there is no table.

        The left side of a hash join probes, the right one is hashed. Tables that the query turned out not to need are
        not in it; as a hint it is complete where `prune_branches` and `drop_joins` are off.
        """
        from minisql.session.explanations.orders import order_of_plan  # which few statements need

        return order_of_plan(self)

    def explain(self, *, analyze: bool = False, format: str = "tree") -> str:  # noqa: A002  # as EXPLAIN says it
        """The text of EXPLAIN or, where the query is to be run for it, EXPLAIN ANALYZE.

        Args:
            analyze: whether to run the query.
            format: tree, json, dot or mermaid, in any case of letters.

        Raises:
            NotSupportedError: there is no such format.
        """
        from minisql.explain.formats import PLAN_FORMATS, format_plan, unknown_format  # which few statements need

        if format.upper() not in PLAN_FORMATS:
            raise unknown_format(format, PLAN_FORMATS)
        plan, warnings = describe_with_warnings(self, analyze=analyze)
        return format_plan(
            format.upper(),
            plan,
            [str(simplification) for simplification in self.simplifications],
            warnings,
            changed_settings(self.settings),
        )

    def describe(self, *, analyze: bool = False) -> NodeDescription:
        """The plan, node by node; with what happened, where the query is to be run for it."""
        return describe_with_warnings(self, analyze=analyze)[0]

    def save(self, path: str | Path, *, analyze: bool = True) -> None:
        """Writes the page of EXPLAIN HTML to a file, which is made or replaced.

        Args:
            path: the file.
            analyze: whether the query is run for it.

        Raises:
            InterfaceError: the path is none.
            OperationalError: the file cannot be written.
            SqlError: the query fails.
        """
        from minisql.session.explanations.page import save_page  # which few statements need

        save_page(self, path, analyze=analyze)

    def join_graph(self) -> JoinGraph:
        """The outermost group of joins for `optimizer.laboratory`, with the engine's estimates.

        Raises:
            ProgrammingError: the query joins nothing.
        """
        from minisql.session.explanations.join_graph import join_graph  # which few statements need

        return join_graph(self)

    def true_cardinalities(self) -> Mapping[frozenset[str], float]:
        """How many rows each set of tables has that the rules allow to join, counted by joining it.

        It is about the outermost group of joins, with the conditions on single tables applied. The names are those of
        `join_graph`.

        Raises:
            ProgrammingError: the query joins nothing.
            NotSupportedError: there are more pairs than the setting `pair_budget`, or the joins cannot be run alone.
        """
        from minisql.session.explanations.join_graph import true_cardinalities  # which few statements need

        return true_cardinalities(self)

    def __repr__(self) -> str:
        """The text of EXPLAIN."""
        return self.explain()

    def _repr_html_(self) -> str:
        """The text of EXPLAIN, for notebooks."""
        from minisql.session.display import text_as_html  # which few programs need

        return text_as_html(self.explain())

    def execute(self) -> Result:
        """Runs the plan. It is no statement of a connection, so `Connection.interrupt` does not stop it; Ctrl-C does.

        Raises:
            SqlError: the query fails, or a VALIDATE hint in it does not hold.
        """
        with deep_recursion():
            joins = joins_to_count(self)
            batches = list(run(self, joins=joins))
            return Result(self.names, self.types, batches, warnings=warnings_of(self, joins))


def describe_with_warnings(planned: PlannedQuery, *, analyze: bool) -> tuple[NodeDescription, tuple[QueryWarning, ...]]:
    """The plan, node by node, and what there is to warn of: what its result has, where the query is run."""
    from minisql.explain.plan_description import describe_plan  # which few statements need

    profile = Profile() if analyze else None
    joins = joins_to_count(planned)
    with deep_recursion():
        if profile is not None:
            for _ in run(planned, profile, joins):
                pass
        return describe_plan(planned.path, profile), warnings_of(planned, joins)


def plan_query(tree: parse_tree.QueryExpression, environment: Environment, settings: Settings) -> PlannedQuery:
    """Plans a query."""
    query = resolve_query(tree, environment)
    written, text = relational_expression(query, environment.new_table), tree.span.source
    return plan_relational(query, written, query.table, query.names, query.types, settings, text)


def plan_relational(
    query: QueryExpression,
    as_written: RelationalExpression,
    table: int,
    names: tuple[str, ...],
    types: tuple[SqlType, ...],
    settings: Settings,
    text: str = "",
) -> PlannedQuery:
    """Rewrites a relational expression and finds its best plan; the result is `ColumnId(table, 0..)` of it.

    The expression is that of the query, and perhaps something on top.
    """
    rewritten, simplifications, derivations, copies = rewrite_relational(as_written, table, len(names), settings)
    blocks = [block for block in blocks_of(query) if isinstance(block.from_, JoinedTable)]
    return PlannedQuery(
        query=query,
        settings=settings,
        table=table,
        names=names,
        types=types,
        as_written=as_written,
        rewritten=rewritten,
        simplifications=simplifications,
        derivations=derivations,
        copies=copies,
        path=find_best_plan(rewritten, settings),
        text=text,
        warnings=_warnings(blocks, simplifications) if settings.warnings and blocks else (),
        validated=tuple([block for block in blocks if block.validations]),
    )


class Rewritten(NamedTuple):
    """What the rewrites make of a relational expression; see `PlannedQuery`."""

    expression: RelationalExpression
    simplifications: tuple[Simplification, ...]
    derivations: tuple[Derivation, ...]
    copies: Mapping[int, Mapping[int, int]]


def rewrite_relational(as_written: RelationalExpression, table: int, width: int, settings: Settings) -> Rewritten:
    """Rewrites a relational expression, of which the first columns of a table are the result."""
    rewriting = _Rewriting(settings, [ColumnId(table, position) for position in range(width)])
    copies: Mapping[int, Mapping[int, int]] = {}
    written = rewriting.unnested(as_written)
    if any(uses_in(written)):
        from minisql.optimizer.choose_shared import choose_shared  # which few statements need

        rewritten = rewrite_all(written, rewriting.first)
        rewriting.trees = [rewritten, *(shared.input for shared in shared_users_first(rewritten))]
        chosen, copies = choose_shared(rewritten, settings, rewriting.second)
        if copies:
            rewritten = rewrite_all(chosen, rewriting.first)
            rewriting.trees = [rewritten, *(shared.input for shared in shared_users_first(rewritten))]
        rewritten = finish(rewritten, rewriting.second, pushes_down=settings.push_down_conditions)
    else:
        rewritten = rewriting.first(written)
        rewriting.trees = [rewritten]
        rewritten = rewriting.second(rewritten)
    return Rewritten(rewritten, tuple(rewriting.simplifications), tuple(rewriting.derivations), copies)


def _warnings(blocks: Sequence[QueryBlock], simplifications: Sequence[Simplification]) -> tuple[QueryWarning, ...]:
    from minisql.relational.outer_join_warnings import outer_join_warnings  # which queries without joins do not need
    from minisql.relational.part_of_key import part_of_key_warnings

    return (*outer_join_warnings(blocks, simplifications), *part_of_key_warnings(blocks))


class _Rewriting:
    """The passes, each with its switch."""

    def __init__(self, settings: Settings, columns: Sequence[ColumnId]) -> None:
        """`columns` are those of the result."""
        self._settings = settings
        self._columns = columns
        self.trees: Sequence[RelationalExpression] = ()
        """The query and what is shared in it, for `second`: their tables have other numbers than new ones."""
        self._new_tables: NewTables | None = None
        self.simplifications: list[Simplification] = []
        self.derivations: list[Derivation] = []

    def unnested(self, expression: RelationalExpression) -> RelationalExpression:
        """The whole query with its subqueries turned into joins, once conditions are simple."""
        expression = rewrite_all(expression, self._simplified)
        expression = copy_correlated(expression)
        return unnest_subqueries(expression) if self._settings.unnest_subqueries else expression

    def _simplified(self, expression: RelationalExpression) -> RelationalExpression:
        """The expression with constants folded and conditions simplified."""
        if self._settings.fold_constants:
            expression = fold_constants(expression, evaluate_constant)
        return simplify_conditions(expression) if self._settings.simplify_conditions else expression

    def first(self, expression: RelationalExpression) -> RelationalExpression:
        """What puts conditions in their places, and leaves out what they let nothing through of."""
        if self._settings.fold_constants:
            expression = fold_constants(expression, evaluate_constant)
        if self._settings.simplify_outer_joins:
            expression, steps = simplify_outer_joins(expression)
            self.simplifications += steps
        if self._settings.push_down_conditions:
            expression = push_down(expression)
        return prune_branches(expression, self._simplified) if self._settings.prune_branches else expression

    def second(self, expression: RelationalExpression) -> RelationalExpression:
        """What looks at all of a query: what is read of it, what can be joined together, and what follows from what.

        Once only, for it numbers equalities.
        """
        if self._settings.prune_columns:
            is_main = output_tables(expression) == node_set(column.table for column in self._columns)
            expression = prune_columns(expression, self._columns if is_main else None)
        if self._settings.drop_joins:
            expression = drop_joins(expression)
        expression = self._merged(expression)
        if self._settings.push_down_grouping:
            grouped = push_down_grouping(expression, self._new_table, has_many_rows_a_group)
            expression = expression if grouped is expression else self._merged(grouped)
        return self._derived(expression) if self._settings.derive_conditions else expression

    def _merged(self, expression: RelationalExpression) -> RelationalExpression:
        return merge_derived_tables(expression) if self._settings.merge_derived_tables else expression

    def _new_table(self) -> int:
        if self._new_tables is None:
            self._new_tables = NewTables(self.trees)
        return self._new_tables.next()

    def _derived(self, expression: RelationalExpression) -> RelationalExpression:
        """The expression under more conditions, which may make others superfluous, or contradict them."""
        derived = derive_conditions(expression, self.derivations)
        if derived is expression:
            return expression
        if self._settings.simplify_conditions:
            derived = simplify_conditions(derived)
        return prune_branches(derived, self._simplified) if self._settings.prune_branches else derived


def run(
    planned: PlannedQuery, profile: Profile | None = None, joins: list[CountedJoin] | None = None
) -> Iterator[Batch]:
    """The batches of the result; the operators are closed at the end, on error, and when the iterator is closed.

    With `joins`, the rows of joins are counted there. What VALIDATE hints say is checked first, but not with a profile,
    which shows what is wrong.

    Raises:
        IntegrityError: a hint does not hold.
    """
    if planned.validated and profile is None:
        from minisql.session.validate import check_hints  # which few queries need

        check_hints(planned)
    columns = [ColumnId(planned.table, position) for position in range(len(planned.names))]
    iterator = build_iterators(planned.path, columns, planned.settings, profile, joins=joins)
    try:
        iterator.open()
        while (batch := iterator.next()) is not None:
            yield batch
    finally:
        iterator.close()


def joins_to_count(planned: PlannedQuery) -> list[CountedJoin] | None:
    """What `run` may be given, for `warnings_of`."""
    return [] if planned.settings.warnings else None


def warnings_of(planned: PlannedQuery, joins: Sequence[CountedJoin] | None) -> tuple[QueryWarning, ...]:
    """The warnings of a query that was run."""
    multiplied = [warning for join in joins or () if (warning := join.warning()) is not None]
    return (*planned.warnings, *multiplied)


def evaluate_constant(expression: Expression) -> Value:
    """The value of an expression without columns.

    Raises:
        DataError: the computation fails.
    """
    column = compile_expression(expression, ())(Batch((), 1))
    return to_values(column)[0]
