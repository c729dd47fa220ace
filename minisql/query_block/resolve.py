"""Resolves queries: a parse tree to a `QueryExpression`, clause by clause.

The order of the clauses is that of their meaning: FROM gives the scope, WHERE and the group keys read it, the select
list, HAVING and ORDER BY read the groups where there are any. ORDER BY sees the names of the select list first and the
tables second, GROUP BY the other way round (both as in PostgreSQL).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from minisql.datatypes import NULL, SqlType, common_type
from minisql.errors import ProgrammingError, Span, counted
from minisql.expression.nodes import ColumnId, ColumnRef, Expression, Literal, SortKey, Value
from minisql.expression.window import map_window_call
from minisql.parser import parse_tree
from minisql.query_block.coerce import coerce, mismatch
from minisql.query_block.environment import CommonTables, Environment, StatementValues, with_common_tables
from minisql.query_block.groups import Grouped, GroupReader
from minisql.query_block.query_block import (
    Casts,
    FromTree,
    Grouping,
    JoinValidation,
    OrderedJoin,
    QueryBlock,
    QueryExpression,
    QueryTerm,
    SetOperation,
    Windows,
)
from minisql.query_block.resolve_aggregate import count_star
from minisql.query_block.resolve_expression import AggregateCollector, ExpressionResolver
from minisql.query_block.resolve_from import EMPTY_SCOPE, FromResolver
from minisql.query_block.resolve_grouping import GroupingResolver, GroupingSet, has_aggregate
from minisql.query_block.resolve_window import WindowCollector
from minisql.query_block.scope import OuterScope, Scope, ScopeColumn, ScopeTable, ScopeWithAliases, same_name
from minisql.query_block.select_list import SelectItem, expand_stars, named_item
from minisql.query_block.subqueries import SubqueryCollector
from minisql.query_block.values import one_row, resolve_values


def resolve_query(tree: parse_tree.QueryExpression, environment: Environment) -> QueryExpression:
    """The resolved query.

    Raises:
        ProgrammingError: a name is unknown or ambiguous, or types do not fit; the error says where.
    """
    return _QueryResolver(environment).query(tree, {}, None)


def resolve_constant(tree: parse_tree.Expression, values: StatementValues, clause: str = "A constant") -> Expression:
    """A resolved expression that may have no columns in it; `clause` is for messages."""
    return ExpressionResolver(EMPTY_SCOPE, values, clause).resolve(tree)


class _QueryResolver:
    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def query(
        self, tree: parse_tree.QueryExpression, common_tables: CommonTables, outer: OuterScope | None
    ) -> QueryExpression:
        """The resolved query; `outer` is what it sees of the queries around it."""
        visible = with_common_tables(common_tables, tree, outer)
        term: QueryTerm
        keys: tuple[SortKey, ...]
        if isinstance(tree.term, parse_tree.QueryBlock):
            term, keys = self._block(tree.term, visible, outer, tree.order_by)
        else:
            term = self._term(tree.term, visible, outer)
            keys = self._order_by_output(tree.order_by, term)
        names, types = _output(term)
        return QueryExpression(
            table=term.table,
            term=term,
            order_by=keys,
            limit=self._count(tree.limit, "LIMIT"),
            offset=self._count(tree.offset, "OFFSET") or 0,
            names=names,
            types=types,
        )

    def _term(self, tree: parse_tree.QueryTerm, visible: CommonTables, outer: OuterScope | None) -> QueryTerm:
        match tree:
            case parse_tree.QueryBlock():
                return self._block(tree, visible, outer, ())[0]
            case parse_tree.Values():
                return resolve_values(tree, self._environment, visible, self.query, EMPTY_SCOPE.within(outer))
            case parse_tree.SetOperation():
                return self._set_operation(tree, visible, outer)
            case parse_tree.QueryExpression():
                return self.query(tree, visible, outer)
            case _:
                assert_never(tree)

    def _count(self, tree: parse_tree.Expression | None, clause: str) -> int | None:
        """The value of LIMIT or OFFSET; NULL is no limit."""
        if tree is None:
            return None
        value = self._environment.evaluate(resolve_constant(tree, self._environment.parameters, clause))
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise ProgrammingError(f"{clause} takes an integer.", tree.span)
        if value is not None and value < 0:
            raise ProgrammingError(f"{clause} takes no negative number.", tree.span)
        return value

    def _constant(self, tree: parse_tree.Expression) -> tuple[Value, SqlType]:
        """The value of an expression without columns, and its type."""
        expression = resolve_constant(tree, self._environment.parameters)
        return self._environment.evaluate(expression), expression.type

    # --- SELECT -------------------------------------------------------------------------------------------------------

    def _block(
        self,
        tree: parse_tree.QueryBlock,
        visible: CommonTables,
        outer: OuterScope | None,
        order_by: Sequence[parse_tree.OrderItem],
    ) -> tuple[QueryBlock, tuple[SortKey, ...]]:
        parameters = self._environment.parameters
        from_, scope = None, EMPTY_SCOPE.within(outer)
        if tree.from_ is not None:
            from_resolver = FromResolver(self._environment, visible, self.query, outer, join_tree=tree.join_tree)
            from_, scope = from_resolver.resolve(tree.from_)
        input_subqueries = SubqueryCollector(self._environment, visible, self.query, OuterScope(scope))
        where = None
        if tree.where is not None:
            where = ExpressionResolver(scope, parameters, "WHERE", subqueries=input_subqueries).condition(tree.where)
        items = expand_stars(tree, scope)

        keys, sets = self._group_keys(tree, items, scope, input_subqueries)
        aggregates = AggregateCollector(self._environment.new_table, keys)
        group_reader = GroupReader(keys, aggregates)
        subqueries = SubqueryCollector(
            self._environment, visible, self.query, OuterScope(scope, group_reader.read), input_subqueries
        )
        windows = WindowCollector(self._environment.new_table, tree.windows, self._constant)

        def above_groups(clause: str, scope: Scope, windows: WindowCollector | None) -> ExpressionResolver:
            return ExpressionResolver(
                scope,
                parameters,
                clause,
                aggregates,
                windows=windows,
                subqueries=subqueries,
                input_subqueries=input_subqueries,
            )

        resolver = above_groups("SELECT", scope, windows)
        expressions = [item.resolve(resolver) for item in items]
        having = None
        if tree.having is not None:
            having = above_groups("HAVING", scope, None).condition(tree.having)
        qualify = None
        if tree.qualify is not None:
            aliases = {item.name: e for item, e in zip(items, expressions, strict=True) if item.aliased}
            qualify = above_groups("QUALIFY", ScopeWithAliases(scope, aliases), windows).condition(tree.qualify)
            if not windows.calls:
                hint = "A condition without one belongs into WHERE, or into HAVING where the query has groups."
                raise ProgrammingError("QUALIFY needs a window function.", tree.qualify.span, hint=hint)
        sort_resolver = above_groups("ORDER BY", scope, windows)
        sort_expressions = [self._sort_expression(item, items, expressions, sort_resolver) for item in order_by]
        windows.check_named(above_groups("WINDOW", scope, None))

        calls = windows.calls
        grouping = None
        if tree.group_by is not None or tree.having is not None or aggregates.calls:
            # A grouping has columns: where the query asks for none of it, one counts rows.
            computed = tuple(aggregates.calls) if keys or aggregates.calls else (count_star(),)
            grouping = Grouping(table=aggregates.table, keys=keys, sets=sets, aggregates=computed)
            group_reader.check()
            grouped = Grouped(grouping, subqueries.tables | ({windows.table} if calls else set()))
            subqueries.read_comparisons(grouped.read)
            expressions = [grouped.read(expression) for expression in expressions]
            having = None if having is None else grouped.read(having)
            calls = [map_window_call(call, grouped.read) for call in calls]
            qualify = None if qualify is None else grouped.read(qualify)
            sort_expressions = [grouped.read(expression) for expression in sort_expressions]

        if from_ is None and (input_subqueries.found or subqueries.found):
            from_ = one_row(self._environment)
        if tree.distinct:
            _check_distinct("SELECT DISTINCT", [expression.type for expression in expressions], tree.span)
        distinct_from = self._environment.new_table() if tree.distinct else None
        table = self._environment.new_table()
        selected = len(expressions)
        sort_keys = []
        for item, expression in zip(order_by, sort_expressions, strict=True):
            if expression in expressions:
                position = expressions.index(expression)
            else:
                if tree.distinct:
                    raise ProgrammingError(
                        "With SELECT DISTINCT, ORDER BY takes only what is in the select list.", item.span
                    )
                position = len(expressions)
                expressions.append(expression)
            column = ColumnRef(
                column=ColumnId(table, position),
                name=items[position].name if position < selected else item.expression.span.source,
                type=expression.type,
                span=item.span,
            )
            sort_keys.append(_sort_key(item, column))
        block = QueryBlock(
            table=table,
            from_=from_,
            where=where,
            grouping=grouping,
            having=having,
            windows=Windows(table=windows.table, calls=tuple(calls)) if calls else None,
            qualify=qualify,
            names=tuple(item.name for item in items),
            expressions=tuple(expressions),
            distinct_from=distinct_from,
            order=() if tree.join_tree is None else _order(tree.join_tree, from_),
            input_subqueries=tuple(input_subqueries.found),
            subqueries=tuple(subqueries.found),
            validations=_validations(tree.validations, from_) if tree.validations else (),
        )
        return block, tuple(sort_keys)

    def _group_keys(
        self,
        tree: parse_tree.QueryBlock,
        items: Sequence[SelectItem],
        scope: Scope,
        subqueries: SubqueryCollector,
    ) -> tuple[tuple[Expression, ...], tuple[GroupingSet, ...]]:
        """The keys of GROUP BY, and its grouping sets where there are several."""
        if tree.group_by is None:
            return (), ()
        resolver = ExpressionResolver(scope, self._environment.parameters, "GROUP BY", subqueries=subqueries)

        def key(written: parse_tree.Expression) -> Expression:
            position = _position(written, len(items), "GROUP BY")
            item = None
            if position is not None:
                item = items[position]
            elif isinstance(written, parse_tree.ColumnName) and written.table is None:
                item = None if scope.find(written.column.name) else named_item(items, written.column)
            return resolver.resolve(written) if item is None else item.resolve(resolver)

        grouping = GroupingResolver(key)
        if tree.group_by.all:
            for each in items:
                if not has_aggregate(each.written):
                    grouping.add(each.resolve(resolver), tree.group_by.span)
            return tuple(grouping.keys), ()
        sets = grouping.sets(tree.group_by)
        return tuple(grouping.keys), sets

    def _sort_expression(
        self,
        item: parse_tree.OrderItem,
        items: Sequence[SelectItem],
        expressions: Sequence[Expression],
        resolver: ExpressionResolver,
    ) -> Expression:
        key = item.expression
        position = _position(key, len(items), "ORDER BY")
        if position is not None:
            return expressions[position]
        if isinstance(key, parse_tree.ColumnName) and key.table is None:
            found = [
                expression
                for candidate, expression in zip(items, expressions, strict=True)
                if same_name(candidate.name, key.column.name)
            ]
            if found:
                if any(expression != found[0] for expression in found):
                    raise ProgrammingError(f'The column name "{key.column.name}" is ambiguous.', key.span)
                return found[0]
        return resolver.resolve(key)

    # --- other terms --------------------------------------------------------------------------------------------------

    def _set_operation(
        self, tree: parse_tree.SetOperation, visible: CommonTables, outer: OuterScope | None
    ) -> SetOperation:
        left, right = self._term(tree.left, visible, outer), self._term(tree.right, visible, outer)
        names, left_types = _output(left)
        _, right_types = _output(right)
        word = tree.operator.value
        if tree.by_name:
            return self._union_by_name(tree, left, right)
        if len(left_types) != len(right_types):
            raise ProgrammingError(
                f"The left side of {word} has {counted(len(left_types), 'column')}, the right side {len(right_types)}.",
                tree.right.span,
            )
        types = []
        for name, first, second in zip(names, left_types, right_types, strict=True):
            common = common_type(first, second)
            if common is None:
                raise ProgrammingError(
                    f'{word} does not take {first} and {second} together (column "{name}").',
                    tree.right.span,
                    hint="Add a CAST to say which of them you mean.",
                )
            types.append(common)
        if not (tree.all and tree.operator is parse_tree.SetOperator.UNION):
            _check_distinct(word, types, tree.right.span)
        table = self._environment.new_table()
        return SetOperation(
            table=table,
            operator=tree.operator,
            all=tree.all,
            left=left,
            right=right,
            left_casts=self._casts(left, types),
            right_casts=self._casts(right, types),
            names=names,
            types=tuple(types),
        )

    def _union_by_name(self, tree: parse_tree.SetOperation, left: QueryTerm, right: QueryTerm) -> SetOperation:
        """UNION BY NAME: columns of one name are one; one that a side has not is NULL there."""
        sides = []
        for term, operand in ((left, tree.left), (right, tree.right)):
            columns = {column.name.lower(): column for column in _columns(term)}
            if len(columns) != len(_output(term)[0]):
                raise ProgrammingError("UNION BY NAME takes columns with different names.", operand.span)
            sides.append(columns)
        names = {column.name.lower(): column.name for column in [*_columns(left), *_columns(right)][::-1]}
        order = list(dict.fromkeys([*sides[0], *sides[1]]))
        types = []
        for key in order:
            found = [columns[key].type for columns in sides if key in columns]
            common = found[0] if len(found) == 1 else common_type(*found)
            if common is None:
                raise mismatch(f'UNION BY NAME ("{names[key]}")', found[0], found[1], tree.right.span)
            types.append(common)
        casts = [
            Casts(
                table=self._environment.new_table(),
                expressions=tuple(
                    coerce(columns.get(key, Literal(value=None, type=NULL)), type_)
                    for key, type_ in zip(order, types, strict=True)
                ),
            )
            for columns in sides
        ]
        return SetOperation(
            table=self._environment.new_table(),
            operator=tree.operator,
            all=tree.all,
            left=left,
            right=right,
            left_casts=casts[0],
            right_casts=casts[1],
            names=tuple(names[key] for key in order),
            types=tuple(types),
        )

    def _casts(self, term: QueryTerm, types: Sequence[SqlType]) -> Casts | None:
        columns = _columns(term)
        if [column.type for column in columns] == list(types):
            return None
        casts = tuple(coerce(column, type_) for column, type_ in zip(columns, types, strict=True))
        return Casts(table=self._environment.new_table(), expressions=casts)

    def _order_by_output(self, order_by: Sequence[parse_tree.OrderItem], term: QueryTerm) -> tuple[SortKey, ...]:
        """ORDER BY of a query that is not one SELECT: it sees the columns of the result only."""
        if not order_by:
            return ()
        columns = _columns(term)
        scope_columns = tuple(ScopeColumn(column.name, column) for column in columns)
        resolver = ExpressionResolver(
            Scope.of_table(ScopeTable("", scope_columns)), self._environment.parameters, "ORDER BY"
        )
        keys = []
        for item in order_by:
            position = _position(item.expression, len(columns), "ORDER BY")
            expression = columns[position] if position is not None else resolver.resolve(item.expression)
            keys.append(_sort_key(item, expression))
        return tuple(keys)


def _position(tree: parse_tree.Expression, width: int, clause: str) -> int | None:
    """The place in the select list that an integer in ORDER BY or GROUP BY means, from 0."""
    if not isinstance(tree, parse_tree.Constant) or not isinstance(tree.value, int) or isinstance(tree.value, bool):
        return None
    if not 1 <= tree.value <= width:
        raise ProgrammingError(f"{clause} {tree.value}: the select list has {counted(width, 'column')}.", tree.span)
    return tree.value - 1


def _sort_key(item: parse_tree.OrderItem, expression: Expression) -> SortKey:
    if not expression.type.is_ordered:
        raise ProgrammingError(f"ORDER BY takes no {expression.type}: lists have no order.", item.span)
    nulls_first = item.descending if item.nulls_first is None else item.nulls_first
    return SortKey(expression=expression, descending=item.descending, nulls_first=nulls_first)


def _check_distinct(what: str, types: Sequence[SqlType], span: Span) -> None:
    """Refuses lists where rows are compared."""
    for type_ in types:
        if not type_.is_ordered:
            raise ProgrammingError(f"{what} takes no {type_}: lists do not compare.", span)


def _output(term: QueryTerm) -> tuple[tuple[str, ...], tuple[SqlType, ...]]:
    if isinstance(term, QueryBlock):
        return term.names, tuple(expression.type for expression in term.expressions[: len(term.names)])
    return term.names, term.types


def _columns(term: QueryTerm) -> list[ColumnRef]:
    """References to the columns of a term."""
    names, types = _output(term)
    return [
        ColumnRef(column=ColumnId(term.table, position), name=name, type=type_)
        for position, (name, type_) in enumerate(zip(names, types, strict=True))
    ]


def _order(tree: parse_tree.JoinTree, from_: FromTree | None) -> tuple[OrderedJoin, ...]:
    from minisql.query_block.resolve_hints import resolve_join_tree  # which few statements need

    return resolve_join_tree(tree, from_)


def _validations(trees: Sequence[parse_tree.JoinValidation], from_: FromTree | None) -> tuple[JoinValidation, ...]:
    from minisql.query_block.resolve_hints import resolve_validations  # which few statements need

    return resolve_validations(trees, from_)
