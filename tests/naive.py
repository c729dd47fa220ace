"""The stupid oracle: expressions and relational expressions evaluated row by row, as the standard says and no faster.

A row is a dict from `ColumnId` to a Python value, a relation a list of rows. Nothing here is shared with the engine but
the data types of its trees.
"""

from __future__ import annotations

import datetime
import math
import operator
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import partial, reduce
from typing import Any, assert_never

from minisql.catalog.table import ColumnDefinition, ColumnStatistics, Key, SimpleFilter, Table
from minisql.columnar.column import Batch
from minisql.columnar.python_values import from_values, to_values
from minisql.datatypes import BIGINT_RANGE, INTEGER_RANGE, SqlType, TypeKind
from minisql.errors import DataError
from minisql.expression.nodes import (
    AggregateCall,
    And,
    Arithmetic,
    Case,
    Cast,
    Coalesce,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    FunctionCall,
    InList,
    IsDistinctFrom,
    IsNull,
    IsTruth,
    Like,
    Literal,
    Negate,
    Not,
    Or,
    SortKey,
    Value,
)
from minisql.interval import Interval
from minisql.optimizer import access_path
from minisql.optimizer.access_path import AccessPath
from minisql.relational.relational_expression import (
    Aggregate,
    BaseTable,
    Filter,
    Join,
    JoinOrder,
    JoinType,
    Limit,
    OneRow,
    Project,
    RecursiveUnion,
    RelationalExpression,
    SetOperation,
    SetOperator,
    Shared,
    SharedScan,
    Sort,
    Values,
    Window,
    WorkingTable,
)
from tests import naive_aggregates
from tests.naive_window import window_values

Row = Mapping[ColumnId, Value]

COMPARE = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, eq=False)
class ListTable:
    """A table that is a list of rows; satisfies the protocol of `catalog.table.Table`."""

    name: str
    columns: tuple[ColumnDefinition, ...]
    rows: Sequence[tuple[Value, ...]]
    keys: Sequence[Key] = field(default=(), kw_only=True)

    @property
    def uses_filters(self) -> bool:
        return True

    def row_count(self) -> int:
        return len(self.rows)

    def column_statistics(self, column: int) -> ColumnStatistics:
        known: list[Any] = [row[column] for row in self.rows if row[column] is not None]
        return ColumnStatistics(
            distinct_count=len(set(known)),
            null_fraction=1 - len(known) / len(self.rows) if self.rows else 0.0,
            low=min(known) if known else None,
            high=max(known) if known else None,
        )

    def scan(self, columns: Sequence[int], filters: Sequence[SimpleFilter], batch_rows: int) -> Iterator[Batch]:
        for start in range(0, len(self.rows), batch_rows):
            part = self.rows[start : start + batch_rows]
            yield Batch([from_values([row[c] for row in part], self.columns[c].type) for c in columns], len(part))


# --- expressions ------------------------------------------------------------------------------------------------------


def evaluate(expression: Expression, row: Row) -> Value:
    """The value of an expression in a row."""
    match expression:
        case Literal():
            return expression.value
        case ColumnRef():
            return row[expression.column]
        case Case():
            for condition, result in expression.branches:
                if evaluate(condition, row) is True:
                    return evaluate(result, row)
            return evaluate(expression.otherwise, row)
        case Coalesce():
            for operand in expression.operands:
                if (value := evaluate(operand, row)) is not None:
                    return value
            return None
        case And():
            values = [evaluate(operand, row) for operand in expression.operands]
            return False if any(value is False for value in values) else None if None in values else True
        case Or():
            values = [evaluate(operand, row) for operand in expression.operands]
            return True if any(value is True for value in values) else None if None in values else False
        case Not():
            return negated(evaluate(expression.operand, row))
        case IsNull():
            return (evaluate(expression.operand, row) is None) is not expression.negated
        case IsTruth():
            return (evaluate(expression.operand, row) is expression.truth) is not expression.negated
        case IsDistinctFrom():
            left, right = evaluate(expression.left, row), evaluate(expression.right, row)
            distinct = (left is None) != (right is None) or (left is not None and comparable(left) != comparable(right))
            return distinct is not expression.negated
        case InList():
            found = is_in(evaluate(expression.operand, row), [evaluate(item, row) for item in expression.items])
            return negated(found) if expression.negated else found
        case Arithmetic() | Comparison() | Negate() | Cast() | Like() | FunctionCall():
            return strict(expression, row)
        case _:
            assert_never(expression)


