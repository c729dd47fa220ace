"""The stupid oracle of aggregates: one Python loop each, in exact fractions where there is something to round."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from fractions import Fraction
from functools import cmp_to_key, reduce
from typing import Any


def ordered(rows: Sequence[tuple[Any, ...]], directions: Sequence[tuple[bool, bool]]) -> list[tuple[Any, ...]]:
    """The rows by their last values, one for each direction (descending, NULLs first); equal ones stay as they are."""

    def compare(left: tuple[Any, ...], right: tuple[Any, ...]) -> int:
        for place, (descending, nulls_first) in enumerate(directions, len(left) - len(directions)):
            a, b = left[place], right[place]
            if a == b:
                continue
            if a is None or b is None:
                return -1 if (a is None) == nulls_first else 1
            return -1 if (a < b) != descending else 1
        return 0

    return sorted(rows, key=cmp_to_key(compare))


def value(name: str, rows: Sequence[tuple[Any, ...]], constant: Any) -> Any:
    """The aggregate over rows of its arguments that count, in their order; `constant` is a separator or a fraction."""
    if name == "regr_count":
        return len(rows)
    if not rows:
        return None
    first = [row[0] for row in rows]
    match name:
        case "array_agg":
            return tuple(first)
        case "string_agg":
            return (constant or "").join(first)
        case "first" | "any_value":
            return first[0]
        case "last":
            return first[-1]
        case "arg_min" | "arg_max":
            best = (min if name == "arg_min" else max)(row[1] for row in rows)
            return next(row[0] for row in rows if row[1] == best)
        case "mode":
            return max(dict.fromkeys(first), key=first.count)
        case "bit_and" | "bit_or" | "bit_xor":
            return reduce({"bit_and": operator.and_, "bit_or": operator.or_, "bit_xor": operator.xor}[name], first)
        case "product":
            return math.prod(first)
        case "quantile_disc":
            return first[max(math.ceil(constant * len(first)) - 1, 0)]
        case "quantile_cont":
            position = Fraction(constant) * (len(first) - 1)
            low, high = first[math.floor(position)], first[math.ceil(position)]
            return float(Fraction(low) + (Fraction(high) - Fraction(low)) * (position - math.floor(position)))
        case _:
            return _moment(name, [Fraction(y) for y in first], [Fraction(row[-1]) for row in rows])


def _moment(name: str, ys: Sequence[Fraction], xs: Sequence[Fraction]) -> float | None:
    count = len(ys)
    mean_y, mean_x = sum(ys) / count, sum(xs) / count
    yy = sum((y - mean_y) ** 2 for y in ys)
    xx = sum((x - mean_x) ** 2 for x in xs)
    xy = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    if name.endswith("_samp") and count == 1:
        return None
    if name in ("corr", "regr_slope", "regr_intercept", "regr_r2") and (xx == 0 or (name == "corr" and yy == 0)):
        return None
    match name:
        case "var_pop" | "stddev_pop":
            result = yy / count
        case "var_samp" | "stddev_samp":
            result = yy / (count - 1)
        case "covar_pop":
            result = xy / count
        case "covar_samp":
            result = xy / (count - 1)
        case "corr":
            return float(xy) / math.sqrt(xx * yy)
        case "regr_avgx":
            result = mean_x
        case "regr_avgy":
            result = mean_y
        case "regr_sxx":
            result = xx
        case "regr_syy":
            result = yy
        case "regr_sxy":
            result = xy
        case "regr_slope":
            result = xy / xx
        case "regr_intercept":
            result = mean_y - xy / xx * mean_x
        case "regr_r2":
            result = Fraction(1) if yy == 0 else xy * xy / (xx * yy)
        case _:
            raise ValueError(name)
    return math.sqrt(result) if name.startswith("stddev") else float(result)
