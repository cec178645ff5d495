"""DNA language models behind one protocol; this package knows no annotation and no dictionary."""
