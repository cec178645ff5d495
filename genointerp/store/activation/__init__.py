"""Files of activations: schema, reading, writing in shards."""
