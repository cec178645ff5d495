"""From files to figures: one file for each `genointerp plot` command, named as it."""
