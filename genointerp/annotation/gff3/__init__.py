"""GFF3, read strictly: rows, their order, and which of them are one element."""
