"""What an alternative plan does differently from the chosen one, in one sentence with its numbers.

All numbers are estimates of the two plans. No two sentences of one list say the same: each is about the largest
difference that no sentence before it was about.
"""

from __future__ import annotations

from collections.abc import Sequence

from minisql.explain.numbers import number_text, rows_text
from minisql.expression.format import format_expression
from minisql.optimizer.access_path import AccessPath, Apply, Filter, HashJoin, NestedLoopJoin, inputs
from minisql.optimizer.search_space import Order, same_order
from minisql.session.explanations.join_steps import (
    JoinStep,
    Side,
    factor_text,
    join_steps,
    listed,
    shape_of,
)
from minisql.session.pipeline import PlannedQuery


class Differences:
    """Writes the sentences of one list."""

    def __init__(self, chosen: PlannedQuery, as_written: Order | None) -> None:
        """`as_written` is the order of the query as written, where it joins."""
        self._chosen = chosen
        self._as_written = as_written
        self._steps = join_steps(chosen)
        self._by_names = {step.names: step for step in self._steps}
        self._said = set[object]()

    # --- other orders -------------------------------------------------------------------------------------------------

    def of_order(self, plan: PlannedQuery, order: Order, factor: float) -> str:
        """The sentence for a plan with another order."""
        steps = join_steps(plan)
        new = [step for step in steps if step.names not in self._by_names]
        text = self._of_new_joins(steps, new) if new else self._of_sides(steps)
        if self._as_written is not None and same_order(order, self._as_written) and new:
            text = f"As written: {text[0].lower()}{text[1:]}"
        return f"{text}{self._shape(steps)}, {factor_text(factor)}."

    def _of_new_joins(self, steps: Sequence[JoinStep], new: Sequence[JoinStep]) -> str:
        """About the largest intermediate result that the chosen plan does not have."""
        by_rows = sorted(new, key=lambda step: -step.rows)
        step = next((each for each in by_rows if ("joined", each.names) not in self._said), by_rows[0])
        self._said.add(("joined", step.names))
        now = {each.names for each in steps}
        missing = [each for each in self._steps[:-1] if each.names not in now]
        return f"{self._lead(step)} {self._compared(step, missing)}"

    def _lead(self, step: JoinStep) -> str:
        """What is joined, and what the chosen plan joins there."""
        left, right = step.left, step.right
        if left.is_table and right.is_table:
            return f"Joins {left} with {right} first:"
        if not left.is_table and not right.is_table:
            return f"Joins {left} on one side and {right} on the other before the two meet:"
        table, rest = (right, left) if right.is_table else (left, right)
        after = self._joined_next(rest)
        is_other = after is not None and table.names[0] not in after.names
        return f"Joins {table} to {rest}" + (f" before {after}:" if is_other else ":")

    def _joined_next(self, side: Side) -> Side | None:
        """What the chosen plan joins to these tables, where it joins them at all."""
        for step in self._steps:
            for same, other in ((step.left, step.right), (step.right, step.left)):
                if set(same.names) == set(side.names):
                    return other
        return None

    def _compared(self, step: JoinStep, missing: Sequence[JoinStep]) -> str:
        """The rows of a join, and of the one in the chosen plan whose place it takes."""
        rows = rows_text(step.rows)
        same_size = [each for each in missing if len(each.names) == len(step.names)]
        if not missing:
            return f"{rows} that the chosen plan does not make"
        other = max(same_size or missing, key=lambda each: each.rows)
        if rows == rows_text(other.rows):
            return f"{rows}, as many as the chosen plan has of {listed(_in_order(other))}"
        return f"{rows} in place of the {rows_text(other.rows)} of {listed(_in_order(other))}"

    def _of_sides(self, steps: Sequence[JoinStep]) -> str:
        """About the joins that hash the other side, the largest hash table first."""
        turned = [
            step
            for step in steps
            if step.hashed and set(step.right.names) != set(self._by_names[step.names].right.names)
        ]
        turned.sort(key=lambda step: -step.right.rows)
        step = next((each for each in turned if ("hashed", each.right.names) not in self._said), turned[0])
        self._said.add(("hashed", step.right.names))
        build, probe = _what(step.right), _what(step.left)
        text = f"Hashes {build} ({rows_text(step.right.rows)}) and probes with {probe} ({rows_text(step.left.rows)})"
        more = len(turned) - 1
        others = f", and exchanges the sides of {more} more join{'s' if more > 1 else ''}" if more else ""
        return f"{text}, not the other way round{others}"

    def _shape(self, steps: Sequence[JoinStep]) -> str:
        """What follows from the shape of the tree, once for each shape."""
        shape = shape_of(steps)
        if shape == shape_of(self._steps) or ("shape", shape) in self._said:
            return ""
        self._said.add(("shape", shape))
        if shape == "left-deep" and all(step.hashed for step in steps):
            return "; every hash table is of one table, and the joined rows pass through all of them"
        if shape == "right-deep" and all(step.hashed for step in steps):
            return "; every intermediate result goes into a hash table"
        return ""

    # --- other settings -----------------------------------------------------------------------------------------------

    def of_setting(self, plan: PlannedQuery, name: str, factor: float) -> str:
        """The sentence for the best plan under a setting."""
        writer = {
            "hash_join": self._without_hash_joins,
            "join_order": self._as_written_order,
            "simplify_outer_joins": self._unsimplified,
            "unnest_subqueries": self._nested,
            "push_down_conditions": self._conditions_on_top,
        }.get(name)
        text = None if writer is None else writer(plan)
        cost = factor_text(factor)
        if name == "hash_join" and factor < 1:
            cost += "; the planner hashes all the same, lest an estimate is too low"
        return f"{text or self._without(plan, name)}, {cost}."

    def _without_hash_joins(self, plan: PlannedQuery) -> str | None:
        loops = [path for path in _paths(plan.path) if isinstance(path, NestedLoopJoin)]
        if not loops:
            return None
        pairs = max(loop.left.rows * loop.right.rows for loop in loops)
        step = next(
            (each for each in join_steps(plan) if not each.hashed and each.left.rows * each.right.rows == pairs), None
        )
        between = " in one of them"
        if step is not None:
            table, other = (step.right, step.left) if step.right.is_table else (step.left, step.right)
            between = f" of {_what(table)} and {_what(other)} alone"
        return f"Without hash tables a join looks at every pair of rows, {_pairs_text(pairs)}{between}"

    def _as_written_order(self, plan: PlannedQuery) -> str | None:
        steps = join_steps(plan)
        new = [step for step in steps if step.names not in self._by_names]
        if not new:
            return None
        text = self._of_new_joins(steps, new)
        return f"Keeps the order as written: {text[0].lower()}{text[1:]}"

    def _unsimplified(self, plan: PlannedQuery) -> str | None:
        steps = self._chosen.simplifications
        if not steps:
            return None
        step = steps[0]
        condition = format_expression(step.condition)
        rows, chosen_rows = _joined_rows(plan.path), _joined_rows(self._chosen.path)
        compared = (
            f"{rows_text(rows)} come out of joins in place of {rows_text(chosen_rows)}"
            if rows_text(rows) != rows_text(chosen_rows)
            else "as many rows come out of joins"
        )
        left = f"Leaves a {step.before.name} JOIN as it is, though {step.clause} {condition} drops what it pads"
        return f"{left}: {compared}"

    def _nested(self, plan: PlannedQuery) -> str | None:
        applied = [path for path in _paths(plan.path) if isinstance(path, Apply)]
        if not applied:
            return None
        worst = max(applied, key=lambda path: path.left.rows)
        if not worst.references:
            return f"Asks a subquery for each of {rows_text(worst.left.rows)} instead of joining it"
        return f"Runs a subquery again for the values of up to {rows_text(worst.left.rows)} instead of joining it"

    def _conditions_on_top(self, plan: PlannedQuery) -> str | None:
        """About the condition that is asked of the most rows more than in the chosen plan."""
        before = _rows_asked(self._chosen.path)
        found = [
            (rows - before[condition], rows, condition)
            for condition, rows in _rows_asked(plan.path).items()
            if rows > before.get(condition, rows)
        ]
        if not found:
            return None
        _, rows, condition = max(found)
        return f"Asks {condition} where it is written, of {rows_text(rows)} in place of {rows_text(before[condition])}"

    def _without(self, plan: PlannedQuery, name: str) -> str:
        """What can be said of any setting: what is joined, and how many rows that makes."""
        what = _WITHOUT.get(name, f"Without {name}")
        joins, chosen_joins = _count_joins(plan.path), _count_joins(self._chosen.path)
        if joins != chosen_joins:
            return f"{what}: {joins} joins in place of {chosen_joins}"
        rows, chosen_rows = _joined_rows(plan.path), _joined_rows(self._chosen.path)
        if rows_text(rows) != rows_text(chosen_rows):
            return f"{what}: {rows_text(rows)} come out of joins in place of {rows_text(chosen_rows)}"
        return f"{what}, and joins as many rows"


