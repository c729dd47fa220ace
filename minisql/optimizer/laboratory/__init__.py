"""A laboratory for join ordering: graphs without a catalog; enumerators, cost models and estimators to put together.

    >>> from minisql.optimizer import laboratory as lab
    >>> graph = lab.make_graph({"a": 10, "b": 1000, "c": 100}, [("a", "b", 0.001), ("b", "c", 0.01)])
    >>> plan = lab.optimize(graph, lab.dphyp, cost=lab.c_out)
    >>> plan.order, plan.cost, plan.pairs
    ('((a b) c)', 20.0, 4)

A query's graph comes from `Connection.plan(sql).join_graph()`, with the engine's estimates, and its true cardinalities
from `true_cardinalities()` there. docs/laboratory.md has examples, docs/laboratory.ipynb is a first lesson.
"""

from minisql.optimizer.laboratory.cost_models import (
    CostModel,
    c_out,
    engine,
    hash_join,
    nested_loop,
    sort_merge,
)
from minisql.optimizer.laboratory.enumerators import dp_size, dp_sub, dphyp, greedy, ikkbz, linearized
from minisql.optimizer.laboratory.estimators import Estimator, given, independence
from minisql.optimizer.laboratory.join_graph import (
    Edge,
    JoinGraph,
    Tables,
    chain,
    clique,
    cycle,
    edge,
    grid,
    make_graph,
    random_graph,
    star,
)
from minisql.optimizer.laboratory.search import Enumerator, Plan, PlannedJoin, Search, optimize
from minisql.optimizer.q_error import q_error

__all__ = [
    "CostModel",
    "Edge",
    "Enumerator",
    "Estimator",
    "JoinGraph",
    "Plan",
    "PlannedJoin",
    "Search",
    "Tables",
    "c_out",
    "chain",
    "clique",
    "cycle",
    "dp_size",
    "dp_sub",
    "dphyp",
    "edge",
    "engine",
    "given",
    "greedy",
    "grid",
    "hash_join",
    "ikkbz",
    "independence",
    "linearized",
    "make_graph",
    "nested_loop",
    "optimize",
    "q_error",
    "random_graph",
    "sort_merge",
    "star",
]
