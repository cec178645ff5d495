"""Tables with a written schema, as Parquet, TSV or JSON."""
