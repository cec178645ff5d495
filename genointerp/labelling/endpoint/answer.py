"""Reading what came back: the body of a completion, and the object in its text."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from genointerp.core.text import one_line
from genointerp.labelling.quoted import clean

MOST_STARTS = 100
"""Most braces of a text that are tried as the start of an object."""

_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Answer:
    """What a server answered to one call.

    Parameters
    ----------
    logprobs
        Of the alternatives to the first token, in nats.
    finish
        Why the text ends, as the server says: ``length`` if it was cut.
    tokens_in, tokens_out
        As the server counts; None if it does not.
    date
        Day, ``YYYY-MM-DD``, UTC.
    refused
        What the server said instead of answering; empty if it answered.
    """

    text: str = ""
    logprobs: Mapping[str, float] | None = None
    finish: str = ""
    model: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    date: str = ""
    refused: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the answer as an object of JSON."""
        return asdict(self)


def read_answer(body: Mapping[str, Any], date: str) -> Answer | None:
    """Return the answer in the body of a completion; None if the body is none."""
    try:
        choice = body["choices"][0]
        content = choice["message"].get("content")
        if isinstance(content, list):
            content = "".join(it.get("text", "") for it in content)
        if not isinstance(content, str | None):
            return None
        usage = body.get("usage") or {}
        return Answer(
            text=content or "",
            logprobs=_logprobs(choice.get("logprobs")),
            finish=str(choice.get("finish_reason") or ""),
            model=clean(str(body.get("model") or ""), _LONGEST_NAME),
            tokens_in=_count(usage.get("prompt_tokens")),
            tokens_out=_count(usage.get("completion_tokens")),
            date=date,
        )
    except (KeyError, IndexError, TypeError, AttributeError):
        return None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _logprobs(given: Any) -> dict[str, float] | None:  # noqa: ANN401 - of a server
    tokens = (given or {}).get("content") or []
    if not tokens:
        return None
    # a server may list the token that was chosen among them, or not
    listed = [*(tokens[0].get("top_logprobs") or ()), tokens[0]]
    return {it["token"]: float(it["logprob"]) for it in listed if isfinite(it["logprob"])}


def read_object(text: str, validator: Draft202012Validator) -> tuple[dict[str, Any] | None, str]:
    """Return the first object in a text that fits a schema, and what is wrong if there is none.

    What a model wrote between ``<think>`` and ``</think>`` is left out, also if it was cut off.

    Examples
    --------
    >>> validator = Draft202012Validator({"required": ["label"]})
    >>> read_object('Here it is: {"label": "tRNA"}.', validator)
    ({'label': 'tRNA'}, '')
    >>> read_object('{"name": "tRNA"}', validator)
    (None, "'label' is a required property")
    """
    problem = "the text has no JSON object"
    for found in _objects(_THOUGHTS.sub("", text)):
        wrong = best_match(validator.iter_errors(found))
        if wrong is None:
            return found, ""
        place = "".join(f"[{it!r}]" for it in wrong.absolute_path)
        problem = f"{place}: {one_line(wrong.message)}" if place else one_line(wrong.message)
    return None, problem[:300]


def _objects(text: str) -> list[dict[str, Any]]:
    """Return the outermost objects of a text."""
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    found, place = [], text.find("{")
    for _ in range(MOST_STARTS):
        if place < 0:
            break
        try:
            value, end = decoder.raw_decode(text, place)
            found.append(value)
        except (ValueError, RecursionError):
            end = place + 1
        place = text.find("{", end)
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
