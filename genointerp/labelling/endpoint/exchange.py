"""What goes to a language model, and what comes back."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from genointerp.labelling.endpoint.config import EndpointConfig

Role = Literal["system", "user", "assistant"]
JsonMode = Literal["json_schema", "json_object", "text"]


class Message(NamedTuple):
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class Request:
    """What a model is asked.

    Parameters
    ----------
    messages
        The conversation, of which the last message is the user's.
    schema
        JSON Schema of the object that is asked for; None for text.
    n_logprobs
        Number of alternatives to the first token whose log-probabilities are asked for.
    prompt
        Version of the prompt.
    name
        How messages call the request.
    check
        What the schema cannot say: called with an object that fits it, and returns what is wrong,
        or an empty text; None if the schema says it all.
    """

    messages: Sequence[Message]
    schema: Mapping[str, Any] | None = None
    n_logprobs: int = 0
    prompt: str = ""
    name: str = "a request"
    check: Callable[[Mapping[str, Any]], str] | None = None


@dataclass(frozen=True)
class Reply:
    """What a model answered to one request.

    Parameters
    ----------
    text
        As it came; empty if the request was refused.
    parsed
        The object, which fits the schema; None without a schema, or if there is none.
    logprobs
        Log-probability, in nats, of each alternative to the first token that the server told.
    tokens_in, tokens_out
        Tokens that were paid for this reply, a second asking included, whenever that was.
    model
        Name of the model as the server returned it.
    date
        Day of the answer, ``YYYY-MM-DD``, UTC.
    from_cache
        Whether nothing was paid this time.
    failure
        Why this is no answer; empty if it is one. A failure must never count as an answer.
    """

    text: str
    parsed: Mapping[str, Any] | None = None
    logprobs: Mapping[str, float] = field(default_factory=dict)
    tokens_in: int = 0
    tokens_out: int = 0
    model: str = ""
    date: str = ""
    from_cache: bool = False
    failure: str = ""

    @property
    def is_answer(self) -> bool:
        """Whether the model answered as it was asked to."""
        return not self.failure


@dataclass(frozen=True)
class Capabilities:
    """What a server can do for a model.

    Parameters
    ----------
    json_mode
        ``json_schema``: replies are made to fit a schema. ``json_object``: to be JSON. ``text``:
        neither.
    logprobs
        Whether log-probabilities are told.
    """

    json_mode: JsonMode
    logprobs: bool


def payload_of(
    request: Request, config: EndpointConfig, capabilities: Capabilities
) -> dict[str, Any]:
    """Return the body of the call for a request, as far as the server can do what is asked."""
    found: dict[str, Any] = {
        "model": config.model,
        "messages": [{"role": it.role, "content": it.content} for it in request.messages],
        config.max_tokens_name: config.max_tokens,
        "temperature": config.temperature,
        "seed": config.seed,
    }
    for name in config.leave_out:
        del found[name]
    if request.n_logprobs and capabilities.logprobs:
        found |= {"logprobs": True, "top_logprobs": request.n_logprobs}
    if request.schema is None:
        return found
    if capabilities.json_mode == "json_schema":
        schema = {"name": "reply", "strict": True, "schema": request.schema}
        return found | {"response_format": {"type": "json_schema", "json_schema": schema}}
    found["messages"] = _with_schema(found["messages"], request.schema)
    if capabilities.json_mode == "json_object":
        found["response_format"] = {"type": "json_object"}
    return found


def _with_schema(
    messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]
) -> list[Mapping[str, str]]:
    """Say in the system message what the server cannot enforce."""
    said = f"Answer with one JSON object that fits this JSON Schema: {_json(schema)}"
    if messages[0]["role"] == "system":
        first = {"role": "system", "content": f"{messages[0]['content']}\n\n{said}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": said}, *messages]


def key_of(payload: Mapping[str, Any], request: Request, config: EndpointConfig) -> str:
    """Return the sha256 of all that a reply depends on: it is paid for once."""
    parts = {
        "host": config.host,
        "payload": payload,
        "schema": request.schema,
        "prompt": request.prompt,
    }
    return hashlib.sha256(_json(parts).encode()).hexdigest()


def n_bytes_of(payload: Mapping[str, Any]) -> int:
    """Return the number of bytes of the texts of a payload, in UTF-8."""
    return sum(len(it["content"].encode("utf-8", "surrogatepass")) for it in payload["messages"])


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
