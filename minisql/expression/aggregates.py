"""The aggregates: what they are called, which arguments they take, what type they give, and what they mean.

How they are computed stands in `execution.aggregate` and `execution.general_aggregates`, under the names of
`computed_as`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from minisql.datatypes import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    INTEGER,
    TIMESTAMP,
    VARCHAR,
    SqlType,
    TypeKind,
    list_of,
    sum_type,
)
from minisql.node import record


class WithinGroup(Enum):
    """Whether the aggregate takes WITHIN GROUP (ORDER BY ...), and what that orders."""

    NOT = "not"
    ROWS = "rows"  # another way to write ORDER BY in the parentheses
    ARGUMENT = "argument"  # its key is the first argument
    ONLY = "only"  # the same, and there is no other way to write it


_WANTED: Final = {
    "a": "a value", "o": "values that can be ordered", "n": "numbers", "d": "numbers", "i": "integers",
    "b": "a BOOLEAN", "q": "numbers, dates or timestamps", "S": "a constant string", "F": "a constant fraction",
}  # fmt: skip


@record
class AggregateFunction:
    """An aggregate.

    `accepts` has a letter for each argument, which says what it takes and what that is cast to:

        a  anything                    o  anything that can be ordered
        n  a number of any type        d  a number, cast to DOUBLE
        i  an INTEGER or BIGINT        b  a BOOLEAN
        s  anything, cast to VARCHAR   q  a number, cast to DOUBLE, or a date or timestamp, cast to TIMESTAMP
        S  a constant string           F  a constant from 0 to 1

    The first `minimum` of the arguments are required. `result` gives the type of the result from that of the first.

    Rows with a NULL in an argument do not count unless it `keeps_nulls`. `order_matters` says whether the result
    depends on the order of the rows, `duplicates_matter` whether DISTINCT makes a difference. `computed_as` is the name
    that `AggregateCall` has of it.

    `signature`, `meaning`, and `example`, with its value as text, are for the documentation; the examples are over a
    column x of 1, 2, 2 and NULL, and are run as tests.
    """

    name: str
    signature: str
    accepts: str
    result: SqlType | Callable[[SqlType], SqlType]
    meaning: str
    example: str
    value: str | None
    aliases: tuple[str, ...] = ()
    minimum: int = -1
    computed_as: str = ""
    within_group: WithinGroup = WithinGroup.NOT
    keeps_nulls: bool = False
    order_matters: bool = False
    duplicates_matter: bool = True

    @property
    def fewest(self) -> int:
        """The least number of arguments, that in WITHIN GROUP included."""
        return len(self.accepts) if self.minimum < 0 else self.minimum

    @property
    def canonical(self) -> str:
        """The name that it is computed as."""
        return self.computed_as or self.name

    def result_type(self, argument: SqlType) -> SqlType:
        """The type of the result, for a first argument of this type after casts."""
        return self.result if isinstance(self.result, SqlType) else self.result(argument)


def argument_type(letter: str, type_: SqlType) -> SqlType | None:
    """What an argument of this type is cast to for a letter of `accepts`; None where it is not taken."""
    is_null = type_.kind is TypeKind.NULL
    match letter:
        case "a":
            return INTEGER if is_null else type_
        case "o":
            return INTEGER if is_null else type_ if type_.is_ordered else None
        case "n":
            return INTEGER if is_null else type_ if type_.is_numeric else None
        case "d":
            return DOUBLE if is_null or type_.is_numeric else None
        case "i":
            return BIGINT if is_null else type_ if type_.is_integer else None
        case "b":
            return BOOLEAN if is_null or type_.kind is TypeKind.BOOLEAN else None
        case "s":
            return VARCHAR
        case "S":
            return VARCHAR if is_null or type_.kind is TypeKind.VARCHAR else None
        case "q":
            if type_.is_temporal:
                return TIMESTAMP
            return DOUBLE if is_null or type_.is_numeric else None
        case _:
            return DOUBLE if type_.is_numeric else None


def wanted(letter: str) -> str:
    """What a letter of `accepts` stands for, in a message."""
    return _WANTED[letter]


def _same(type_: SqlType) -> SqlType:
    return type_


def _moment(name: str, meaning: str, example: str, value: str | None, aliases: str = "") -> AggregateFunction:
    return AggregateFunction(name, f"{name}([DISTINCT] number)", "d", DOUBLE, meaning, example, value,
                             tuple(aliases.split()))  # fmt: skip


def _regression(name: str, meaning: str, example: str, value: str | None) -> AggregateFunction:
    type_ = BIGINT if name == "regr_count" else DOUBLE
    return AggregateFunction(name, f"{name}([DISTINCT] y, x)", "dd", type_, meaning, example, value)


_STRING_AGG: Final = "string_agg([DISTINCT] string [, separator] [ORDER BY ...])"

AGGREGATES: Final = (
    AggregateFunction("count", "count(*), count([DISTINCT] value)", "a", BIGINT,
                      "The number of rows, or of values that are not NULL.", "count(DISTINCT x)", "2"),
    AggregateFunction("sum", "sum([DISTINCT] number)", "n", sum_type, "The sum, in a wider type.", "sum(x)", "5"),
    AggregateFunction("min", "min(value)", "o", _same, "The least value.", "min(x)", "1", duplicates_matter=False),
    AggregateFunction("max", "max(value)", "o", _same, "The greatest value.", "max(x)", "2", duplicates_matter=False),
    AggregateFunction("avg", "avg([DISTINCT] number)", "n", DOUBLE, "The mean, a DOUBLE.", "avg(DISTINCT x)", "1.5",
                      ("mean",)),
    AggregateFunction("count_if", "count_if([DISTINCT] condition)", "b", BIGINT,
                      "The number of rows for which the condition is TRUE.", "count_if(x > 1)", "2", ("countif",),
                      computed_as="count"),
    AggregateFunction("approx_count_distinct", "approx_count_distinct(value)", "o", BIGINT,
                      "The number of distinct values that are not NULL; exact here.", "approx_count_distinct(x)", "2",
                      computed_as="count"),
    AggregateFunction("bool_and", "bool_and(condition)", "b", BOOLEAN, "Whether the condition is TRUE in all rows.",
                      "bool_and(x > 1)", "false", ("every",), computed_as="min", duplicates_matter=False),
    AggregateFunction("bool_or", "bool_or(condition)", "b", BOOLEAN, "Whether the condition is TRUE in some row.",
                      "bool_or(x > 1)", "true", computed_as="max", duplicates_matter=False),
    AggregateFunction("bit_and", "bit_and(integer)", "i", _same, "The bits that all integers have.", "bit_and(x)", "0",
                      duplicates_matter=False),
    AggregateFunction("bit_or", "bit_or(integer)", "i", _same, "The bits that some integer has.", "bit_or(x)", "3",
                      duplicates_matter=False),
    AggregateFunction("bit_xor", "bit_xor([DISTINCT] integer)", "i", _same,
                      "The bits that an odd number of integers has.", "bit_xor(x)", "1"),
    AggregateFunction("product", "product([DISTINCT] number)", "d", DOUBLE, "The product, a DOUBLE.",
                      "product(x + 0.5)", "9.375"),
    AggregateFunction("any_value", "any_value(value [ORDER BY ...])", "a", _same,
                      "The first value that is not NULL.", "any_value(x)", "1", order_matters=True,
                      duplicates_matter=False),
    AggregateFunction("first", "first(value [ORDER BY ...])", "a", _same, "The value of the first row, NULL or not.",
                      "first(x ORDER BY x)", "1", ("arbitrary",), keeps_nulls=True, order_matters=True,
                      duplicates_matter=False),
    AggregateFunction("last", "last(value [ORDER BY ...])", "a", _same, "The value of the last row, NULL or not.",
                      "last(x ORDER BY x NULLS FIRST)", "2", keeps_nulls=True, order_matters=True,
                      duplicates_matter=False),
    AggregateFunction("arg_min", "arg_min(value, by)", "ao", _same,
                      "The value of the row in which `by` is least; rows with a NULL in either do not count.",
                      "arg_min(x * 10, x)", "10", ("min_by", "argmin"), duplicates_matter=False),
    AggregateFunction("arg_max", "arg_max(value, by)", "ao", _same,
                      "The value of the row in which `by` is greatest; rows with a NULL in either do not count.",
                      "arg_max(x * 10, x)", "20", ("max_by", "argmax"), duplicates_matter=False),
    AggregateFunction("string_agg", _STRING_AGG, "sS", VARCHAR, "The strings, joined by the separator, `,` by default.",
                      "string_agg(x, '; ' ORDER BY x DESC)", "2; 2; 1", ("group_concat", "listagg"), minimum=1,
                      within_group=WithinGroup.ROWS, order_matters=True),
    AggregateFunction("array_agg", "array_agg([DISTINCT] value [ORDER BY ...])", "a", list_of,
                      "A list of the values, NULLs included.", "array_agg(x ORDER BY x)", "[1, 2, 2, NULL]", ("list",),
                      keeps_nulls=True, order_matters=True),
    AggregateFunction("mode", "mode(value [ORDER BY ...]), mode() WITHIN GROUP (ORDER BY value)", "o", _same,
                      "The most frequent value, the first one of several.", "mode(x)", "2",
                      within_group=WithinGroup.ARGUMENT, order_matters=True),
    AggregateFunction("median", "median([DISTINCT] number or time)", "q", _same,
                      "The value in the middle, or half-way between the two in the middle.", "median(x)", "2.0",
                      computed_as="quantile_cont"),
    AggregateFunction("quantile_cont", "quantile_cont([DISTINCT] number or time, fraction)", "qF", _same,
                      "The value at this fraction of the way through the ordered values, interpolated.",
                      "quantile_cont(x, 0.25)", "1.5"),
    AggregateFunction("quantile_disc", "quantile_disc([DISTINCT] value, fraction)", "oF", _same,
                      "The first of the ordered values that at least this fraction of them do not exceed.",
                      "quantile_disc(x, 0.25)", "1", ("quantile",)),
    AggregateFunction("percentile_cont", "percentile_cont(fraction) WITHIN GROUP (ORDER BY number or time)", "qF",
                      _same,
                      "quantile_cont in the words of the standard.",
                      "percentile_cont(0.25) WITHIN GROUP (ORDER BY x)", "1.5", computed_as="quantile_cont",
                      within_group=WithinGroup.ONLY),
    AggregateFunction("percentile_disc", "percentile_disc(fraction) WITHIN GROUP (ORDER BY value)", "oF", _same,
                      "quantile_disc in the words of the standard.",
                      "percentile_disc(0.25) WITHIN GROUP (ORDER BY x)", "1", computed_as="quantile_disc",
                      within_group=WithinGroup.ONLY),
    _moment("stddev_samp", "The standard deviation of a sample; NULL for less than two values.",
            "stddev_samp(x * 3)", "1.7320508075688772", "stddev"),
    _moment("stddev_pop", "The standard deviation of a population.", "stddev_pop(DISTINCT x)", "0.5"),
    _moment("var_samp", "The variance of a sample; NULL for less than two values.", "var_samp(DISTINCT x)", "0.5",
            "variance"),
    _moment("var_pop", "The variance of a population.", "var_pop(DISTINCT x)", "0.25"),
    _regression("corr", "The coefficient of correlation; NULL where a side is constant.", "corr(x, 2 * x)", "1.0"),
    _regression("covar_samp", "The covariance of a sample.", "covar_samp(DISTINCT x, x)", "0.5"),
    _regression("covar_pop", "The covariance of a population.", "covar_pop(DISTINCT x, x)", "0.25"),
    _regression("regr_count", "The number of pairs without a NULL.", "regr_count(x, x)", "3"),
    _regression("regr_avgx", "The mean of x over pairs without a NULL.", "regr_avgx(DISTINCT x, 2 * x)", "3.0"),
    _regression("regr_avgy", "The mean of y over pairs without a NULL.", "regr_avgy(DISTINCT x, 2 * x)", "1.5"),
    _regression("regr_sxx", "The sum of squares of x about its mean.", "regr_sxx(DISTINCT x, 2 * x)", "2.0"),
    _regression("regr_syy", "The sum of squares of y about its mean.", "regr_syy(DISTINCT x, 2 * x)", "0.5"),
    _regression("regr_sxy", "The sum of products of x and y about their means.", "regr_sxy(DISTINCT x, 2 * x)", "1.0"),
    _regression("regr_slope", "The slope of the line of least squares.", "regr_slope(DISTINCT x, 2 * x)", "0.5"),
    _regression("regr_intercept", "Where the line of least squares crosses x = 0.",
                "regr_intercept(DISTINCT x, 2 * x)", "0.0"),
    _regression("regr_r2", "The square of the coefficient of correlation; 1 where y is constant.",
                "regr_r2(DISTINCT x, 2 * x)", "1.0"),
)  # fmt: skip
"""All aggregates, as the documentation lists them."""

AGGREGATES_BY_NAME: Final = {name: function for function in AGGREGATES for name in (function.name, *function.aliases)}
"""The aggregates by their names and their other names."""

GROUPING_NAMES: Final = ("grouping", "grouping_id")
"""GROUPING(key, ...): a bit for each key, 1 where it is not in the grouping set of the row. It is no aggregate."""
