"""Functions and tables over plain arrays: numbers for keys, lists of rows, grouped aggregates, sort orders, strings.

They know nothing of plans, so that compiled ones could take their place. `key_table` is what joins, groups, DISTINCT
and set operations have in common.
"""
