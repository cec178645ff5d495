"""The local web application of `genointerp serve`: a run in the browser, read as one moves."""
