"""The grammar of minisql's SQL and the tables made of it, as files; in a wheel this folder is `minisql.grammar`."""
