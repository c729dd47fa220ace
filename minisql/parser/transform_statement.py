"""The callbacks of statements that are no queries: see `transform`."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from lark import Token, v_args

from minisql.errors import NotSupportedError, ProgrammingError
from minisql.parser import statement_tree as st
from minisql.parser.parse_tree import (
    ColumnName,
    Constant,
    DefaultValue,
    Expression,
    Identifier,
    Parameter,
    QueryBlock,
    QueryExpression,
    SelectItem,
    Star,
    TableName,
    TableReference,
    TypeName,
)
from minisql.parser.transform_expression import ExpressionTransform, Names

# The word of EXPLAIN in upper case, where it stands, and whether it stands without FORMAT.
Elements: TypeAlias = tuple[st.ColumnDefinition | st.TableConstraint, ...]


@v_args(inline=True)
class StatementTransform(ExpressionTransform):
    """The callbacks of statements."""

    # --- CREATE, DROP -------------------------------------------------------------------------------------------------

    def create_table(
        self,
        create: Token,
        or_replace: Token | None,
        _temporary: None,
        if_not_exists: bool | None,
        name: Identifier,
        contents: Elements | QueryExpression,
    ) -> st.CreateTable:
        elements = contents if isinstance(contents, tuple) else ()
        return st.CreateTable(
            span=self._span(create),
            name=name,
            columns=tuple(element for element in elements if isinstance(element, st.ColumnDefinition)),
            constraints=tuple(element for element in elements if not isinstance(element, st.ColumnDefinition)),
            query=None if isinstance(contents, tuple) else contents,
            if_not_exists=bool(if_not_exists),
            or_replace=or_replace is not None,
        )

    def create_view(
        self,
        create: Token,
        or_replace: Token | None,
        _temporary: None,
        if_not_exists: bool | None,
        name: Identifier,
        columns: Names | None,
        query: QueryExpression,
    ) -> st.CreateView:
        return st.CreateView(
            span=self._span(create),
            name=name,
            columns=columns or (),
            query=query,
            if_not_exists=bool(if_not_exists),
            or_replace=or_replace is not None,
        )

    def create_index(
        self,
        create: Token,
        unique: Token | None,
        _index: Token,
        if_not_exists: bool | None,
        name: Identifier | None,
        table: Identifier,
        columns: Names,
    ) -> st.CreateIndex:
        return st.CreateIndex(
            span=self._span(create),
            name=name,
            table=table,
            columns=columns,
            unique=unique is not None,
            if_not_exists=bool(if_not_exists),
        )

    def temporary(self, *_: Token) -> None:
        """All tables last as long as their connection."""

    def if_not_exists(self) -> bool:
        return True

    def if_exists(self) -> bool:
        return True

    def drop(self, drop: Token, kind: Token, if_exists: bool | None, name: Identifier, *_: Token) -> st.Drop:
        return st.Drop(span=self._span(drop), kind=kind.type, name=name, if_exists=bool(if_exists))

    # --- columns and constraints --------------------------------------------------------------------------------------

    def table_elements(self, *elements: st.ColumnDefinition | st.TableConstraint) -> Elements:
        return elements

    def column(self, name: Identifier, type_name: TypeName, *constraints: st.ColumnConstraint) -> st.ColumnDefinition:
        return st.ColumnDefinition(span=self._span(name), name=name, type=type_name, constraints=constraints)

    def not_null(self, name: Identifier | None, word: Token, _null: Token) -> st.NotNull:
        return st.NotNull(span=self._span(word), name=name)

    def nullable(self, name: Identifier | None, word: Token) -> st.NotNull:
        return st.NotNull(span=self._span(word), name=name, negated=True)

    def column_default(self, name: Identifier | None, value: Expression) -> st.ColumnDefault:
        return st.ColumnDefault(span=value.span, name=name, value=value)

    def column_key(self, name: Identifier | None, word: Token, *_: Token) -> st.Key:
        return st.Key(span=self._span(word), name=name, is_primary=word.type == "PRIMARY", columns=())

    def table_key(self, name: Identifier | None, word: Token, *rest: Token | Names) -> st.Key:
        columns = rest[-1]
        assert isinstance(columns, tuple)
        return st.Key(span=self._span(word), name=name, is_primary=word.type == "PRIMARY", columns=columns)

    def check(self, name: Identifier | None, word: Token, condition: Expression) -> st.Check:
        return st.Check(span=self._span(word), name=name, condition=condition)

    def column_references(self, name: Identifier | None, references: st.ForeignKey) -> st.ForeignKey:
        return self.table_references_constraint(name, None, None, (), references)

    def table_references_constraint(
        self,
        name: Identifier | None,
        _foreign: Token | None,
        _key: Token | None,
        columns: Names,
        references: st.ForeignKey,
    ) -> st.ForeignKey:
        return st.ForeignKey(
            span=references.span,
            name=name,
            columns=columns,
            parent=references.parent,
            parent_columns=references.parent_columns,
        )

    def references(self, word: Token, parent: Identifier, columns: Names | None, *_: None) -> st.ForeignKey:
        return st.ForeignKey(span=self._span(word), name=None, columns=(), parent=parent, parent_columns=columns or ())

    def referential_action(self, event: Token, action: str) -> None:
        if action not in ("NO ACTION", "RESTRICT"):
            raise NotSupportedError(
                f"ON {event.type} {action} is not supported.",
                self._span(event),
                hint="Foreign keys refuse changes that would break them: leave the action out.",
            )

    def action(self, *words: Token) -> str:
        texts = [word.type for word in words]
        return "SET DEFAULT" if texts == ["SET"] else " ".join(texts)

    # --- ALTER TABLE --------------------------------------------------------------------------------------------------

    def alter_table(
        self, alter: Token, _table: Token, if_exists: bool | None, name: Identifier, change: st.TableChange
    ) -> st.AlterTable:
        return st.AlterTable(span=self._span(alter), name=name, if_exists=bool(if_exists), change=change)

    def add_column(self, add: Token, *rest: object) -> st.AddColumn:
        if_not_exists, column = rest[-2:]
        assert isinstance(column, st.ColumnDefinition)
        return st.AddColumn(span=self._span(add), column=column, if_not_exists=if_not_exists is True)

    def add_constraint(self, add: Token, constraint: st.TableConstraint) -> st.AddConstraint:
        return st.AddConstraint(span=self._span(add), constraint=constraint)

    def drop_column(self, drop: Token, *rest: object) -> st.DropPart:
        return self._drop_part("COLUMN", drop, rest)

    def drop_constraint(self, drop: Token, *rest: object) -> st.DropPart:
        return self._drop_part("CONSTRAINT", drop, rest)

    def _drop_part(self, kind: str, drop: Token, rest: tuple[object, ...]) -> st.DropPart:
        (name,) = [item for item in rest if isinstance(item, Identifier)]
        return st.DropPart(span=self._span(drop), kind=kind, name=name, if_exists=True in rest)

    def rename_column(self, rename: Token, *rest: Token | Identifier) -> st.RenameColumn:
        old, new = rest[-2:]
        assert isinstance(old, Identifier)
        assert isinstance(new, Identifier)
        return st.RenameColumn(span=self._span(rename), old=old, new=new)

    def rename_table(self, rename: Token, new: Identifier) -> st.RenameTable:
        return st.RenameTable(span=self._span(rename), new=new)

    def alter_column(self, *parts: object) -> st.ChangeType | st.ChangeDefault | st.ChangeNotNull:
        alter, name, change = parts[0], parts[-2], parts[-1]
        assert isinstance(alter, Token)
        assert isinstance(name, Identifier)
        span = self._span(alter)
        if isinstance(change, bool):
            return st.ChangeNotNull(span=span, column=name, not_null=change)
        assert isinstance(change, tuple)
        if len(change) == 1:
            return st.ChangeDefault(span=span, column=name, value=change[0])
        return st.ChangeType(span=span, column=name, type=change[0], using=change[1])

    def change_type(self, *parts: object) -> tuple[object, object]:
        return parts[-2], parts[-1]

    def change_default(self, _word: Token, value: Expression | None = None) -> tuple[Expression | None]:
        return (value,)

    def change_not_null(self, word: Token, _not: Token, _null: Token) -> bool:
        return word.type == "SET"

    # --- changes of data ----------------------------------------------------------------------------------------------

    def insert(
        self,
        insert: Token,
        alternative: Token | None,
        name: Identifier,
        alias: Identifier | None,
        columns: Names | None,
        query: QueryExpression | None,
        on_conflict: st.OnConflict | None,
        returning: tuple[SelectItem, ...] | None,
    ) -> st.Insert:
        if alternative is not None:
            if on_conflict is not None:
                raise ProgrammingError(f"INSERT OR {alternative.type} takes no ON CONFLICT.", on_conflict.span)
            on_conflict = st.OnConflict(span=self._place(alternative), replaces=alternative.type == "REPLACE")
        return st.Insert(
            span=self._span(insert),
            table=TableName(span=name.span, name=name, alias=alias),
            columns=columns or (),
            query=query,
            on_conflict=on_conflict,
            returning=returning or (),
        )

    def insert_or(self, word: Token) -> Token:
        return word

    def default_values(self, _values: Token) -> None:
        return None

    def default_value(self, word: Token) -> DefaultValue:
        return DefaultValue(span=self._span(word))

    def row_values(self, *values: Expression) -> tuple[Expression, ...]:
        return values

    def conflict_nothing(self, word: Token, columns: Names | None, *_: Token) -> st.OnConflict:
        return st.OnConflict(span=self._span(word), columns=columns or ())

    def conflict_update(
        self,
        word: Token,
        columns: Names | None,
        _do: Token,
        _update: Token,
        _set: Token,
        assignments: tuple[st.Assignment, ...],
        where: Expression | None,
    ) -> st.OnConflict:
        return st.OnConflict(span=self._span(word), columns=columns or (), assignments=assignments, where=where)

    def update(
        self,
        update: Token,
        name: Identifier,
        alias: tuple[Identifier, Names] | None,
        _set: Token,
        assignments: tuple[st.Assignment, ...],
        from_: TableReference | None,
        where: Expression | None,
        returning: tuple[SelectItem, ...] | None,
    ) -> st.Update:
        return st.Update(
            span=self._span(update),
            table=self._target(name, alias),
            assignments=assignments,
            from_=from_,
            where=where,
            returning=returning or (),
        )

    def delete(
        self,
        delete: Token,
        name: Identifier,
        alias: tuple[Identifier, Names] | None,
        using: TableReference | None,
        where: Expression | None,
        returning: tuple[SelectItem, ...] | None,
    ) -> st.Delete:
        return st.Delete(
            span=self._span(delete),
            table=self._target(name, alias),
            using=using,
            where=where,
            returning=returning or (),
        )

    @staticmethod
    def _target(name: Identifier, alias: tuple[Identifier, Names] | None) -> TableName:
        table_alias, columns = alias or (None, ())
        return TableName(span=name.span, name=name, alias=table_alias, column_aliases=columns)

    def assignments(self, *assignments: st.Assignment | tuple[st.Assignment, ...]) -> tuple[st.Assignment, ...]:
        return tuple(single for item in assignments for single in (item if isinstance(item, tuple) else (item,)))

    def assignment(self, column: Identifier, value: Expression) -> st.Assignment:
        return st.Assignment(span=self._span(column), column=column, value=value)

    def row_assignment(self, columns: Names, row: tuple[Expression, ...]) -> tuple[st.Assignment, ...]:
        if len(row) != len(columns):
            raise ProgrammingError(
                f"SET has {len(columns)} columns in parentheses, and {len(row)} values for them.",
                columns[0].span.to(row[-1].span),
            )
        return tuple(
            st.Assignment(span=column.span.to(value.span), column=column, value=value)
            for column, value in zip(columns, row, strict=True)
        )

    def returning(self, items: tuple[SelectItem, ...]) -> tuple[SelectItem, ...]:
        return items

    def truncate(self, truncate: Token, name: Identifier) -> st.Truncate:
        return st.Truncate(span=self._span(truncate), name=name)

    # --- COPY ---------------------------------------------------------------------------------------------------------

    def copy_table_to(
        self,
        copy: Token,
        name: Identifier,
        columns: Names | None,
        path: Constant | Parameter,
        options: tuple[st.CopyOption, ...],
    ) -> st.CopyTo:
        query = _select_from(name, columns)
        return st.CopyTo(span=self._span(copy), query=query, path=path, options=options)

    def copy_query_to(
        self, copy: Token, query: QueryExpression, path: Constant | Parameter, options: tuple[st.CopyOption, ...]
    ) -> st.CopyTo:
        return st.CopyTo(span=self._span(copy), query=query, path=path, options=options)

    def copy_from(
        self,
        copy: Token,
        name: Identifier,
        columns: Names | None,
        path: Constant | Parameter,
        options: tuple[st.CopyOption, ...],
    ) -> st.CopyFrom:
        return st.CopyFrom(
            span=self._span(copy),
            table=self._target(name, None),
            columns=columns or (),
            path=path,
            options=options,
        )

    def copy_options(self, *parts: Token | st.CopyOption | None) -> tuple[st.CopyOption, ...]:
        return tuple(part for part in parts if isinstance(part, st.CopyOption))

    def copy_option(self, word: Token, value: Constant | Parameter | None) -> st.CopyOption:
        return st.CopyOption(span=self._span(word), name=word.lower(), value=value)

    # --- others -------------------------------------------------------------------------------------------------------

    def describe_table(self, describe: Token, *rest: Token | Identifier) -> st.Describe:
        name = rest[-1]
        assert isinstance(name, Identifier)
        return st.Describe(span=self._span(describe), query=_select_from(name, None), table=name)

    def describe_query(self, describe: Token, query: QueryExpression) -> st.Describe:
        return st.Describe(span=self._span(describe), query=query, table=None)

    def show_tables(self, show: Token, _tables: Token) -> st.ShowTables:
        return st.ShowTables(span=self._span(show))

    def transaction(self, word: Token, _: Token | None) -> st.Transaction:
        action = {"START": "BEGIN", "END": "COMMIT"}.get(word.type, word.type)
        return st.Transaction(span=self._span(word), action=action)

    def set_variable(self, set_: Token, name: Identifier, value: Constant | Parameter | None) -> st.SetVariable:
        return st.SetVariable(span=self._span(set_), name=name, value=value)

    def prepare(
        self, prepare: Token, name: Identifier, statement: QueryExpression | st.Insert | st.Update | st.Delete
    ) -> st.Prepare:
        parameters, self.parameters = tuple(self.parameters), []
        return st.Prepare(span=self._span(prepare), name=name, statement=statement, parameters=parameters)

    def execute(self, execute: Token, name: Identifier, values: tuple[Expression, ...] | None) -> st.Execute:
        return st.Execute(span=self._span(execute), name=name, values=values or ())

    def deallocate(self, deallocate: Token, *rest: Token | Identifier) -> st.Deallocate:
        name = rest[-1]
        assert isinstance(name, Identifier)
        return st.Deallocate(span=self._span(deallocate), name=name)

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


def _select_from(name: Identifier, columns: Names | None) -> QueryExpression:
    """SELECT columns FROM name, as if it were written where the name is."""
    span = name.span
    items: tuple[SelectItem, ...]
    if columns is None:
        items = (SelectItem(span=span, expression=Star(span=span, table=None), alias=None),)
    else:
        items = tuple(
            SelectItem(span=each.span, expression=ColumnName(span=each.span, table=None, column=each), alias=None)
            for each in columns
        )
    block = QueryBlock(
        span=span,
        distinct=False,
        items=items,
        from_=TableName(span=span, name=name, alias=None),
        where=None,
        group_by=None,
        having=None,
    )
    return QueryExpression(span=span, with_=(), term=block, order_by=(), limit=None, offset=None)
