"""From productions to parse-tree nodes: the callbacks of the grammar, called bottom-up while the parser reduces.

Each method has the name of a rule of `grammar/sql.lark`, or of an alternative of one. It is given the span of what was
reduced, parentheses included, and the values of the symbols that leave a trace; the grammar says in which order.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeAlias

from minisql.datatypes import BIGINT_RANGE
from minisql.errors import NotSupportedError, ProgrammingError, Span
from minisql.parser.literals import float_value, integer_value, typed_value, unquoted
from minisql.parser.parse_tree import (
    Between,
    Binary,
    Call,
    CaseExpression,
    CastExpression,
    ColumnDefinition,
    ColumnName,
    CommonTable,
    Constant,
    CreateTable,
    CreateView,
    DerivedTable,
    DistinctPredicate,
    Drop,
    Explain,
    Expression,
    FileTable,
    Identifier,
    InPredicate,
    Insert,
    IsPredicate,
    JoinedTable,
    JoinKind,
    LikePredicate,
    Logical,
    OrderItem,
    Parameter,
    QueryBlock,
    QueryExpression,
    QueryTerm,
    SelectItem,
    SetOperation,
    SetOperator,
    SetVariable,
    Star,
    TableFunction,
    TableName,
    TableReference,
    TypeName,
    Unary,
    Values,
)

Names: TypeAlias = tuple[Identifier, ...]
Alias: TypeAlias = tuple[Identifier, Names]
RowLimits: TypeAlias = tuple[Expression | None, Expression | None]

_TRIM: Final = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}


class Transform:
    """The callbacks for one statement. The only state is the number of parameters seen so far."""

    def __init__(self) -> None:
        self.parameter_count = 0

    # --- statements ---------------------------------------------------------------------------------------------------

    def explain(
        self, span: Span, analyze: str | None, format_: tuple[str, Span] | None, query: QueryExpression
    ) -> Explain:
        word, format_span = format_ or ("TREE", None)
        return Explain(span=span, query=query, analyze=analyze is not None, format=word, format_span=format_span)

    def explain_format(self, span: Span, word: Identifier) -> tuple[str, Span]:
        return word.name.upper(), word.span

    def create_table(
        self,
        span: Span,
        or_replace: str | None,
        if_not_exists: bool | None,
        name: Identifier,
        columns: tuple[ColumnDefinition, ...],
    ) -> CreateTable:
        return CreateTable(
            span=span,
            name=name,
            columns=columns,
            query=None,
            if_not_exists=bool(if_not_exists),
            or_replace=or_replace is not None,
        )

    def create_table_as(
        self, span: Span, or_replace: str | None, if_not_exists: bool | None, name: Identifier, query: QueryExpression
    ) -> CreateTable:
        return CreateTable(
            span=span,
            name=name,
            columns=(),
            query=query,
            if_not_exists=bool(if_not_exists),
            or_replace=or_replace is not None,
        )

    def create_view(
        self,
        span: Span,
        or_replace: str | None,
        if_not_exists: bool | None,
        name: Identifier,
        columns: Names | None,
        query: QueryExpression,
    ) -> CreateView:
        return CreateView(
            span=span,
            name=name,
            columns=columns or (),
            query=query,
            if_not_exists=bool(if_not_exists),
            or_replace=or_replace is not None,
        )

    def if_not_exists(self, span: Span) -> bool:
        return True

    def if_exists(self, span: Span) -> bool:
        return True

    def columns(self, span: Span, *columns: ColumnDefinition) -> tuple[ColumnDefinition, ...]:
        return columns

    def column(self, span: Span, name: Identifier, type_name: TypeName) -> ColumnDefinition:
        return ColumnDefinition(span=span, name=name, type=type_name)

    def drop(self, span: Span, kind: str, if_exists: bool | None, name: Identifier) -> Drop:
        return Drop(span=span, kind=kind, name=name, if_exists=bool(if_exists))

    def insert(self, span: Span, name: Identifier, columns: Names | None, query: QueryExpression) -> Insert:
        return Insert(span=span, name=name, columns=columns or (), query=query)

    def set_variable(self, span: Span, name: Identifier, value: Constant | None) -> SetVariable:
        return SetVariable(span=span, name=name, value=value)

    def word(self, span: Span, word: str) -> Constant:
        if word in ("TRUE", "FALSE"):
            return Constant(span=span, value=word == "TRUE")
        return Constant(span=span, value=word.lower())

    def default(self, span: Span) -> None:
        return None

    # --- queries ------------------------------------------------------------------------------------------------------

    def query(
        self,
        span: Span,
        with_: tuple[CommonTable, ...] | None,
        term: QueryTerm,
        order_by: tuple[OrderItem, ...] | None,
        row_limits: RowLimits | None,
    ) -> QueryExpression:
        if isinstance(term, QueryExpression) and with_ is None and order_by is None and row_limits is None:
            return term
        limit, offset = row_limits or (None, None)
        return QueryExpression(
            span=span, with_=with_ or (), term=term, order_by=order_by or (), limit=limit, offset=offset
        )

    def with_clause(self, span: Span, recursive: str | None, *tables: CommonTable) -> tuple[CommonTable, ...]:
        if recursive is not None:
            raise NotSupportedError("WITH RECURSIVE is not supported.", span)
        return tables

    def common_table(self, span: Span, name: Identifier, columns: Names | None, query: QueryExpression) -> CommonTable:
        return CommonTable(span=span, name=name, columns=columns or (), query=query)

    def set_operation(
        self, span: Span, left: QueryTerm, operator: str, quantifier: str | None, right: QueryTerm
    ) -> SetOperation:
        return SetOperation(span=span, operator=SetOperator(operator), all=quantifier == "ALL", left=left, right=right)

    def values(self, span: Span, *rows: tuple[Expression, ...]) -> Values:
        return Values(span=span, rows=rows)

    def row(self, span: Span, *expressions: Expression) -> tuple[Expression, ...]:
        return expressions

    def select(
        self,
        span: Span,
        hints: tuple[str, ...],
        quantifier: str | None,
        items: tuple[SelectItem, ...],
        from_: TableReference | None,
        where: Expression | None,
        group_by: tuple[Expression, ...] | None,
        having: Expression | None,
    ) -> QueryBlock:
        return QueryBlock(
            span=span,
            distinct=quantifier == "DISTINCT",
            items=items,
            from_=from_,
            where=where,
            group_by=group_by or (),
            having=having,
            hints=hints,
        )

    def hints(self, span: Span, *comments: str) -> tuple[str, ...]:
        return tuple(comment[len("/*+") : -len("*/")].strip() for comment in comments)

    def select_list(self, span: Span, *items: SelectItem) -> tuple[SelectItem, ...]:
        return items

    def select_item(self, span: Span, expression: Expression, alias: Identifier | None) -> SelectItem:
        return SelectItem(span=span, expression=expression, alias=alias)

    def star(self, span: Span, table: Identifier | None = None) -> SelectItem:
        return SelectItem(span=span, expression=Star(span=span, table=table), alias=None)

    def group_by(self, span: Span, *expressions: Expression) -> tuple[Expression, ...]:
        return expressions

    def order_by(self, span: Span, *items: OrderItem) -> tuple[OrderItem, ...]:
        return items

    def order_item(self, span: Span, expression: Expression, direction: str | None, nulls: str | None) -> OrderItem:
        return OrderItem(
            span=span,
            expression=expression,
            descending=direction == "DESC",
            nulls_first=None if nulls is None else nulls == "FIRST",
        )

    def limit_offset(self, span: Span, limit: Expression | None, offset: Expression | None = None) -> RowLimits:
        return limit, offset

    def offset_limit(self, span: Span, offset: Expression, limit: Expression | None) -> RowLimits:
        return limit, offset

    def no_limit(self, span: Span) -> None:
        return None

    # --- tables -------------------------------------------------------------------------------------------------------

    def from_clause(self, span: Span, *tables: TableReference) -> TableReference:
        left = tables[0]
        for right in tables[1:]:
            left = JoinedTable(span=left.span.to(right.span), kind=JoinKind.CROSS, left=left, right=right)
        return left

    parenthesized_tables = from_clause

    def aliased_tables(self, span: Span, tables: TableReference, alias: Alias) -> TableReference:
        raise NotSupportedError("An alias for tables in parentheses is not supported.", alias[0].span)

    def join(
        self, span: Span, left: TableReference, kind: str | None, right: TableReference, condition: Expression | Names
    ) -> JoinedTable:
        join_kind = JoinKind(kind or "INNER")
        if isinstance(condition, tuple):
            return JoinedTable(span=span, kind=join_kind, left=left, right=right, using=condition)
        return JoinedTable(span=span, kind=join_kind, left=left, right=right, condition=condition)

    def natural_join(self, span: Span, left: TableReference, kind: str | None, right: TableReference) -> JoinedTable:
        return JoinedTable(span=span, kind=JoinKind(kind or "INNER"), left=left, right=right, natural=True)

    def cross_join(self, span: Span, left: TableReference, right: TableReference) -> JoinedTable:
        return JoinedTable(span=span, kind=JoinKind.CROSS, left=left, right=right)

    def table_name(self, span: Span, name: Identifier, alias: Alias | None) -> TableName:
        table_alias, columns = alias or (None, ())
        return TableName(span=span, name=name, alias=table_alias, column_aliases=columns)

    def table_function(
        self, span: Span, name: Identifier, arguments: tuple[Expression, ...] | None, alias: Alias | None
    ) -> TableFunction:
        table_alias, columns = alias or (None, ())
        return TableFunction(span=span, name=name, arguments=arguments or (), alias=table_alias, column_aliases=columns)

    def file_table(self, span: Span, path: str, alias: Alias | None) -> FileTable:
        table_alias, columns = alias or (None, ())
        return FileTable(span=span, path=unquoted(path), alias=table_alias, column_aliases=columns)

    def derived_table(self, span: Span, query: QueryExpression, alias: Alias | None) -> DerivedTable:
        table_alias, columns = alias or (None, ())
        return DerivedTable(span=span, query=query, alias=table_alias, column_aliases=columns)

    def alias(self, span: Span, name: Identifier, columns: Names | None) -> Alias:
        return name, columns or ()

    # --- expressions --------------------------------------------------------------------------------------------------

    def disjunction(self, span: Span, *operands: Expression) -> Logical:
        return Logical(span=span, operator="OR", operands=operands)

    def conjunction(self, span: Span, *operands: Expression) -> Logical:
        return Logical(span=span, operator="AND", operands=operands)

    def negation(self, span: Span, operand: Expression) -> Unary:
        return Unary(span=span, operator="NOT", operand=operand)

    def is_predicate(self, span: Span, operand: Expression, negated: str | None, what: str) -> IsPredicate:
        return IsPredicate(span=span, operand=operand, what=what, negated=negated is not None)

    def is_distinct(self, span: Span, left: Expression, negated: str | None, right: Expression) -> DistinctPredicate:
        return DistinctPredicate(span=span, left=left, right=right, negated=negated is not None)

    def between(
        self, span: Span, operand: Expression, negated: str | None, low: Expression, high: Expression
    ) -> Between:
        return Between(span=span, operand=operand, low=low, high=high, negated=negated is not None)

    def in_list(self, span: Span, operand: Expression, negated: str | None, *items: Expression) -> InPredicate:
        return InPredicate(span=span, operand=operand, items=items, negated=negated is not None)

    def in_query(self, span: Span, operand: Expression, negated: str | None, query: QueryExpression) -> Expression:
        raise _subquery(query)

    def like(
        self,
        span: Span,
        operand: Expression,
        negated: str | None,
        pattern: Expression,
        escape: Expression | None,
    ) -> LikePredicate:
        return LikePredicate(span=span, operand=operand, pattern=pattern, escape=escape, negated=negated is not None)

    def binary(self, span: Span, left: Expression, operator: str, right: Expression) -> Binary:
        return Binary(span=span, operator="<>" if operator == "!=" else operator, left=left, right=right)

    def sign(self, span: Span, operator: str, operand: Expression) -> Expression:
        if operator == "-" and isinstance(operand, Constant) and operand.value == -BIGINT_RANGE[0]:
            # The one integer that fits only with its sign.
            return Constant(span=span, value=BIGINT_RANGE[0])
        return Unary(span=span, operator=operator, operand=operand)

    def cast(self, span: Span, operand: Expression, type_name: TypeName) -> CastExpression:
        return CastExpression(span=span, operand=operand, type=type_name)

    def column_name(self, span: Span, column: Identifier) -> ColumnName:
        return ColumnName(span=span, table=None, column=column)

    def qualified_column_name(self, span: Span, table: Identifier, column: Identifier) -> ColumnName:
        return ColumnName(span=span, table=table, column=column)

    def parameter(self, span: Span) -> Parameter:
        self.parameter_count += 1
        return Parameter(span=span, index=self.parameter_count - 1)

    def case(self, span: Span, operand: Expression | None, *parts: Any) -> CaseExpression:
        *branches, otherwise = parts
        return CaseExpression(span=span, operand=operand, branches=tuple(branches), otherwise=otherwise)

    def when(self, span: Span, condition: Expression, result: Expression) -> tuple[Expression, Expression]:
        return condition, result

    def scalar_query(self, span: Span, query: QueryExpression) -> Expression:
        raise _subquery(query)

    def exists(self, span: Span, query: QueryExpression) -> Expression:
        raise _subquery(query)

    # --- calls --------------------------------------------------------------------------------------------------------

    def call(
        self,
        span: Span,
        name: Identifier,
        quantifier: str | None,
        arguments: tuple[Expression, ...],
        filter_: Expression | None,
    ) -> Call:
        return Call(span=span, name=name, arguments=arguments, distinct=quantifier == "DISTINCT", filter=filter_)

    def call_without_arguments(self, span: Span, name: Identifier, filter_: Expression | None) -> Call:
        return Call(span=span, name=name, arguments=(), filter=filter_)

    def call_star(self, span: Span, name: Identifier, filter_: Expression | None) -> Call:
        return Call(span=span, name=name, arguments=(), star=True, filter=filter_)

    def call_from(
        self, span: Span, name: Identifier, first: Expression, second: Expression, third: Expression | None
    ) -> Call:
        match name.name:
            case "substring" if third is None:
                return Call(span=span, name=name, arguments=(first, second))
            case "substring" if third is not None:
                return Call(span=span, name=name, arguments=(first, second, third))
            case "trim" if third is None:
                return Call(span=span, name=name, arguments=(second, first))
            case "extract" if third is None:
                return Call(span=span, name=name, arguments=(_field(first), second))
        form = "FROM" if third is None else "FROM ... FOR"
        raise ProgrammingError(
            f'"{name.name}" does not take {form}.',
            span,
            hint="There are extract(field FROM x), substring(x FROM start [FOR count]) and trim(characters FROM x).",
        )

    def call_trim(
        self, span: Span, name: Identifier, side: str, characters: Expression | None, operand: Expression
    ) -> Call:
        if name.name != "trim":
            raise ProgrammingError(f'{side} belongs to trim, not to "{name.name}".', span)
        function = Identifier(span=name.span, name=_TRIM[side])
        return Call(span=span, name=function, arguments=(operand,) if characters is None else (operand, characters))

    def arguments(self, span: Span, *arguments: Expression) -> tuple[Expression, ...]:
        return arguments

    # --- literals, types, names ---------------------------------------------------------------------------------------

    def string(self, span: Span, literal: str) -> Constant:
        return Constant(span=span, value=unquoted(literal))

    def null(self, span: Span, word: str) -> Constant:
        return Constant(span=span, value=None)

    def true(self, span: Span, word: str) -> Constant:
        return Constant(span=span, value=True)

    def false(self, span: Span, word: str) -> Constant:
        return Constant(span=span, value=False)

    def integer(self, span: Span, digits: str) -> Constant:
        return Constant(span=span, value=integer_value(digits))

    def decimal(self, span: Span, digits: str) -> Constant:
        return Constant(span=span, value=Decimal(digits))

    def floating(self, span: Span, digits: str) -> Constant:
        return Constant(span=span, value=float_value(digits, span))

    def typed_literal(self, span: Span, type_name: str, literal: str) -> Constant:
        return Constant(span=span, value=typed_value(type_name, literal, span))

    def type_name(
        self,
        span: Span,
        name: str,
        second_word: str | None,
        arguments: tuple[int, ...] | None,
        time_zone: str | None,
    ) -> TypeName:
        words = " ".join(word for word in (name.upper(), second_word, time_zone) if word is not None)
        return TypeName(span=span, name=words, arguments=arguments or ())

    def type_arguments(self, span: Span, *digits: str) -> tuple[int, ...]:
        arguments = [integer_value(number) for number in digits]
        integers = tuple(argument for argument in arguments if isinstance(argument, int))
        if len(integers) < len(arguments):
            raise ProgrammingError("A number in a type is too large.", span)
        return integers

    def time_zone(self, span: Span, preposition: str) -> str:
        return f"{preposition} TIME ZONE"

    def names(self, span: Span, *names: Identifier) -> Names:
        return names

    def identifier(self, span: Span, name: str) -> Identifier:
        return Identifier(span=span, name=name)

    def quoted_identifier(self, span: Span, quoted: str) -> Identifier:
        name = unquoted(quoted)
        if not name:
            raise ProgrammingError("A quoted name needs at least one character.", span)
        return Identifier(span=span, name=name, quoted=True)


def callbacks() -> dict[str, Callable[..., Any]]:
    """The callbacks by name, for the parser to call with a `Transform` first."""
    return {name: method for name, method in vars(Transform).items() if not name.startswith("_")}


def _field(expression: Expression) -> Constant:
    match expression:
        case ColumnName(table=None, column=Identifier(name=name)):
            return Constant(span=expression.span, value=name)
        case Constant(value=str()):
            return expression
    raise ProgrammingError("extract needs the name of a field before FROM.", expression.span)


def _subquery(query: QueryExpression) -> NotSupportedError:
    return NotSupportedError(
        "Subqueries in expressions are not supported.", query.span, hint="Join the query in FROM instead."
    )
