"""What a run was asked besides its chain, as tables: interventions, circuits and the like."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from genointerp.core.errors import SchemaError
from genointerp.store.feature.run_folder import read_mapping
from genointerp.store.table.schema.changed import CHANGED_CONCEPTS, CHANGED_FEATURES
from genointerp.store.table.schema.circuit import CIRCUIT_FAMILIES, CIRCUIT_MEMBERS, COACTIVATION
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.schema.divergence import (
    DIVERGENCE,
    DIVERGENCE_SUMMARY,
    EXTRACTED_TEXTS,
)
from genointerp.store.table.schema.edge import MEDIATION
from genointerp.store.table.schema.editing import EDIT_EFFECTS
from genointerp.store.table.schema.explanation import EXPLAINED
from genointerp.store.table.schema.intervention import PAINTING, STEERING
from genointerp.store.table.schema.matching import (
    ACROSS,
    ACROSS_SUMMARY,
    FEATURE_MATCHES,
    MATCH_SUMMARY,
    MATCHES,
)
from genointerp.store.table.schema.similarity import SIMILARITY
from genointerp.store.table.table import conform, empty_table, read_table


class _Kind(NamedTuple):
    """Where the tables of one kind are in a run, and what a reader must know of them."""

    folder: str
    pattern: str
    heading: str
    schema: TableSchema
    note: str


_KINDS = (
    _Kind(
        "interventions",
        "steer/*.tsv",
        "Steer",
        STEERING,
        "How the predictions of the model change where features are set, next to controls: an "
        "effect that a control has too is none.",
    ),
    _Kind(
        "interventions",
        "paint/*.summary.tsv",
        "Paint",
        PAINTING,
        "What the model writes where features are set, next to controls; the judges are not the "
        "model.",
    ),
    _Kind(
        "interventions",
        "edit/*/effects.tsv",
        "Edit",
        EDIT_EFFECTS,
        "How far an edited model follows the edit of activations, and what else changed.",
    ),
    _Kind(
        "circuits",
        "families.tsv",
        "Families",
        CIRCUIT_FAMILIES,
        "Features that fire at fixed distances from each other along the reading strand, in their "
        "order. The correlation at these distances is higher than rotated tracks give.",
    ),
    _Kind(
        "circuits",
        "members.tsv",
        "Members",
        CIRCUIT_MEMBERS,
        "The family of each feature that is in one.",
    ),
    _Kind(
        "circuits",
        "edges.tsv",
        "Edges",
        COACTIVATION,
        "Correlation of the firing of two features at the distance at which it is highest, with "
        "what rotated tracks give.",
    ),
    _Kind(
        "circuits",
        "mediation*.tsv",
        "Mediation",
        MEDIATION,
        "What the model loses without the features of a group together (effect), the sum of what "
        "it loses without each of them (effect_parts), and the same of matched groups (null).",
    ),
    _Kind(
        "explanations",
        "*.summary.tsv",
        "Explain",
        EXPLAINED,
        "What the features of the dictionary add to each number, what its errors add, and how far "
        "both together miss the change (gap); r and slope compare with exact ablation.",
    ),
    _Kind(
        "comparisons",
        "diff/*/divergence.summary.tsv",
        "Divergence of",
        DIVERGENCE_SUMMARY,
        "How far predictions are from those of the model of the run, in nats. Excess is that of "
        "the tuned model minus that of its control: without a control, any further training may "
        "do the same.",
    ),
    _Kind(
        "comparisons",
        "diff/*/divergence.tsv",
        "Places of",
        DIVERGENCE,
        "Where predictions differ most, the largest excess over the control first.",
    ),
    _Kind(
        "comparisons",
        "diff/*/texts.tsv",
        "Texts of",
        EXTRACTED_TEXTS,
        "What the tuned model writes where its predictions differ most, if it expects that more "
        "than any text that is found in the same way in the control and at places that are drawn. "
        "Without rows, there is no such text.",
    ),
    _Kind(
        "comparisons",
        "diff/*/changed.concepts.tsv",
        "Concepts changed in",
        CHANGED_CONCEPTS,
        "What the dictionary of the run cannot say of each concept in the tuned model, and how "
        "many of its features changed, next to the control.",
    ),
    _Kind(
        "comparisons",
        "diff/*/changed.tsv",
        "Features changed in",
        CHANGED_FEATURES,
        "Each feature of the dictionary in the model of the run, the tuned one and its control. "
        "Over many blocks nearly any training changes most features: only what exceeds the control "
        "and comes again with a second seed is worth a sentence.",
    ),
    _Kind(
        "comparisons",
        "match/*/matches.summary.tsv",
        "Shares matched with",
        MATCH_SUMMARY,
        "Share of the features that have a match in the other dictionary, next to nulls: what "
        "rotated features and models of random weights reach says nothing of what was learnt.",
    ),
    _Kind(
        "comparisons",
        "match/*/matches.tsv",
        "Matches with",
        MATCHES,
        "The partner of each feature: the one of the other dictionary that does most nearly the "
        "same on the same bases.",
    ),
    _Kind(
        "comparisons",
        "across/*/across.summary.tsv",
        "Shares across genomes in",
        ACROSS_SUMMARY,
        "Share of the features that do most nearly the same in orthologous genes of the other "
        "genome as one other does, next to shuffled pairs of genes, and without what bases and "
        "lengths of genes predict.",
    ),
    _Kind(
        "comparisons",
        "across/*/across.tsv",
        "Partners across genomes in",
        ACROSS,
        "The feature of the other genome that does most nearly the same in orthologous genes.",
    ),
    _Kind(
        "comparisons",
        "similar/*/similarity.tsv",
        "Likeness of",
        SIMILARITY,
        "How alike the activations of the run and those of another model are on the same bases, "
        "without dictionaries, next to nulls: what rotated activations, models of random weights "
        "and the last five bases give says nothing of what was learnt.",
    ),
)

FOLDERS = tuple(dict.fromkeys(kind.folder for kind in _KINDS))
"""Folders of these tables in a run."""


class RunTable(NamedTuple):
    """A table of one thing that was asked, which file that is, and what to know of it.

    Parameters
    ----------
    folder
        Folder of the run: one of `FOLDERS`.
    title
        What was asked, with its name in the configuration.
    source
        The file, relative to the run.
    """

    folder: str
    title: str
    source: str
    schema: TableSchema
    table: pd.DataFrame
    note: str

    def leading(self) -> pd.DataFrame:
        """Return the table with the rows of all that was measured first, so that they compare."""
        first = {"place": "inside", "part": "all"}
        for column, value in first.items():
            if column in self.table:
                is_other = (self.table[column] != value).to_numpy()
                return self.table.iloc[np.argsort(is_other, kind="stable")]
        return self.table


def read_run_tables(path: Path) -> Iterator[RunTable]:
    """Yield the tables of what a run was asked besides its chain.

    Raises
    ------
    InputError
        If one is damaged.
    """
    for kind in _KINDS:
        for file in sorted((path / kind.folder).glob(kind.pattern)):
            # some have a folder of their own, by its name
            name = file.parent.name if "/*/" in kind.pattern else file.name.partition(".")[0]
            title = kind.heading if name == kind.heading.lower() else f"{kind.heading} {name}"
            source = file.relative_to(path).as_posix()
            table, note = read_table(file, kind.schema), kind.note
            if kind.schema is EDIT_EFFECTS:
                note = f"{note} Verdict: {_verdict(file.with_name('summary.json'))}."
            yield RunTable(kind.folder, title, source, kind.schema, table, note)


def matches_of_features(tables: Iterable[RunTable]) -> pd.DataFrame:
    """Return what each feature of a run matches in which other dictionary, next to the twin.

    Returns
    -------
    pandas.DataFrame
        In the schema ``FEATURE_MATCHES``, by feature; without rows where nothing was matched.
    """
    found = [empty_table(FEATURE_MATCHES, ["partner_concept"])]
    for one in tables:
        if one.schema is MATCHES:
            table = one.table
            own = table[(table["side"] == "a") & (table["decile"] > 0)]
            name = Path(one.source).parent.name
            found.append(own.assign(dictionary=name, excess=own["r"] - own["twin_r"]))
    every = pd.concat(found[1:] or found, ignore_index=True)
    every = every.reindex(columns=FEATURE_MATCHES.names).fillna({"partner_concept": ""})
    every = every.sort_values(["feature", "dictionary"], kind="stable", ignore_index=True)
    return conform(every, FEATURE_MATCHES, where="matches of features")


def _verdict(place: Path) -> str:
    summary = read_mapping(place)
    if "verdict" not in summary:
        raise SchemaError(str(place), "a verdict", ", ".join(summary) or "none")
    return str(summary["verdict"])
