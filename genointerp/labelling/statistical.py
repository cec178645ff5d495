"""Statistical labels: the simplest statement about a feature that fit supports, without a model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from genointerp.annotation.concepts import ConceptElements
from genointerp.association.config import AssociateConfig
from genointerp.core.progress import Progress, silent
from genointerp.feature.specimen import Specimen
from genointerp.labelling.config import LabelConfig, ScoreConfig
from genointerp.labelling.evidence import Evidence
from genointerp.labelling.executable import END_FLANK
from genointerp.labelling.gc_content import GC_WINDOW
from genointerp.labelling.label import FeatureLabel
from genointerp.labelling.score import score_labels
from genointerp.store.table.schema.label import UNEXPLAINED

N_CONCEPTS = 2
"""Best concepts of a feature that are tried as its label."""

_CONFIDENCE = (0.2, 0.4, 0.6, 0.8)
"""Gains in F1 from which the confidence is 2, 3, 4 and 5."""


def label_statistically(
    specimens: Sequence[Specimen],
    evidence: Mapping[int, Evidence],
    split: AssociateConfig,
    config: LabelConfig,
    *,
    progress: Progress = silent,
) -> list[FeatureLabel]:
    """Label every feature with evidence, by what fit says; nothing of test is read.

    Notes
    -----
    Candidates are the best concepts, their starts and ends, the motif before the peaks and the GC
    content before a base fires. Each is scored on fit as it will be on test. Of those above their
    null (q at most ``max_q``) whose F1 exceeds that of the detector that always fires by
    ``min_gain``, the one that exceeds it most is the label; the first among ties. Otherwise a
    period is stated, if there is one, and else the feature is *unexplained*.
    """
    elements = [specimen.needs("elements") for specimen in specimens]
    tried = {
        feature: list(_candidates(one, elements[0], config)) for feature, one in evidence.items()
    }
    scores = _scored(specimens, tried, split, config, progress)
    return [
        _chosen(feature, list(zip(tried[feature], scores[feature], strict=True)), one, config)
        for feature, one in evidence.items()
    ]


def _scored(
    specimens: Sequence[Specimen],
    tried: Mapping[int, Sequence[FeatureLabel]],
    split: AssociateConfig,
    config: LabelConfig,
    progress: Progress,
) -> dict[int, list[dict[Any, Any]]]:
    """Return the score on fit of each candidate of each feature."""
    labels = list(chain.from_iterable(tried.values()))
    own = ScoreConfig(tested_from=config.min_gain, seed=config.seed)
    table = score_labels(
        specimens,
        labels,
        split,
        own,
        measured_on="fit",
        controls=False,
        progress=progress,
    )
    rows = iter(table.to_dict(orient="records"))
    return {feature: [next(rows) for _ in candidates] for feature, candidates in tried.items()}


def _candidates(
    evidence: Evidence, elements: ConceptElements, config: LabelConfig
) -> Iterator[FeatureLabel]:
    for row in evidence.concepts[:N_CONCEPTS]:
        yield _of_concept(evidence.feature, row["concept"], row["orientation"], "body")
        whole = elements.concepts[row["concept"]]
        if whole.strand == "own" and whole.bases == "all":
            yield _of_concept(evidence.feature, row["concept"], row["orientation"], "start")
            yield _of_concept(evidence.feature, row["concept"], row["orientation"], "end")
    if evidence.motif.consensus:
        yield _of_motif(evidence)
    yield from _of_gc(evidence, config)


def _of_concept(feature: int, concept: str, orientation: str, part: str) -> FeatureLabel:
    turned = "" if orientation in ("sense", "both") else " on the other strand"
    words = {"body": concept, "start": f"start of {concept}", "end": f"end of {concept}"}[part]
    near = f"within {END_FLANK} bases of the {part} of" if part != "body" else "inside of"
    return FeatureLabel(
        feature,
        f"{words}{turned}",
        "concept" if part == "body" else "position",
        concept=concept,
        orientation=orientation,
        part=part,
        falsifier=f"it fires as often elsewhere as {near} {concept} ({orientation})",
    )


def _of_motif(evidence: Evidence) -> FeatureLabel:
    motif = evidence.motif
    after = f", {motif.offset} bases before" if motif.offset else ""
    return FeatureLabel(
        evidence.feature,
        f"after {motif.consensus}{after}",
        "composition",
        motif=motif.consensus,
        motif_offset=motif.offset,
        falsifier=f"it fires as often after other bases as after {motif.consensus}",
    )


def _of_gc(evidence: Evidence, config: LabelConfig) -> Iterator[FeatureLabel]:
    """Yield the label of the GC contents at which it fires, if that could pass at all.

    F1 is at most ``2 min(d, s) / (d + s)`` where the feature fires on a share d of the bases, and a
    share s lies in the range.
    """
    numbers = evidence.numbers
    low, high = numbers["gc_from"], numbers["gc_to"]
    density, share = numbers["density"], numbers["gc_within"]
    most = 2 * min(density, share) / (density + share)
    if most - 2 * share / (1 + share) < config.min_gain:
        return
    yield FeatureLabel(
        evidence.feature,
        f"GC content {100 * low:.0f} to {100 * high:.0f} %",
        "composition",
        gc_from=low,
        gc_to=high,
        falsifier=f"it fires as often at other GC contents of the last {GC_WINDOW} bases",
    )


def _chosen(
    feature: int,
    scored: Sequence[tuple[FeatureLabel, Mapping[Any, Any]]],
    evidence: Evidence,
    config: LabelConfig,
) -> FeatureLabel:
    best, gain = None, config.min_gain
    for label, row in scored:
        own = row["f1"] - row["f1_always_on"]
        if row["q_value"] <= config.max_q and (own > gain or (best is None and own >= gain)):
            best, gain = (label, row), own
    if best is None:
        return _without(feature, evidence, config)
    label, row = best
    said = (
        f"F1 {row['f1']:.2f} on fit (always on {row['f1_always_on']:.2f}, null"
        f" {row['null_f1']:.2f}), precision {row['precision']:.2f}, recall {row['recall']:.2f}"
    )
    confidence = 1 + int(np.searchsorted(_CONFIDENCE, gain, side="right"))
    return replace(label, explanation=said, confidence=confidence)


def _without(feature: int, evidence: Evidence, config: LabelConfig) -> FeatureLabel:
    """Return the label of a feature of which no bases can be named."""
    period, ratio = evidence.numbers["period"], evidence.numbers["period_ratio"]
    if ratio >= config.min_period:
        return FeatureLabel(
            feature,
            f"every {int(period)} bases",
            "repeat",
            explanation=f"fires again {ratio:.1f} times as often at {int(period)} bases as beside",
            falsifier=f"it fires again as often at other distances as at {int(period)}",
        )
    said = f"no concept, motif or GC content with a gain of {config.min_gain:g} on fit"
    return FeatureLabel(feature, UNEXPLAINED, "unclear", explanation=said)
