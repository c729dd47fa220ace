"""Resolves expressions: names to columns, operators and functions to their types, sugar to what it means.

What comes out is a bound expression (`expression.nodes`). BETWEEN becomes two comparisons, the simple CASE a searched
one, NULLIF a CASE, `<=>` IS NOT DISTINCT FROM, unary plus nothing. Implied casts are written out (`coerce`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final, assert_never

from minisql.datatypes import (
    DOUBLE,
    INTEGER,
    VARCHAR,
    SqlType,
    TypeKind,
    arithmetic_type,
    as_decimal,
    can_cast,
    temporal_arithmetic,
)
from minisql.errors import ProgrammingError, Span
from minisql.expression import nodes
from minisql.expression.aggregates import AGGREGATES_BY_NAME, GROUPING_NAMES
from minisql.expression.functions import ALIASES
from minisql.expression.nodes import AggregateCall, ColumnId, ColumnRef, Expression, Literal, Value
from minisql.expression.walk import aggregate_inputs, columns_of
from minisql.expression.window import WINDOW_FUNCTIONS, window_inputs
from minisql.parser import parse_tree
from minisql.query_block import rows
from minisql.query_block.coerce import (
    coerce,
    coerce_to_common,
    coerce_to_compared,
    is_untyped_string,
    literal,
    mismatch,
    require_boolean,
    type_beside,
)
from minisql.query_block.current_time import FUNCTIONS_OF_TIME, current_time, is_current_time
from minisql.query_block.environment import StatementValues
from minisql.query_block.resolve_aggregate import resolve_aggregate, resolve_grouping
from minisql.query_block.resolve_function import resolve_function
from minisql.query_block.resolve_window import (
    WindowCollector,
    needs_window,
    no_windows_here,
    no_windows_inside,
    resolve_window_call,
)
from minisql.query_block.scope import Scope
from minisql.query_block.subqueries import SubqueryCollector
from minisql.query_block.type_names import sql_type
from minisql.query_block.write_out import concatenated, whole_part

_COMPARISONS: Final = frozenset(("=", "<>", "<", "<=", ">", ">="))
_FUNCTIONS_OF_OPERATORS: Final = {
    "&": "bitwise_and", "|": "bitwise_or", "<<": "shift_left", ">>": "shift_right", "~": "regexp_matches",
    "SIMILAR TO": "similar_to",
}  # fmt: skip
OPERATORS_OF_FUNCTIONS: Final = {"mod": "%", "div": "//"}
"""The functions that are written out as operators."""
_NO_AGGREGATES: Final = {
    "WHERE": "A condition on an aggregate belongs into HAVING.",
    "GROUP BY": "Aggregates are computed from the groups; a condition on one belongs into HAVING.",
    "ON": "Aggregate in a derived table and join that, or put the condition into HAVING.",
}


class AggregateCollector:
    """The aggregates of a query block as they are found; each stands in for a column after the keys."""

    def __init__(self, new_table: Callable[[], int], keys: Sequence[Expression]) -> None:
        """`new_table` gives the number of the grouping, and is asked only if there is one."""
        self.keys = keys
        self._new_table = new_table
        self._table: int | None = None
        self.calls: list[AggregateCall] = []

    @property
    def table(self) -> int:
        """The number of the grouping."""
        if self._table is None:
            self._table = self._new_table()
        return self._table

    def column(self, call: AggregateCall, name: str) -> ColumnRef:
        """The column of this aggregate; equal calls share one."""
        if call in self.calls:
            position = self.calls.index(call)
        else:
            position = len(self.calls)
            self.calls.append(call)
        column = ColumnId(self.table, len(self.keys) + position)
        return ColumnRef(column=column, name=name, type=call.type, span=call.span)


class ExpressionResolver:
    """Resolves the expressions of one clause against one scope."""

    def __init__(
        self,
        scope: Scope,
        parameters: StatementValues,
        clause: str,
        aggregates: AggregateCollector | None = None,
        *,
        windows: WindowCollector | None = None,
        subqueries: SubqueryCollector | None = None,
        input_subqueries: SubqueryCollector | None = None,
    ) -> None:
        """`clause` is for messages: WHERE, ON. Without a collector it takes no aggregates, windows or subqueries.

        `input_subqueries` is for those inside aggregates.
        """
        self._scope = scope
        self._parameters = parameters
        self._clause = clause
        self._aggregates = aggregates
        self._windows = windows
        self._subqueries = subqueries
        self._input_subqueries = input_subqueries
        self._in_aggregate: str | None = None
        self._in_window: str | None = None

    def condition(self, tree: parse_tree.Expression) -> Expression:
        """A resolved condition: a BOOLEAN, or an error."""
        return require_boolean(self.resolve(tree), self._clause)

    def resolve(self, tree: parse_tree.Expression) -> Expression:
        """The bound expression of a parse tree."""
        span = tree.span
        match tree:
            case parse_tree.ColumnName():
                return self._column(tree)
            case parse_tree.Constant():
                return literal(tree.value, span)
            case parse_tree.Binary():
                return self._binary(tree)
            case parse_tree.Logical():
                operands = [require_boolean(self.resolve(operand), tree.operator) for operand in tree.operands]
                return _logical(tree.operator, operands, span)
            case parse_tree.Call():
                return self._call(tree)
            case parse_tree.WindowCall():
                return self._window(tree)
            case parse_tree.Unary():
                return self._unary(tree)
            case parse_tree.IsPredicate():
                return self._is(tree)
            case parse_tree.DistinctPredicate():
                left, right = self._comparable(tree.left, tree.right, "IS DISTINCT FROM", span)
                return nodes.IsDistinctFrom(left=left, right=right, negated=tree.negated, span=span)
            case parse_tree.Between():
                return self._between(tree)
            case parse_tree.InPredicate() if isinstance(tree.operand, parse_tree.Row):
                return rows.row_in_list(self.resolve, tree.operand, tree)
            case parse_tree.InPredicate():
                every = [self.resolve(tree.operand), *[self.resolve(item) for item in tree.items]]
                operand, *items = coerce_to_compared(every, "IN", span)
                return nodes.InList(operand=operand, items=tuple(items), negated=tree.negated, span=span)
            case parse_tree.LikePredicate():
                return self._like(tree)
            case parse_tree.CaseExpression():
                return self._case(tree)
            case parse_tree.CastExpression():
                return self._cast(tree)
            case parse_tree.DefaultValue():
                if tree.bound is None:
                    raise ProgrammingError("DEFAULT stands only in the VALUES of an INSERT, or in SET.", span)
                return self._parameters.at_time(tree.bound)
            case parse_tree.Parameter():
                return self._parameters.literal(tree)
            case parse_tree.ScalarQuery():
                return self._collector(span).scalar(tree)
            case parse_tree.Exists():
                return self._collector(span).exists(tree)
            case parse_tree.QuantifiedComparison():
                return self._quantified(tree)
            case parse_tree.Row():
                raise ProgrammingError(
                    "A row of values stands only beside = <> < <= > >= or IN.",
                    span,
                    hint="Take its values one by one.",
                )
            case _:
                assert_never(tree)

    def _collector(self, span: Span) -> SubqueryCollector:
        found = self._subqueries if self._in_aggregate is None else self._input_subqueries
        if found is None:
            raise ProgrammingError(
                f"{self._clause} takes no subqueries.", span, hint="Join the query in FROM, and name its column."
            )
        return found

    def _quantified(self, tree: parse_tree.QuantifiedComparison) -> Expression:
        """`operand operator ANY (query)`; ALL is "not: FALSE for any row"."""
        collector, span = self._collector(tree.span), tree.span
        operands = tree.operand.items if isinstance(tree.operand, parse_tree.Row) else (tree.operand,)
        resolved = [self.resolve(operand) for operand in operands]
        what = "IN" if tree.operator == ("<>" if tree.all else "=") else tree.operator

        def comparison(columns: list[Expression]) -> Expression:
            pairs = [
                coerce_to_common((operand, column), what, span)
                for operand, column in zip(resolved, columns, strict=True)
            ]
            if tree.operator == "<=>":
                raise ProgrammingError("<=> takes no ANY and no ALL.", span)
            compare = rows.compare_rows_negated if tree.all else rows.compare_rows
            return compare(tree.operator, pairs, span)

        found = collector.any(tree, len(resolved), comparison)
        return nodes.Not(operand=found, span=span) if tree.all else found

    def _column(self, tree: parse_tree.ColumnName) -> Expression:
        if is_current_time(tree) and not self._scope.find(tree.column.name):
            return self._parameters.at_time(current_time(tree.column.name, tree.span))
        expression = self._scope.column(tree.table, tree.column, tree.span)
        if isinstance(expression, ColumnRef):
            return ColumnRef(column=expression.column, name=expression.name, type=expression.type, span=tree.span)
        return expression

    def _unary(self, tree: parse_tree.Unary) -> Expression:
        operand = self.resolve(tree.operand)
        if tree.operator == "NOT":
            return nodes.Not(operand=require_boolean(operand, "NOT"), span=tree.span)
        if tree.operator == "~":
            return resolve_function("bitwise_not", (operand,), tree.span)
        if is_untyped_string(operand):
            operand = coerce(operand, DOUBLE)
        if operand.type.kind is TypeKind.NULL:
            operand = coerce(operand, INTEGER)
        if not operand.type.is_numeric and operand.type.kind is not TypeKind.INTERVAL:
            raise ProgrammingError(f"{tree.operator} takes a number, not {operand.type}.", tree.span)
        if tree.operator == "+":
            return operand
        if isinstance(operand, Literal) and isinstance(operand.value, int | float | Decimal):
            return literal(_negated(operand.value), tree.span)
        return nodes.Negate(operand=operand, type=operand.type, span=tree.span)

    def _binary(self, tree: parse_tree.Binary) -> Expression:
        operator, span = tree.operator, tree.span
        if isinstance(tree.left, parse_tree.Row) and operator in _COMPARISONS:
            return rows.row_comparison(self.resolve, operator, tree.left, tree.right, span)
        if operator in _COMPARISONS:
            left, right = self._comparable(tree.left, tree.right, operator, span)
            return nodes.Comparison(operator=operator, left=left, right=right, span=span)
        if operator == "<=>":
            left, right = self._comparable(tree.left, tree.right, operator, span)
            return nodes.IsDistinctFrom(left=left, right=right, negated=True, span=span)
        left, right = self.resolve(tree.left), self.resolve(tree.right)
        return _operation(operator, left, right, span)

    def _comparable(
        self, left: parse_tree.Expression, right: parse_tree.Expression, what: str, span: Span
    ) -> tuple[Expression, Expression]:
        first, second = coerce_to_compared((self.resolve(left), self.resolve(right)), what, span)
        return first, second

    def _is(self, tree: parse_tree.IsPredicate) -> Expression:
        operand = self.resolve(tree.operand)
        if tree.what == "NULL":
            return nodes.IsNull(operand=operand, negated=tree.negated, span=tree.span)
        operand = require_boolean(operand, f"IS {tree.what}")
        if tree.what == "UNKNOWN":
            return nodes.IsNull(operand=operand, negated=tree.negated, span=tree.span)
        return nodes.IsTruth(operand=operand, truth=tree.what == "TRUE", negated=tree.negated, span=tree.span)

    def _between(self, tree: parse_tree.Between) -> Expression:
        bounds = [self.resolve(part) for part in (tree.operand, tree.low, tree.high)]
        operand, low, high = coerce_to_compared(bounds, "BETWEEN", tree.span)
        at_least = nodes.Comparison(operator=">=", left=operand, right=low, span=tree.span)
        at_most = nodes.Comparison(operator="<=", left=operand, right=high, span=tree.span)
        both = nodes.And(operands=(at_least, at_most), span=tree.span)
        return nodes.Not(operand=both, span=tree.span) if tree.negated else both

    def _like(self, tree: parse_tree.LikePredicate) -> Expression:
        operand, pattern = self.resolve(tree.operand), self.resolve(tree.pattern)
        for side in (operand, pattern):
            if side.type.kind not in (TypeKind.VARCHAR, TypeKind.NULL):
                raise ProgrammingError(f"LIKE takes strings, not {side.type}.", side.span or tree.span)
        escape = None
        if tree.escape is not None:
            resolved = self.resolve(tree.escape)
            if not isinstance(resolved, Literal) or not isinstance(resolved.value, str) or len(resolved.value) != 1:
                raise ProgrammingError("ESCAPE takes a string literal of one character.", tree.escape.span)
            escape = resolved.value
        if tree.ignores_case:
            # The escape character changes its case with the pattern.
            operand, pattern = [resolve_function("lower", (side,), tree.span) for side in (operand, pattern)]
            escape = escape and escape.lower()
        return nodes.Like(
            operand=coerce(operand, VARCHAR),
            pattern=coerce(pattern, VARCHAR),
            escape=escape,
            negated=tree.negated,
            span=tree.span,
        )

    def _case(self, tree: parse_tree.CaseExpression) -> Expression:
        if tree.operand is None:
            conditions = [require_boolean(self.resolve(when), "WHEN") for when, _ in tree.branches]
        else:
            compared = [self.resolve(tree.operand), *[self.resolve(when) for when, _ in tree.branches]]
            operand, *values = coerce_to_compared(compared, "CASE", tree.span)
            conditions = [
                nodes.Comparison(operator="=", left=operand, right=value, span=value.span) for value in values
            ]
        otherwise = literal(None, tree.span) if tree.otherwise is None else self.resolve(tree.otherwise)
        results = [self.resolve(then) for _, then in tree.branches]
        *results, otherwise = coerce_to_common((*results, otherwise), "CASE", tree.span)
        branches = tuple(zip(conditions, results, strict=True))
        return nodes.Case(branches=branches, otherwise=otherwise, type=otherwise.type, span=tree.span)

    def _cast(self, tree: parse_tree.CastExpression) -> Expression:
        operand, target = self.resolve(tree.operand), sql_type(tree.type)
        if not can_cast(operand.type, target):
            raise ProgrammingError(f"{operand.type} cannot be cast to {target}.", tree.span)
        if operand.type == target:
            return operand
        return nodes.Cast(operand=operand, type=target, span=tree.span)

    # --- calls --------------------------------------------------------------------------------------------------------

    def _call(self, tree: parse_tree.Call) -> Expression:
        name = tree.name.name.lower()
        if name in AGGREGATES_BY_NAME or name in GROUPING_NAMES:
            return self._aggregate(tree, name)
        if name in WINDOW_FUNCTIONS:
            raise needs_window(tree)
        what = _only_of_aggregates(tree)
        if what is not None:
            raise ProgrammingError(f"{name} is no aggregate, so it takes no {what}.", tree.span)
        if name in OPERATORS_OF_FUNCTIONS and len(tree.arguments) == 2:
            left, right = [self.resolve(argument) for argument in tree.arguments]
            return _operation(OPERATORS_OF_FUNCTIONS[name], left, right, tree.span)
        arguments = [self.resolve(argument) for argument in tree.arguments]
        functions = self._parameters.functions
        if name in functions:
            from minisql.query_block.resolve_user_function import resolve_user_function  # which few statements need

            return resolve_user_function(functions[name], arguments, tree.span)
        resolved = resolve_function(name, arguments, tree.span, tree.name.span, functions)
        return self._parameters.at_time(resolved) if ALIASES.get(name, name) in FUNCTIONS_OF_TIME else resolved

    def _aggregate(self, tree: parse_tree.Call, name: str) -> Expression:
        if self._in_aggregate is not None:
            raise ProgrammingError(
                f"{name} cannot stand inside the aggregate {self._in_aggregate}.",
                tree.span,
                hint="Aggregate in a derived table first: FROM (SELECT ... GROUP BY ...).",
            )
        if self._aggregates is None:
            what = "aggregates" if name in AGGREGATES_BY_NAME else name.upper()
            raise ProgrammingError(f"{self._clause} takes no {what}.", tree.span, hint=_NO_AGGREGATES.get(self._clause))
        self._in_aggregate = name
        try:
            if name in GROUPING_NAMES:
                call = resolve_grouping(tree, name, self._aggregates.keys, self)
            else:
                call = self.aggregate_call(tree, name)
        finally:
            self._in_aggregate = None
        if self._reads_alias_of(aggregate_inputs(call), self._aggregates, self._windows):
            raise ProgrammingError(
                f"The argument of {name} is an alias of what is computed from the groups.",
                tree.span,
                hint="Aggregate in a derived table first: FROM (SELECT ... GROUP BY ...).",
            )
        return self._aggregates.column(call, " ".join(tree.span.source.split()))

    def _reads_alias_of(
        self, inputs: Iterable[Expression], *collectors: AggregateCollector | WindowCollector | None
    ) -> bool:
        """Whether expressions that may not, read what was collected: through an alias, which only QUALIFY sees."""
        if self._clause != "QUALIFY":
            return False
        tables = {collector.table for collector in collectors if collector is not None and collector.calls}
        return any(column.table in tables for expression in inputs for column in columns_of(expression))

    def _window(self, tree: parse_tree.WindowCall) -> Expression:
        if self._in_aggregate is not None:
            raise no_windows_inside(f"the aggregate {self._in_aggregate}", tree)
        if self._in_window is not None:
            raise no_windows_inside(f"the window function {self._in_window}", tree)
        if self._windows is None:
            raise no_windows_here(self._clause, tree)
        self._in_window = tree.call.name.name
        try:
            call = resolve_window_call(tree, self, self._windows)
        finally:
            self._in_window = None
        if self._reads_alias_of(window_inputs(call), self._windows):
            raise no_windows_inside("the window function " + tree.call.name.name, tree)
        return self._windows.column(call, " ".join(tree.span.source.split()))

    def aggregate_call(self, tree: parse_tree.Call, name: str) -> AggregateCall:
        """The aggregate over what its arguments mean here."""
        return resolve_aggregate(tree, name, self)


def _only_of_aggregates(tree: parse_tree.Call) -> str | None:
    """What the call has that only an aggregate takes."""
    if tree.star or tree.distinct or tree.filter is not None:
        return "*" if tree.star else "DISTINCT" if tree.distinct else "FILTER"
    if tree.order_by or tree.within_group:
        return "ORDER BY" if tree.order_by else "WITHIN GROUP"
    return None


def _negated(value: Value) -> Value:
    """The number with the other sign, every digit kept: `-value` would round a DECIMAL to 28 of them."""
    if isinstance(value, Decimal):
        return value.copy_negate()
    assert isinstance(value, int | float), "only numbers are negated"
    return -value


def _logical(operator: str, operands: list[Expression], span: Span) -> Expression:
    """AND and OR are flat: BETWEEN, which is an AND, may stand in one."""
    if operator == "AND":
        flat = [part for node in operands for part in (node.operands if isinstance(node, nodes.And) else (node,))]
        return nodes.And(operands=tuple(flat), span=span)
    flat = [part for node in operands for part in (node.operands if isinstance(node, nodes.Or) else (node,))]
    return nodes.Or(operands=tuple(flat), span=span)


def _operation(operator: str, left: Expression, right: Expression, span: Span) -> Expression:
    """An operator that is neither a comparison nor a logical one."""
    if operator == "||":
        return _concat(left, right, span)
    if operator == "//":
        return whole_part(_arithmetic("/", left, right, span), span)
    if operator == "~*":
        return resolve_function("regexp_matches", (left, right, literal("i", span)), span)
    if operator in ("!~", "!~*"):
        return nodes.Not(operand=_operation(operator[1:], left, right, span), span=span)
    name = _FUNCTIONS_OF_OPERATORS.get(operator)
    return resolve_function(name, (left, right), span) if name else _arithmetic(operator, left, right, span)


def _arithmetic(operator: str, left: Expression, right: Expression, span: Span) -> Expression:
    if is_untyped_string(left) and not is_untyped_string(right):
        left = coerce(left, type_beside(operator, right.type))
    elif is_untyped_string(right) and not is_untyped_string(left):
        right = coerce(right, type_beside(operator, left.type))
    temporal = temporal_arithmetic(operator, left.type, right.type)
    if temporal is not None:
        left, right = coerce(left, temporal.left), coerce(right, temporal.right)
        return nodes.Arithmetic(operator=operator, left=left, right=right, type=temporal.result, span=span)
    type_ = arithmetic_type(operator, left.type, right.type)
    if type_ is None:
        raise mismatch(operator, left.type, right.type, span)
    if type_.kind is TypeKind.DECIMAL:
        left, right = (
            side if side.type.kind is TypeKind.DECIMAL else coerce(side, _decimal_operand(side))
            for side in (left, right)
        )
    else:
        left, right = coerce(left, type_), coerce(right, type_)
    return nodes.Arithmetic(operator=operator, left=left, right=right, type=type_, span=span)


def _decimal_operand(side: Expression) -> SqlType:
    """The DECIMAL for an integer beside a DECIMAL; that of NULL has the one digit that it needs."""
    return as_decimal(INTEGER if side.type.kind is TypeKind.NULL else side.type)


def _concat(left: Expression, right: Expression, span: Span) -> Expression:
    if TypeKind.VARCHAR not in (left.type.kind, right.type.kind) and TypeKind.NULL not in (
        left.type.kind,
        right.type.kind,
    ):
        raise mismatch("||", left.type, right.type, span)
    return concatenated((coerce(left, VARCHAR), coerce(right, VARCHAR)), span)
