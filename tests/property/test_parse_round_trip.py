"""A parse tree printed as SQL, with no more parentheses than precedence asks for, parses to the same tree."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from minisql.errors import Span
from minisql.expression.window import BoundKind, Exclusion, FrameUnit
from minisql.parser.parse import parse_statement
from minisql.parser.parse_tree import (
    Between,
    Binary,
    Call,
    CaseExpression,
    CastExpression,
    ColumnName,
    Constant,
    DerivedTable,
    DistinctPredicate,
    Expression,
    FrameBound,
    GroupBy,
    GroupingElement,
    GroupingKind,
    GroupingSets,
    Identifier,
    InPredicate,
    IsPredicate,
    JoinedTable,
    JoinKind,
    JoinTree,
    JoinTreePair,
    JoinTreeTable,
    LikePredicate,
    Logical,
    NamedWindow,
    OrderItem,
    QueryBlock,
    QueryExpression,
    QueryTerm,
    SelectItem,
    SetOperation,
    SetOperator,
    Star,
    TableName,
    TableReference,
    TypeName,
    Unary,
    Values,
    WindowCall,
    WindowFrame,
    WindowSpecification,
)
from tests.parse_shape import shape

NOWHERE: Final = Span("", 0, 0)

# --- printing: a second, independent statement of the precedence ------------------------------------------------------

LEVEL: Final = {
    "OR": 1, "AND": 2, "NOT": 3, "IS": 4, "=": 5, "<>": 5, "<": 5, "<=": 5, ">": 5, ">=": 5, "<=>": 5, "IN": 6,
    "~": 6, "~*": 6, "!~": 6, "!~*": 6, "||": 7, "&": 7, "|": 7, "<<": 7, ">>": 7, "+": 8, "-": 8, "*": 9, "/": 9,
    "%": 9, "//": 9, "SIGN": 10, "::": 11, "PRIMARY": 12,
}  # fmt: skip


def name(identifier: Identifier) -> str:
    return '"' + identifier.name.replace('"', '""') + '"' if identifier.quoted else identifier.name


def names(identifiers: tuple[Identifier, ...]) -> str:
    return "(" + ", ".join(name(identifier) for identifier in identifiers) + ")"


def sql(node: Expression, level: int = 1) -> str:
    """The expression where one of at least this level may stand."""
    own, text = _sql(node)
    return text if own >= level else f"({text})"


def _sql(node: Expression) -> tuple[int, str]:
    match node:
        case Constant(value=str() as value):
            return LEVEL["PRIMARY"], "'" + value.replace("'", "''") + "'"
        case Constant(value=bool() | None as value):
            return LEVEL["PRIMARY"], {None: "NULL", True: "TRUE", False: "FALSE"}[value]
        case Constant(value=value):
            return LEVEL["PRIMARY"], f"{value:f}" if isinstance(value, Decimal) else f"{value!r}"
        case ColumnName(table=table, column=column):
            return LEVEL["PRIMARY"], (f"{name(table)}." if table else "") + name(column)
        case Logical(operator=operator, operands=operands):
            own = LEVEL[operator]
            return own, f" {operator} ".join(sql(operand, own + 1) for operand in operands)
        case Unary(operator="NOT", operand=operand):
            return LEVEL["NOT"], f"NOT {sql(operand, LEVEL['NOT'])}"
        case Unary(operator=operator, operand=operand):
            return LEVEL["SIGN"], f"{operator} {sql(operand, LEVEL['SIGN'])}"
        case IsPredicate(operand=operand, what=what, negated=negated):
            return LEVEL["IS"], f"{sql(operand, LEVEL['IS'])} IS {'NOT ' * negated}{what}"
        case DistinctPredicate(left=left, right=right, negated=negated):
            own = LEVEL["IS"]
            return own, f"{sql(left, own)} IS {'NOT ' * negated}DISTINCT FROM {sql(right, own + 1)}"
        case Binary(operator=operator, left=left, right=right):
            own = LEVEL[operator]
            chains = own > LEVEL["IN"]
            return own, f"{sql(left, own if chains else own + 1)} {operator} {sql(right, own + 1)}"
        case Between(operand=operand, low=low, high=high, negated=negated):
            operands = [sql(part, LEVEL["||"]) for part in (operand, low, high)]
            return LEVEL["IN"], f"{operands[0]} {'NOT ' * negated}BETWEEN {operands[1]} AND {operands[2]}"
        case InPredicate(operand=operand, items=items, negated=negated):
            listed = ", ".join(sql(item) for item in items)
            return LEVEL["IN"], f"{sql(operand, LEVEL['||'])} {'NOT ' * negated}IN ({listed})"
        case LikePredicate(operand=operand, pattern=pattern, escape=escape, negated=negated, ignores_case=ignores):
            like = f"{'NOT ' * negated}{'I' * ignores}LIKE"
            text = f"{sql(operand, LEVEL['||'])} {like} {sql(pattern, LEVEL['||'])}"
            return LEVEL["IN"], text if escape is None else f"{text} ESCAPE {sql(escape, LEVEL['||'])}"
        case CaseExpression(operand=operand, branches=branches, otherwise=otherwise):
            parts = ["CASE", *([sql(operand)] if operand else [])]
            parts += [f"WHEN {sql(condition)} THEN {sql(result)}" for condition, result in branches]
            parts += [f"ELSE {sql(otherwise)}" if otherwise else "", "END"]
            return LEVEL["PRIMARY"], " ".join(parts)
        case CastExpression(operand=operand, type=type_):
            arguments = f"({', '.join(map(str, type_.arguments))})" if type_.arguments else ""
            return LEVEL["::"], f"{sql(operand, LEVEL['::'])}::{type_.name}{arguments}"
        case Call(name=function, arguments=operands, star=star, distinct=distinct, filter=filter_):
            inner = "*" if star else "DISTINCT " * distinct + ", ".join(sql(operand) for operand in operands)
            inner += f" ORDER BY {_order_sql(node.order_by)}" if node.order_by else ""
            suffix = f" WITHIN GROUP (ORDER BY {_order_sql(node.within_group)})" if node.within_group else ""
            suffix += f" FILTER (WHERE {sql(filter_)})" if filter_ else ""
            return LEVEL["PRIMARY"], f"{name(function)}({inner}){suffix}"
        case WindowCall(call=call, window=window, ignore_nulls=ignore_nulls):
            over = name(window) if isinstance(window, Identifier) else window_sql(window)
            return LEVEL["PRIMARY"], f"{sql(call)}{' IGNORE NULLS' * ignore_nulls} OVER {over}"
    raise AssertionError(node)


def window_sql(window: WindowSpecification) -> str:
    parts = [name(window.base)] if window.base else []
    if window.partition_by:
        parts.append("PARTITION BY " + ", ".join(sql(key) for key in window.partition_by))
    if window.order_by:
        parts.append(f"ORDER BY {_order_sql(window.order_by)}")
    if window.frame is not None:
        start, end = (_bound_sql(bound) for bound in (window.frame.start, window.frame.end))
        parts.append(f"{window.frame.unit.value} BETWEEN {start} AND {end} EXCLUDE {window.frame.exclusion.value}")
    return f"({' '.join(parts)})"


def _bound_sql(bound: FrameBound) -> str:
    return bound.kind.value if bound.offset is None else f"{sql(bound.offset, LEVEL['||'])} {bound.kind.value}"


def group_sql(element: GroupingElement) -> str:
    if not isinstance(element, GroupingSets):
        return sql(element)
    word = "" if element.kind is GroupingKind.SET else element.kind.value
    return f"{word} ({', '.join(map(group_sql, element.elements))})"


def table_sql(table: TableReference, *, is_right_side: bool = False) -> str:
    match table:
        case TableName(name=table_name, alias=alias, column_aliases=columns):
            return name(table_name) + (f" AS {name(alias)}{names(columns) if columns else ''}" if alias else "")
        case DerivedTable(query=query, alias=alias):
            return f"({query_sql(query)})" + (f" {name(alias)}" if alias else "")
        case JoinedTable(kind=kind, left=left, right=right, condition=condition, using=using, natural=natural):
            takes_condition = condition is not None or bool(using)
            right_text = table_sql(right, is_right_side=not takes_condition)
            text = f"{table_sql(left)} {'NATURAL ' * natural}{kind.value} JOIN {right_text}"
            text += f" ON {sql(condition)}" if condition is not None else f" USING {names(using)}" if using else ""
            return f"({text})" if is_right_side else text
    raise AssertionError(table)


def term_sql(term: QueryTerm, level: int = 0) -> str:
    match term:
        case QueryExpression():
            return f"({query_sql(term)})"
        case Values(rows=rows):
            return "VALUES " + ", ".join("(" + ", ".join(sql(item) for item in row) + ")" for row in rows)
        case SetOperation(operator=operator, all=all_, left=left, right=right):
            own = 1 if operator is SetOperator.INTERSECT else 0
            assert own >= level
            return f"{term_sql(left, own)} {operator.value} {'ALL ' * all_}{term_sql(right, own + 1)}"
        case QueryBlock():
            clauses = ["SELECT", _hint_sql(term.join_tree), "DISTINCT" if term.distinct else ""]
            clauses.append(", ".join(_item_sql(item) for item in term.items))
            clauses.append(f"FROM {table_sql(term.from_)}" if term.from_ else "")
            clauses.append(f"WHERE {sql(term.where)}" if term.where else "")
            if term.group_by is not None:
                elements = "ALL" if term.group_by.all else ", ".join(map(group_sql, term.group_by.elements))
                clauses.append(f"GROUP BY {'DISTINCT ' * term.group_by.distinct}{elements}")
            clauses.append(f"HAVING {sql(term.having)}" if term.having else "")
            windows = [f"{name(window.name)} AS {window_sql(window.specification)}" for window in term.windows]
            clauses.append("WINDOW " + ", ".join(windows) if windows else "")
            clauses.append(f"QUALIFY {sql(term.qualify)}" if term.qualify else "")
            return " ".join(clause for clause in clauses if clause)


def _hint_sql(tree: JoinTree | None) -> str:
    return "" if tree is None else f"/*+ JOIN_TREE({_tree_sql(tree)}) */"


def _tree_sql(tree: JoinTree) -> str:
    if isinstance(tree, JoinTreePair):
        return f"({_tree_sql(tree.left)} {_tree_sql(tree.right)})"
    return ".".join(name(part) for part in tree.path)


def _item_sql(item: SelectItem) -> str:
    assert not isinstance(item.expression, Star)
    text = sql(item.expression)
    return f"{text} {name(item.alias)}" if item.alias else text


def query_sql(query: QueryExpression) -> str:
    text = term_sql(query.term)
    if query.order_by:
        text += f" ORDER BY {_order_sql(query.order_by)}"
    text += f" LIMIT {sql(query.limit)}" if query.limit else ""
    return text + (f" OFFSET {sql(query.offset)}" if query.offset else "")


def _order_sql(items: Sequence[OrderItem]) -> str:
    nulls = {None: "", True: " NULLS FIRST", False: " NULLS LAST"}
    return ", ".join(sql(item.expression) + " DESC" * item.descending + nulls[item.nulls_first] for item in items)


# --- generating -------------------------------------------------------------------------------------------------------


def node(class_: type[Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda **values: class_(span=NOWHERE, **values), **fields)


def tuples(items: st.SearchStrategy[Any], least: int = 1, most: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(items, min_size=least, max_size=most).map(tuple)


BOOLEANS: Final = st.booleans()
IDENTIFIERS: Final = st.one_of(
    node(
        Identifier, name=st.sampled_from(["a", "b", "date", "year", "first", "nulls", "rollup", "cube", "within", "é"])
    ),
    node(Identifier, name=st.sampled_from(["A b", "full", 'q"', "select", "`"]), quoted=st.just(True)),
)
FUNCTIONS: Final = node(Identifier, name=st.sampled_from(["f", "count", "coalesce", "date"]))
WINDOW_NAMES: Final = node(Identifier, name=st.sampled_from(["w", "over", "current", "ties"]))
OFFSET_KINDS: Final = (BoundKind.PRECEDING, BoundKind.FOLLOWING)
CONSTANTS: Final = node(
    Constant,
    value=st.one_of(
        st.none(),
        BOOLEANS,
        st.integers(0, 2**63 - 1),
        st.text("a'\"`;-/*é\n ", max_size=6),
        st.decimals(0, 10**9, places=2),
        st.floats(0, 1e300).filter(lambda number: "e" in repr(number)),
    ),
)
COLUMNS: Final = node(ColumnName, table=st.none() | IDENTIFIERS, column=IDENTIFIERS)
TYPES: Final = node(
    TypeName, name=st.sampled_from(["INT", "DOUBLE PRECISION", "DATE"]), arguments=tuples(st.integers(0, 99), 0, 2)
)


def _orders(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return tuples(node(OrderItem, expression=inner, descending=BOOLEANS, nulls_first=st.none() | BOOLEANS), 1, 2)


def _compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    symbols = [operator for operator, level in LEVEL.items() if level in (5, 6, 7, 8, 9) and operator != "IN"]
    return st.one_of(
        node(Unary, operator=st.sampled_from(["-", "+", "~", "NOT"]), operand=inner),
        node(Binary, operator=st.sampled_from(symbols), left=inner, right=inner),
        node(Logical, operator=st.sampled_from(["AND", "OR"]), operands=tuples(inner, 2)),
        node(
            IsPredicate,
            operand=inner,
            what=st.sampled_from(["NULL", "TRUE", "FALSE", "UNKNOWN"]),
            negated=BOOLEANS,
        ),
        node(DistinctPredicate, left=inner, right=inner, negated=BOOLEANS),
        node(Between, operand=inner, low=inner, high=inner, negated=BOOLEANS),
        node(InPredicate, operand=inner, items=tuples(inner), negated=BOOLEANS),
        node(
            LikePredicate,
            operand=inner,
            pattern=inner,
            escape=st.none() | inner,
            negated=BOOLEANS,
            ignores_case=BOOLEANS,
        ),
        node(
            CaseExpression,
            operand=st.none() | inner,
            branches=tuples(st.tuples(inner, inner)),
            otherwise=st.none() | inner,
        ),
        node(CastExpression, operand=inner, type=TYPES),
        node(Call, name=FUNCTIONS, arguments=tuples(inner), distinct=BOOLEANS, filter=st.none() | inner),
        node(Call, name=FUNCTIONS, arguments=st.just(()), star=BOOLEANS),
        node(Call, name=FUNCTIONS, arguments=tuples(inner), distinct=BOOLEANS, order_by=_orders(inner)),
        node(Call, name=FUNCTIONS, arguments=tuples(inner, 0), within_group=_orders(inner), filter=st.none() | inner),
        node(
            WindowCall,
            call=node(Call, name=FUNCTIONS, arguments=tuples(inner), filter=st.none() | inner),
            window=WINDOW_NAMES | _windows(inner),
            ignore_nulls=BOOLEANS,
        ),
    )


def _windows(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    bounds = st.one_of(
        node(FrameBound, kind=st.sampled_from([kind for kind in BoundKind if kind not in OFFSET_KINDS])),
        node(FrameBound, kind=st.sampled_from(OFFSET_KINDS), offset=inner),
    )
    return node(
        WindowSpecification,
        base=st.none() | WINDOW_NAMES,
        partition_by=tuples(inner, 0, 2),
        order_by=tuples(node(OrderItem, expression=inner, descending=BOOLEANS, nulls_first=st.none() | BOOLEANS), 0, 2),
        frame=st.none()
        | node(
            WindowFrame,
            unit=st.sampled_from(FrameUnit),
            start=bounds,
            end=bounds,
            exclusion=st.sampled_from(Exclusion),
        ),
    )


EXPRESSIONS: Final = st.recursive(CONSTANTS | COLUMNS, _compound, max_leaves=12)
SMALL: Final = st.deferred(lambda: st.recursive(CONSTANTS | COLUMNS, _compound, max_leaves=3))


def _tables(queries: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    single = st.one_of(
        node(TableName, name=IDENTIFIERS, alias=st.none()),
        node(TableName, name=IDENTIFIERS, alias=IDENTIFIERS, column_aliases=tuples(IDENTIFIERS, 0, 2)),
        node(DerivedTable, query=queries, alias=st.none() | IDENTIFIERS),
    )
    kinds = st.sampled_from([JoinKind.INNER, JoinKind.LEFT, JoinKind.RIGHT, JoinKind.FULL])

    def joined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(
            node(JoinedTable, kind=kinds, left=inner, right=inner, condition=SMALL),
            node(JoinedTable, kind=kinds, left=inner, right=inner, using=tuples(IDENTIFIERS)),
            node(JoinedTable, kind=kinds, left=inner, right=inner, natural=st.just(True)),
            node(JoinedTable, kind=st.just(JoinKind.CROSS), left=inner, right=inner),
        )

    return st.recursive(single, joined, max_leaves=4)


JOIN_TREES = st.recursive(
    node(JoinTreeTable, path=tuples(IDENTIFIERS, 1, 2)),
    lambda trees: node(JoinTreePair, left=trees, right=trees),
    max_leaves=4,
)


COMPOSITES: Final = node(GroupingSets, kind=st.just(GroupingKind.SET), elements=st.just(()) | tuples(SMALL, 2, 3))
ROLLUPS: Final = node(
    GroupingSets,
    kind=st.sampled_from([GroupingKind.ROLLUP, GroupingKind.CUBE]),
    elements=tuples(SMALL | COMPOSITES, 1, 2),
)
GROUP_BY: Final = st.one_of(
    node(GroupBy, elements=st.just(()), all=st.just(True)),
    node(
        GroupBy,
        elements=tuples(
            SMALL
            | COMPOSITES
            | ROLLUPS
            | node(
                GroupingSets,
                kind=st.just(GroupingKind.GROUPING_SETS),
                elements=tuples(SMALL | COMPOSITES | ROLLUPS, 1, 3),
            ),
            1,
            2,
        ),
        distinct=BOOLEANS,
    ),
)


def _blocks(queries: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return node(
        QueryBlock,
        distinct=BOOLEANS,
        items=tuples(node(SelectItem, expression=SMALL, alias=st.none() | IDENTIFIERS)),
        from_=st.none() | _tables(queries),
        where=st.none() | SMALL,
        group_by=st.none() | GROUP_BY,
        having=st.none() | SMALL,
        windows=tuples(node(NamedWindow, name=WINDOW_NAMES, specification=_windows(SMALL)), 0, 2),
        qualify=st.none() | SMALL,
        join_tree=st.none() | JOIN_TREES,
    )


def _queries(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    terms = st.one_of(_blocks(inner), node(Values, rows=tuples(tuples(SMALL))))

    def combined(left: QueryTerm, operator: SetOperator, all_: bool, right: QueryTerm) -> SetOperation:
        return SetOperation(span=NOWHERE, operator=operator, all=all_, left=left, right=right)

    operations = st.one_of(
        st.builds(combined, terms, st.sampled_from(list(SetOperator)), BOOLEANS, terms),
        st.builds(combined, terms, st.sampled_from([SetOperator.UNION, SetOperator.EXCEPT]), BOOLEANS, st.builds(
            combined, terms, st.just(SetOperator.INTERSECT), BOOLEANS, terms)),
        st.builds(combined, st.builds(combined, terms, st.just(SetOperator.UNION), BOOLEANS, terms),
                  st.just(SetOperator.EXCEPT), BOOLEANS, terms),
    )  # fmt: skip
    return node(
        QueryExpression,
        with_=st.just(()),
        term=st.one_of(terms, operations),
        order_by=st.just(()) | _orders(SMALL),
        limit=st.none() | SMALL,
        offset=st.none() | SMALL,
    )


INNER_QUERIES: Final = st.deferred(lambda: _queries(st.nothing()))
QUERIES: Final = st.deferred(lambda: _queries(INNER_QUERIES))


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS)
def test_expressions(expression: Expression) -> None:
    text = sql(expression)
    statement = parse_statement(f"SELECT {text}").statement
    assert isinstance(statement, QueryExpression)
    assert isinstance(statement.term, QueryBlock)
    (item,) = statement.term.items
    assert shape(item.expression) == shape(expression), text


@settings(max_examples=100, deadline=None)
@given(QUERIES)
def test_queries(query: QueryExpression) -> None:
    text = query_sql(query)
    assert shape(parse_statement(text).statement) == shape(query), text
