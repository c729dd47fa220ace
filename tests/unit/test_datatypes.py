from __future__ import annotations

import pytest

from minisql.datatypes import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NULL,
    TIMESTAMP,
    VARCHAR,
    SqlType,
    arithmetic_type,
    can_cast,
    common_type,
    decimal,
    sum_type,
)


@pytest.mark.parametrize(
    ("left", "right", "common"),
    [
        (INTEGER, INTEGER, INTEGER),
        (INTEGER, BIGINT, BIGINT),
        (INTEGER, DOUBLE, DOUBLE),
        (decimal(15, 2), INTEGER, decimal(15, 2)),
        (decimal(4, 2), decimal(5, 4), decimal(6, 4)),
        (decimal(38, 2), decimal(38, 10), decimal(38, 10)),
        (decimal(4, 2), DOUBLE, DOUBLE),
        (NULL, DATE, DATE),
        (DATE, TIMESTAMP, TIMESTAMP),
        (VARCHAR, INTEGER, None),
        (BOOLEAN, INTEGER, None),
        (DATE, INTEGER, None),
    ],
)
def test_common_type(left: SqlType, right: SqlType, common: SqlType | None) -> None:
    assert common_type(left, right) == common
    assert common_type(right, left) == common


@pytest.mark.parametrize(
    ("operator", "left", "right", "result"),
    [
        ("+", INTEGER, INTEGER, INTEGER),
        ("/", INTEGER, BIGINT, BIGINT),
        ("+", decimal(15, 2), decimal(15, 2), decimal(16, 2)),
        ("*", decimal(15, 2), decimal(16, 2), decimal(31, 4)),
        ("-", INTEGER, decimal(15, 2), decimal(16, 2)),
        ("/", decimal(15, 2), INTEGER, DOUBLE),
        ("%", decimal(15, 2), INTEGER, decimal(15, 2)),
        ("*", DOUBLE, decimal(4, 2), DOUBLE),
        ("+", DATE, INTEGER, DATE),
        ("+", INTEGER, DATE, DATE),
        ("-", DATE, DATE, INTEGER),
        ("-", INTEGER, DATE, None),
        ("*", DATE, INTEGER, None),
        ("+", VARCHAR, INTEGER, None),
        ("+", NULL, DOUBLE, DOUBLE),
    ],
)
def test_arithmetic_type(operator: str, left: SqlType, right: SqlType, result: SqlType | None) -> None:
    assert arithmetic_type(operator, left, right) == result


def test_sums_are_wider_than_their_arguments() -> None:
    assert sum_type(INTEGER) == BIGINT
    assert sum_type(BIGINT) == decimal(38, 0)
    assert sum_type(decimal(15, 2)) == decimal(38, 2)
    assert sum_type(DOUBLE) == DOUBLE


def test_casts() -> None:
    assert can_cast(VARCHAR, DATE)
    assert can_cast(BOOLEAN, INTEGER)
    assert not can_cast(BOOLEAN, DOUBLE)
    assert not can_cast(DATE, INTEGER)


def test_names() -> None:
    assert str(decimal(15, 2)) == "DECIMAL(15,2)"
    assert str(BIGINT) == "BIGINT"
