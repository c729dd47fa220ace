"""Subqueries become joins: `unnest` is the pass, `pull_up` and `domain` the two ways to make an input independent."""
