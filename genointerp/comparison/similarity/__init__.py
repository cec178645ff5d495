"""How alike what two models compute on the same bases is, without dictionaries."""
