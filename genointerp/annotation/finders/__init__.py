"""Tools that find elements in sequence alone; each is optional, and imported by its file only."""