def strict(expression: Arithmetic | Comparison | Negate | Cast | Like | FunctionCall, row: Row) -> Value:
    operands: tuple[Expression, ...]
    match expression:
        case Arithmetic() | Comparison():
            operands = (expression.left, expression.right)
        case Negate() | Cast():
            operands = (expression.operand,)
        case Like():
            operands = (expression.operand, expression.pattern)
        case FunctionCall():
            operands = expression.arguments
        case _:
            assert_never(expression)
    values: list[Any] = [evaluate(operand, row) for operand in operands]
    if None in values:
        return None
    match expression:
        case Arithmetic():
            return in_range(arithmetic(expression, *values), expression.type)
        case Comparison():
            return COMPARE[expression.operator](*map(comparable, values))
        case Negate():
            if isinstance(values[0], Interval):
                return Interval(-values[0].months, -values[0].days, -values[0].microseconds)
            negated = values[0].copy_negate() if isinstance(values[0], Decimal) else -values[0]
            return in_range(negated, expression.type)
        case Cast():
            return cast(values[0], expression.operand.type, expression.type)
        case Like():
            return like(*values, expression.escape) is not expression.negated
        case FunctionCall():
            return FUNCTIONS[expression.name](expression.type, *values)
        case _:
            assert_never(expression)


def negated(value: Value) -> Value:
    return None if value is None else not value


def is_in(operand: Value, items: list[Value]) -> Value:
    if operand is None:
        return None
    if any(item is not None and comparable(item) == comparable(operand) for item in items):
        return True
    return None if None in items else False


def comparable(value: Any) -> Any:
    return value.length if isinstance(value, Interval) else value


def arithmetic(expression: Arithmetic, left: Any, right: Any) -> Any:
    times = (datetime.datetime, datetime.time, Interval)
    if isinstance(left, times) or isinstance(right, times):
        return temporal_arithmetic(expression.operator, left, right)
    if isinstance(left, datetime.date) or isinstance(right, datetime.date):
        return date_arithmetic(expression.operator, left, right)
    match expression.operator:
        case "+":
            return exactly(operator.add, left, right)
        case "-":
            return exactly(operator.sub, left, right)
        case "*":
            return exactly(operator.mul, left, right)
    if right == 0:
        raise DataError("division by zero", expression.span)
    if expression.operator == "/":
        return left / right if isinstance(left, float) else truncated_quotient(left, right)
    if isinstance(left, float):
        return left - right * int(left / right)
    return exactly(operator.sub, left, exactly(operator.mul, right, truncated_quotient(left, right)))


def exactly(operation: Any, left: Any, right: Any) -> Any:
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        result = operation(Fraction(left), Fraction(right))
        return EXACT.divide(Decimal(result.numerator), Decimal(result.denominator))
    return operation(left, right)


EXACT = Context(prec=120)


def truncated_quotient(left: Any, right: Any) -> int:
    return int(Fraction(left) / Fraction(right))


def temporal_arithmetic(symbol: str, left: Any, right: Any) -> Any:
    if symbol in "*/":
        return scaled(symbol, left, right) if isinstance(left, Interval) else scaled(symbol, right, left)
    sign = -1 if symbol == "-" else 1
    if isinstance(left, Interval) and isinstance(right, Interval):
        return Interval(
            left.months + sign * right.months,
            left.days + sign * right.days,
            left.microseconds + sign * right.microseconds,
        )
    if isinstance(right, Interval):
        return moved(left, right, sign)
    if isinstance(left, Interval):
        return moved(right, left, sign)
    if symbol == "+":
        date, time = (right, left) if isinstance(left, datetime.time) else (left, right)
        return datetime.datetime.combine(date, time)
    if isinstance(left, datetime.time):
        return Interval(0, 0, micros(left) - micros(right))
    difference = left - right
    sign = -1 if difference < datetime.timedelta(0) else 1
    size = abs(difference)
    return Interval(0, sign * size.days, sign * (size.seconds * 10**6 + size.microseconds))


def micros(time: datetime.time) -> int:
    return ((time.hour * 60 + time.minute) * 60 + time.second) * 10**6 + time.microsecond


