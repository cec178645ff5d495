"""Files of features: schema, reading by base and by feature, writing out of core."""
