"""Labels by a language model, which is shown the evidence of a feature and nothing else.

Instructions are in the system message; measurements, and then texts of the annotation as data, in
the user's. The reply must fit a schema, and changes nothing but the label of its feature.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from genointerp.core.errors import InputError
from genointerp.core.progress import Progress, silent
from genointerp.labelling.endpoint.budget import Estimate
from genointerp.labelling.endpoint.endpoint import Endpoint
from genointerp.labelling.endpoint.exchange import Message, Reply, Request
from genointerp.labelling.evidence import Evidence
from genointerp.labelling.label import KINDS, ORIENTATIONS, PARTS, FeatureLabel
from genointerp.labelling.prompt import prompt_text
from genointerp.labelling.quoted import clean, data_block, quote_all
from genointerp.store.table.schema.label import LABEL_REQUESTS
from genointerp.store.table.table import conform

LABEL_PROMPT = "label-1"
"""Version of the prompt: the name of its file in ``prompts/``. Another text has another version."""

MOST_FAILED = 0.2
"""Share of requests without a label from which a warning says so."""

LABELLED = "labelled"
"""Outcome of a request that gave a label; any other says why it gave none."""

_LONGEST_LABEL, _LONGEST_TEXT = 100, 600
_SHOWN = ("concepts", "motif", "words", "near_misses", "neighbours")
_OF_LOCUS = (
    "decile", "strand", "bases", "orientation", "distance", "from_start", "from_end",
)  # fmt: skip
_N_FLAGGED = 5

_log = logging.getLogger(__name__)


class ModelLabels(NamedTuple):
    """What a language model said.

    Parameters
    ----------
    labels
        Of the features that it labelled.
    requests
        A row for each feature, in the schema ``LABEL_REQUESTS``.
    """

    labels: tuple[FeatureLabel, ...]
    requests: pd.DataFrame


def label_by_model(
    evidence: Mapping[int, Evidence],
    concepts: Sequence[str],
    endpoint: Endpoint,
    *,
    progress: Progress = silent,
) -> ModelLabels:
    """Ask a language model for a label of every feature with evidence.

    Parameters
    ----------
    concepts
        Names of the known concepts, which alone a label may name.

    Raises
    ------
    EndpointError, BudgetError, StorageError
        As `Endpoint.complete`. What was answered is kept, and is not paid again.

    Notes
    -----
    A reply that is no label after a second asking is a failure: it has a row in ``requests``, and
    is never a label.
    """
    asked = {feature: request_of(one, concepts) for feature, one in evidence.items()}
    labels: list[FeatureLabel] = []
    rows = []
    replies = endpoint.complete_many(asked.values(), progress=progress)
    for (feature, one), reply in zip(evidence.items(), replies, strict=True):
        outcome = LABELLED if reply.is_answer else clean(reply.failure, _LONGEST_TEXT)
        if reply.is_answer:
            labels.append(_label_of(feature, reply, endpoint.config.model))
        rows.append(_row(one, reply, outcome))
    _warn(len(rows) - len(labels), len(rows), endpoint.config.model)
    table = pd.DataFrame(rows, columns=LABEL_REQUESTS.names)
    return ModelLabels(tuple(labels), conform(table, LABEL_REQUESTS, where="requests of labels"))


def estimate_labels(
    evidence: Mapping[int, Evidence], concepts: Sequence[str], endpoint: Endpoint
) -> Estimate:
    """Return what `label_by_model` would cost, without a call."""
    return endpoint.estimate(request_of(one, concepts) for one in evidence.values())


def request_of(evidence: Evidence, concepts: Sequence[str]) -> Request:
    """Return what a language model is asked about a feature."""
    shown = _known(evidence.as_json())
    measured = {"numbers": shown["numbers"], **{name: shown[name] for name in _SHOWN}}
    measured["near_misses"] = [
        {name: it[name] for name in ("strand", "bases", "bits")} for it in shown["near_misses"]
    ]
    rows = [_as_data(locus) for locus in shown["loci"]]
    said = json.dumps(measured, ensure_ascii=True)
    text = (
        f"Measurements of feature {evidence.feature}:\n{said}\n\n"
        f"Places where it fires:\n{data_block(rows)}"
    )
    messages = (Message("system", prompt_text(LABEL_PROMPT)), Message("user", text))
    return Request(
        messages,
        label_schema(concepts),
        prompt=LABEL_PROMPT,
        name=f"feature {evidence.feature}",
        check=partial(_check, evidence.feature),
    )


def label_schema(concepts: Sequence[str]) -> dict[str, Any]:
    """Return the JSON Schema of a reply, of which every key is required and no other allowed."""
    text, number = {"type": "string"}, {"type": ["number", "null"]}
    properties = {
        "label": text,
        "kind": {"type": "string", "enum": list(KINDS)},
        "concept": _one_of(concepts),
        "orientation": _one_of(ORIENTATIONS),
        "part": _one_of(PARTS),
        "motif": {"type": ["string", "null"]},
        "motif_offset": {"type": "integer"},
        "gc_from": number,
        "gc_to": number,
        "explanation": text,
        "confidence": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
        "falsifier": text,
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _one_of(names: Sequence[str]) -> dict[str, Any]:
    return {"type": ["string", "null"], "enum": [*names, None]}


def _as_data(locus: Mapping[str, Any]) -> dict[str, Any]:
    """Return a locus as a row of data.

    Names of contigs and coordinates are left out: the one is other people's text, the other may
    be known by heart.
    """
    row = {name: locus[name] for name in _OF_LOCUS if name in locus}
    return {"bp": locus["end"] - locus["start"], **row, **quote_all(_texts(locus))[0]}


def _texts(locus: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of other people that a locus shows."""
    found = {"type": locus.get("type", ""), **locus.get("quoted", {})}
    return {name: text for name, text in found.items() if text}


