"""The grammar of minisql's SQL, as a file; in a wheel this folder is `minisql.grammar`."""
