"""Endpoints over the scripted server, with a clock that does not wait."""

from contextlib import contextmanager
from datetime import UTC, datetime

from genointerp.labelling.endpoint.config import EndpointConfig
from genointerp.labelling.endpoint.endpoint import Endpoint
from genointerp.labelling.endpoint.exchange import Message, Request
from genointerp.labelling.endpoint.wire import Clock
from tests.labelling.scripted_server import serving

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEMA = {
    "type": "object",
    "properties": {"number": {"type": "integer"}},
    "required": ["number"],
    "additionalProperties": False,
}


class StoppedClock(Clock):
    """A clock that stands still, and remembers for how long it was asked to wait."""

    def __init__(self):
        self.waited = []
        super().__init__(now=lambda: NOW, wait=self.waited.append)

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)


def open_endpoint(url, folder, clock=None, **more):
    config = EndpointConfig(
        url, "m", **{"cache": folder / "replies.sqlite", "timeout": 60.0} | more
    )
    return Endpoint(config, clock=clock or StoppedClock())


@contextmanager
def asking(script, folder, **more):
    """A server with an endpoint to it: (server, endpoint)."""
    with serving(script) as server, open_endpoint(server.url, folder, **more) as endpoint:
        yield server, endpoint


def ask(text):
    return [Message("user", text)]


def numbered(n, schema=SCHEMA):
    return [Request(ask(f"number {i}"), schema, name=f"request {i}") for i in range(n)]


def answer_number(payload):
    """The object with the number that the user's message ends in."""
    return {"number": int(payload["messages"][-1]["content"].split()[-1])}
