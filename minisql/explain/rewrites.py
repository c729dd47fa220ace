"""What the rewrites did to a query, as sentences: joins that became simpler, subqueries that became joins, derivations.

Everything is found by comparing the query as written with what became of it, and by what the passes have recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from minisql.errors import enumerated
from minisql.expression.nodes import Comparison, Expression
from minisql.expression.walk import tables_of
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.leaves import alias_of, called_after_tables
from minisql.hypergraph.sentences import Wording, format_written
from minisql.node_set import NodeSet, is_subset, members, node_set, overlaps, single, union
from minisql.parser.keywords import quoted_name
from minisql.relational.derive_conditions import Derivation
from minisql.relational.relational_expression import (
    Apply,
    BaseTable,
    JoinType,
    RelationalExpression,
    SharedScan,
    Values,
    WorkingTable,
    output_tables,
)
from minisql.relational.rewriting import expressions_of, nodes_of, own_tables
from minisql.relational.shared import shared_users_first
from minisql.relational.simplify_outer import Simplification


def everything_in(expression: RelationalExpression) -> Iterator[RelationalExpression]:
    """All nodes of a query, and of what is shared in it."""
    for tree in (expression, *(shared.input for shared in shared_users_first(expression))):
        yield from nodes_of(tree)


def base_tables(expression: RelationalExpression) -> NodeSet:
    """The tables below an expression that are computed of no others."""
    leaves = (node for node in nodes_of(expression) if isinstance(node, BaseTable | Values | SharedScan | WorkingTable))
    return node_set(leaf.table for leaf in leaves)


def aliases(expression: RelationalExpression) -> dict[int, str]:
    """What the query calls each table that has an alias, as it is written in SQL."""
    found: dict[int, str] = {}
    for node in everything_in(expression):
        tables = output_tables(node)
        if tables and not tables & (tables - 1) and (alias := alias_of(node)):
            found.setdefault(tables.bit_length() - 1, quoted_name(alias))
    return found


# --- simplifications --------------------------------------------------------------------------------------------------


def describe_simplification(simplification: Simplification, names: Mapping[int, str]) -> str:
    """The join before and after a step, and the condition because of which rows that it padded cannot matter."""
    join = simplification.join
    names = {**_names_without_alias(join), **names}
    left, right = _side(join.left, names), _side(join.right, names)
    after = "RIGHT" if simplification.flipped else simplification.after.name
    is_left_padded = simplification.before is JoinType.FULL and not simplification.flipped
    padded = output_tables(join.left if is_left_padded else join.right)
    verb = "are" if padded & (padded - 1) else "is"
    return (
        f"{left} {simplification.before.name} JOIN {right} became {left} {after} JOIN {right} because of "
        f"{simplification.clause} {format_written([simplification.condition])}, "
        f"which rejects the rows in which {_listed(padded, names)} {verb} padded"
    )


def _names_without_alias(expression: RelationalExpression) -> dict[int, str]:
    """What the tables in an expression are called that have no alias."""
    return {
        table: quoted_name(alias) if (alias := alias_of(node)) else called_after_tables(node)
        for node in nodes_of(expression)
        for table in own_tables(node)
    }


def _side(relation: RelationalExpression, names: Mapping[int, str]) -> str:
    listed = _all_names(output_tables(relation), names)
    return f"({', '.join(listed)})" if len(listed) > 1 else listed[0]


def _listed(tables: NodeSet, names: Mapping[int, str]) -> str:
    return enumerated(_all_names(tables, names))


def _all_names(tables: NodeSet, names: Mapping[int, str]) -> list[str]:
    return list(dict.fromkeys(names.get(table, f"#{table}") for table in members(tables)))


# --- joins that came and went -----------------------------------------------------------------------------------------


def describe_new_joins(
    graph: JoinHypergraph, words: Wording, as_written: RelationalExpression, names: Mapping[int, str]
) -> list[str]:
    """The joins of a region that are no joins in the query: those of subqueries, and those that only look for rows."""
    subqueries = [base_tables(node.right) for node in everything_in(as_written) if isinstance(node, Apply)]
    below = {node: base_tables(leaf) for node, leaf in graph.leaves.items()}
    found = []
    for number, operator in enumerate(graph.operators):
        left, right = (
            union(below[single(table)] for table in members(side))
            for side in (operator.left_tables, operator.right_tables)
        )
        if any(right and is_subset(right, each) and not is_subset(left, each) for each in subqueries):
            found.append(f"the subquery on {_listed(right, names)} became {words.join(number)}")
        elif operator.type is JoinType.SEMI:
            nodes = words.tables(operator.right_tables)
            found.append(f"{words.join(number)} was an INNER JOIN: of {nodes}, it only matters whether there is a row")
    return found


def describe_dropped(as_written: RelationalExpression, rewritten: RelationalExpression) -> list[str]:
    """The tables that the query names and does not read."""
    kept = node_set(node.table for node in everything_in(rewritten) if isinstance(node, BaseTable))
    return [
        f"{quoted_name(node.alias)} is not read, for the result does not depend on it"
        for node in nodes_of(as_written)
        if isinstance(node, BaseTable) and not overlaps(single(node.table), kept)
    ]


# --- derived conditions -----------------------------------------------------------------------------------------------


def derivations_in_use(derivations: Iterable[Derivation], rewritten: RelationalExpression) -> list[Derivation]:
    """Those whose conditions were not found superfluous later on.

    Conditions on what is computed look different where they were pushed down to, and count as in use.
    """
    nodes = list(everything_in(rewritten))
    conditions = {condition for node in nodes for condition in expressions_of(node)}
    stored = node_set(node.table for node in nodes if isinstance(node, BaseTable))
    return [
        each for each in derivations if each.condition in conditions or not is_subset(tables_of(each.condition), stored)
    ]


def describe_derivation(derivation: Derivation) -> str:
    """`b.k = 5 follows from a.k = 5 and a.k = b.k`."""
    sources = [] if derivation.known is None else [derivation.known]
    sources += _way(derivation.source, derivation.target, derivation.equalities)
    texts = list(dict.fromkeys(format_written([source]) for source in sources))
    return f"{format_written([derivation.condition])} follows from {' and '.join(texts)}"


def _way(source: Expression, target: Expression, equalities: Sequence[Comparison]) -> Iterable[Comparison]:
    """The shortest way from one term of a class to another."""
    came_by: dict[Expression, tuple[Expression, Comparison]] = {}
    waiting = [source]
    for term in waiting:
        for equality in equalities:
            for one, other in ((equality.left, equality.right), (equality.right, equality.left)):
                if one == term and other != source and other not in came_by:
                    came_by[other] = term, equality
                    waiting.append(other)
    way: list[Comparison] = []
    while target != source:
        target, equality = came_by[target]
        way.append(equality)
    way.reverse()
    return way
