"""Why a model predicts what it predicts: features, bases and variants behind one number."""
