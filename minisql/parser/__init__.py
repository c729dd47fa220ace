"""From SQL text to parse trees. `parse` is the entry, `parse_tree` is what comes out."""
