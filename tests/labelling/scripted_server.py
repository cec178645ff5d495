"""A real HTTP server on this machine that plays a language model, for the tests of labels.

``with serving(script) as server`` answers ``POST {server.url}/chat/completions`` in threads, each
call with what the script says to its payload; ``server.calls`` are the payloads in the order in
which they came, and ``server.n_answered`` the calls that a real server would charge for.

A script is a function from a payload (the body of the call) to what is sent: an `Answered`, or a
`Failed`. These make scripts:

- `oracle(function)`: the function's text, or its object as JSON;
- `gullible(script, obeys=...)`: does what an order says that it finds, in what is outside of the
  data (``outside``) or anywhere (``anywhere``), and else what the other script does;
- `in_turn(first, second, ..., last)`: the first call is answered by the first, and so on;
- `without(script, "json_schema", "logprobs")`: refuses these parameters, as old servers do;
- `ignoring(script)`: leaves out what is asked of the form of the reply, and talks instead;
- `failed(status)`, `cut()`, `slow(server_event)`, `garbled()`: always fail so.

Token counts are a fourth of the letters of the texts, and one more.
"""

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "scripted-1"
ORDER = re.compile(
    r"label ?= ?(?P<label>[\w ]+?)(?:, ?confidence ?=? ?(?P<confidence>\d))?(?=[\"\\.]|$)", re.M
)


@dataclass
class Answered:
    """A chat completion with a text, and the first token's alternatives if they are asked for."""

    text: str
    logprobs: dict = field(default_factory=dict)
    finish: str = "stop"
    usage: bool = True


@dataclass
class Failed:
    """Another status, with headers and a body; ``n_sent`` bytes of the body are sent at most."""

    status: int
    body: str = '{"error": {"message": "scripted failure"}}'
    headers: dict = field(default_factory=dict)
    n_sent: int | None = None
    until: threading.Event | None = None


def oracle(function):
    def script(payload):
        found = function(payload)
        if isinstance(found, (Answered, Failed)):
            return found
        return Answered(found if isinstance(found, str) else json.dumps(found))

    return script


def gullible(script, *, obeys):
    assert obeys in ("outside", "anywhere")

    def obey(payload):
        text = "\n".join(it["content"] for it in payload["messages"])
        if obeys == "outside":
            text = re.sub("<data>.*?</data>", "", text, flags=re.S)
        order = ORDER.search(text)
        answered = script(payload)
        if order is None:
            return answered
        said = json.loads(answered.text)
        said["label"] = order["label"]
        said["confidence"] = int(order["confidence"] or said["confidence"])
        return Answered(json.dumps(said))

    return obey


def in_turn(*scripts):
    lock, n = threading.Lock(), iter(range(1 << 30))

    def script(payload):
        with lock:
            number = next(n)
        return scripts[min(number, len(scripts) - 1)](payload)

    return script


def without(script, *names):
    def refusing(payload):
        form = payload.get("response_format", {}).get("type")
        for name in names:
            if form == name or name in payload:
                return Failed(400, json.dumps({"error": {"message": f"{name} is not supported"}}))
        return script(payload)

    return refusing


def ignoring(script):
    def talking(payload):
        found = script(payload)
        if isinstance(found, Answered):
            found = Answered(f"Sure! Here you are:\n```json\n{found.text}\n```\nAnything else?")
        return found

    return talking


def failed(status, **headers):
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return lambda payload: Failed(status, headers=named)


def cut():
    """The connection ends in the middle of the body."""
    return lambda payload: Failed(200, completion(payload, Answered("half")), n_sent=20)


def garbled():
    """A page in place of JSON, as a proxy sends."""
    return lambda payload: Failed(200, "<html>Bad gateway</html>")


def slow(until):
    """No reply before the event."""
    return lambda payload: Failed(200, completion(payload, Answered("late")), until=until)


def completion(payload, answered):
    """The body of a chat completion."""
    asked = sum(len(it["content"]) for it in payload["messages"])
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": answered.text},
        "finish_reason": answered.finish,
    }
    if payload.get("logprobs"):
        listed = answered.logprobs or {answered.text[:1]: -0.1}
        tokens = [{"token": token, "logprob": value} for token, value in listed.items()]
        first = max(tokens, key=lambda it: it["logprob"])
        choice["logprobs"] = {"content": [{**first, "top_logprobs": tokens}]}
    body = {"id": "x", "object": "chat.completion", "model": MODEL, "choices": [choice]}
    if answered.usage:
        n_out = len(answered.text) // 4 + 1
        body["usage"] = {"prompt_tokens": asked // 4 + 1, "completion_tokens": n_out}
    return json.dumps(body)


def is_probe(payload):
    """Whether a call asks what the server can do."""
    return payload["messages"][-1]["content"] == "Answer with the word no."


def probed(script):
    """A script that passes the probe with a schema, and else is the given one."""
    return lambda payload: Answered('{"answer": "yes"}') if is_probe(payload) else script(payload)


class Server:
    """What `serving` gives."""

    def __init__(self, script):
        self.script, self.calls, self.keys, self.n_answered = script, [], [], 0
        self.lock = threading.Lock()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"

    @property
    def asked(self):
        """The calls that are no probes."""
        return [it for it in self.calls if not is_probe(it)]

    def _handler(own):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with own.lock:
                    own.calls.append(payload)
                    own.keys.append(self.headers.get("Authorization"))
                if self.path != "/v1/chat/completions":
                    return self.send(Failed(404))
                found = own.script(payload)
                if isinstance(found, Answered):
                    found = Failed(200, completion(payload, found))
                    with own.lock:
                        own.n_answered += 1
                return self.send(found)

            def send(self, found):
                if found.until is not None:
                    found.until.wait(10)
                body = found.body.encode()
                try:
                    self.send_response(found.status)
                    for name, value in found.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body[: found.n_sent])
                except OSError:
                    self.close_connection = True
                self.close_connection |= found.n_sent is not None

            def log_message(self, *_):
                pass

        return Handler


@contextmanager
def serving(script):
    server = Server(script)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        thread.join()
        server.http.server_close()
