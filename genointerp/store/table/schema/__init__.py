"""Schemas of the tables, specified in ``docs/schema/tables.md``."""
