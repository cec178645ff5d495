"""Where the application listens, by itself, since a help text must not wait for more."""

HOST = "127.0.0.1"
"""The only address: other machines do not reach it."""

PORT = 8765
"""Port unless another one is asked for."""
