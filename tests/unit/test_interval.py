from __future__ import annotations

import pytest

from minisql.interval import Interval, parse_interval

HOUR = 3_600_000_000
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("text", "expected", "printed"),
    [
        ("1 year 2 months -3 days 04:05:06.7", Interval(14, -3, 14_706_700_000), "1 year 2 mons -3 days +04:05:06.7"),
        ("1-2", Interval(14), "1 year 2 mons"),
        ("-1-2", Interval(-14), "-1 years -2 mons"),
        ("3 04:05", Interval(0, 3, 4 * HOUR + 300_000_000), "3 days 04:05:00"),
        ("2 hours ago", Interval(0, 0, -2 * HOUR), "-02:00:00"),
        ("1 day ago", Interval(0, -1), "-1 days"),
        ("P1Y2M3DT4H5M6S", Interval(14, 3, 14_706_000_000), "1 year 2 mons 3 days 04:05:06"),
        ("PT0.5S", Interval(0, 0, 500_000), "00:00:00.5"),
        ("P2W", Interval(0, 14), "14 days"),
        ("1.5 months", Interval(1, 15), "1 mon 15 days"),
        ("1.5 days", Interval(0, 1, DAY // 2), "1 day 12:00:00"),
        ("0.25 years", Interval(3), "3 mons"),
        ("1 quarter 1 week 1 decade", Interval(123, 7), "10 years 3 mons 7 days"),
        ("90", Interval(0, 0, 90_000_000), "00:01:30"),
        ("3days4h", Interval(0, 3, 4 * HOUR), "3 days 04:00:00"),
        ("@ 1 minute", Interval(0, 0, 60_000_000), "00:01:00"),
        ("0 days", Interval(), "00:00:00"),
        ("100:00", Interval(0, 0, 100 * HOUR), "100:00:00"),
        ("-00:00:00.000001", Interval(0, 0, -1), "-00:00:00.000001"),
    ],
)
def test_texts(text: str, expected: Interval, printed: str) -> None:
    interval = parse_interval(text)
    assert interval == expected
    assert str(interval) == printed
    assert parse_interval(printed) == expected


@pytest.mark.parametrize(
    "text",
    ["", "abc", "1 foo", "P", "PT", "P1D2", "1e5 days", "00:61", "00:00:60", "1-12", "1 2", "1 year 5 6", "ago",
     "2013-01-31", "1-2-3 days",
     "1 day x",
     "3000000000 months", "300000 years", "9" * 300, "- 1 day", "1 day, 2 hours"],
)  # fmt: skip
def test_what_is_no_interval(text: str) -> None:
    assert parse_interval(text) is None


def test_months_and_days_are_told_apart_but_have_one_length() -> None:
    assert Interval(1) != Interval(0, 30)
    assert Interval(1).length == Interval(0, 30).length == 30 * DAY


def test_the_unit_of_a_number_alone() -> None:
    assert parse_interval("3", "month") == Interval(3)
    assert parse_interval("1 day 3", "hours") == Interval(0, 1, 3 * HOUR)
