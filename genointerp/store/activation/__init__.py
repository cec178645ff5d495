"""Files of activations: schema, reading, and writing in shards."""
