"""Plans and stages as text: `tree` is EXPLAIN, `stages` and `hypergraph` print what lies between."""
