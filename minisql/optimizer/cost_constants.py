"""What operations cost: microseconds of one thread, for each row or pair of rows.

Measured by `benchmarks/cost_constants.py` with numpy 2.4 on a 64-bit machine with two cores, over 8-byte integers in
batches of 131,072 rows, and rounded: what counts is how the numbers compare. Keys that lie close together, for which a
lookup table does, are three times as fast to build and to probe; the cost model does not tell them apart.
"""

from __future__ import annotations

from typing import Final

SCAN_ROW: Final = 0.0005
"""Giving a row of a table that lies in memory."""
CONDITION_ROW: Final = 0.001
"""Evaluating one condition on a row, and gathering the row if it passes."""
EXPRESSION_ROW: Final = 0.0005
"""Computing one expression on a row."""
BUILD_ROW: Final = 0.03
"""Putting a row into a hash table."""
PROBE_ROW: Final = 0.009
"""Looking a row up in a hash table that lies in the cache."""
PROBE_ROW_UNCACHED: Final = 0.025
"""Looking a row up in a larger hash table."""
CACHED_BUILD_ROWS: Final = 500_000
"""The rows of a hash table up to which it lies in the cache."""
PAIR: Final = 0.0025
"""Looking at a pair of rows in a nested loop, with one condition on it."""
RESIDUAL_PAIR: Final = 0.005
"""Making a pair of rows with equal keys and evaluating a further condition on it."""
OUTPUT_ROW: Final = 0.003
"""Gathering a row of a join's output, of a handful of columns."""
GROUP_ROW: Final = 0.01
"""Finding the group of a row and adding the row to its aggregates."""
SORT_ROW: Final = 0.001
"""Sorting a row, for each binary digit of the number of rows."""
WINDOW_ROW: Final = 0.03
"""Finding the frame of a sorted row and computing a window function over it."""

# --- expressions: see `predicate_rank`. Those on strings are for each distinct string ---------------------------------

COMPARE_STRING_ROW: Final = 0.004
"""Comparing strings."""
IN_LIST_ROW: Final = 0.001
"""Looking a number up in a list of constants."""
IN_STRINGS_ROW: Final = 0.01
"""Looking a string up in a list of constants."""
LIKE_ROW: Final = 0.008
"""LIKE with a pattern that has wildcards at its ends only."""
LIKE_PATTERN_ROW: Final = 0.09
"""LIKE with any other pattern, a regular expression."""
CAST_FROM_STRING_ROW: Final = 0.08
"""Reading a number or a date."""
STRING_ROW: Final = 0.025
"""Making a string: lower, substring, concatenation, a cast to VARCHAR."""
POOLED_ROW: Final = 0.0003
"""Taking for a row what was computed for its string."""
DIVIDE_ROW: Final = 0.0015
"""Dividing, the remainder included; other arithmetic is EXPRESSION_ROW."""
CASE_BRANCH_ROW: Final = 0.0015
"""A branch of CASE, its condition and result left out."""
LOGIC_ROW: Final = 0.0002
"""An operand of AND, OR, NOT, IS and COALESCE."""
USER_FUNCTION_ROW: Final = 1.0
"""A function of the program, of which nothing is known: more than any of ours."""
FUNCTION_ROW: Final = {
    "abs": 0.0005, "round": 0.007, "extract": 0.001, "length": 0.006, "trim": 0.012, "ltrim": 0.012, "rtrim": 0.012,
    "octet_length": 0.001, "starts_with": 0.004, "ends_with": 0.004, "contains": 0.05, "lpad": 0.4, "rpad": 0.4,
    "reverse": 0.1, "split_part": 0.1, "translate": 0.4, "initcap": 0.2, "md5": 0.7, "regexp_matches": 0.09,
    "regexp_full_match": 0.09, "similar_to": 0.09, "regexp_replace": 0.3, "regexp_extract": 0.7, "strptime": 0.1,
    "sqrt": 0.0015, "ln": 0.0015, "log10": 0.0015, "exp": 0.0015, "power": 0.003, "sin": 0.015, "cos": 0.015,
    "tan": 0.015, "trunc": 0.0005, "ceil": 0.0005, "floor": 0.0005, "sign": 0.0005, "gcd": 0.015, "greatest": 0.006,
    "least": 0.006, "bitwise_and": 0.0005, "bitwise_or": 0.0005, "xor": 0.0005, "bitwise_not": 0.0005,
    "shift_left": 0.001, "shift_right": 0.001, "random": 0.002, "date_trunc": 0.004, "date_diff": 0.004,
    "date_sub": 0.08, "dayname": 0.003,
    "monthname": 0.003, "last_day": 0.004, "epoch": 0.001, "epoch_ms": 0.001,
}  # fmt: skip
"""Functions that are not STRING_ROW."""
