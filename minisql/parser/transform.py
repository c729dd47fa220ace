"""From productions to parse-tree nodes: the callbacks of the grammar, called bottom-up while Lark reduces.

Each public method has the name of a rule of `grammar/sql.lark`, or of an alternative of one. It is given the values of
the symbols that leave a trace; the grammar says in which order. Its first argument starts where the rule does, and the
last token that the parser has taken ends it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from lark import Token, Transformer, v_args

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
    JoinTree,
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
    Statement,
    TableFunction,
    TableName,
    TableReference,
    TypeName,
    Unary,
    Values,
)
from minisql.parser.token_stream import TokenStream

Names: TypeAlias = tuple[Identifier, ...]
Alias: TypeAlias = tuple[Identifier, Names]
RowLimits: TypeAlias = tuple[Expression | None, Expression | None]

First: TypeAlias = "Token | Identifier | Expression | TableReference | QueryTerm"
"""What the rules of nodes begin with."""

_TRIM: Final = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}


class WithClause(NamedTuple):
    """WITH and what follows it."""

    word: Token
    tables: tuple[CommonTable, ...]


@v_args(inline=True)
class Transform(Transformer[Token, Statement]):
    """The callbacks, and the little that they have to remember of a statement."""

    def __init__(self, stream: TokenStream) -> None:
        super().__init__()
        self._stream = stream
        self.begin()

    def begin(self) -> None:
        """Forgets the last statement."""
        self.parameter_count = 0
        self._opening: dict[First, Token] = {}
        """The outermost parenthesis before a node: where a node starts that starts with the node in parentheses."""

    def _span(self, first: First) -> Span:
        """The span of the rule that is being reduced, of which `first` is the first symbol."""
        stream = self._stream
        if isinstance(first, Token):
            start = stream.start_of(first)
        else:
            opening = self._opening.get(first)
            start = first.span.start if opening is None else stream.start_of(opening)
        return Span(stream.text, start, stream.end)

    def parentheses(self, opening: Token, node: First) -> First:
        self._opening[node] = opening
        return node

    # --- statements ---------------------------------------------------------------------------------------------------

    def explain(
        self, explain: Token, analyze: Token | None, format_: tuple[str, Span] | None, query: QueryExpression
    ) -> Explain:
        word, format_span = format_ or ("TREE", None)
        return Explain(
            span=self._span(explain), query=query, analyze=analyze is not None, format=word, format_span=format_span
        )

    def explain_format(self, word: Identifier) -> tuple[str, Span]:
        return word.name.upper(), word.span

    def explain_orders(self, word: Token) -> tuple[str, Span]:
        return "ORDERS", self._span(word)

    def create_table(
        self,
        create: Token,
        or_replace: Token | None,
        if_not_exists: bool | None,
        name: Identifier,
        contents: tuple[ColumnDefinition, ...] | QueryExpression,
    ) -> CreateTable:
        return CreateTable(
            span=self._span(create),
            name=name,
            columns=contents if isinstance(contents, tuple) else (),
            query=None if isinstance(contents, tuple) else contents,
            if_not_exists=bool(if_not_exists),
            or_replace=or_replace is not None,
        )

    def create_view(
        self,
        create: Token,
        or_replace: Token | None,
        if_not_exists: bool | None,
        name: Identifier,
        columns: Names | None,
        query: QueryExpression,
    ) -> CreateView:
        return CreateView(
            span=self._span(create),
            name=name,
            columns=columns or (),
            query=query,
            if_not_exists=bool(if_not_exists),
            or_replace=or_replace is not None,
        )

    def if_not_exists(self) -> bool:
        return True

    def if_exists(self) -> bool:
        return True

    def columns(self, *columns: ColumnDefinition) -> tuple[ColumnDefinition, ...]:
        return columns

    def column(self, name: Identifier, type_name: TypeName) -> ColumnDefinition:
        return ColumnDefinition(span=self._span(name), name=name, type=type_name)

    def drop(self, drop: Token, kind: Token, if_exists: bool | None, name: Identifier) -> Drop:
        return Drop(span=self._span(drop), kind=kind.type, name=name, if_exists=bool(if_exists))

    def insert(self, insert: Token, name: Identifier, columns: Names | None, query: QueryExpression) -> Insert:
        return Insert(span=self._span(insert), name=name, columns=columns or (), query=query)

    def set_variable(self, set_: Token, name: Identifier, value: Constant | None) -> SetVariable:
        return SetVariable(span=self._span(set_), name=name, value=value)

    def signed_number(self, sign: Token, number: Constant) -> Constant:
        assert isinstance(number.value, int | float | Decimal)
        value = -number.value if sign == "-" else number.value
        return Constant(span=self._span(sign), value=value)

    def bare_word(self, word: Token) -> Constant:
        if word.type in ("TRUE", "FALSE"):
            return Constant(span=self._span(word), value=word.type == "TRUE")
        return Constant(span=self._span(word), value=word.lower())

    def default(self) -> None:
        return None

    # --- queries ------------------------------------------------------------------------------------------------------

    def query(
        self,
        with_: WithClause | None,
        term: QueryTerm,
        order_by: tuple[OrderItem, ...] | None,
        row_limits: RowLimits | None,
    ) -> QueryExpression:
        if isinstance(term, QueryExpression) and with_ is None and order_by is None and row_limits is None:
            return term
        limit, offset = row_limits or (None, None)
        return QueryExpression(
            span=self._span(with_.word if with_ is not None else term),
            with_=with_.tables if with_ is not None else (),
            term=term,
            order_by=order_by or (),
            limit=limit,
            offset=offset,
        )

    def with_clause(self, with_: Token, recursive: Token | None, *tables: CommonTable) -> WithClause:
        if recursive is not None:
            raise NotSupportedError("WITH RECURSIVE is not supported.", self._span(with_))
        return WithClause(with_, tables)

    def common_table(self, name: Identifier, columns: Names | None, query: QueryExpression) -> CommonTable:
        return CommonTable(span=self._span(name), name=name, columns=columns or (), query=query)

    def set_operation(
        self, left: QueryTerm, operator: Token, quantifier: Token | None, right: QueryTerm
    ) -> SetOperation:
        return SetOperation(
            span=self._span(left),
            operator=SetOperator(operator.type),
            all=_is(quantifier, "ALL"),
            left=left,
            right=right,
        )

    def values(self, values: Token, *rows: tuple[Expression, ...]) -> Values:
        return Values(span=self._span(values), rows=rows)

    def select(
        self,
        select: Token,
        join_tree: JoinTree | None,
        quantifier: Token | None,
        items: tuple[SelectItem, ...],
        from_: TableReference | None,
        where: Expression | None,
        group_by: tuple[Expression, ...] | None,
        having: Expression | None,
    ) -> QueryBlock:
        return QueryBlock(
            span=self._span(select),
            distinct=_is(quantifier, "DISTINCT"),
            items=items,
            from_=from_,
            where=where,
            group_by=group_by or (),
            having=having,
            join_tree=join_tree,
        )

    def hints(self, *comments: Token) -> JoinTree | None:
        if not comments:
            return None
        from minisql.parser.hints import parse_hints  # which few statements need

        stream, found = self._stream, []
        for comment in comments:
            start, end = stream.start_of(comment) + len("/*+"), stream.end_of(comment) - len("*/")
            found.append((comment[len("/*+") : -len("*/")], Span(stream.text, start, end)))
        return parse_hints(found)

    def select_list(self, *items: SelectItem) -> tuple[SelectItem, ...]:
        return items

    def select_item(self, expression: Expression, alias: Identifier | None) -> SelectItem:
        return SelectItem(span=self._span(expression), expression=expression, alias=alias)

    def star(self, star: Token) -> SelectItem:
        span = self._span(star)
        return SelectItem(span=span, expression=Star(span=span, table=None), alias=None)

    def table_star(self, table: Identifier) -> SelectItem:
        span = self._span(table)
        return SelectItem(span=span, expression=Star(span=span, table=table), alias=None)

    def order_items(self, *items: OrderItem) -> tuple[OrderItem, ...]:
        return items

    def order_item(self, expression: Expression, direction: Token | None, nulls: Token | None) -> OrderItem:
        return OrderItem(
            span=self._span(expression),
            expression=expression,
            descending=_is(direction, "DESC"),
            nulls_first=None if nulls is None else _is(nulls, "FIRST"),
        )

    def limit_offset(self, limit: Expression | None, offset: Expression | None = None) -> RowLimits:
        return limit, offset

    def offset_limit(self, offset: Expression, limit: Expression | None) -> RowLimits:
        return limit, offset

    def no_limit(self) -> None:
        return None

    # --- tables -------------------------------------------------------------------------------------------------------

    def table_references(self, *tables: TableReference) -> TableReference:
        left = tables[0]
        for right in tables[1:]:
            left = JoinedTable(span=left.span.to(right.span), kind=JoinKind.CROSS, left=left, right=right)
        return left

    def aliased_tables(self, tables: TableReference, alias: Alias) -> TableReference:
        raise NotSupportedError("An alias for tables in parentheses is not supported.", alias[0].span)

    def join(
        self, left: TableReference, kind: Token | None, right: TableReference, condition: Expression | Names
    ) -> JoinedTable:
        join_kind = _join_kind(kind)
        if isinstance(condition, tuple):
            return JoinedTable(span=self._span(left), kind=join_kind, left=left, right=right, using=condition)
        return JoinedTable(span=self._span(left), kind=join_kind, left=left, right=right, condition=condition)

    def natural_join(self, left: TableReference, kind: Token | None, right: TableReference) -> JoinedTable:
        return JoinedTable(span=self._span(left), kind=_join_kind(kind), left=left, right=right, natural=True)

    def cross_join(self, left: TableReference, right: TableReference) -> JoinedTable:
        return JoinedTable(span=self._span(left), kind=JoinKind.CROSS, left=left, right=right)

    def table_name(self, name: Identifier, alias: Alias | None) -> TableName:
        table_alias, columns = alias or (None, ())
        return TableName(span=self._span(name), name=name, alias=table_alias, column_aliases=columns)

    def table_function(
        self, name: Identifier, arguments: tuple[Expression, ...] | None, alias: Alias | None
    ) -> TableFunction:
        table_alias, columns = alias or (None, ())
        return TableFunction(
            span=self._span(name), name=name, arguments=arguments or (), alias=table_alias, column_aliases=columns
        )

    def file_table(self, path: Token, alias: Alias | None) -> FileTable:
        table_alias, columns = alias or (None, ())
        return FileTable(span=self._span(path), path=unquoted(path), alias=table_alias, column_aliases=columns)

    def derived_table(self, query: QueryExpression, alias: Alias | None) -> DerivedTable:
        table_alias, columns = alias or (None, ())
        return DerivedTable(span=self._span(query), query=query, alias=table_alias, column_aliases=columns)

    def alias(self, name: Identifier, columns: Names | None) -> Alias:
        return name, columns or ()

    # --- expressions --------------------------------------------------------------------------------------------------

    def disjunction(self, *operands: Expression) -> Logical:
        return Logical(span=self._span(operands[0]), operator="OR", operands=operands)

    def conjunction(self, *operands: Expression) -> Logical:
        return Logical(span=self._span(operands[0]), operator="AND", operands=operands)

    def negation(self, not_: Token, operand: Expression) -> Unary:
        return Unary(span=self._span(not_), operator="NOT", operand=operand)

    def is_predicate(self, operand: Expression, negated: Token | None, what: Token) -> IsPredicate:
        return IsPredicate(span=self._span(operand), operand=operand, what=what.type, negated=negated is not None)

    def is_distinct(self, left: Expression, negated: Token | None, right: Expression) -> DistinctPredicate:
        return DistinctPredicate(span=self._span(left), left=left, right=right, negated=negated is not None)

    def between(self, operand: Expression, negated: Token | None, low: Expression, high: Expression) -> Between:
        return Between(span=self._span(operand), operand=operand, low=low, high=high, negated=negated is not None)

    def in_list(self, operand: Expression, negated: Token | None, items: tuple[Expression, ...]) -> InPredicate:
        return InPredicate(span=self._span(operand), operand=operand, items=items, negated=negated is not None)

    def in_query(self, operand: Expression, negated: Token | None, query: QueryExpression) -> Expression:
        raise _subquery(query)

    def like(
        self, operand: Expression, negated: Token | None, pattern: Expression, escape: Expression | None
    ) -> LikePredicate:
        return LikePredicate(
            span=self._span(operand), operand=operand, pattern=pattern, escape=escape, negated=negated is not None
        )

    def binary(self, left: Expression, operator: Token, right: Expression) -> Binary:
        return Binary(
            span=self._span(left), operator="<>" if operator == "!=" else operator.value, left=left, right=right
        )

    def sign(self, operator: Token, operand: Expression) -> Expression:
        if operator == "-" and isinstance(operand, Constant) and operand.value == -BIGINT_RANGE[0]:
            # The one integer that fits only with its sign.
            return Constant(span=self._span(operator), value=BIGINT_RANGE[0])
        return Unary(span=self._span(operator), operator=operator.value, operand=operand)

    def cast(self, operand: Expression, type_name: TypeName) -> CastExpression:
        return CastExpression(span=self._span(operand), operand=operand, type=type_name)

    def cast_call(self, cast: Token, operand: Expression, type_name: TypeName) -> CastExpression:
        return CastExpression(span=self._span(cast), operand=operand, type=type_name)

    def column_name(self, column: Identifier) -> ColumnName:
        return ColumnName(span=self._span(column), table=None, column=column)

    def qualified_column_name(self, table: Identifier, column: Identifier) -> ColumnName:
        return ColumnName(span=self._span(table), table=table, column=column)

    def parameter(self, question_mark: Token) -> Parameter:
        self.parameter_count += 1
        return Parameter(span=self._span(question_mark), index=self.parameter_count - 1)

    def case(self, case: Token, operand: Expression | None, *parts: Any) -> CaseExpression:
        *branches, otherwise = parts
        return CaseExpression(span=self._span(case), operand=operand, branches=tuple(branches), otherwise=otherwise)

    def expressions(self, *expressions: Expression) -> tuple[Expression, ...]:
        return expressions

    def when(self, condition: Expression, result: Expression) -> tuple[Expression, Expression]:
        return condition, result

    def scalar_query(self, query: QueryExpression) -> Expression:
        raise _subquery(query)

    def exists(self, exists: Token, query: QueryExpression) -> Expression:
        raise _subquery(query)

    # --- calls --------------------------------------------------------------------------------------------------------

    def call(self, name: Identifier, arguments: tuple[Expression, ...], filter_: Expression | None) -> Call:
        return Call(span=self._span(name), name=name, arguments=arguments, filter=filter_)

    def call_with_quantifier(
        self, name: Identifier, quantifier: Token, arguments: tuple[Expression, ...], filter_: Expression | None
    ) -> Call:
        distinct = quantifier.type == "DISTINCT"
        return Call(span=self._span(name), name=name, arguments=arguments, distinct=distinct, filter=filter_)

    def call_without_arguments(self, name: Identifier, filter_: Expression | None) -> Call:
        return Call(span=self._span(name), name=name, arguments=(), filter=filter_)

    def call_star(self, name: Identifier, filter_: Expression | None) -> Call:
        return Call(span=self._span(name), name=name, arguments=(), star=True, filter=filter_)

    def call_from(self, name: Identifier, first: Expression, second: Expression, third: Expression | None) -> Call:
        match name.name:
            case "substring" if third is None:
                return Call(span=self._span(name), name=name, arguments=(first, second))
            case "substring" if third is not None:
                return Call(span=self._span(name), name=name, arguments=(first, second, third))
            case "trim" if third is None:
                return Call(span=self._span(name), name=name, arguments=(second, first))
            case "extract" if third is None:
                return Call(span=self._span(name), name=name, arguments=(_field(first), second))
        form = "FROM" if third is None else "FROM ... FOR"
        raise ProgrammingError(
            f'"{name.name}" does not take {form}.',
            self._span(name),
            hint="There are extract(field FROM x), substring(x FROM start [FOR count]) and trim(characters FROM x).",
        )

    def call_trim(self, name: Identifier, side: Token, characters: Expression | None, operand: Expression) -> Call:
        if name.name != "trim":
            raise ProgrammingError(f'{side.type} belongs to trim, not to "{name.name}".', self._span(name))
        function = Identifier(span=name.span, name=_TRIM[side.type])
        return Call(
            span=self._span(name), name=function, arguments=(operand,) if characters is None else (operand, characters)
        )

    # --- literals, types, names ---------------------------------------------------------------------------------------

    def string(self, literal: Token) -> Constant:
        return Constant(span=self._span(literal), value=unquoted(literal))

    def null(self, word: Token) -> Constant:
        return Constant(span=self._span(word), value=None)

    def true(self, word: Token) -> Constant:
        return Constant(span=self._span(word), value=True)

    def false(self, word: Token) -> Constant:
        return Constant(span=self._span(word), value=False)

    def integer(self, digits: Token) -> Constant:
        return Constant(span=self._span(digits), value=integer_value(digits))

    def decimal(self, digits: Token) -> Constant:
        return Constant(span=self._span(digits), value=Decimal(digits))

    def floating(self, digits: Token) -> Constant:
        span = self._span(digits)
        return Constant(span=span, value=float_value(digits, span))

    def typed_literal(self, type_name: Token, literal: Token) -> Constant:
        span = self._span(type_name)
        return Constant(span=span, value=typed_value(type_name.lower(), literal, span))

    def type_name(
        self, name: Token, second_word: Token | None, arguments: tuple[int, ...] | None, preposition: Token | None
    ) -> TypeName:
        words = [name.upper()]
        if second_word is not None:
            words.append(second_word.type)
        if preposition is not None:
            words += preposition.type, "TIME", "ZONE"
        return TypeName(span=self._span(name), name=" ".join(words), arguments=arguments or ())

    def type_arguments(self, opening: Token, *digits: Token) -> tuple[int, ...]:
        arguments = [integer_value(number) for number in digits]
        integers = tuple(argument for argument in arguments if isinstance(argument, int))
        if len(integers) < len(arguments):
            raise ProgrammingError("A number in a type is too large.", self._span(opening))
        return integers

    def names(self, *names: Identifier) -> Names:
        return names

    def identifier(self, name: Token) -> Identifier:
        return Identifier(span=self._span(name), name=name.lower())

    def quoted_identifier(self, quoted: Token) -> Identifier:
        name = unquoted(quoted)
        if not name:
            raise ProgrammingError("A quoted name needs at least one character.", self._span(quoted))
        return Identifier(span=self._span(quoted), name=name, quoted=True)


def _is(token: Token | None, type_: str) -> bool:
    return token is not None and token.type == type_


def _join_kind(kind: Token | None) -> JoinKind:
    return JoinKind.INNER if kind is None else JoinKind(kind.type)


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
