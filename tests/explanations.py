"""Texts of EXPLAIN ANALYZE, so that they can be compared."""

from __future__ import annotations

import re

# In TREE, DOT and Mermaid a time is `time=1.2ms`, in JSON a field. Which node is the hottest differs, too.
_TIMES = (
    (re.compile(r"\b(time|own)=[\d.e-]+ms"), r"\1=..."),
    (re.compile(r'"((?:own_)?seconds)": [\d.e-]+'), r'"\1": 0.0'),
    (re.compile(r" <- hottest, \d+% of the time"), ""),
    (re.compile(r"\\nhottest|<br/>hottest|, color=red, fontcolor=red, penwidth=2|\n  style n\d+ stroke:red.*"), ""),
    (re.compile(r'"hottest": true'), '"hottest": false'),
)


def without_times(text: str) -> str:
    """The text of EXPLAIN ANALYZE in any format without what differs from run to run."""
    for pattern, replacement in _TIMES:
        text = pattern.sub(replacement, text)
    return text
