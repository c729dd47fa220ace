"""Resolves FROM: tables, views, common table expressions, files, subqueries and the joins among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, assert_never

from minisql.catalog.numbered_table import ROW_NUMBER, NumberedTable
from minisql.catalog.range_table import RangeTable
from minisql.catalog.table import Table
from minisql.datatypes import SqlType
from minisql.errors import ProgrammingError, Span, SqlError, did_you_mean
from minisql.expression.nodes import Coalesce, ColumnId, ColumnRef, Comparison, Expression
from minisql.expression.walk import conjunction
from minisql.parser import parse_tree
from minisql.parser.keywords import quoted_name
from minisql.parser.parse_tree import Identifier, JoinKind
from minisql.query_block.coerce import coerce_to_compared
from minisql.query_block.environment import CommonTable, CommonTables, Environment, ResolveQuery, View
from minisql.query_block.query_block import CommonQuery, DerivedTable, FromTree, JoinedTable, QueryExpression, TableUse
from minisql.query_block.resolve_common_tables import common_query, renamed, working_table
from minisql.query_block.resolve_expression import ExpressionResolver
from minisql.query_block.scope import OuterScope, Scope, ScopeColumn, ScopeTable, same_name
from minisql.query_block.subqueries import SubqueryCollector

TABLE_FUNCTIONS: Final = ("range", "generate_series")

EMPTY_SCOPE: Final = Scope({}, {}, ())
"""The scope of a query without FROM."""


class FromResolver:
    """Resolves the FROM of one query block."""

    def __init__(
        self,
        environment: Environment,
        common_tables: CommonTables,
        resolve_query: ResolveQuery,
        outer: OuterScope | None,
        *,
        join_tree: parse_tree.JoinTree | None = None,
    ) -> None:
        """`join_tree` is the hint of the block, which may name tables inside of common table expressions."""
        self._looked_into = set() if join_tree is None else tables_looked_into(join_tree)
        self._environment = environment
        self._common_tables = common_tables
        self._resolve_query = resolve_query
        self._outer = outer
        self._siblings: list[Scope] = []  # of the tables to the left of the one that is being resolved
        self._lateral_reads: set[int] = set()  # the tables that LATERAL refers to

    def resolve(self, tree: parse_tree.TableReference) -> tuple[FromTree, Scope]:
        """The tables and joins, and the names that they make visible."""
        from_, scope = self._resolve(tree)
        return from_, scope.within(self._outer)

    def _resolve(self, tree: parse_tree.TableReference) -> tuple[FromTree, Scope]:
        match tree:
            case parse_tree.TableName():
                return self._named(tree)
            case parse_tree.FileTable():
                return self._file(tree)
            case parse_tree.TableFunction():
                return self._function(tree)
            case parse_tree.DerivedTable():
                outer = self._lateral_scope() if tree.lateral else self._outer
                query = self._resolve_query(tree.query, self._common_tables, outer)
                if tree.alias is None and tree.column_aliases:
                    raise ProgrammingError("Column aliases follow the alias of a table.", tree.span)
                names = renamed(query.names, tree.column_aliases, tree.alias.name if tree.alias else "the subquery")
                return self._derived(query, query.table, tree.alias, names)
            case parse_tree.JoinedTable():
                return self._join(tree)
            case _:
                assert_never(tree)

    def _lateral_scope(self) -> OuterScope:
        scope = EMPTY_SCOPE
        for sibling in self._siblings:
            scope = scope.join(sibling)
        return OuterScope(scope.within(self._outer), self._note_lateral_read)

    def _note_lateral_read(self, column: ColumnRef) -> ColumnRef:
        self._lateral_reads.add(column.column.table)
        return column

    # --- tables -------------------------------------------------------------------------------------------------------

    def _named(self, tree: parse_tree.TableName) -> tuple[FromTree, Scope]:
        name = tree.name.name
        # The alias of `schema.table` is `table`.
        alias = tree.alias or (tree.name if tree.name.quoted else replace(tree.name, name=name.rpartition(".")[2]))
        common = self._common_tables.get(name.lower())
        if common is not None:
            return self._common(common, alias, tree)
        found = self._environment.relations.find(name)
        if isinstance(found, View):
            return self._view(found, alias, tree)
        if found is None:
            known = [*self._environment.relations.names(), *self._common_tables]
            hint = did_you_mean(name, known)
            if hint is None and "." in name:
                hint = f"Is it a file? Then write it in single quotes: FROM '{name}'."
            raise ProgrammingError(f'There is no table "{name}".', tree.name.span, hint=hint)
        if tree is self._environment.target:
            return self._use_target(found, alias.name, tree)
        return self._use(found, alias.name, tree.column_aliases, tree.span)

    def _use_target(self, source: Table, alias: str, tree: parse_tree.TableName) -> tuple[FromTree, Scope]:
        """A table that the statement changes: the numbers of its rows have a name, and are in no `*` and no list."""
        used, scope = self._use(NumberedTable(source), alias, tree.column_aliases, tree.span)
        (table,) = scope.tables
        *columns, number = table.columns
        assert isinstance(number.expression, ColumnRef)
        visible = ScopeTable(alias, tuple(columns))
        numbers = ScopeColumn(ROW_NUMBER, replace(number.expression, name="row number"))
        by_name = {**visible.by_name, ROW_NUMBER: (numbers,)}
        return used, Scope({alias.lower(): visible}, by_name, visible.columns)

    def _view(self, view: View, alias: Identifier, tree: parse_tree.TableName) -> tuple[FromTree, Scope]:
        open_views = self._environment.open_views
        if view.name in open_views:
            raise ProgrammingError(f'The view "{view.name}" reads itself.', tree.span)
        common = self._environment.views.get(view.name)
        if common is None:
            name = Identifier(span=tree.name.span, name=view.name)
            definition = parse_tree.CommonTable(span=tree.span, name=name, columns=view.columns, query=view.query)
            common = self._environment.views[view.name] = CommonTable(definition, {})
        open_views.append(view.name)
        try:
            return self._common(common, alias, tree)
        finally:
            open_views.pop()

    def _common(self, common: CommonTable, alias: Identifier, tree: parse_tree.TableName) -> tuple[FromTree, Scope]:
        """A use of a common table expression or a view."""
        if common in self._environment.open_common_tables:
            table = working_table(common, self._environment, alias.name, tree.span)
            names = renamed(table.names, tree.column_aliases, alias.name)
            return table, Scope.of_table(_scope_table(table.table, alias.name, names, table.types))
        if alias.name.lower() in self._looked_into and not common.is_recursive and common.tree.materialized is None:
            # A use of its own, whose tables are no other use's.
            query = self._resolve_query(common.tree.query, common.visible, common.outer)
            names = renamed(query.names, common.tree.columns, alias.name)
            return self._derived(query, query.table, alias, renamed(names, tree.column_aliases, alias.name))
        found = common_query(common, self._environment, self._resolve_query)
        names = renamed(found.names, tree.column_aliases, alias.name)
        return self._derived(found.query, self._environment.new_table(), alias, names, found)

    def _file(self, tree: parse_tree.FileTable) -> tuple[FromTree, Scope]:
        try:
            path = self._environment.parameters.constant(tree.path).value
            if not isinstance(path, str):
                raise ProgrammingError("A path is a string.", tree.path.span)
            source = self._environment.relations.open_file(path)
        except SqlError as error:
            if error.span is None:
                error.span = tree.span
            raise
        alias = tree.alias.name if tree.alias is not None else _stem(path)
        return self._use(source, alias, tree.column_aliases, tree.span)

    def _function(self, tree: parse_tree.TableFunction) -> tuple[FromTree, Scope]:
        name = tree.name.name
        if name not in TABLE_FUNCTIONS:
            raise ProgrammingError(
                f'There is no table function "{name}".', tree.name.span, hint=did_you_mean(name, TABLE_FUNCTIONS)
            )
        resolver = ExpressionResolver(EMPTY_SCOPE, self._environment.parameters, name)
        values: list[int] = []
        for argument in tree.arguments:
            value = self._environment.evaluate(resolver.resolve(argument))
            if not isinstance(value, int) or isinstance(value, bool):
                raise ProgrammingError(f"{name} takes integers.", argument.span)
            values.append(value)
        if not 1 <= len(values) <= 3:
            raise ProgrammingError(
                f"{name} takes 1 to 3 arguments, not {len(values)}.",
                tree.span,
                hint=f"It is {name}([start,] stop [, step]).",
            )
        if len(values) == 3 and values[2] == 0:
            raise ProgrammingError(f"The step of {name} is not zero.", tree.arguments[2].span)
        start, stop = (0, values[0]) if len(values) == 1 else (values[0], values[1])
        step = values[2] if len(values) == 3 else 1
        names = tree.column_aliases
        if name == "generate_series":
            # Its stop is included, and its column goes by the alias of the table, both as in PostgreSQL.
            stop += 1 if step > 0 else -1
            names = names or ((tree.alias,) if tree.alias else ())
        return self._use(RangeTable(start, stop, step, name), tree.alias.name if tree.alias else name, names, tree.span)

    def _use(
        self, source: Table, alias: str, column_aliases: Sequence[Identifier], span: Span
    ) -> tuple[FromTree, Scope]:
        table = self._environment.new_table()
        names = renamed([column.name for column in source.columns], column_aliases, alias)
        types = [column.type for column in source.columns]
        scope_table = _scope_table(table, alias, names, types)
        return TableUse(table=table, alias=alias, source=source, span=span), Scope.of_table(scope_table)

    def _derived(
        self,
        query: QueryExpression,
        table: int,
        alias: Identifier | None,
        names: Sequence[str],
        common: CommonQuery | None = None,
    ) -> tuple[FromTree, Scope]:
        name = "" if alias is None else alias.name
        scope = Scope.of_table(_scope_table(table, name, names, query.types))
        return DerivedTable(alias=name, query=query, table=table, common=common), scope

    # --- joins --------------------------------------------------------------------------------------------------------

    def _join(self, tree: parse_tree.JoinedTable) -> tuple[FromTree, Scope]:
        left, left_scope = self._resolve(tree.left)
        before, self._lateral_reads = self._lateral_reads, set()
        self._siblings.append(left_scope)
        right, right_scope = self._resolve(tree.right)
        self._siblings.pop()
        lateral = bool(self._lateral_reads) and not self._lateral_reads.isdisjoint(left_scope.table_numbers())
        self._lateral_reads |= before
        if lateral and tree.kind in (JoinKind.RIGHT, JoinKind.FULL):
            raise ProgrammingError(
                f"LATERAL cannot stand on the right side of a {tree.kind.value} JOIN.",
                tree.right.span,
                hint="A table on its right side is kept without a partner, and then there is nothing to refer to.",
            )
        shared = left_scope.shared_alias(right_scope)
        if shared is not None:
            raise ProgrammingError(
                f'Two tables of this FROM are named "{shared}".',
                tree.right.span,
                hint=f"Give one of them another name: {shared} AS other.",
            )
        if tree.using or tree.natural:
            condition, merged = self._merge(tree, left_scope, right_scope)
            scope = left_scope.join(right_scope, merged)
        else:
            scope = left_scope.join(right_scope)
            condition = None
            if tree.condition is not None:
                inner = scope.within(self._outer)
                subqueries = SubqueryCollector(
                    self._environment, self._common_tables, self._resolve_query, OuterScope(inner)
                )
                resolver = ExpressionResolver(inner, self._environment.parameters, "ON", subqueries=subqueries)
                condition = resolver.condition(tree.condition)
                return (
                    JoinedTable(
                        kind=tree.kind,
                        left=left,
                        right=right,
                        condition=condition,
                        lateral=lateral,
                        subqueries=tuple(subqueries.found),
                    ),
                    scope,
                )
        merges_keys = bool(tree.using) or tree.natural
        joined = JoinedTable(
            kind=tree.kind, left=left, right=right, condition=condition, lateral=lateral, merges_keys=merges_keys
        )
        return joined, scope

    def _merge(
        self, tree: parse_tree.JoinedTable, left: Scope, right: Scope
    ) -> tuple[Expression | None, list[ScopeColumn]]:
        """The equalities of USING or NATURAL, and the columns that they merge."""
        names = tree.using
        if tree.natural:
            names = tuple(
                Identifier(span=tree.span, name=column.name) for column in left.visible if right.find(column.name)
            )
        conditions: list[Expression] = []
        merged: list[ScopeColumn] = []
        for name in names:
            if any(same_name(name.name, other.name) for other in merged):
                raise ProgrammingError(f'USING names the column "{name.name}" twice.', name.span)
            found = []
            for side, scope in (("left", left), ("right", right)):
                candidates = scope.find(name.name)
                if not candidates:
                    hint = did_you_mean(name.name, [column.name for column in scope.visible])
                    raise ProgrammingError(
                        f'The {side} side of this join has no column "{name.name}" for USING.', name.span, hint=hint
                    )
                if len(candidates) > 1:
                    raise ProgrammingError(
                        f'The {side} side of this join has several columns "{name.name}".',
                        name.span,
                        hint="Join with ON, and say which of them you mean.",
                    )
                found.append(candidates[0].expression)
            first, second = coerce_to_compared(found, f'USING ("{name.name}")', name.span)
            conditions.append(Comparison(operator="=", left=first, right=second, span=name.span))
            merged.append(ScopeColumn(name.name, _merged_column(tree.kind, first, second, name)))
        return conjunction(conditions), merged


def _merged_column(kind: JoinKind, left: Expression, right: Expression, name: Identifier) -> Expression:
    """What a column of USING stands for: the side that is never padded, or whichever side is there (SQL:2016, 7.10)."""
    if kind is JoinKind.RIGHT:
        return right
    if kind is JoinKind.FULL:
        operands = (*_operands(left), *_operands(right))
        return Coalesce(operands=operands, type=left.type, span=name.span)
    return left


def _operands(expression: Expression) -> tuple[Expression, ...]:
    """COALESCE is associative: a chain of FULL JOIN ... USING keeps one flat COALESCE."""
    return expression.operands if isinstance(expression, Coalesce) else (expression,)


def _scope_table(table: int, alias: str, names: Sequence[str], types: Sequence[SqlType]) -> ScopeTable:
    prefix = f"{quoted_name(alias)}." if alias else ""
    columns = tuple(
        ScopeColumn(name, ColumnRef(column=ColumnId(table, position), name=prefix + quoted_name(name), type=type_))
        for position, (name, type_) in enumerate(zip(names, types, strict=True))
    )
    return ScopeTable(alias, columns)


def tables_looked_into(tree: parse_tree.JoinTree) -> set[str]:
    """The derived tables of which a JOIN_TREE names the tables inside, in lower case."""
    found, waiting = set[str](), [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, parse_tree.JoinTreePair):
            waiting += [node.left, node.right]
        elif len(node.path) > 1:
            found.add(node.path[0].name.lower())
    return found


def _stem(path: str) -> str:
    """The alias of a file: its name without folder and ending; that of its folder where the name holds `*`."""
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    for part in reversed(parts):
        if "*" not in part:
            return part.split(".")[0]
    return "files"