def moved(point: Any, distance: Interval, sign: int) -> Any:
    if isinstance(point, datetime.time):
        rest = (micros(point) + sign * distance.microseconds) % (86_400 * 10**6)
        return (datetime.datetime(2000, 1, 1) + datetime.timedelta(microseconds=rest)).time()
    try:
        months = point.year * 12 + point.month - 1 + sign * distance.months
        year, month = months // 12, months % 12 + 1
        # The last day of a month may be beyond the range of dates, and the days after it back in.
        days = naive_days(year, month) + min(point.day, month_length(year, month)) - 1 + sign * distance.days
        total = days * 86_400 * 10**6 + micros(point.time()) + sign * distance.microseconds
        return datetime.datetime(1970, 1, 1, tzinfo=point.tzinfo) + datetime.timedelta(microseconds=total)
    except OverflowError as error:
        raise DataError("timestamp out of range") from error


def month_length(year: int, month: int) -> int:
    return naive_days(year + month // 12, month % 12 + 1) - naive_days(year, month)


def naive_days(year: int, month: int) -> int:
    """Days from 1970 to the first of a month, in the calendar that goes on before the year 1 and after 9999."""
    cycles, inside = divmod(year - 1, 400)
    first = datetime.date(inside + 1, month, 1).toordinal() - datetime.date(1970, 1, 1).toordinal()
    return first + cycles * 146_097


def scaled(symbol: str, interval: Interval, number: Any) -> Interval:
    """interval_mul and interval_div of PostgreSQL (timestamp.c), one row at a time."""
    if symbol == "*" and isinstance(number, int):
        return Interval(interval.months * number, interval.days * number, interval.microseconds * number)
    if symbol == "/" and number == 0:
        raise DataError("division by zero")
    months, days, time = (
        float(part) * number if symbol == "*" else float(part) / number
        for part in (interval.months, interval.days, interval.microseconds)
    )
    if not all(math.isfinite(part) for part in (months, days, time)):
        raise DataError("interval out of range")
    whole_months, whole_days = int(months), int(days)
    spilled = round((months - whole_months) * 30 * 1e6) / 1e6
    seconds = round((days - whole_days + spilled - int(spilled)) * 86_400 * 1e6) / 1e6
    if abs(seconds) >= 86_400:
        whole_days += int(seconds / 86_400)
        seconds -= int(seconds / 86_400) * 86_400
    return Interval(whole_months, whole_days + int(spilled), round(time + seconds * 1e6))


def date_arithmetic(symbol: str, left: Any, right: Any) -> Any:
    if symbol == "-" and isinstance(left, datetime.date) and isinstance(right, datetime.date):
        return (left - right).days
    try:
        if symbol == "-":
            return left - datetime.timedelta(days=right)
        return left + datetime.timedelta(days=right) if isinstance(right, int) else right + datetime.timedelta(left)
    except OverflowError as error:
        raise DataError("date out of range") from error


def in_range(value: Any, type_: SqlType) -> Any:
    """The value itself, if its type can hold it."""
    if isinstance(value, Interval) and not value.is_in_range:
        raise DataError(f"{type_} out of range")
    low_high = {TypeKind.INTEGER: INTEGER_RANGE, TypeKind.BIGINT: BIGINT_RANGE}.get(type_.kind)
    if low_high is not None and not low_high[0] <= value <= low_high[1]:
        raise DataError(f"{type_} out of range")
    if type_.kind is TypeKind.DECIMAL and abs(value) >= 10 ** (type_.precision - type_.scale):
        raise DataError(f"{type_} out of range")
    return value


def cast(value: Any, source: SqlType, target: SqlType) -> Any:
    try:
        return in_range(cast_value(value, source, target), target)
    except (ValueError, ArithmeticError, OverflowError) as error:
        raise DataError(f"{value!r} is no {target}") from error


def cast_value(value: Any, source: SqlType, target: SqlType) -> Any:
    if source == target:
        return value
    text = value.strip() if isinstance(value, str) else None
    match target.kind:
        case TypeKind.VARCHAR:
            return as_text(value)
        case TypeKind.BOOLEAN:
            if text is None:
                return value != 0
            return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}[text.lower()]
        case TypeKind.INTEGER | TypeKind.BIGINT:
            if isinstance(value, float):
                return round(value)
            return int(Decimal(text if text is not None else value).to_integral_value(ROUND_HALF_UP))
        case TypeKind.DECIMAL:
            exact = Decimal(text if text is not None else repr(value) if isinstance(value, float) else value)
            return exact.quantize(Decimal(1).scaleb(-target.scale), ROUND_HALF_UP, EXACT)
        case TypeKind.DOUBLE:
            return float(text if text is not None else value)
        case TypeKind.DATE:
            return value.date() if text is None else datetime.date.fromisoformat(text)
        case TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ:
            zone = None if target.kind is TypeKind.TIMESTAMP else datetime.UTC
            if text is not None:
                return datetime.datetime.fromisoformat(text).replace(tzinfo=zone)
            if isinstance(value, datetime.datetime):
                return value.replace(tzinfo=zone)
            return datetime.datetime(value.year, value.month, value.day, tzinfo=zone)
        case TypeKind.TIME:
            if text is not None:
                raise ValueError(text)
            if isinstance(value, Interval):
                return moved(datetime.time(), value, 1)
            return value.time()
        case TypeKind.INTERVAL:
            # Of the texts of the tests, the whole numbers are intervals: seconds.
            return Interval(0, 0, micros(value) if text is None else int(text) * 10**6)
        case TypeKind.BLOB:
            return value.encode()
        case _:
            raise ValueError(target)


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ") + ("+00" if value.tzinfo else "")
    if isinstance(value, datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def like(text: str, pattern: str, escape: str | None) -> bool:
    regex = ""
    characters = iter(pattern)
    for character in characters:
        if escape is not None and character == escape:
            regex += re.escape(next(characters))
        else:
            regex += {"%": ".*", "_": "."}.get(character, re.escape(character))
    return re.fullmatch(regex, text, re.DOTALL) is not None


def half_away(value: Any, digits: int) -> Any:
    if isinstance(value, float):
        return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, EXACT))
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, EXACT)
    return rounded if isinstance(value, Decimal) else int(rounded)


