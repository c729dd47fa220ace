"""EXPLAIN in JSON: one document, with an object for every node of the plan, nested by `inputs`.

`docs/explain.md` says what each field means, `docs/schemas/plan.schema.json` is its schema. The text has each node on a
line of its own. It is written without recursion, which json.dumps does not do: plans may be a thousand joins deep.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from minisql.explain.node_details import Json
from minisql.explain.plan_description import NodeDescription

SCHEMA: Final = "minisql.plan/1"
"""Changes where a field changes its meaning or goes; fields may be added without."""


def format_json(
    plan: NodeDescription, simplifications: Sequence[str], warnings: Sequence[str], settings: Mapping[str, Json]
) -> str:
    """The document. `settings` are those that are not as they are by default."""
    head: dict[str, Json] = {
        "schema": SCHEMA,
        "analyzed": plan.analyzed,
        "simplifications": simplifications,
        "warnings": warnings,
        "settings": settings,
    }
    return f'{_open(head)}, "plan":\n{"".join(_nodes(plan))}}}'


def _nodes(plan: NodeDescription) -> Iterator[str]:
    stack: list[tuple[int, NodeDescription] | str] = [(0, plan)]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
            continue
        depth, node = item
        yield f'{"  " * depth}{_open(node.fields())}, "inputs": ['
        stack.append("]}")
        for place in range(len(node.inputs) - 1, -1, -1):
            stack += [(depth + 1, node.inputs[place]), ",\n" if place else "\n"]


def _open(fields: Mapping[str, Json]) -> str:
    """An object without its closing brace."""
    return json.dumps(fields, ensure_ascii=False, allow_nan=False)[:-1]
