"""Columns in memory: what they are, and how they come from and go to Arrow and Python."""

from minisql.columnar.allocation import keep_freed_memory

keep_freed_memory()
