"""Attribution graphs: nodes and edges of one explanation, their influence, and their files."""
