"""What a join costs, its inputs left out: functions of the rows of its left input, of its right input, and of itself.

In an inner or full join either input may be the left one, whichever is cheaper; a one-sided join has on the left what
it keeps. A cost model of one's own is any such function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from minisql.optimizer.cost_model import build_cost, output_cost, probe_cost_of_row

CostModel: TypeAlias = Callable[[float, float, float], float]
"""Left rows, right rows and the rows of the join, to a cost of 0 or more."""


def c_out(left: float, right: float, out: float) -> float:
    """The rows of the join, so that a plan costs the sum of its intermediate results and of the last one."""
    return out


def nested_loop(left: float, right: float, out: float) -> float:
    """Every pair of rows (C_nlj of Cluet and Moerkotte, ICDT 1995)."""
    return left * right


def hash_join(left: float, right: float, out: float) -> float:
    """1.2 steps for each row of the left input, which probes a hash table (C_hj, ibid.)."""
    return 1.2 * left


def sort_merge(left: float, right: float, out: float) -> float:
    """Sorting both inputs (C_smj, ibid.)."""
    return sum(rows * math.log2(rows) for rows in (left, right) if rows > 1)


def engine(left: float, right: float, out: float) -> float:
    """The hash join of minisql, in about microseconds: building on one input, probing with the other, making rows."""
    build_right = build_cost(right) + probe_cost_of_row(right) * left
    build_left = build_cost(left) + probe_cost_of_row(left) * right
    return min(build_right, build_left) + output_cost(out)
