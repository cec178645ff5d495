"""The commands in five groups, each in a file of its name: paths in, one artefact out."""
