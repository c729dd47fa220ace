"""The cost of each operator, its inputs left out, from estimated row counts, in the unit of `cost_constants`."""

from __future__ import annotations

import math

from minisql.optimizer import cost_constants as constants


def scan_cost(rows: float) -> float:
    """Reading a table."""
    return constants.SCAN_ROW * rows


def project_cost(rows: float, expressions: int) -> float:
    """Computing expressions on every row."""
    return constants.EXPRESSION_ROW * rows * expressions


def build_cost(rows: float) -> float:
    """Putting rows into a hash table."""
    return constants.BUILD_ROW * rows


def probe_cost_of_row(build_rows: float) -> float:
    """Looking one row up in a hash table of `build_rows` rows."""
    return constants.PROBE_ROW if build_rows <= constants.CACHED_BUILD_ROWS else constants.PROBE_ROW_UNCACHED


def residual_cost(pairs: float) -> float:
    """Evaluating what a hash join has besides its keys on the pairs of rows with equal keys."""
    return constants.RESIDUAL_PAIR * pairs


def nested_loop_cost(left_rows: float, right_rows: float) -> float:
    """Looking at every pair of rows."""
    return constants.PAIR * left_rows * right_rows


def output_cost(rows: float) -> float:
    """Making the rows that a join gives."""
    return constants.OUTPUT_ROW * rows


def aggregate_cost(rows: float) -> float:
    """Grouping rows; also for DISTINCT and set operations."""
    return constants.GROUP_ROW * rows


def sort_cost(rows: float, kept: float) -> float:
    """Sorting rows of which the first `kept` are wanted."""
    return constants.SORT_ROW * rows * math.log2(max(2.0, min(rows, kept)))


def window_cost(rows: float, sorts: int, calls: int) -> float:
    """Computing window functions: sorting the rows for each order that they need, and each function on every row."""
    return sorts * sort_cost(rows, rows) + constants.WINDOW_ROW * rows * calls
