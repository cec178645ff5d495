"""DNA language models behind one protocol. Knows no annotation and no dictionary."""
