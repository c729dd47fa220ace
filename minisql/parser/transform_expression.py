"""The callbacks of expressions, literals, types and names, and what those of all rules stand on: see `transform`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, TypeAlias

from lark import Token, Transformer, v_args

from minisql.datatypes import BIGINT_RANGE
from minisql.errors import ProgrammingError, Span
from minisql.parser.literals import float_value, integer_value, interval_value, typed_value, unquoted
from minisql.parser.parse_tree import (
    Between,
    Binary,
    Call,
    CaseExpression,
    CastExpression,
    ColumnName,
    Constant,
    DistinctPredicate,
    Exists,
    Expression,
    Identifier,
    InPredicate,
    IsPredicate,
    LikePredicate,
    Logical,
    Parameter,
    QuantifiedComparison,
    QueryExpression,
    QueryTerm,
    Row,
    ScalarQuery,
    TableReference,
    TypeName,
    Unary,
)
from minisql.parser.statement_tree import Statement
from minisql.parser.token_stream import TokenStream

Names: TypeAlias = tuple[Identifier, ...]

First: TypeAlias = "Token | Identifier | Expression | TableReference | QueryTerm"
"""What the rules of nodes begin with."""

_TRIM: Final = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}


@v_args(inline=True)
class ExpressionTransform(Transformer[Token, Statement]):
    """Callbacks, and the little that they have to remember of a statement."""

    def __init__(self, stream: TokenStream) -> None:
        super().__init__()
        self._stream = stream
        self.begin()

    def begin(self) -> None:
        """Forgets the last statement."""
        self.parameters: list[Parameter] = []
        self._opening: dict[First, Token] = {}
        """The outermost parenthesis before a node: where a node starts that starts with the node in parentheses."""

    def _token_span(self, token: Token) -> Span:
        """The span of a token alone."""
        return Span(self._stream.text, self._stream.start_of(token), self._stream.end_of(token))

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

    def in_query(self, operand: Expression, negated: Token | None, query: QueryExpression) -> QuantifiedComparison:
        operator = "=" if negated is None else "<>"
        return QuantifiedComparison(
            span=self._span(operand), operand=operand, operator=operator, all=negated is not None, query=query
        )

    def quantified_comparison(
        self, operand: Expression, operator: Token, quantifier: Token, query: QueryExpression
    ) -> QuantifiedComparison:
        return QuantifiedComparison(
            span=self._span(operand),
            operand=operand,
            operator="<>" if operator == "!=" else operator.value,
            all=quantifier.type == "ALL",
            query=query,
        )

    def like(
        self, operand: Expression, negated: Token | None, like: Token, pattern: Expression, escape: Expression | None
    ) -> LikePredicate:
        return LikePredicate(
            span=self._span(operand),
            operand=operand,
            pattern=pattern,
            escape=escape,
            negated=negated is not None,
            ignores_case=like.type == "ILIKE",
        )

    def similar(self, operand: Expression, negated: Token | None, _: Token, pattern: Expression) -> Expression:
        span = self._span(operand)
        matches = Binary(span=span, operator="SIMILAR TO", left=operand, right=pattern)
        return matches if negated is None else Unary(span=span, operator="NOT", operand=matches)

    def binary(self, left: Expression, operator: Token, right: Expression) -> Binary:
        symbol = "//" if operator.type == "DIV" else "<>" if operator == "!=" else operator.value
        return Binary(span=self._span(left), operator=symbol, left=left, right=right)

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

    def parameter(self, token: Token) -> Parameter:
        span = self._place(token)
        parameter = Parameter(span=span, index=len(self.parameters))
        if token != "?":
            number, name = int(token[1:]) if token[1:].isdecimal() else None, token[1:]
            if number == 0:
                raise ProgrammingError("The first parameter is $1.", span)
            known = {each.name: each.index for each in self.parameters}
            index = known.get(name, len(known)) if number is None else number - 1
            parameter = Parameter(span=span, index=index, name=name if number is None else None)
        if self.parameters and _parameter_style(parameter) != _parameter_style(self.parameters[0]):
            first = self.parameters[0].span.source
            raise ProgrammingError(
                f"The parameters of a statement are of one kind; the first one here is {first}.",
                span,
                hint="Write ? for each, or $1, $2 and so on, or $name.",
            )
        self.parameters.append(parameter)
        return parameter

    def _place(self, token: Token) -> Span:
        return Span(self._stream.text, self._stream.start_of(token), self._stream.end_of(token))

    def case(self, case: Token, operand: Expression | None, *parts: Any) -> CaseExpression:
        *branches, otherwise = parts
        return CaseExpression(span=self._span(case), operand=operand, branches=tuple(branches), otherwise=otherwise)

    def expressions(self, *expressions: Expression) -> tuple[Expression, ...]:
        return expressions

    def when(self, condition: Expression, result: Expression) -> tuple[Expression, Expression]:
        return condition, result

    def row(self, opening: Token, *items: Expression) -> Row:
        return Row(span=self._span(opening), items=items)

    def scalar_query(self, query: QueryExpression) -> ScalarQuery:
        return ScalarQuery(span=self._span(query), query=query)

    def exists(self, exists: Token, query: QueryExpression) -> Exists:
        return Exists(span=self._span(exists), query=query)

    # --- calls --------------------------------------------------------------------------------------------------------

    def call(self, name: Identifier, arguments: tuple[Expression, ...], filter_: Expression | None) -> Call:
        match name.name, arguments:
            case "position", (InPredicate(negated=False, items=(searched,)) as argument,):
                return self.call_in(name, argument.operand, None, searched)
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

    def call_placing(
        self, name: Identifier, string: Expression, new: Expression, start: Expression, count: Expression | None
    ) -> Call:
        if name.name != "overlay":
            raise ProgrammingError(f'PLACING belongs to overlay, not to "{name.name}".', self._span(name))
        arguments = (string, new, start) if count is None else (string, new, start, count)
        return Call(span=self._span(name), name=name, arguments=arguments)

    def call_in(self, name: Identifier, operand: Expression, negated: Token | None, searched: Expression) -> Call:
        if name.name != "position" or negated is not None:
            raise ProgrammingError(
                "IN needs a list in parentheses.", self._span(name), hint="There is also position(substring IN string)."
            )
        function = Identifier(span=name.span, name="strpos")
        return Call(span=self._span(name), name=function, arguments=(searched, operand))

    def call_keyword(self, keyword: Token, arguments: tuple[Expression, ...]) -> Call:
        span = self._span(keyword)
        return Call(span=span, name=Identifier(span=span, name=keyword.lower()), arguments=arguments)

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

    def zoned_literal(self, type_name: Token, with_: Token, literal: Token) -> Constant:
        span = self._span(type_name)
        return Constant(span=span, value=typed_value(f"{type_name.lower()} with time zone", literal, span))

    def interval(self, word: Token, count: Token, unit: Token, last_unit: Token | None = None) -> Constant:
        span = self._span(word)
        return Constant(span=span, value=interval_value(count, unit, last_unit, span))

    def interval_parameter(self, word: Token, parameter: Token, unit: Token) -> Binary:
        return self._times_unit(self._span(word), self.parameter(parameter), unit)

    def interval_call(self, call: Call, unit: Token) -> Expression:
        span = self._span(call)
        if len(call.arguments) != 1 or call.star or call.distinct or call.filter is not None:
            raise ProgrammingError("An INTERVAL has one number in parentheses.", span)
        return self._times_unit(span, call.arguments[0], unit)

    def _times_unit(self, span: Span, count: Expression, unit: Token) -> Binary:
        one = Constant(span=span, value=interval_value("1", unit, None, span))
        return Binary(span=span, operator="*", left=count, right=one)

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

    def qualified_name(self, schema: Identifier, name: Identifier) -> Identifier:
        """Stored tables are in the schema `main`; the names of those in other schemas have a dot in them."""
        is_main = schema.name.lower() == "main"
        return Identifier(
            span=self._span(schema), name=name.name if is_main else f"{schema.name}.{name.name}", quoted=name.quoted
        )

    def quoted_identifier(self, quoted: Token) -> Identifier:
        name = unquoted(quoted)
        if not name:
            raise ProgrammingError("A quoted name needs at least one character.", self._span(quoted))
        return Identifier(span=self._span(quoted), name=name, quoted=True)


def is_token(token: Token | None, type_: str) -> bool:
    """Whether an optional token is there and of this type."""
    return token is not None and token.type == type_


def _field(expression: Expression) -> Constant:
    match expression:
        case ColumnName(table=None, column=Identifier(name=name)):
            return Constant(span=expression.span, value=name)
        case Constant(value=str()):
            return expression
    raise ProgrammingError("extract needs the name of a field before FROM.", expression.span)


def _parameter_style(parameter: Parameter) -> str:
    return "?" if parameter.span.source == "?" else "$1" if parameter.name is None else "$name"
