"""A join region over tables of a script: a few rows, the columns that are used, the keys that hold.

The leaves of a region become scans of such tables. A table that the query uses under several aliases is one table of
the script; a file, and what a leaf computes (a derived table that is not merged, a use of a common table expression),
is a table under its alias. NOT NULL, UNIQUE and PRIMARY KEY are kept; CHECK and FOREIGN KEY are not, on which no rule
about the order of joins rests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from minisql.catalog.constraints import UniqueConstraint
from minisql.catalog.memory_table import MemoryTable
from minisql.catalog.table import ColumnDefinition, ColumnStatistics, Key, SimpleFilter, Table
from minisql.columnar.column import Batch, all_null
from minisql.datatypes import INTEGER, SqlType
from minisql.errors import InternalError
from minisql.expression.nodes import ColumnId, ColumnRef, Expression
from minisql.expression.walk import column_references, replace_columns
from minisql.hypergraph.leaves import alias_of, leaves_of
from minisql.node import record
from minisql.node_set import lowest
from minisql.parser.keywords import last_name, quoted_name
from minisql.relational.relational_expression import (
    BaseTable,
    Filter,
    Join,
    JoinType,
    Project,
    RelationalExpression,
    SharedScan,
    Values,
    WorkingTable,
    output_tables,
)

_IS_NAME: Final = re.compile(r"[^\W\d]\w*")


@dataclass(eq=False)
class SchemaTable:
    """A table of which nothing is known but its columns and keys: what holds of it holds of every content.

    Satisfies the protocol of `catalog.table.Table`.
    """

    source: Table

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def columns(self) -> tuple[ColumnDefinition, ...]:
        return self.source.columns

    @property
    def keys(self) -> Sequence[Key]:
        return self.source.keys if isinstance(self.source, MemoryTable) else ()

    @property
    def uses_filters(self) -> bool:
        return False

    def row_count(self) -> int:
        """A number like any other."""
        return 1000

    def column_statistics(self, column: int) -> ColumnStatistics:
        """What NOT NULL says."""
        return ColumnStatistics(null_fraction=0.0 if self.columns[column].not_null else None)

    def scan(self, columns: Sequence[int], filters: Sequence[SimpleFilter], batch_rows: int) -> Iterator[Batch]:
        """It is planned with, and never read."""
        raise InternalError("A schema has no rows.")


@record
class ScriptKey:
    """Columns, by position, in which no two rows agree unless there is a NULL in them."""

    columns: tuple[int, ...]
    is_primary: bool


@dataclass(eq=False)
class ScriptTable:
    """A table of a script; behind its columns it has one more, the number of the database that a row belongs to.

    Satisfies the protocol of `catalog.table.Table`; its rows may be exchanged between two scans.
    """

    name: str
    definitions: tuple[ColumnDefinition, ...]
    unique: tuple[ScriptKey, ...]
    rows: Batch = field(init=False)

    def __post_init__(self) -> None:
        self.columns = (*self.definitions, ColumnDefinition("database", INTEGER, not_null=True))
        self.rows = Batch([all_null(column.type, 0) for column in self.columns], 0)

    @property
    def keys(self) -> Sequence[Key]:
        return ()

    @property
    def uses_filters(self) -> bool:
        return False

    def row_count(self) -> int:
        """That of a set of databases."""
        return 1000

    def column_statistics(self, column: int) -> ColumnStatistics:
        """Nothing is known: the rows change."""
        return ColumnStatistics()

    def scan(self, columns: Sequence[int], filters: Sequence[SimpleFilter], batch_rows: int) -> Iterator[Batch]:
        """All rows at once."""
        if self.rows.length:
            yield self.rows.project(columns)


@dataclass(frozen=True)
class ScriptRegion:
    """A region over the tables of a script.

    Attributes:
        tree: the joins as written, over scans of `ScriptTable`s, whose table numbers are those of the leaves.
        tables: the tables of the script, in the order in which the query names them.
        expressions: what is compared of the joined rows.
        names: those of the expressions where they are a select list, else none.
    """

    tree: RelationalExpression
    tables: tuple[ScriptTable, ...]
    expressions: tuple[Expression, ...]
    names: tuple[str, ...]

    def all_columns(self) -> ScriptRegion:
        """The same with all columns that the joins give in place of the select list."""
        expressions = []
        for scan in visible_scans(self.tree):
            for position, column in enumerate(scan.source.columns[:-1]):
                name = f"{scan.alias}.{column.name}"
                expressions.append(ColumnRef(column=ColumnId(scan.table, position), name=name, type=column.type))
        return replace(self, expressions=tuple(expressions), names=())


def visible_scans(region: RelationalExpression) -> Iterator[BaseTable]:
    """The scans of a region of scans whose columns it gives."""
    visible = output_tables(region)
    for leaf in leaves_of(region):
        scan = _core(leaf)
        assert isinstance(scan, BaseTable)
        if visible >> scan.table & 1:
            yield scan


def conditions_in(region: RelationalExpression) -> Iterator[Expression]:
    """The conditions of the joins and filters of a region, those of filters on its leaves included."""
    waiting = [region]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Join):
            yield from node.conditions
            waiting += [node.right, node.left]
        elif isinstance(node, Filter):
            yield from node.conditions
            waiting.append(node.input)


def script_region(
    region: RelationalExpression,
    expressions: tuple[Expression, ...],
    names: tuple[str, ...],
    hint_names: Mapping[int, str],
    mentioned: Iterable[ColumnRef],
) -> ScriptRegion:
    """The region over tables of a script.

    Args:
        region: its base tables are `SchemaTable`s.
        expressions: a select list over it; none where all columns are to be compared.
        names: those of the select list.
        hint_names: what a hint calls the tables.
        mentioned: columns that the tables are to have, beside those that the region uses.
    """
    leaves = list(leaves_of(region))
    aliases = _unique_aliases(leaves, hint_names)
    used = {reference.column: reference for reference in mentioned} | _columns_used(region, expressions)
    groups = _tables(leaves, aliases)
    new_columns: dict[ColumnId, Expression] = {}
    scans: dict[int, BaseTable] = {}
    tables: dict[str, ScriptTable] = {}
    for name, members in groups.items():
        columns = _columns_of_table(members, used)
        table = tables[name] = _script_table(name, members[0], columns)
        for leaf in members:
            number = int(lowest(output_tables(leaf)))
            scans[number] = BaseTable(table=number, alias=aliases[number], source=table)
            for position, (place, definition) in enumerate(zip(columns, table.definitions, strict=True)):
                new_columns[_column(leaf, place)] = ColumnRef(
                    column=ColumnId(number, position),
                    name=f"{aliases[number]}.{definition.name}",
                    type=definition.type,
                )
    tree = _over_scans(region, scans, new_columns)
    result = ScriptRegion(
        tree=tree,
        tables=tuple(tables.values()),
        expressions=tuple([replace_columns(expression, new_columns) for expression in expressions]),
        names=names,
    )
    return result if expressions else result.all_columns()


def _core(leaf: RelationalExpression) -> RelationalExpression:
    while isinstance(leaf, Filter):
        leaf = leaf.input
    return leaf


def _columns_used(region: RelationalExpression, expressions: Iterable[Expression]) -> dict[ColumnId, ColumnRef]:
    return {
        reference.column: reference
        for expression in (*conditions_in(region), *expressions)
        for reference in column_references(expression)
    }


def _unique_aliases(leaves: Iterable[RelationalExpression], hint_names: Mapping[int, str]) -> dict[int, str]:
    """A name for each leaf, by its number: the alias, with a number where it is taken."""
    found: dict[int, str] = {}
    taken = set[str]()
    numbered = []
    for leaf in leaves:
        number = int(lowest(output_tables(leaf)))
        called = _unquoted(last_name(hint_names.get(number, "")))
        numbered.append((number, alias_of(_core(leaf)) or called or "t"))
    # What stands in FROM itself keeps its name; tables inside of derived tables make room.
    for number, alias in sorted(numbered, key=lambda each: hint_names.get(each[0]) != quoted_name(each[1])):
        # SQLite 3.40 finds no column of a table with a dot in its name that stands in a join in parentheses.
        name = plain = alias.replace(".", "_")
        count = 1
        while name.lower() in taken:
            count += 1
            name = f"{plain}_{count}"
        taken.add(name.lower())
        found[number] = name
    return found


def _tables(
    leaves: Iterable[RelationalExpression], aliases: Mapping[int, str]
) -> dict[str, list[RelationalExpression]]:
    """The leaves that scan each table, by the name that the table has in the script."""
    by_source: dict[int, list[RelationalExpression]] = {}
    for leaf in leaves:
        core = _core(leaf)
        source = core.source if isinstance(core, BaseTable) else core
        by_source.setdefault(id(source.source if isinstance(source, SchemaTable) else source), []).append(leaf)
    groups: dict[str, list[RelationalExpression]] = {}
    stored = {id(leaf): _stored_name(leaf) for group in by_source.values() for leaf in group}
    taken = {name.lower() for name in stored.values() if name is not None}
    for group in by_source.values():
        name = stored[id(group[0])]
        if name is None:
            alias = name = aliases[int(lowest(output_tables(group[0])))]
            count = 1
            while name.lower() in taken:
                count += 1
                name = f"{alias}_{count}"
            taken.add(name.lower())
        groups[name] = group
    return groups


def _stored_name(leaf: RelationalExpression) -> str | None:
    """The name of a table that CREATE TABLE made."""
    core = _core(leaf)
    if not isinstance(core, BaseTable):
        return None
    source = core.source.source if isinstance(core.source, SchemaTable) else core.source
    return source.name if isinstance(source, MemoryTable) else None


_Place = tuple[int, int]
"""A column of a leaf: which of its tables it belongs to, counted from the lowest, and its position there."""


def _place(leaf: RelationalExpression, column: ColumnId) -> _Place:
    return column.table - int(lowest(output_tables(leaf))), column.position


def _column(leaf: RelationalExpression, place: _Place) -> ColumnId:
    return ColumnId(int(lowest(output_tables(leaf))) + place[0], place[1])


def _columns_of_table(
    leaves: Sequence[RelationalExpression], used: Mapping[ColumnId, ColumnRef]
) -> dict[_Place, ColumnDefinition]:
    """The columns that are used of a table under any alias, in their order; one where none is."""
    places: dict[_Place, ColumnRef] = {}
    for leaf in leaves:
        tables = output_tables(leaf)
        places |= {_place(leaf, column): reference for column, reference in used.items() if tables >> column.table & 1}
    if not places:
        return {(0, 0): _first_column(_core(leaves[0]))}
    found: dict[_Place, ColumnDefinition] = {}
    taken = set[str]()
    for place in sorted(places):
        definition = _definition(_core(leaves[0]), place, places[place])
        name, count = definition.name, 1
        while name.lower() in taken:
            count += 1
            name = f"{definition.name}_{count}"
        taken.add(name.lower())
        found[place] = replace(definition, name=name)
    return found


def _definition(core: RelationalExpression, place: _Place, reference: ColumnRef) -> ColumnDefinition:
    if isinstance(core, BaseTable):
        column = core.source.columns[place[1]]
        is_stored = _stored_name(core) is not None
        return ColumnDefinition(column.name, column.type, not_null=column.not_null and is_stored)
    name = _unquoted(last_name(reference.name))
    if not _IS_NAME.fullmatch(name):
        names = _names(core) if place[0] == 0 else ()
        name = names[place[1]] if place[1] < len(names) else ""
    return ColumnDefinition(name or f"c{place[1] + 1}", reference.type)


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _names(core: RelationalExpression) -> tuple[str, ...]:
    if isinstance(core, SharedScan):
        return core.shared.names
    return core.names if isinstance(core, Project | Values | WorkingTable) else ()


def _first_column(core: RelationalExpression) -> ColumnDefinition:
    if isinstance(core, BaseTable) and core.source.columns:
        column = core.source.columns[0]
        return ColumnDefinition(column.name, column.type, not_null=column.not_null)
    type_: SqlType = INTEGER
    return ColumnDefinition((_names(core) or ("",))[0] or "c1", type_)


def _script_table(name: str, leaf: RelationalExpression, columns: Mapping[_Place, ColumnDefinition]) -> ScriptTable:
    """The table with those of its keys that lie in the columns."""
    core = _core(leaf)
    source = core.source.source if isinstance(core, BaseTable) and isinstance(core.source, SchemaTable) else None
    positions = {place[1]: position for position, place in enumerate(columns)}
    known = source.unique_constraints if isinstance(source, MemoryTable) else ()
    keys = [_script_key(unique, positions) for unique in known if positions.keys() >= set(unique.columns)]
    return ScriptTable(name=name, definitions=tuple(columns.values()), unique=tuple(dict.fromkeys(keys)))


def _script_key(unique: UniqueConstraint, positions: Mapping[int, int]) -> ScriptKey:
    return ScriptKey(tuple([positions[column] for column in unique.columns]), unique.is_primary)


def _over_scans(
    node: RelationalExpression, scans: Mapping[int, BaseTable], new: Mapping[ColumnId, Expression]
) -> RelationalExpression:
    if isinstance(node, Join):
        left, right = _over_scans(node.left, scans, new), _over_scans(node.right, scans, new)
        return Join(type=node.type, left=left, right=right, conditions=_replaced(node.conditions, new))
    if isinstance(node, Filter):
        return Filter(input=_over_scans(node.input, scans, new), conditions=_replaced(node.conditions, new))
    return scans[int(lowest(output_tables(node)))]


def _replaced(conditions: tuple[Expression, ...], new: Mapping[ColumnId, Expression]) -> tuple[Expression, ...]:
    return tuple([replace_columns(condition, new) for condition in conditions])


def hides_right(type_: JoinType) -> bool:
    """Whether a join gives the columns of its left input only."""
    return type_ in (JoinType.SEMI, JoinType.ANTI)
