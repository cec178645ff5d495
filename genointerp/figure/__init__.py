"""Figures made from files; each `genointerp plot` command has a module of the same name here."""
