"""What `diff` writes beyond the divergence: which of it was asked for, and in which files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from genointerp.annotation.concepts import ConceptElements
from genointerp.comparison.changed.amplification import (
    check_amount,
    check_amplified,
    write_amplified,
)
from genointerp.comparison.changed.births import check_births, find_births
from genointerp.comparison.changed.config import ChangedConfig
from genointerp.comparison.changed.differences import DifferenceConfig, measure_differences
from genointerp.comparison.changed.features import check_second, measure_changes
from genointerp.comparison.changed.joint_reading import check_together
from genointerp.comparison.changed.sentences import sentences
from genointerp.comparison.changed.weights import WeightConfig, check_weights, measure_weights
from genointerp.comparison.models import ModelSet
from genointerp.core.errors import InputError
from genointerp.core.files import check_replaceable
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import DnaModel
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.store.table.schema.changed import (
    ACTIVATION_DIFFERENCE,
    BIRTHS,
    CHANGED_CONCEPTS,
    CHANGED_FEATURES,
    WEIGHT_CHANGE,
)
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.table import check_table_path, is_table_of, write_table


@dataclass(frozen=True)
class ChangedPlaces:
    """Where to write what was asked for; None for what was not.

    Parameters
    ----------
    features, births, weights, lens
        Tables. Next to that of features, one of concepts is written.
    amplified
        Folder of an amplified model.
    amount
        How far it goes, in differences of the two models.
    """

    features: Path | None = None
    births: Path | None = None
    weights: Path | None = None
    lens: Path | None = None
    amplified: Path | None = None
    amount: float = 2.0

    @property
    def paths(self) -> list[Path]:
        """All that will be written, one for each output even if two are the same."""
        beside = None if self.features is None else _concepts_beside(self.features)
        every = (self.features, beside, self.births, self.weights, self.lens, self.amplified)
        return [it for it in every if it is not None]

    @property
    def tables(self) -> dict[Path, TableSchema]:
        """The tables that will be written, with their schemas."""
        found = {}
        if self.features is not None:
            found[self.features] = CHANGED_FEATURES
            found[_concepts_beside(self.features)] = CHANGED_CONCEPTS
        if self.births is not None:
            found[self.births] = BIRTHS
        if self.weights is not None:
            found[self.weights] = WEIGHT_CHANGE
        if self.lens is not None:
            found[self.lens] = ACTIVATION_DIFFERENCE
        return found

    @property
    def needs_dictionary(self) -> bool:
        """Whether something was asked for that only a dictionary can say."""
        return any(it is not None for it in (self.features, self.births, self.lens))

    def check(self, provenance: Provenance) -> None:
        """Refuse, before the work, what cannot be written.

        Raises
        ------
        InputError
            If a table has a suffix of no table, or a file may not be replaced.
        ConfigError
            If the amount of an amplified model is out of its range.
        """
        for place, schema in self.tables.items():
            check_table_path(place)
            check_replaceable(place, same=is_table_of(place, schema, provenance))
        if self.amplified is not None:
            check_amount(self.amount)
            check_replaceable(self.amplified, same=False)


@dataclass(frozen=True, eq=False)
class ChangedQuestion:
    """What is needed to measure what changed.

    Parameters
    ----------
    models
        Base, tuned model and control, and the checkpoints between.
    second
        Tuned model and control of a second seed.
    dictionary
        Dictionary of the base model; for births, of one of the checkpoints.
    elements
        Elements of concepts.
    """

    models: ModelSet
    genome: Genome
    windows: HarvestConfig
    config: ChangedConfig
    regions: Sequence[GenomicInterval] = ()
    second: ModelSet | None = None
    dictionary: Dictionary | None = None
    elements: ConceptElements | None = None

    @property
    def inputs(self) -> dict[str, str]:
        """The sha256 of the dictionary and of the models of the second seed, for provenance."""
        found = {}
        if self.dictionary is not None:
            found["sae"] = self.dictionary.header.sha256
        second = {} if self.second is None else dict(self.second.by_role)
        second.pop("base", None)
        return found | {f"model-second-{role}": it.spec.sha256 for role, it in second.items()}

    def check(self, places: ChangedPlaces) -> None:
        """Refuse, before the work, models and dictionaries that do not belong together.

        Raises
        ------
        InputError
            If there is no dictionary for features or births; if a second seed has no control, or
            nothing is asked of it; if a checkpoint occurs twice; or if a network is of a kind that
            cannot be taken apart or amplified.
        MismatchError
            If the dictionary is not of the base model, for features; or of no checkpoint, for
            births.
        """
        if places.needs_dictionary and self.dictionary is None:
            raise InputError("sae", "a dictionary of the base model, for its features", "none")
        if self.second is not None and places.features is None:
            raise InputError("features_out", "a table of what the second seed repeats", "none")
        check_second(self.models, self.second)
        of_base = places.features is not None or places.lens is not None
        if of_base and self.dictionary is not None:
            second = [] if self.second is None else [*self.second.by_role.values()]
            others = [*self.models.by_role.values(), *second]
            check_together(self.dictionary, self.models.base, others)
        if places.births is not None and self.dictionary is not None:
            check_births(self.models.checkpoints, self.dictionary)
        if places.weights is not None:
            check_weights(self.models)
        if places.amplified is not None:
            check_amplified(self.models)


class Changed(NamedTuple):
    """Tables of what changed, by their files, and what is said of it.

    Parameters
    ----------
    tables
        Each with its schema, in the order in which they were asked for.
    said
        Sentences about features, or why there are none.
    """

    tables: dict[Path, pd.DataFrame]
    said: tuple[str, ...] = ()

    def write(self, places: ChangedPlaces, provenance: Provenance) -> None:
        """Write the tables."""
        for place, schema in places.tables.items():
            write_table(self.tables[place], place, schema, provenance)


def measure_changed(
    asked: ChangedQuestion, places: ChangedPlaces, *, progress: Progress = silent
) -> Changed:
    """Measure what was asked for, and write the amplified model."""
    asked.check(places)
    tables: dict[Path, pd.DataFrame] = {}
    said: tuple[str, ...] = ()
    reading = (places.features, places.births, places.lens)
    parts = _shares(progress, sum(place is not None for place in reading))
    if places.features is not None and asked.dictionary is not None:
        found = measure_changes(
            asked.models,
            asked.dictionary,
            asked.genome,
            second=asked.second,
            elements=asked.elements,
            windows=asked.windows,
            config=asked.config,
            regions=asked.regions,
            progress=next(parts),
        )
        tables[places.features] = found.features
        tables[_concepts_beside(places.features)] = found.concepts
        said = tuple(sentences(found, asked.config))
    if places.births is not None and asked.dictionary is not None:
        tables[places.births] = find_births(
            asked.models.checkpoints,
            asked.dictionary,
            asked.genome,
            elements=asked.elements,
            windows=asked.windows,
            config=asked.config,
            regions=asked.regions,
            progress=next(parts),
        )
    if places.lens is not None and asked.dictionary is not None:
        tables[places.lens] = measure_differences(
            asked.models,
            asked.dictionary,
            asked.genome,
            elements=asked.elements,
            windows=asked.windows,
            config=DifferenceConfig(seed=asked.config.seed),
            regions=asked.regions,
            progress=next(parts),
        )
    if places.weights is not None:
        own = asked.dictionary
        if own is not None and not _is_of(own, asked.models.base):
            own = None
        tables[places.weights] = measure_weights(
            asked.models, own, config=WeightConfig(seed=asked.config.seed)
        )
    if places.amplified is not None:
        write_amplified(asked.models, places.amount, places.amplified)
    return Changed(tables, said)


def second_seed(
    models: ModelSet, tuned: DnaModel | None, control: DnaModel | None
) -> ModelSet | None:
    """Return the models of a second seed of the same base; None if there are none.

    Raises
    ------
    InputError
        If there is a control without a tuned model.
    """
    if tuned is None:
        if control is not None:
            raise InputError("second", "the tuned model of second_control", "none")
        return None
    return replace(models, tuned=tuned, control=control, stages=())


def _is_of(dictionary: Dictionary, model: DnaModel) -> bool:
    _, sha256 = model.spec.dictionaries_of
    return dictionary.header.identity.model_sha256 in (sha256, "")


def _concepts_beside(features: Path) -> Path:
    return features.with_name(f"{features.stem}.concepts{features.suffix}")


def _shares(progress: Progress, n: int) -> Iterator[Progress]:
    """Yield the progress of each of n parts of equal length."""

    def part(number: int) -> Progress:
        return lambda done, total: progress(number * total + done, n * total)

    return (part(number) for number in range(n))
