"""The replay of a search, from a trace as docs/explain.md describes it."""

from __future__ import annotations

import json

from minisql.shell.replay import replay_lines

TRACE = """
{"event": "begin", "schema": "minisql.trace/1", "tables": [{"number": 0, "name": "a"}, {"number": 1, "name": "b"}, {"number": 2, "name": "c"}]}
{"event": "phase", "step": 1, "phase": "dphyp", "reason": "Every pair of connected sets that conditions join, each once."}
{"event": "table", "step": 2, "tables": [0], "rows": 20.0, "cost": 0.01}
{"event": "table", "step": 3, "tables": [1], "rows": 20.0, "cost": 0.01}
{"event": "table", "step": 4, "tables": [2], "rows": 20.0, "cost": 0.01}
{"event": "pair", "step": 5, "left": [1], "right": [2], "operator": "left hash join", "condition": "b.y = c.y", "filter": null, "reason": null, "rows": 133.333333, "cost": 1.2, "verdict": "first", "best": 1.2, "beaten": null, "factor": null}
{"event": "pair", "step": 6, "left": [0], "right": [1], "operator": "inner hash join", "condition": "a.x = b.x", "filter": null, "reason": null, "rows": 20.0, "cost": 0.86, "verdict": "first", "best": 0.86, "beaten": null, "factor": null}
{"event": "pair", "step": 7, "left": [1, 2], "right": [0], "operator": "inner hash join", "condition": "a.x = b.x", "filter": null, "reason": null, "rows": 133.333333, "cost": 3.41, "verdict": "first", "best": 3.41, "beaten": null, "factor": null}
{"event": "pair", "step": 8, "left": [0, 1], "right": [2], "operator": "left hash join", "condition": "b.y = c.y", "filter": null, "reason": null, "rows": 133.333333, "cost": 2.05, "verdict": "better", "best": 2.05, "beaten": 3.41, "factor": 1.66341463}
{"event": "pair", "step": 9, "left": [2], "right": [0, 1], "operator": "left hash join, keeping rows of the hashed side", "condition": "b.y = c.y", "filter": null, "reason": null, "rows": 133.333333, "cost": 2.05, "verdict": "dearer", "best": 2.05, "beaten": 2.05, "factor": 1.0}
{"event": "pair", "step": 10, "left": [0], "right": [2], "operator": null, "condition": null, "filter": null, "reason": "c can be joined to a only after b.", "rows": null, "cost": null, "verdict": "forbidden", "best": null, "beaten": null, "factor": null}
{"event": "end", "pairs": 5, "forbidden": 1, "order": "((a b) c)", "cost": 2.05, "query_cost": 2.45}
""".strip().splitlines()  # noqa: E501


def test_each_step_says_what_was_kept() -> None:
    assert list(replay_lines(TRACE)) == [
        "    1  dphyp: Every pair of connected sets that conditions join, each once.",
        "    2  a: rows 20, cost 0.01",
        "    3  b: rows 20, cost 0.01",
        "    4  c: rows 20, cost 0.01",
        "    5  b + c: left hash join on b.y = c.y, rows 133.333, cost 1.2 -- kept, as the first plan",
        "    6  a + b: inner hash join on a.x = b.x, rows 20, cost 0.86 -- kept, as the first plan",
        "    7  (b c) + a: inner hash join on a.x = b.x, rows 133.333, cost 3.41 -- kept, as the first plan",
        "    8  (a b) + c: left hash join on b.y = c.y, rows 133.333, cost 2.05"
        " -- kept, 1.663 times cheaper than ((b c) a)",
        "    9  c + (a b): left hash join, keeping rows of the hashed side on b.y = c.y, rows 133.333, cost 2.05"
        " -- dropped, no cheaper than ((a b) c)",
        "   10  a + c: not allowed: c can be joined to a only after b.",
        "       The order is ((a b) c), cost 2.05, after 5 pairs.",
    ]


def test_what_is_kept_last_is_the_order_of_the_plan() -> None:
    kept = [line for line in replay_lines(TRACE) if "kept" in line]
    left, right = kept[-1].split(": ")[0].split(maxsplit=1)[1].split(" + ")
    assert json.loads(TRACE[-1])["order"] == f"({left} {right})"


def test_a_trace_of_another_form_is_printed_as_it_is() -> None:
    other = [TRACE[0].replace("trace/1", "trace/2"), *TRACE[1:]]
    assert list(replay_lines(other)) == other
    assert list(replay_lines(["no JSON", "[1]"])) == ["no JSON", "[1]"]
    assert list(replay_lines([])) == []


def test_an_event_that_is_new_is_shown_as_it_is() -> None:
    new = '{"event": "rest", "step": 3}'
    assert list(replay_lines([TRACE[0], new])) == [new]
