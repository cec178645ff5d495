"""One file for each command, named as it: paths in, one artefact out, with its provenance."""