def _known(value: Any) -> Any:  # noqa: ANN401 - objects of JSON
    """Return an object without what is undefined, which would be paid for."""
    if isinstance(value, Mapping):
        return {name: _known(one) for name, one in value.items() if one is not None}
    return [_known(one) for one in value] if isinstance(value, list) else value


def _check(feature: int, said: Mapping[str, Any]) -> str:
    """Return what makes an object no label, though it fits the schema."""
    if said["concept"] is None and (said["orientation"] or said["part"]):
        return "orientation and part must be null without a concept"
    if (said["gc_from"] is None) != (said["gc_to"] is None):
        return "gc_from and gc_to must both be numbers, or both be null"
    gc = said["gc_from"], said["gc_to"]
    if gc[0] is not None and not 0 <= gc[0] <= gc[1] <= 1:
        return "gc_from and gc_to must be a range between 0 and 1"
    if sum((bool(said["concept"]), bool(said["motif"]), gc[0] is not None)) > 1:
        return "a concept, a motif and a GC content exclude each other"
    try:
        _as_label(feature, said)
    except InputError as error:
        return f"expected {error.expected}, found {error.found}"
    return ""


def _label_of(feature: int, reply: Reply, model: str) -> FeatureLabel:
    assert reply.parsed is not None
    more = {"author": reply.model or model, "date": reply.date, "prompt": LABEL_PROMPT}
    return _as_label(feature, reply.parsed, **more)


def _as_label(feature: int, said: Mapping[str, Any], **more: str) -> FeatureLabel:
    nan = float("nan")
    has_gc = said["gc_from"] is not None
    return FeatureLabel(
        feature,
        clean(said["label"], _LONGEST_LABEL),
        said["kind"],
        concept=said["concept"] or "",
        orientation=said["orientation"] or "",
        part=said["part"] or "",
        motif=(said["motif"] or "").strip().upper(),
        motif_offset=said["motif_offset"] if said["motif"] else 0,
        gc_from=float(said["gc_from"]) if has_gc else nan,
        gc_to=float(said["gc_to"]) if has_gc else nan,
        explanation=clean(said["explanation"], _LONGEST_TEXT),
        confidence=said["confidence"],
        falsifier=clean(said["falsifier"], _LONGEST_TEXT),
        source="model",
        **more,
    )


def _row(evidence: Evidence, reply: Reply, outcome: str) -> dict[str, Any]:
    flagged = [locus for locus in evidence.loci if quote_all(_texts(locus))[1]]
    places = [f"{it['seqid']}:{it['start'] + 1}-{it['end']}" for it in flagged[:_N_FLAGGED]]
    return {
        "feature": evidence.feature,
        "outcome": outcome,
        "n_loci": len(evidence.loci),
        "n_flagged": len(flagged),
        "flagged": ", ".join(places),
        "tokens_in": reply.tokens_in,
        "tokens_out": reply.tokens_out,
    }


def _warn(n_failed: int, n: int, model: str) -> None:
    if n and n_failed > MOST_FAILED * n:
        _log.warning("%s: %d of %d replies are no labels (more than 1 in 5)", model, n_failed, n)
