"""The query as relational algebra: `from_query_block` says it literally, then each pass rewrites it.

The passes, in their order: `fold_constants`, `simplify_outer`, `push_down`, `merge_derived`, `derive_conditions`. Each
has a switch in the settings, and gives back the very same object where it has nothing to do.

- Constants are folded first, since a condition that became FALSE or went away decides what the others can do.
- Outer joins are simplified before conditions move: an inner join lets more of them through. Derived conditions would
  not simplify more, for the equality that a condition is derived by rejects the same padded rows.
- Derived tables are merged after conditions went down, since a filter that stays above a join keeps a select list.
- Conditions are derived last: merging brings together the joins in which equalities meet, and pushing down brings what
  is known of an input into it. What is derived is then pushed down in its turn.
"""
