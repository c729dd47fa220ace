"""Compiles the planner with mypyc, if there is a C compiler. Without one the same files are interpreted.

MINISQL_INTERPRETED=1 leaves them interpreted in any case.
"""

from __future__ import annotations

import os
import sys

from setuptools import Extension, setup

COMPILED = [
    "minisql/node_set.py",
    "minisql/hypergraph/connections.py",
    "minisql/hypergraph/hypergraph.py",
    "minisql/hypergraph/subgraph_enumeration.py",
    "minisql/optimizer/cardinality.py",
    "minisql/optimizer/chain_cardinality.py",
    "minisql/optimizer/class_selectivity.py",
    "minisql/optimizer/cost_constants.py",
    "minisql/optimizer/cost_model.py",
    "minisql/optimizer/costing_receiver.py",
    "minisql/optimizer/greedy_ordering.py",
    "minisql/optimizer/linear_order.py",
    "minisql/optimizer/linearized_dp.py",
]

# The types are checked elsewhere, with the packages that this environment lacks.
MYPY = ["--config-file=", "--python-version=3.11", "--follow-imports=silent", "--ignore-missing-imports"]


def extensions() -> list[Extension]:
    """The compiled modules; none where mypyc cannot make C of them, which is said."""
    if os.environ.get("MINISQL_INTERPRETED"):
        return []
    try:
        from mypyc.build import mypycify

        made: list[Extension] = mypycify([*MYPY, *COMPILED])
    except (ImportError, SystemExit) as error:
        sys.stderr.write(f"minisql: the planner is not compiled: {error}\n")
        return []
    for extension in made:
        extension.optional = True
    return made


setup(ext_modules=extensions())
