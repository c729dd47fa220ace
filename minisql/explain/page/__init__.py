"""EXPLAIN HTML: one file that shows a plan, drawn in the browser from a model that is in it as JSON.

The model, `minisql.page/1`, is a dictionary. What nobody could find out is None, and has no place on the page.

    schema      "minisql.page/1"
    version     of minisql
    analyzed    whether the query was run
    sql         its text
    headline, lead              what there is to say first, as sentences
    facts       [name, value, unit or None] each
    warnings, simplifications   sentences
    plan        nodes, each before its inputs, of which the last is drawn straight below: parent (the place of the node
                above, None at the root), role ("" where there is nothing to say), title, rows, cost (estimates), actual
                (rows, loops, ms, own_ms, batches, bytes) or None, q_error or None, hottest, notes (sentences), fan_out
                (kind, sentence, sides, keys: key, left, right, pairs) or None; analyzed, left_out
    hypergraph  regions: title, nodes (number, name, table, rows, conditions, x, y), edges (number, join_type, left,
                right, ses, tes, conditions, rules, chain), filters (nodes, conditions, rules), simplifications,
                derived; left_out
    orders      lines (order, cost, rows, chosen, as_written), count, reason (why there are none) or None, left_out
    trace       tables (number, name), texts, steps: [kind, left, right, text, text, rows, cost, beaten], where kind is
                first, better, dearer (of a pair: operator and condition), forbidden (nothing and the reason), table or
                phase (its name and reason), and a text is a place in texts or None; pairs, order, left_out
    forbidden   cases: order, reason, script, written, reordered, written_rows, reordered_rows (columns, rows of text
                or None); count, left_out

`left_out` is a sentence where something is not in the file, else None.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

SCHEMA: Final = "minisql.page/1"

_SCRIPTS: Final = ("dom.js", "plan.js", "graph.js", "search.js", "orders.js", "page.js")
# What could end a script element, begin a comment in one, or a line in JavaScript.
_IN_SCRIPT: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def render_page(model: Mapping[str, Any], title: str) -> str:
    """The page of a model as HTML.

    Style and script are the only ones that the page's Content-Security-Policy lets through, by their hashes, and it
    lets through no request. The model is data, and comes to the page as text alone.
    """
    style = _source("page.css")
    script = '"use strict";\n(() => {\n' + "\n".join(_source(name) for name in _SCRIPTS) + "})();\n"
    data = json.dumps(model, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(_IN_SCRIPT)
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "policy": policy,
        "version": html.escape(str(model["version"])),
        "title": html.escape(title),
        "style": style,
        "script": script,
        "model": data,
    }
    page = re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _source("page.html"))
    # A lone surrogate is no text that a file could hold.
    return page.encode("utf-8", "replace").decode("utf-8")


def size_of(model: Mapping[str, Any]) -> int:
    """The bytes that a model takes in its page, about."""
    return len(json.dumps(model, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def _source(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
