"""Resolves common table expressions: each once, when its name is first used, however often that is.

With RECURSIVE, all names of a WITH are visible in all of its queries. One that reads itself is

    non-recursive term UNION [ALL] recursive term

whose first term decides the types; the rules for the second one are those of PostgreSQL (SQL:2016, 7.17, is as strict):
it reads the name once, where more rows never lead to fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from minisql.datatypes import SqlType, TypeKind, common_type
from minisql.errors import NotSupportedError, ProgrammingError, Span, counted
from minisql.expression.nodes import ColumnId, ColumnRef
from minisql.parser import parse_tree
from minisql.parser.parse_tree import JoinKind, SetOperator
from minisql.query_block.coerce import coerce
from minisql.query_block.environment import CommonTable, Environment, OpenRecursion, ResolveQuery
from minisql.query_block.query_block import (
    Casts,
    CommonQuery,
    DerivedTable,
    FromTree,
    JoinedTable,
    QueryBlock,
    QueryExpression,
    QueryTerm,
    RecursiveUnion,
    SetOperation,
    TableUse,
    Values,
    WorkingTable,
)


def common_query(common: CommonTable, environment: Environment, resolve: ResolveQuery) -> CommonQuery:
    """What the name of a common table expression stands for.

    Raises:
        ProgrammingError: its query has a mistake.
        NotSupportedError: two common table expressions read each other.
    """
    if common.query is None:
        environment.open_common_tables.append(common)
        try:
            query = _recursive(common, environment, resolve) if common.is_recursive else None
            if query is None:
                query = resolve(common.tree.query, common.visible, common.outer)
        finally:
            environment.open_common_tables.pop()
        common.query = CommonQuery(
            name=common.tree.name.name,
            query=query,
            names=renamed(query.names, common.tree.columns, common.tree.name.name),
            materialized=False if common.reads_working_table else common.tree.materialized,
        )
    elif common.reads_working_table:
        # So does what uses it, inside of the recursion.
        owners = [other.recursion is not None for other in environment.open_common_tables]
        for other in environment.open_common_tables[owners.index(True) + 1 :]:
            other.reads_working_table = True
    common.query.uses += 1
    return common.query


def working_table(common: CommonTable, environment: Environment, alias: str, span: Span) -> WorkingTable:
    """What the name of a common table expression stands for in its own query."""
    name = common.tree.name.name
    inside = environment.open_common_tables[environment.open_common_tables.index(common) + 1 :]
    for other in inside:
        if common.tree in other.siblings:
            raise NotSupportedError(
                f'The common table expressions "{name}" and "{other.tree.name.name}" read each other.', span
            )
        other.reads_working_table = True
    if common.recursion is None:
        if _union(common) is None:
            raise ProgrammingError(
                f'"{name}" reads itself, but is no UNION.',
                span,
                hint="A recursive query is: non-recursive term UNION [ALL] recursive term.",
            )
        raise ProgrammingError(
            f'"{name}" must not be read in its own non-recursive term.',
            span,
            hint="Only what follows the last UNION of a recursive query reads the query itself.",
        )
    common.recursion.references.append(span)
    return WorkingTable(
        table=environment.new_table(),
        alias=alias,
        recursion=common.recursion.table,
        names=common.recursion.names,
        types=common.recursion.types,
        span=span,
    )


def renamed(names: Sequence[str], aliases: Sequence[parse_tree.Identifier], table: str) -> tuple[str, ...]:
    """The names with the first of them replaced by the aliases."""
    if len(aliases) > len(names):
        raise ProgrammingError(
            f'"{table}" has {counted(len(names), "column")}, and {len(aliases)} names are given.',
            aliases[len(names)].span,
        )
    return (*(alias.name for alias in aliases), *names[len(aliases) :])


# --- recursion --------------------------------------------------------------------------------------------------------


def _union(common: CommonTable) -> parse_tree.SetOperation | None:
    """The UNION of a query that may be recursive."""
    term: parse_tree.QueryTerm = common.tree.query.term
    if isinstance(term, parse_tree.SetOperation) and term.operator is SetOperator.UNION:
        return term
    return None


def _recursive(common: CommonTable, environment: Environment, resolve: ResolveQuery) -> QueryExpression | None:
    """The query, if it reads itself; None where it does not."""
    tree, union = common.tree.query, _union(common)
    if union is None:
        return None

    def operand(term: parse_tree.QueryTerm) -> QueryExpression:
        # The WITH of the whole is that of either.
        whole = parse_tree.QueryExpression(
            span=term.span, with_=tree.with_, term=term, order_by=(), limit=None, offset=None, recursive=tree.recursive
        )
        return resolve(whole, common.visible, common.outer)

    anchor = operand(union.left)
    names = renamed(anchor.names, common.tree.columns, common.tree.name.name)
    table = environment.new_table()
    types = anchor.types
    common.recursion = recursion = OpenRecursion(table, names, types)
    try:
        step = operand(union.right)
        if not recursion.references:
            return None
        if len(types) != len(step.types):
            raise ProgrammingError(
                f'The non-recursive term of "{common.tree.name.name}" has {counted(len(types), "column")}, '
                f"the recursive one {len(step.types)}.",
                union.right.span,
            )
        if any(type_.kind is TypeKind.NULL for type_ in types):
            # A NULL in the first term says nothing of the type.
            types = tuple(
                other if type_.kind is TypeKind.NULL else type_ for type_, other in zip(types, step.types, strict=True)
            )
            common.recursion = recursion = OpenRecursion(table, names, types)
            step = operand(union.right)
    finally:
        common.recursion = None
    _check_types(common, names, types, step, union.right.span)
    _check_references(common, recursion, step)
    if tree.order_by or tree.limit is not None or tree.offset is not None:
        clause = tree.order_by[0].expression if tree.order_by else tree.limit or tree.offset
        assert clause is not None
        raise NotSupportedError(
            f'ORDER BY, LIMIT and OFFSET are not supported in the recursive query "{common.tree.name.name}".',
            clause.span,
            hint="Put them where the query is read: SELECT ... FROM ... ORDER BY ... LIMIT ...",
        )
    term = RecursiveUnion(
        table=table,
        name=common.tree.name.name,
        all=union.all,
        anchor=anchor,
        step=step,
        anchor_casts=_casts(anchor, types, environment),
        step_casts=_casts(step, types, environment),
        names=names,
        types=types,
        span=common.tree.name.span,
    )
    return QueryExpression(table=table, term=term, order_by=(), limit=None, offset=0, names=names, types=types)


def _casts(query: QueryExpression, types: Sequence[SqlType], environment: Environment) -> Casts | None:
    if query.types == tuple(types):
        return None
    columns = [
        ColumnRef(column=ColumnId(query.table, position), name=name, type=type_)
        for position, (name, type_) in enumerate(zip(query.names, query.types, strict=True))
    ]
    casts = tuple(coerce(column, type_) for column, type_ in zip(columns, types, strict=True))
    return Casts(table=environment.new_table(), expressions=casts)


def _check_types(
    common: CommonTable, names: Sequence[str], types: Sequence[SqlType], step: QueryExpression, span: Span
) -> None:
    for name, first, second in zip(names, types, step.types, strict=True):
        if common_type(first, second) != first:
            raise ProgrammingError(
                f'In the recursive query "{common.tree.name.name}" the column "{name}" is {first} in the non-recursive '
                f"term, and {second} in the recursive one.",
                span,
                hint=f"Add a CAST: the first to the type that both have, or the second to {first}.",
            )


def _check_references(common: CommonTable, recursion: OpenRecursion, step: QueryExpression) -> None:
    found = _References(common, recursion.table)
    found.term(step, None)
    name = common.tree.name.name
    in_subqueries = [span for span in recursion.references if span not in found.spans]
    if in_subqueries:
        raise ProgrammingError(f'"{name}" must not be read in a subquery of its own recursive term.', in_subqueries[0])
    if len(recursion.references) > 1:
        raise ProgrammingError(
            f'"{name}" must not be read more than once in its own recursive term.',
            recursion.references[1],
            hint="The rows of all rounds are not at hand in a round, only those of the one before.",
        )


class _References:
    """Finds the places in FROM where a recursive term reads its own query, and whether these are legal.

    What a subquery in FROM reads is not read by the FROM itself: there, aggregates are of its rows.
    """

    def __init__(self, common: CommonTable, table: int) -> None:
        self._name = common.tree.name.name
        self._table = table
        self.spans: list[Span] = []
        self._visited: set[int] = set()

    def term(self, term: QueryTerm, inside: str | None) -> None:
        """Goes through a term. `inside` is what it stands in where it must not read the query."""
        match term:
            case QueryExpression():
                self.term(term.term, inside)
            case QueryBlock():
                self._block(term, inside)
            case Values():
                pass
            case SetOperation():
                left, right = inside, inside
                if term.operator is not SetOperator.UNION and term.all:
                    left = right = f"{term.operator.value} ALL"
                if term.operator is SetOperator.EXCEPT:
                    right = "the right side of EXCEPT"
                self.term(term.left, left)
                self.term(term.right, right)
            case RecursiveUnion():
                self.term(term.anchor, inside)
                self.term(term.step, inside)
            case _:
                assert_never(term)

    def _block(self, block: QueryBlock, inside: str | None) -> None:
        if block.from_ is None:
            return
        reads = self._from(block.from_, inside)
        if reads and block.grouping is not None and block.grouping.aggregates:
            raise ProgrammingError(
                f'An aggregate must not be taken of "{self._name}" in its own recursive term.',
                block.grouping.aggregates[0].span or self.spans[-1],
                hint="A round sees the rows of the round before only.",
            )

    def _from(self, tree: FromTree, inside: str | None) -> bool:
        """Whether one of the tables that are joined is the query itself."""
        match tree:
            case TableUse():
                return False
            case WorkingTable():
                if tree.recursion != self._table:
                    return False
                self.spans.append(tree.span)
                if inside is not None:
                    raise ProgrammingError(
                        f'"{self._name}" must not be read inside {inside} in its own recursive term.', tree.span
                    )
                return True
            case DerivedTable():
                if id(tree.query) not in self._visited:
                    self._visited.add(id(tree.query))
                    self.term(tree.query, inside)
                return False
            case JoinedTable():
                left, right = inside, inside
                if tree.kind in (JoinKind.LEFT, JoinKind.FULL):
                    right = f"the padded side of a {tree.kind.value} JOIN"
                if tree.kind in (JoinKind.RIGHT, JoinKind.FULL):
                    left = f"the padded side of a {tree.kind.value} JOIN"
                found = [self._from(tree.left, left), self._from(tree.right, right)]
                return any(found)
            case _:
                assert_never(tree)
