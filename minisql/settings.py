"""Settings of a connection: what `SET name = value` can change. Every one of them has an effect."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from minisql.errors import ProgrammingError, Span, did_you_mean
from minisql.node import record


@record
class Settings:
    """The values, with their defaults. A statement reads one Settings object from its start to its end."""

    simplify_conditions: bool = True
    """Merge, factor out and derive conditions by the laws of logic: `x > 5 AND x > 3`, `(a AND b) OR (a AND c)`."""
    simplify_outer_joins: bool = True
    """Turn FULL into LEFT and LEFT into INNER joins where a condition rejects the padded rows."""
    unnest_subqueries: bool = True
    """Turn subqueries into joins; without that they are run once for each combination of the values that they read."""
    push_down_conditions: bool = True
    """Move conditions of WHERE and ON as far down as is legal."""
    prune_branches: bool = True
    """Leave out what gives no rows, as WHERE FALSE and LIMIT 0, and the joins with it."""
    drop_joins: bool = True
    """Leave out left joins and DISTINCT that change nothing; let inner joins look for one partner if that will do."""
    merge_derived_tables: bool = True
    """Join the tables of a subquery in FROM with the tables around it."""
    prune_columns: bool = True
    """Leave out columns of subqueries that nobody reads."""
    push_down_grouping: bool = True
    """Group before joining where the groups stay the same and are much fewer than the rows."""
    derive_conditions: bool = True
    """Add conditions that follow from equalities: `a.k = b.k AND a.k = 5` reads b with b.k = 5."""
    fold_constants: bool = True
    """Evaluate expressions without columns once, while planning."""
    delay_expensive_conditions: bool = True
    """Let an expensive condition on one table wait for a join that leaves few of the table's rows."""
    join_order: str = "optimal"
    """'optimal' searches for the cheapest order, 'as_written' keeps the order of the query."""
    hash_join: bool = True
    """Allow hash joins; without them every join is a nested-loop join."""
    pair_budget: int = 30_000
    """Subgraph pairs that the join enumeration may look at before it turns to greedy and linearised search."""
    materialize_common_tables: bool = True
    """Compute once what a query names once and uses several times, where that is cheaper or written (MATERIALIZED)."""
    max_recursion: int = 100_000
    """The rounds after which a WITH RECURSIVE that has not come to an end is an error."""
    max_recursive_rows: int = 50_000_000
    """The rows after which a WITH RECURSIVE that has not come to an end is an error."""
    plan_cache: bool = True
    """Keep the plans of the queries run last, for when they are run again."""
    warnings: bool = True
    """Look for what outer joins and joins on parts of keys most likely do that is not meant (`Result.warnings`)."""
    batch_rows: int = 131_072
    """The most rows of one batch between iterators."""


CHOICES: Final = {"join_order": ("optimal", "as_written")}
"""The words that a setting takes which is neither a number nor on or off."""
_RANGES: Final = {
    "pair_budget": (0, 10_000_000),
    "max_recursion": (0, 2**31 - 1),
    "max_recursive_rows": (0, 2**63 - 1),
    "batch_rows": (1, 16_777_216),
}
_WORDS: Final = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


def changed_settings(settings: Settings) -> dict[str, bool | int | str]:
    """The settings that are not as they are by default."""
    values = {name: getattr(settings, name) for name in Settings.__dataclass_fields__}
    return {name: value for name, value in values.items() if value != getattr(Settings(), name)}


def with_setting(
    settings: Settings,
    name: str,
    value: object,
    *,
    name_span: Span | None = None,
    value_span: Span | None = None,
) -> Settings:
    """The settings with one changed. `value` None gives the default.

    Raises:
        ProgrammingError: the name is unknown or the value is not one that the setting takes.
    """
    defaults = {field: getattr(Settings(), field) for field in Settings.__dataclass_fields__}
    if name not in defaults:
        known = ", ".join(sorted(defaults))
        hint = did_you_mean(name, defaults) or f"The settings are {known}."
        raise ProgrammingError(f'There is no setting "{name}".', name_span, hint=hint)
    default = defaults[name]
    new_value = default if value is None else _checked(name, default, value, value_span)
    changes: dict[str, Any] = {name: new_value}
    return replace(settings, **changes)


def _checked(name: str, default: object, value: object, span: Span | None) -> bool | int | str:
    if isinstance(default, bool):
        word = str(value).lower()
        if word not in _WORDS:
            raise ProgrammingError(f'"{name}" is on or off, not {value!r}.', span)
        return _WORDS[word]
    if isinstance(default, int):
        low, high = _RANGES[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ProgrammingError(f'"{name}" takes an integer from {low} to {high}, not {value!r}.', span)
        return value
    choices = CHOICES[name]
    if not isinstance(value, str) or value.lower() not in choices:
        wanted = " or ".join(f"'{choice}'" for choice in choices)
        raise ProgrammingError(f'"{name}" is {wanted}, not {value!r}.', span)
    return value.lower()
