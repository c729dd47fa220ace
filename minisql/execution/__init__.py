"""Plans as running iterators over batches of columns. `iterator` is their contract, `build_iterators` the entry.

`evaluate` compiles expressions to functions over batches; there is a module for each operator, and `profile` for
EXPLAIN ANALYZE. What needs no plan is in `kernels`.
"""
