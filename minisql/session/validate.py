"""Checks how many rows of two tables of a join may meet, as pandas' `merge(validate=...)` does: 1:1, 1:m, m:1, m:n.

A side that is 1 has each key once. Keys are what the conditions of the query equate between the two tables; rows are
those of the table that fulfil what WHERE and ON ask of this table alone, and keys that are NULL, which meet nothing, do
not count. Whether the other side has the key is not asked: what is checked does not depend on the order of the joins,
nor on the other table. It costs a grouping of each side that is 1, before the query itself is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from minisql.datatypes import BIGINT
from minisql.errors import IntegrityError, InterfaceError, NotSupportedError, ProgrammingError, Span
from minisql.expression.format import format_value
from minisql.expression.nodes import (
    Cast,
    Coalesce,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    IsDistinctFrom,
    IsNull,
    Literal,
    SortKey,
    Value,
)
from minisql.expression.nulls import rejects_nulls
from minisql.expression.walk import conjunction, conjuncts, outer_references, tables_of
from minisql.node_set import single
from minisql.parser.keywords import last_name
from minisql.parser.literals import unquoted
from minisql.parser.parse_tree import Identifier, JoinKind
from minisql.printable import MESSAGE_WIDTH, cut
from minisql.query_block.query_block import (
    Grouping,
    JoinedTable,
    JoinValidation,
    QueryBlock,
    QueryExpression,
    QueryTerm,
)
from minisql.query_block.resolve_aggregate import count_star
from minisql.query_block.resolve_hints import find_item, validation
from minisql.query_block.table_names import FromItem, from_items, joins_of
from minisql.relational.from_query_block import relational_expression
from minisql.relational.new_tables import NewTables
from minisql.relational.rewriting import tables_of_outer_references
from minisql.relational.shared import shared_users_first
from minisql.session.pipeline import PlannedQuery, plan_relational
from minisql.session.recursion import deep_recursion
from minisql.session.result import Result

MOST_KEYS: Final = 5
"""How many keys an error lists."""

_NAME: Final = r'(?:[^\W\d]\w*|"(?:[^"]|"")*")'
_PAIR: Final = re.compile(rf"\s*({_NAME})\s*-\s*({_NAME})\s*")


def execute_validated(planned: PlannedQuery, validate: Mapping[str, str]) -> Result:
    """Checks the joins of the outermost SELECT of a query, then runs it.

    Args:
        planned: the query.
        validate: for pairs of tables, `a-b` with the names that they have in FROM, quoted where SQL would have it so,
            a kind of join.

    Raises:
        InterfaceError: `validate` is no such mapping.
        ProgrammingError: a table is not in FROM, a kind is unknown, or nothing equates columns of the two tables.
        IntegrityError: a side that is 1 has a key several times.
    """
    with deep_recursion():
        block = _outermost_block(planned.query)
        check_joins(planned, block, [_from_argument(pair, kind, block) for pair, kind in _pairs(validate)])
    return planned.execute()


def check_hints(planned: PlannedQuery) -> None:
    """Checks what the VALIDATE hints of a query say.

    Raises:
        ProgrammingError: nothing equates columns of two tables.
        IntegrityError: a side that is 1 has a key several times.
    """
    for block in planned.validated:
        check_joins(planned, block, block.validations)


def _pairs(validate: object) -> list[tuple[str, str]]:
    if not isinstance(validate, Mapping) or not all(
        isinstance(each, str) for pair in validate.items() for each in pair
    ):
        raise InterfaceError('validate is a mapping such as {"a-b": "1:m"}.')
    return list(validate.items())


def _outermost_block(query: QueryExpression) -> QueryBlock:
    term: QueryTerm = query
    while isinstance(term, QueryExpression):
        term = term.term
    if not isinstance(term, QueryBlock):
        raise ProgrammingError(
            "validate is about the joins of one SELECT, and this query is a set operation or a list of values.",
            hint="A hint says it of the SELECT in which it stands: SELECT /*+ VALIDATE(a b '1:m') */ ...",
        )
    return term


def _from_argument(pair: str, kind: str, block: QueryBlock) -> JoinValidation:
    match = _PAIR.fullmatch(pair)
    if match is None:
        raise ProgrammingError(f"validate names two tables as a-b, not {pair!r}.")
    items = from_items(block.from_)
    left, right = (find_item(_identifier(name), items) for name in match.groups())
    return validation(left, right, kind, None)


def _identifier(name: str) -> Identifier:
    is_quoted = name.startswith('"')
    text = unquoted(name) if is_quoted else name.lower()
    return Identifier(span=Span(name, 0, len(name)), name=text, quoted=is_quoted)


def check_joins(planned: PlannedQuery, block: QueryBlock, validations: Sequence[JoinValidation]) -> None:
    """Checks some joins of a block; all of them are looked at before anything is computed."""
    joins = [_Join(block, each) for each in validations]
    for join in joins:
        found = [text for side in join.sides() if (text := _duplicates(planned, join, side)) is not None]
        if found:
            raise IntegrityError(
                f"The join of {join.left.alias} and {join.right.alias} is not {join.kind}: {'; '.join(found)}.",
                join.span,
            )


class _Join:
    """Two tables of a block, and what is equal between them."""

    def __init__(self, block: QueryBlock, asked: JoinValidation) -> None:
        items = {item.table: item for item in from_items(block.from_)}
        self.left, self.right, self.kind = items[asked.left], items[asked.right], asked.kind
        self.block = block
        self.left_keys, self.right_keys = list[Expression](), list[Expression]()
        self.null_safe: list[bool] = []
        self.span = asked.span
        for condition in _conditions(block):
            if isinstance(condition, Comparison) and condition.operator == "=":
                self._add(condition, condition.left, condition.right, null_safe=False)
            elif isinstance(condition, IsDistinctFrom) and condition.negated:
                self._add(condition, condition.left, condition.right, null_safe=True)
        if not self.left_keys:
            names = f"{self.left.alias} and {self.right.alias}"
            raise ProgrammingError(f"No condition of this SELECT equates columns of {names}.", asked.span)

    def _add(self, condition: Expression, one: Expression, other: Expression, *, null_safe: bool) -> None:
        for first, second in ((one, other), (other, one)):
            left, right = _part_of(first, self.left.table), _part_of(second, self.right.table)
            if left is not None and right is not None:
                self.left_keys.append(left)
                self.right_keys.append(right)
                self.null_safe.append(null_safe)
                self.span = self.span or condition.span
                return

    def sides(self) -> Iterator[tuple[FromItem, list[Expression]]]:
        """The tables that are to have each key once, with their keys."""
        left, right = self.kind.split(":")
        if left == "1":
            yield self.left, self.left_keys
        if right == "1":
            yield self.right, self.right_keys

    def filters(self, item: FromItem) -> list[Expression]:
        """What is asked of the rows of one table alone, as far as it drops rows and does not look for padded ones."""
        table = single(item.table)
        found = [each for each in conjuncts(self.block.where) if rejects_nulls(each, table)]
        for join in joins_of(self.block.from_):
            if join.kind is JoinKind.INNER or item in from_items(_padded_side(join)):
                found += conjuncts(join.condition)
        return [each for each in found if tables_of(each) == table and not outer_references(each)]


def _padded_side(join: JoinedTable) -> FromItem | JoinedTable | None:
    """The side of which rows that do not fulfil the condition are left out."""
    return {JoinKind.LEFT: join.right, JoinKind.RIGHT: join.left}.get(join.kind)


def _conditions(block: QueryBlock) -> list[Expression]:
    conditions = [*conjuncts(block.where)]
    for join in joins_of(block.from_):
        conditions += conjuncts(join.condition)
    return conditions


def _part_of(expression: Expression, table: int) -> Expression | None:
    """A side of an equality, if it is one of this table alone; of a merged key, the part that is."""
    if tables_of(expression) == single(table):
        return expression
    while isinstance(expression, Cast):
        expression = expression.operand
    if isinstance(expression, Coalesce):
        return next((each for each in expression.operands if tables_of(each) == single(table)), None)
    return None


def _duplicates(planned: PlannedQuery, join: _Join, side: tuple[FromItem, list[Expression]]) -> str | None:
    """What is wrong with a side: the keys that are there most often, the most frequent first."""
    item, keys = side
    as_written = planned.as_written
    numbers = NewTables([as_written, *[shared.input for shared in shared_users_first(as_written)]])
    query = _grouped(numbers, item, keys, join.filters(item), join.null_safe)
    written = relational_expression(query, numbers.next)
    if tables_of_outer_references(written):
        raise NotSupportedError(f"{item.alias} is computed for each row of another table: it has no keys of its own.")
    names, types = query.names, query.types
    rows = plan_relational(query, written, query.table, names, types, planned.settings).execute().fetchall()
    if not rows:
        return None
    shown = [f"{format_value(row[-1])} rows with {_key(names, row[:-1])}" for row in rows[:MOST_KEYS]]
    more = ", and more" if len(rows) > MOST_KEYS else ""
    return f"{item.alias} has {', '.join(shown)}{more}"


def _name(key: Expression) -> str:
    """What an error calls a key: its column, where it is one."""
    while isinstance(key, Cast):
        key = key.operand
    return last_name(key.name) if isinstance(key, ColumnRef) else "the key"


def _key(names: Sequence[str], values: Sequence[Value]) -> str:
    return " and ".join(
        f"{name} = {cut(format_value(value), MESSAGE_WIDTH)}" for name, value in zip(names, values, strict=False)
    )


def _grouped(
    numbers: NewTables,
    item: FromItem,
    keys: Sequence[Expression],
    filters: Sequence[Expression],
    null_safe: Sequence[bool],
) -> QueryExpression:
    """SELECT keys, count(*) FROM item WHERE filters GROUP BY keys HAVING count(*) > 1 ORDER BY the count, keys."""
    grouping, block = numbers.next(), numbers.next()
    not_null = [IsNull(operand=key, negated=True) for key, is_safe in zip(keys, null_safe, strict=True) if not is_safe]
    names = [_name(key) for key in keys]
    types = [key.type for key in keys]
    groups: list[Expression] = [
        ColumnRef(column=ColumnId(grouping, place), name=name, type=type_)
        for place, (name, type_) in enumerate(zip([*names, "count"], [*types, BIGINT], strict=True))
    ]
    columns = [
        ColumnRef(column=ColumnId(block, place), name=name, type=type_)
        for place, (name, type_) in enumerate(zip([*names, "count"], [*types, BIGINT], strict=True))
    ]
    term = QueryBlock(
        table=block,
        from_=item,
        where=conjunction([*filters, *not_null]),
        grouping=Grouping(table=grouping, keys=tuple(keys), sets=(), aggregates=(count_star(),)),
        having=Comparison(operator=">", left=groups[-1], right=Literal(value=1, type=BIGINT)),
        windows=None,
        qualify=None,
        names=(*names, "count"),
        expressions=tuple(groups),
        distinct_from=None,
    )
    return QueryExpression(
        table=block,
        term=term,
        order_by=(
            SortKey(expression=columns[-1], descending=True, nulls_first=False),
            *[SortKey(expression=column, descending=False, nulls_first=False) for column in columns[:-1]],
        ),
        limit=MOST_KEYS + 1,
        offset=0,
        names=(*names, "count"),
        types=(*types, BIGINT),
    )
