"""Names and types: from what was written to what it means. `resolve` is the entry, `query_block` is what comes out."""
