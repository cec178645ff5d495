"""Tools that find elements in bare sequence; each is optional and imported only by its own file."""
