"""A join region as a hypergraph: what its nodes, edges and conflict rules stand for.

A *join region* is a tree of joins and its *leaves*, the inputs that are no joins and that are planned on their own. A
node is a leaf and has the number of its table. An edge is the conditions of a join, or some of the conjuncts of an
inner join, which need not be applied together.
"""

from __future__ import annotations

from minisql.expression.nodes import Expression
from minisql.hypergraph.conflicts import ConflictRule, Eligibility, Operator
from minisql.hypergraph.hypergraph import Hypergraph
from minisql.node import node
from minisql.node_set import NodeSet
from minisql.relational.relational_expression import RelationalExpression


@node
class KeyChain:
    """A chain of full joins that merge a key (see `key_chain`): the tables and the key of each member."""

    tables: tuple[NodeSet, ...]
    keys: tuple[tuple[Expression, ...], ...]


@node
class JoinEdge:
    """Conditions that connect two sets of tables; they may be applied where `eligibility` says so.

    `operator` is the join that they belong to, as an index into `JoinHypergraph.operators`. An inner join has an edge
    for each set of tables that conjuncts of it use, any other join has one edge. There are no conditions where the join
    is on TRUE. A join of a chain has an edge for each pair of `members`, one from each of its inputs.
    """

    operator: int
    conditions: tuple[Expression, ...]
    eligibility: Eligibility
    chain: KeyChain | None = None
    members: tuple[int, int] = (0, 0)


@node
class RegionFilter:
    """Conditions on the rows of the whole region that no join could take up, such as `b.x IS NULL` above `a LEFT b`.

    They are applied as soon as all of `nodes` are joined, where the rules allow it.
    """

    conditions: tuple[Expression, ...]
    nodes: NodeSet
    rules: tuple[ConflictRule, ...]


@node
class JoinHypergraph:
    """A join region.

    Attributes:
        graph: the nodes, and an edge for each of `edges`, in the same order.
        leaves: the leaf of each node; the node as a set of one.
        operators: the joins as written, each after those in its inputs, the left ones first.
        edges: what may join, in the order of its operators.
        filters: conditions that are no edges.
    """

    graph: Hypergraph
    leaves: dict[int, RelationalExpression]
    operators: tuple[Operator, ...]
    edges: tuple[JoinEdge, ...]
    filters: tuple[RegionFilter, ...]
