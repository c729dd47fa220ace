"""The query as relational algebra: `from_query_block` says it literally, then each pass rewrites it.

The passes, in their order: `fold_constants`, `simplify_outer`, `push_down`, `merge_derived`. Each has a switch in the
settings, and gives back the very same object where it has nothing to do.
"""
