"""The select list: stars expanded, columns named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import methodcaller

from minisql.errors import ProgrammingError, did_you_mean
from minisql.expression.nodes import Expression
from minisql.node import record
from minisql.parser import parse_tree
from minisql.query_block.resolve_expression import ExpressionResolver
from minisql.query_block.scope import Scope, ScopeColumn, same_name


@record
class SelectItem:
    """One column of a select list, stars expanded; `resolve` gives its expression, `written` is None for a star."""

    name: str
    aliased: bool
    written: parse_tree.Expression | None
    resolve: Callable[[ExpressionResolver], Expression]


def expand_stars(tree: parse_tree.QueryBlock, scope: Scope) -> list[SelectItem]:
    """The select list of a block."""
    items: list[SelectItem] = []
    for item in tree.items:
        expression = item.expression
        if not isinstance(expression, parse_tree.Star):
            name = item.alias.name if item.alias is not None else _name(expression)
            items.append(SelectItem(name, item.alias is not None, expression, methodcaller("resolve", expression)))
            continue
        if tree.from_ is None:
            raise ProgrammingError("SELECT * needs a FROM.", expression.span)
        columns = scope.visible if expression.table is None else scope.table(expression.table).columns
        if expression.exclude or expression.replacements:
            items += _changed_star(expression, columns)
        else:
            items.extend(SelectItem(column.name, False, None, partial(_star_column, column)) for column in columns)
    return items


def _replaced_column(column: ScopeColumn, replacement: parse_tree.SelectItem) -> SelectItem:
    written = replacement.expression
    assert not isinstance(written, parse_tree.Star)
    return SelectItem(column.name, True, written, methodcaller("resolve", written))


def _changed_star(star: parse_tree.Star, columns: Sequence[ScopeColumn]) -> list[SelectItem]:
    """The columns of a star with EXCLUDE and REPLACE."""
    names = [column.name for column in columns]
    excluded = {name.name.lower(): name for name in star.exclude}
    replaced: dict[str, parse_tree.SelectItem] = {}
    for item in star.replacements:
        if item.alias is None or isinstance(item.expression, parse_tree.Star):
            raise ProgrammingError("REPLACE takes expressions with names: (expression AS column).", item.span)
        replaced[item.alias.name.lower()] = item
    for key, span in [(key, name.span) for key, name in excluded.items()] + [
        (key, item.span) for key, item in replaced.items()
    ]:
        if not any(same_name(key, name) for name in names):
            raise ProgrammingError(f'The star has no column "{key}".', span, hint=did_you_mean(key, names))
    items = []
    for column in columns:
        replacement = replaced.get(column.name.lower())
        if column.name.lower() in excluded:
            continue
        if replacement is None:
            items.append(SelectItem(column.name, False, None, partial(_star_column, column)))
        else:
            items.append(_replaced_column(column, replacement))
    if not items:
        raise ProgrammingError("EXCLUDE leaves no column.", star.span)
    return items


def _star_column(column: ScopeColumn, _: ExpressionResolver) -> Expression:
    return column.expression


def _name(tree: parse_tree.Expression) -> str:
    """The name of a result column without an alias: the column's, else the text as it was written, on one line."""
    if isinstance(tree, parse_tree.ColumnName):
        return tree.column.name
    if isinstance(tree, parse_tree.CastExpression) and isinstance(tree.operand, parse_tree.ColumnName):
        return tree.operand.column.name
    return " ".join(tree.span.source.split())


def named_item(items: Sequence[SelectItem], name: parse_tree.Identifier) -> SelectItem | None:
    """The item with this alias, if there is one."""
    found = [item for item in items if item.aliased and same_name(item.name, name.name)]
    if len(found) > 1:
        raise ProgrammingError(f'The column name "{name.name}" is ambiguous.', name.span)
    return found[0] if found else None
