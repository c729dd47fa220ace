from __future__ import annotations

import datetime
import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from minisql.catalog.statistics import distinct_from_sample, statistics_of
from minisql.catalog.table import ColumnStatistics
from minisql.columnar.column import Column
from minisql.columnar.from_arrow import from_arrow
from minisql.columnar.python_values import from_values
from minisql.datatypes import BIGINT, BOOLEAN, DATE, DOUBLE, INTEGER, VARCHAR, SqlType, decimal
from minisql.expression.nodes import Value


@pytest.mark.parametrize(
    ("type_", "values", "expected"),
    [
        (INTEGER, [3, None, 1, 3], ColumnStatistics(2, 0.25, 1, 3)),
        (BOOLEAN, [True, True, None, None], ColumnStatistics(1, 0.5, True, True)),
        (DOUBLE, [1.5, math.nan, -1.0, 1.5], ColumnStatistics(3, 0.0, -1.0, 1.5)),
        (DOUBLE, [math.nan], ColumnStatistics(1, 0.0, None, None)),
        (VARCHAR, ["b", "a", None, "b"], ColumnStatistics(2, 0.25, "a", "b")),
        (decimal(5, 2), [Decimal("1.5"), Decimal(-1)], ColumnStatistics(2, 0.0, Decimal(-1), Decimal("1.5"))),
        (decimal(38, 0), [Decimal(10**30), Decimal(1)], ColumnStatistics(2, 0.0, Decimal(1), Decimal(10**30))),
        (
            DATE,
            [datetime.date(2020, 1, 1)],
            ColumnStatistics(1, 0.0, datetime.date(2020, 1, 1), datetime.date(2020, 1, 1)),
        ),
        (INTEGER, [None, None], ColumnStatistics(0, 1.0, None, None)),
        (INTEGER, [], ColumnStatistics(0, 0.0, None, None)),
    ],
)
def test_small_columns_exactly(type_: SqlType, values: list[Value], expected: ColumnStatistics) -> None:
    assert statistics_of(from_values(values, type_)) == expected


def test_a_range_without_many_gaps_is_counted_exactly() -> None:
    values = np.random.default_rng(1).integers(-1000, 100_000, 200_000)
    column = Column(BIGINT, values, None, None, (-5000, 200_000))
    assert statistics_of(column).distinct_count == len(set(values.tolist()))


@pytest.mark.parametrize("distinct", [50, 30_000, 400_000, 2_000_000])
@pytest.mark.parametrize("spread", ["even", "skewed", "strided", "doubles"])
def test_large_columns_within_a_few_percent(distinct: int, spread: str) -> None:
    random = np.random.default_rng(distinct)
    rows = 2_000_000
    values = random.integers(0, distinct, rows)
    if spread == "skewed":
        values = (distinct * random.random(rows) ** 3).astype(np.int64)
    expected = len(np.unique(values))
    if spread == "doubles":
        column = Column(DOUBLE, values / 7)
    else:
        # Far apart, so that they are hashed and not marked in a table.
        column = Column(BIGINT, values * (2**40 if spread == "strided" else 1_000_003) - 2**50)
    assert statistics_of(column).distinct_count == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(("distinct", "tolerance"), [(1000, 0.01), (100_000, 0.1), (1_000_000, 0.15)])
def test_strings_from_a_sample(distinct: int, tolerance: float) -> None:
    numbers = np.random.default_rng(1).permutation(np.arange(1_000_000) % distinct)
    strings = pa.array(numbers).cast(pa.string())
    column = from_arrow(pa.array(strings), "s")
    assert statistics_of(column).distinct_count == pytest.approx(distinct, rel=tolerance)


def test_a_sample_that_is_all_rows_is_exact() -> None:
    column = from_values([1, 1, 2, None], INTEGER)
    assert distinct_from_sample(column, 3) == 2
    assert distinct_from_sample(from_values([None], INTEGER), 5) == 0
