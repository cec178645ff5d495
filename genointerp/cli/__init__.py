"""The command line: the groups of `command`, with one file a command that parses and calls it."""
