"""What a judge is asked, and what it answers, in the three tasks.

Answers are numbers. A question has several items, each with its truth, which no text of the
question depends on.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from genointerp.labelling.endpoint.exchange import Message, Reply, Request
from genointerp.labelling.executable import named_bases
from genointerp.labelling.judged.cards import Card
from genointerp.labelling.label import FeatureLabel
from genointerp.labelling.prompt import prompt_text
from genointerp.labelling.quoted import data_block, quote_all

Task = Literal["detection", "fuzzing", "intruder"]
Control = Literal["", "shuffled", "masked", "empty", "always yes"]

PROMPTS: Mapping[Task, str] = {
    "detection": "detection-1",
    "fuzzing": "fuzzing-1",
    "intruder": "intruder-1",
}
"""Version of the prompt of each task: the name of its file in ``prompts/``."""

ANSWERS: Mapping[Task, range] = {
    "detection": range(11),
    "fuzzing": range(1, 3),
    "intruder": range(1, 6),
}
"""What an item may be answered with."""

YES = 6
"""Least answer in detection that says that the feature fires."""

_MOST_BLOCK = 100_000
# every card has a place: each of its texts is cut by itself


class Item(NamedTuple):
    """One thing to answer.

    Parameters
    ----------
    truth
        Detection: 1 where the feature fires, else 0. Else the right answer.
    cards
        What is shown: one card, two choices, or five cards.
    family
        What items share that are no separate evidence.
    """

    truth: int
    cards: tuple[Card, ...]
    family: str


@dataclass(frozen=True)
class Trial:
    """A feature in one task, with one label or none.

    Parameters
    ----------
    feature
        Of which the places are.
    label
        What the judge is shown; None for no label.
    source
        Whose label is judged; empty for what needs none.
    n_origins
        Number of silent places of each origin.
    per_question
        Items of one question.
    """

    feature: int
    task: Task
    control: Control
    label: FeatureLabel | None
    source: str
    items: tuple[Item, ...]
    n_origins: Mapping[str, int]
    per_question: int

    @property
    def questions(self) -> Iterator[Sequence[Item]]:
        """Items of each question."""
        for start in range(0, len(self.items), self.per_question):
            yield self.items[start : start + self.per_question]

    def requests(self) -> list[Request]:
        """Return the questions as they go to the judge."""
        version = PROMPTS[self.task]
        found = []
        for number, items in enumerate(self.questions, start=1):
            rows = [
                row
                for place, item in enumerate(items, start=1)
                for row in _rows(self.task, place, item)
            ]
            text = f"{self._said()}\n\nPlaces:\n{data_block(rows, most=_MOST_BLOCK)}"
            messages = (Message("system", prompt_text(version)), Message("user", text))
            name = f"feature {self.feature}: {self.control or 'its label'}, {self.task} {number}"
            schema = answer_schema(self.task, len(items))
            found.append(Request(messages, schema, prompt=version, name=name))
        return found

    def _said(self) -> str:
        if self.task == "intruder":
            return "Which place does not belong?"
        if self.label is None:
            return "Label of the feature: none is known."
        shown = {"label": self.label.label, **_names(self.label)}
        return f"Label of the feature: {json.dumps(quote_all(shown)[0], ensure_ascii=True)}"


def answer_schema(task: Task, n: int) -> dict[str, Any]:
    """Return the JSON Schema of the answers to a question of ``n`` items."""
    answer = {"type": "integer", "enum": list(ANSWERS[task])}
    properties = {f"answer_{place}": answer for place in range(1, n + 1)}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def answers_of(reply: Reply, n: int) -> list[int] | None:
    """Return the answers to the items of a question; None if the reply is a failure."""
    if reply.parsed is None or not reply.is_answer:
        return None
    return [int(reply.parsed[f"answer_{place}"]) for place in range(1, n + 1)]


def _rows(task: Task, place: int, item: Item) -> Iterator[Mapping[str, Any]]:
    for number, card in enumerate(item.cards, start=1):
        if task == "fuzzing":
            named = {"pair": place, "choice": number}
        else:
            named = {"card": place if task == "detection" else number}
        yield {**named, **card.shown}


def _names(label: FeatureLabel) -> dict[str, Any]:
    """Return what an executable label names, without what it does not."""
    named = named_bases(label)
    if named is None:
        return {}
    if label.concept:
        return {"concept": label.concept, "orientation": named.orientation, "part": label.part}
    if label.motif:
        return {"motif": label.motif, "motif_offset": label.motif_offset}
    return {"gc_from": label.gc_from, "gc_to": label.gc_to}
