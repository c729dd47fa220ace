"""What operations cost: microseconds of one thread, for each row or pair of rows.

Measured on numpy 2.4 and a 64-bit machine with two cores, with batches of 131,072 rows of 8-byte values, the best of
five runs, rounded: what counts is how the numbers compare. The hash table measured is that of open addresses in a
counting layout, `benchmarks/cost_constants.py` prints the measurements.
"""

from __future__ import annotations

from typing import Final

SCAN_ROW: Final = 0.001
"""Giving a row of a table that lies in memory."""
CONDITION_ROW: Final = 0.002
"""Evaluating one condition on a row, and gathering the row if it passes."""
EXPRESSION_ROW: Final = 0.001
"""Computing one expression on a row."""
BUILD_ROW: Final = 0.1
"""Putting a row into a hash table."""
PROBE_ROW: Final = 0.045
"""Looking a row up in a hash table that lies in the cache."""
PROBE_ROW_UNCACHED: Final = 0.09
"""Looking a row up in a larger hash table."""
CACHED_BUILD_ROWS: Final = 300_000
"""The rows of a hash table up to which it lies in the cache."""
PAIR: Final = 0.004
"""Looking at a pair of rows in a nested loop, with one condition on it."""
RESIDUAL_PAIR: Final = 0.008
"""Making a pair of rows with equal keys and evaluating a further condition on it."""
OUTPUT_ROW: Final = 0.01
"""Gathering a row of a join's output, of a handful of columns."""
GROUP_ROW: Final = 0.05
"""Finding the group of a row and adding the row to its aggregates."""
SORT_ROW: Final = 0.005
"""Sorting a row, for each binary digit of the number of rows."""
