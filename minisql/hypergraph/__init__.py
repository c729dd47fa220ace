"""Joins as a hypergraph, and every pair of its subgraphs that may be joined.

`hypergraph` and `subgraph_enumeration` are pure graph theory; `conflicts` knows which joins may change places,
`make_join_hypergraph` puts both together for a group of joins, and `connections` answers what joins two sets of tables.
"""