def substring(text: str, start: int, count: int | None = None) -> str:
    if count is not None and count < 0:
        raise DataError("negative substring length")
    stop = len(text) + 1 if count is None else start + count
    return text[max(start, 1) - 1 : max(stop, 1) - 1]


def extract(field: str, value: datetime.date) -> int:
    match field:
        case "quarter":
            return (value.month + 2) // 3
        case "week":
            return value.isocalendar().week
        case "dow":
            return value.isoweekday() % 7
        case "doy":
            return value.timetuple().tm_yday
        case "isodow":
            return value.isoweekday()
        case "isoyear":
            return value.isocalendar().year
        case "decade":
            return value.year // 10
        case "century":
            return (value.year + 99) // 100
        case "millennium":
            return (value.year + 999) // 1000
        case "millisecond":
            return extract("microsecond", value) // 1000
        case "microsecond":
            moment = as_timestamp(value)
            return moment.second * 1_000_000 + moment.microsecond
        case "epoch":
            return int((as_timestamp(value) - datetime.datetime(1970, 1, 1)) // datetime.timedelta(seconds=1))
        case _:
            return int(getattr(as_timestamp(value), field))


def as_timestamp(value: datetime.date) -> datetime.datetime:
    return value if isinstance(value, datetime.datetime) else datetime.datetime(value.year, value.month, value.day)


FUNCTIONS: dict[str, Any] = {
    "abs": lambda type_, value: in_range(value.copy_abs() if isinstance(value, Decimal) else abs(value), type_),
    "round": lambda type_, value, digits=0: in_range(half_away(value, digits), type_),
    "lower": lambda _, text: text.lower(),
    "upper": lambda _, text: text.upper(),
    "length": lambda _, text: len(text),
    "substring": lambda _, *arguments: substring(*arguments),
    "trim": lambda _, text, characters=" ": text.strip(characters) if characters else text,
    "ltrim": lambda _, text, characters=" ": text.lstrip(characters) if characters else text,
    "rtrim": lambda _, text, characters=" ": text.rstrip(characters) if characters else text,
    "||": lambda _, left, right: left + right,
    "extract": lambda _, field, value: extract(field, value),
}


# --- relational expressions -------------------------------------------------------------------------------------------


def columns(relation: RelationalExpression) -> list[ColumnId]:
    """The columns that a relational expression gives."""
    match relation:
        case BaseTable():
            return [ColumnId(relation.table, i) for i in range(len(relation.source.columns))]
        case Values() | SetOperation() | RecursiveUnion() | WorkingTable():
            return [ColumnId(relation.table, i) for i in range(len(relation.types))]
        case SharedScan():
            return [ColumnId(relation.table, i) for i in range(len(relation.shared.types))]
        case OneRow():
            return []
        case Join():
            if relation.type in (JoinType.SEMI, JoinType.ANTI):
                return columns(relation.left)
            return columns(relation.left) + columns(relation.right)
        case JoinOrder() | Filter() | Sort() | Limit():
            return columns(relation.input)
        case Project():
            return [ColumnId(relation.table, i) for i in range(len(relation.expressions))]
        case Aggregate():
            return [ColumnId(relation.table, i) for i in range(len(relation.keys) + len(relation.aggregates))]
        case Window():
            return columns(relation.input) + [ColumnId(relation.table, i) for i in range(len(relation.calls))]
        case _:
            assert_never(relation)


def rows(relation: RelationalExpression) -> list[Row]:
    """The rows of a relational expression over tables that have `.rows`; their order means something after a sort."""
    match relation:
        case BaseTable():
            return [numbered(relation.table, row) for row in stored_rows(relation.source)]
        case Values():
            return [numbered(relation.table, [evaluate(value, {}) for value in row]) for row in relation.rows]
        case OneRow():
            return [{}]
        case SharedScan():
            shared = relation.shared
            return [numbered(relation.table, [row[column] for column in shared.columns]) for row in rows(shared.input)]
        case WorkingTable():
            return [numbered(relation.table, values) for values in WORKING[relation.recursion]]
        case RecursiveUnion():
            return recursive_union(relation)
        case Join():
            return join(relation)
        case JoinOrder():
            return rows(relation.input)
        case Filter():
            return [row for row in rows(relation.input) if holds(relation.conditions, row)]
        case Project():
            return [
                numbered(relation.table, [evaluate(expression, row) for expression in relation.expressions])
                for row in rows(relation.input)
            ]
        case Aggregate():
            return aggregate(relation)
        case Window():
            return window(relation)
        case SetOperation():
            return set_operation(relation)
        case Sort():
            return sort(rows(relation.input), relation.keys)
        case Limit():
            stop = None if relation.limit is None else relation.offset + relation.limit
            return rows(relation.input)[relation.offset : stop]
        case _:
            assert_never(relation)


def stored_rows(source: Table) -> Sequence[Sequence[Value]]:
    if isinstance(source, ListTable):
        return source.rows
    batches = source.scan(range(len(source.columns)), (), 1_000)
    return [row for batch in batches for row in zip(*map(to_values, batch.columns), strict=True)]


def numbered(table: int, values: Sequence[Value]) -> Row:
    return {ColumnId(table, position): value for position, value in enumerate(values)}


def holds(conditions: Sequence[Expression], row: Row) -> bool:
    return all(evaluate(condition, row) is True for condition in conditions)


def join(relation: Join) -> list[Row]:
    left, right = rows(relation.left), rows(relation.right)
    left_columns, right_columns = columns(relation.left), columns(relation.right)
    return joined(relation.type, relation.conditions, left, left_columns, right, right_columns)


def joined(
    type_: JoinType,
    conditions: Sequence[Expression],
    left: Sequence[Row],
    left_columns: Sequence[ColumnId],
    right: Sequence[Row],
    right_columns: Sequence[ColumnId],
) -> list[Row]:
    """The join of two lists of rows."""
    pairs = [(i, j) for i, a in enumerate(left) for j, b in enumerate(right) if holds(conditions, {**a, **b})]
    left_matched, right_matched = {i for i, _ in pairs}, {j for _, j in pairs}
    match type_:
        case JoinType.SEMI:
            return [row for i, row in enumerate(left) if i in left_matched]
        case JoinType.ANTI:
            return [row for i, row in enumerate(left) if i not in left_matched]
    found: list[Row] = [{**left[i], **right[j]} for i, j in pairs]
    if type_ in (JoinType.LEFT, JoinType.FULL):
        padding = dict.fromkeys(right_columns)
        found += [{**row, **padding} for i, row in enumerate(left) if i not in left_matched]
    if type_ is JoinType.FULL:
        padding = dict.fromkeys(left_columns)
        found += [{**padding, **row} for j, row in enumerate(right) if j not in right_matched]
    return found


def aggregate(relation: Aggregate) -> list[Row]:
    input_rows = rows(relation.input)
    found = []
    for places in relation.sets or (tuple(range(len(relation.keys))),):
        groups: dict[tuple[Value, ...], list[Row]] = {} if places else {(None,) * len(relation.keys): []}
        for row in input_rows:
            key = tuple(evaluate(key, row) if place in places else None for place, key in enumerate(relation.keys))
            groups.setdefault(key, []).append(row)
        present = {relation.keys[place] for place in places}
        for key, group in groups.items():
            values = [grouping(call, present) if call.name == "grouping" else aggregate_value(call, group)
                      for call in relation.aggregates]  # fmt: skip
            found.append(numbered(relation.table, [*key, *values]))
    return found


def grouping(call: AggregateCall, present: set[Expression]) -> int:
    return int("".join(str(int(key not in present)) for key in call.others), 2)


def aggregate_value(call: AggregateCall, group: list[Row]) -> Value:
    if call.name not in ("count", "sum", "min", "max", "avg"):
        return other_aggregate(call, group)
    if call.filter is not None:
        group = [row for row in group if evaluate(call.filter, row) is True]
    if call.argument is None:
        return len(group)
    values: list[Any] = [value for row in group if (value := evaluate(call.argument, row)) is not None]
    if call.distinct:
        values = list(dict.fromkeys(values))
    if call.name == "count":
        return len(values)
    if not values:
        return None
    match call.name:
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "sum":
            total = reduce(partial(exactly, operator.add), values)
            return in_range(Decimal(total) if call.type.kind is TypeKind.DECIMAL else total, call.type)
        case "avg":
            return float(sum(Fraction(value) for value in values) / len(values))
        case _:
            raise ValueError(call.name)


def other_aggregate(call: AggregateCall, group: list[Row]) -> Any:
    constants = call.others if call.name in ("string_agg", "quantile_cont", "quantile_disc") else ()
    arguments = [part for part in (call.argument, *call.others) if part is not None and part not in constants]
    counting = group if call.filter is None else [row for row in group if evaluate(call.filter, row) is True]
    keys = [key.expression for key in call.order]
    tuples = [tuple(evaluate(part, row) for part in (*arguments, *keys)) for row in counting]
    if call.name not in ("array_agg", "first", "last"):
        tuples = [values for values in tuples if None not in values[: len(arguments)]]
    if call.distinct:
        tuples = list({values[: len(arguments)]: values for values in reversed(tuples)}.values())[::-1]
    directions = [(key.descending, key.nulls_first) for key in call.order]
    if call.name.startswith("quantile"):
        descending = bool(call.order)
        tuples, directions = [(values[0], values[0]) for values in tuples], [(descending, False)]
    tuples = naive_aggregates.ordered(tuples, directions)
    constant = evaluate(constants[0], {}) if constants else None
    return naive_aggregates.value(call.name, [values[: len(arguments)] for values in tuples], constant)


def window(relation: Window) -> list[Row]:
    below = rows(relation.input)
    computed = [window_values(call, below, evaluate, aggregate_value, frame_end) for call in relation.calls]
    return [{**row, **numbered(relation.table, values)} for row, *values in zip(below, *computed, strict=True)]


def frame_end(key: Any, symbol: str, offset: Any) -> Any:
    """The key that lies `offset` before or after another one."""
    if isinstance(key, datetime.date):
        return date_arithmetic(symbol, key, offset)
    return exactly(operator.add if symbol == "+" else operator.sub, key, offset)


def set_operation(relation: SetOperation) -> list[Row]:
    left = Counter(tuple(row[column] for column in relation.left_columns) for row in rows(relation.left))
    right = Counter(tuple(row[column] for column in relation.right_columns) for row in rows(relation.right))
    if not relation.all:
        left, right = Counter(set(left)), Counter(set(right))
    match relation.operator:
        case SetOperator.UNION:
            result = left + right
        case SetOperator.INTERSECT:
            result = left & right
        case SetOperator.EXCEPT:
            result = left - right
        case _:
            assert_never(relation.operator)
    if not relation.all:
        result = Counter(set(result))
    return [numbered(relation.table, values) for values in result.elements()]


WORKING: dict[int, list[tuple[Value, ...]]] = {}
"""The rows of the last round of each recursion that is being evaluated, by its table."""


def recursive_union(relation: RecursiveUnion) -> list[Row]:
    found = [tuple(row[column] for column in relation.anchor_columns) for row in rows(relation.anchor)]
    if not relation.all:
        found = list(dict.fromkeys(found))
    added = found
    while added:
        WORKING[relation.table] = added
        added = [tuple(row[column] for column in relation.step_columns) for row in rows(relation.step)]
        if not relation.all:
            added = [values for values in dict.fromkeys(added) if values not in found]
        found = found + added
    return [numbered(relation.table, values) for values in found]


def sort(unsorted: list[Row], keys: Sequence[SortKey]) -> list[Row]:
    ordered = unsorted
    for key in reversed(keys):
        valued: list[tuple[Any, Row]] = [(evaluate(key.expression, row), row) for row in ordered]
        nulls = [row for value, row in valued if value is None]
        known = sorted(((v, r) for v, r in valued if v is not None), key=lambda pair: pair[0], reverse=key.descending)
        others = [row for _, row in known]
        ordered = nulls + others if key.nulls_first else others + nulls
    return ordered


def bag(relation: RelationalExpression, only: Sequence[ColumnId] | None = None) -> Counter[tuple[Value, ...]]:
    """The rows as a bag of tuples over the given columns, all by default in the order of their numbers."""
    wanted = sorted(columns(relation)) if only is None else only
    return Counter(tuple(row[column] for column in wanted) for row in rows(relation))


# --- access paths -----------------------------------------------------------------------------------------------------


def as_relational(path: AccessPath) -> RelationalExpression:
    """What an access path computes, as a relational expression: how it does it is left out."""
    match path:
        case access_path.TableScan():
            return BaseTable(table=path.table, alias=path.alias, source=path.source)
        case access_path.ValuesScan():
            return Values(table=path.table, alias=path.alias, names=path.names, types=path.types, rows=path.values)
        case access_path.OneRow():
            return OneRow()
        case access_path.Filter():
            return Filter(input=as_relational(path.input), conditions=path.conditions)
        case access_path.HashJoin():
            equalities = tuple(
                IsDistinctFrom(left=key.left, right=key.right, negated=True)
                if key.null_safe
                else Comparison(operator="=", left=key.left, right=key.right)
                for key in path.keys
            )
            return Join(
                type=path.type,
                left=as_relational(path.left),
                right=as_relational(path.right),
                conditions=equalities + path.residual,
            )
        case access_path.NestedLoopJoin():
            left, right = as_relational(path.left), as_relational(path.right)
            return Join(type=path.type, left=left, right=right, conditions=path.conditions)
        case access_path.Project():
            return Project(
                table=path.table,
                alias=path.alias,
                input=as_relational(path.input),
                names=path.names,
                expressions=path.expressions,
            )
        case access_path.HashAggregate():
            input_ = as_relational(path.input)
            return Aggregate(table=path.table, input=input_, keys=path.keys, aggregates=path.aggregates, sets=path.sets)
        case access_path.Window():
            return Window(table=path.table, input=as_relational(path.input), calls=path.calls)
        case access_path.SetOperation():
            return SetOperation(
                table=path.table,
                operator=path.operator,
                all=path.all,
                left=as_relational(path.left),
                right=as_relational(path.right),
                left_columns=path.left_columns,
                right_columns=path.right_columns,
                names=path.names,
                types=path.types,
            )
        case access_path.SharedScan():
            shared = Shared(
                name=path.shared.name,
                input=as_relational(path.shared.input),
                columns=path.shared.columns,
                names=("",) * len(path.shared.types),
                types=path.shared.types,
            )
            return SharedScan(table=path.table, alias=path.alias, shared=shared)
        case access_path.WorkingTableScan():
            names = ("",) * len(path.types)
            return WorkingTable(
                table=path.table, alias=path.alias, recursion=path.recursion, names=names, types=path.types
            )
        case access_path.RecursiveUnion():
            return RecursiveUnion(
                table=path.table,
                name=path.name,
                all=path.all,
                anchor=as_relational(path.anchor),
                step=as_relational(path.step),
                anchor_columns=path.anchor_columns,
                step_columns=path.step_columns,
                names=path.names,
                types=path.types,
            )
        case access_path.Sort():
            sorted_ = Sort(input=as_relational(path.input), keys=path.keys)
            return sorted_ if path.limit is None else Limit(input=sorted_, limit=path.limit, offset=0)
        case access_path.Limit():
            return Limit(input=as_relational(path.input), limit=path.limit, offset=path.offset)
        case _:
            assert_never(path)