_WITHOUT = {
    "hash_join": "Does without hash tables",
    "join_order": "Keeps the order as written",
    "simplify_outer_joins": "Leaves outer joins as they are",
    "unnest_subqueries": "Leaves subqueries as they are",
    "push_down_conditions": "Asks conditions where they are written",
    "push_down_grouping": "Groups after all joins and not before one of them",
    "drop_joins": "Makes joins that change nothing",
    "prune_branches": "Computes what gives no rows",
    "merge_derived_tables": "Keeps a subquery apart from the tables around it",
    "derive_conditions": "Uses the conditions that are written and not those that follow from them",
    "delay_expensive_conditions": "Asks expensive conditions of each row of a table before it is joined",
    "materialize_common_tables": "Computes a common table expression for each use",
}


def _pairs_text(pairs: float) -> str:
    number = number_text(pairs)
    return f"{number} pair" if number == "1" else f"{number} pairs"


def _what(side: Side) -> str:
    return str(side) if side.is_table else f"the join of {side}"


def _in_order(step: JoinStep) -> tuple[str, ...]:
    return (*step.left.names, *step.right.names)


def _paths(path: AccessPath) -> list[AccessPath]:
    found = [path]
    for each in found:
        found += inputs(each)
    return found


def _count_joins(path: AccessPath) -> int:
    return sum(isinstance(each, HashJoin | NestedLoopJoin) for each in _paths(path))


def _joined_rows(path: AccessPath) -> float:
    return sum(each.rows for each in _paths(path) if isinstance(each, HashJoin | NestedLoopJoin))


def _rows_asked(path: AccessPath) -> dict[str, float]:
    """Of how many rows each condition of a filter, as it is printed, is asked."""
    return {
        format_expression(condition): each.input.rows
        for each in _paths(path)
        if isinstance(each, Filter)
        for condition in each.conditions
    }
