"""Tables and where they come from: memory, Parquet and CSV files, Arrow objects; names, and statistics."""
