"""Files of features: schema, reading by base and by feature, and writing out of core."""
