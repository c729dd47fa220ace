"""Orders that the rules forbid, as SQL, and databases on which they give other rows than the query as written."""
