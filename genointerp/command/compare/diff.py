"""`diff`: what a model predicts otherwise than the model that it was made from."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from genointerp.annotation.concepts import ConceptElements, define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.comparison.changed.outputs import (
    ChangedPlaces,
    ChangedQuestion,
    measure_changed,
    second_seed,
)
from genointerp.comparison.config import DiffConfig, StagesConfig
from genointerp.comparison.diff import Diff
from genointerp.comparison.divergence import measure_divergence
from genointerp.comparison.divergence_files import differences_beside, files_of
from genointerp.comparison.divergence_tables import tabulate
from genointerp.comparison.extraction import extract_texts
from genointerp.comparison.latents_config import LatentsConfig
from genointerp.comparison.learn import learn_latents
from genointerp.comparison.models import ModelSet
from genointerp.comparison.stages import check_stages, measure_stages
from genointerp.comparison.tracks import write_tracks
from genointerp.core.arguments import StrPath, as_path, as_texts, is_run
from genointerp.core.config import read_config, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path, check_replaceable, claiming, together
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.model.protocol import DnaModel, Generates
from genointerp.model.registry import load_model
from genointerp.reading.model_choice import AnyModel
from genointerp.sae.dictionary import Dictionary
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.schema.divergence import (
    DIVERGENCE,
    DIVERGENCE_BINS,
    DIVERGENCE_SUMMARY,
    DIVERGENCE_TAIL,
    EXTRACTED_TEXTS,
)
from genointerp.store.table.schema.latents import DIFFERENCE_LATENTS, LATENTS, STAGES
from genointerp.store.table.table import check_table_path, is_table_of, write_table

ModelOrPath = AnyModel | StrPath
"""A model as `load_model` names it, its folder, or one that is loaded."""


def diff(
    base: ModelOrPath,
    tuned: ModelOrPath | Sequence[ModelOrPath],
    genome: StrPath,
    out: StrPath,
    *,
    control: ModelOrPath | None = None,
    region: str | Iterable[str] = (),
    tracks_out: StrPath | None = None,
    texts_out: StrPath | None = None,
    sae: StrPath | None = None,
    features_out: StrPath | None = None,
    second: ModelOrPath | None = None,
    second_control: ModelOrPath | None = None,
    annotations: StrPath | None = None,
    concepts: StrPath | None = None,
    births_out: StrPath | None = None,
    weights_out: StrPath | None = None,
    lens_out: StrPath | None = None,
    amplified_out: StrPath | None = None,
    amplify: float = 2.0,
    latents_out: StrPath | None = None,
    stages_out: StrPath | None = None,
    old_genome: StrPath | None = None,
    device: str = "cpu",
    window: int | None = None,
    warmup: int | None = None,
    batch: int | None = None,
    config: DiffConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> Diff:
    """Compare a tuned model with the model that it was made from; write tables.

    See :func:`genointerp.comparison.divergence.measure_divergence`. All models read the same
    windows, in float32.

    Parameters
    ----------
    base
        The model before: a name that `genointerp.models` lists, a folder, or a loaded model.
    tuned
        The model after; or several checkpoints in their order, of which the last is the one that is
        compared.
    genome
        FASTA or GenBank; or a run directory, whose genome is the one on which it measures.
    out
        .tsv, .csv, .parquet or .json: the places where predictions differ most. Next to it are
        written ``.summary``, ``.tail`` and ``.bins`` of the same name.
    control
        A model that was tuned on the same data without the thing of interest. Without one, nothing
        tells what was learnt of that thing from what any further training changes.
    region
        One region or several, samtools-style, 1-based and closed; empty for the whole genome.
    tracks_out
        A folder of bigWig files, a file for each number and strand, to be written too.
    texts_out
        A table of texts that the tuned model writes where its predictions differ most, as
        :func:`genointerp.comparison.extraction.extract_texts` finds them, and where there is a
        control of texts that are searched without places, to be written too.
    sae
        Folder of a dictionary of the base model; for ``births_out``, of any of the checkpoints.
    features_out
        Table of the features of the dictionary in each model, to be written too; next to it
        ``.concepts`` of the same name. See
        :func:`genointerp.comparison.changed.features.measure_changes`.
    second, second_control
        Tuned model and control of another seed, without which nothing is said of single features.
    annotations, concepts
        Annotation of the genome and definition of its concepts; a run has its own.
    births_out
        Table of the checkpoint at which each feature is born, to be written too. See
        :func:`genointerp.comparison.changed.births.find_births`.
    weights_out
        Table of the components of the change of each matrix, to be written too. See
        :func:`genointerp.comparison.changed.weights.measure_weights`.
    lens_out
        Table of the mean differences of activations at the site of the dictionary, to be written
        too. See :func:`genointerp.comparison.changed.differences.measure_differences`.
    amplified_out, amplify
        Folder of a model that is ``amplify`` times as far from the base as the tuned one.
    latents_out
        Table of the features of a crosscoder of both models, with whose each is, to be written too;
        the crosscoders are trained, which takes minutes. Next to it ``.differences`` of the same
        name: features of a dictionary of the difference alone. See
        :func:`genointerp.comparison.learn.learn_latents`.
    stages_out
        Table of how far the direction of each feature turns where the dictionary goes on training
        along two orders, to be written too. See
        :func:`genointerp.comparison.stages.measure_stages`.
    old_genome
        For ``stages_out``: FASTA or GenBank of which the tuned model learnt nothing new, while it
        learnt from ``genome``.
    device
        Where models that are named run.
    window, warmup, batch
        Bases read in one pass, and how many of the first are discarded; windows in one call of a
        model. They replace the values of ``config``.
    config
        All settings: a mapping such as ``{"loci": {"n_loci": 100}}``, or YAML.

    Raises
    ------
    InputError
        If a model is a masked one, gives no probabilities or is not of float32, or the control is
        one of the two.
    MismatchError
        If the models have other tokens, or networks of another shape.

    Examples
    --------
    >>> import genointerp as gi
    >>> found = gi.diff(
    ...     "nano", "tuned", "genome.fa", "divergence.tsv", control="control"
    ... )  # doctest: +SKIP
    >>> found.summary  # doctest: +SKIP
    """
    settings = read_config(DiffConfig, config).with_windows(window, warmup, batch=batch)
    places = _places(Path(out), as_path(texts_out), as_path(latents_out), as_path(stages_out))
    tracks = as_path(tracks_out)
    sequence = read_genome(_sequence(genome))
    named = as_texts(region)
    regions = sequence.regions(named)
    models = _models(base, tuned, control, device)
    truth = _truth(genome, as_path(annotations), as_path(concepts))
    asked = ChangedQuestion(
        models,
        sequence,
        settings.windows,
        settings.changed,
        regions,
        second_seed(models, _loaded_if(second, device), _loaded_if(second_control, device)),
        None if sae is None else Dictionary.load(sae),
        truth.elements(sequence),
    )
    more = ChangedPlaces(
        as_path(features_out),
        as_path(births_out),
        as_path(weights_out),
        as_path(lens_out),
        as_path(amplified_out),
        float(amplify),
    )
    asked.check(more)
    learning = _Learning.of(asked, settings, latents_out, stages_out, old_genome)
    if texts_out is not None:
        _check_generate(models)
    said = to_mapping(settings) | {"regions": [*named]}
    inputs = {"genome": sequence.sha256, **models.inputs, **asked.inputs}
    inputs |= {**truth.inputs, **learning.inputs}
    provenance = Provenance(said, inputs)
    _check_places(places, tracks, more, provenance)
    is_same = is_table_of(places["loci"], DIVERGENCE, provenance)
    with claiming(places["loci"], same=is_same):
        with progress_bar("diff (windows)", progress) as report:
            measured = measure_divergence(
                models, sequence, config=settings.windows, regions=regions, progress=report
            )
        with progress_bar("diff (windows of features)", progress) as report:
            changed = measure_changed(asked, more, progress=report)
        found = Diff(*tabulate(measured, sequence, settings.loci), changed=changed)
        if texts_out is not None:
            with progress_bar("texts (bases)", progress) as report:
                texts = extract_texts(
                    models,
                    measured,
                    sequence,
                    config=settings.extraction,
                    loci=settings.loci,
                    search=settings.search,
                    progress=report,
                )
            found = found._replace(texts=texts)
        found = learning.added(found, progress)
        with together():
            for name, place in places.items():
                write_table(getattr(found, name), place, _SCHEMAS[name], provenance)
            changed.write(more, provenance)
            if tracks is not None:
                with atomic_path(tracks) as temporary:
                    write_tracks(measured, sequence.lengths, temporary)
    return found


def _places(
    out: Path, texts: Path | None, latents: Path | None, stages: Path | None
) -> dict[str, Path]:
    """Return the file of each table that is written, by its name in the result."""
    differences = None if latents is None else differences_beside(latents)
    more = {"texts": texts, "latents": latents, "differences": differences, "stages": stages}
    places = {**files_of(out), **{name: it for name, it in more.items() if it is not None}}
    for place in places.values():
        check_table_path(place)
    return places


_SCHEMAS: Mapping[str, TableSchema] = {
    "loci": DIVERGENCE,
    "summary": DIVERGENCE_SUMMARY,
    "tail": DIVERGENCE_TAIL,
    "bins": DIVERGENCE_BINS,
    "texts": EXTRACTED_TEXTS,
    "latents": LATENTS,
    "differences": DIFFERENCE_LATENTS,
    "stages": STAGES,
}


class _Learning(NamedTuple):
    """What is trained: crosscoders, and the dictionary along two orders; None for what is not."""

    asked: ChangedQuestion
    latents: LatentsConfig | None
    stages: StagesConfig
    old: Genome | None

    @classmethod
    def of(
        cls,
        asked: ChangedQuestion,
        settings: DiffConfig,
        latents_out: StrPath | None,
        stages_out: StrPath | None,
        old_genome: StrPath | None,
    ) -> "_Learning":
        """Return what was asked for, after a check of all that it needs."""
        latents = None if latents_out is None else settings.latents
        if stages_out is None:
            if old_genome is not None:
                raise InputError("stages_out", "a table of what is learnt from old_genome", "none")
            return cls(asked, latents, settings.stages, None)
        if asked.dictionary is None:
            raise InputError("sae", "a dictionary of the base model, to train it on", "none")
        if old_genome is None:
            expected = "data of which the tuned model learnt nothing new"
            raise InputError("old_genome", expected, "none")
        check_stages(asked.models, asked.dictionary)
        return cls(asked, latents, settings.stages, read_genome(_sequence(old_genome)))

    @property
    def inputs(self) -> dict[str, str]:
        return {} if self.old is None else {"old-genome": self.old.sha256}

    def added(self, found: Diff, progress: Progress | None) -> Diff:
        """Return what was found with the tables of what was trained."""
        asked = self.asked
        if self.latents is not None:
            with progress_bar("diff (parts of crosscoders)", progress) as report:
                learned = learn_latents(
                    asked.models,
                    asked.genome,
                    windows=asked.windows,
                    config=self.latents,
                    regions=asked.regions,
                    progress=report,
                )
            found = found._replace(latents=learned.latents, differences=learned.differences)
        if self.old is not None and asked.dictionary is not None:
            with progress_bar("diff (readings and trainings)", progress) as report:
                stages = measure_stages(
                    asked.models,
                    asked.dictionary,
                    asked.genome,
                    self.old,
                    windows=asked.windows,
                    config=self.stages,
                    regions=asked.regions,
                    progress=report,
                )
            found = found._replace(stages=stages)
        return found


def _check_places(
    places: Mapping[str, Path], tracks: Path | None, more: ChangedPlaces, provenance: Provenance
) -> None:
    every = [*places.values(), *more.paths, *([] if tracks is None else [tracks])]
    resolved = [place.resolve() for place in every]
    for number, place in enumerate(resolved):
        if place in resolved[:number]:
            raise InputError("outputs", "another path for each", f"{every[number]} twice")
    more.check(provenance)
    for name, place in places.items():
        same = is_table_of(place, _SCHEMAS[name], provenance)
        check_replaceable(place, same=same)
    if tracks is not None:
        check_replaceable(tracks, same=False)


def _check_generate(models: ModelSet) -> None:
    for name, model in models.by_role.items():
        if name != "base" and not isinstance(model, Generates):
            expected = "a model that can generate, to look for texts"
            raise InputError(name, expected, f"{model.spec.name}, which does not")


class _Truth(NamedTuple):
    """The annotation of the genome and the definition of its concepts; None if there is none."""

    annotations: Path | None = None
    concepts: Path | None = None

    @property
    def inputs(self) -> dict[str, str]:
        files = {"annotations": self.annotations, "concepts": self.concepts}
        return {name: sha256_file(path) for name, path in files.items() if path is not None}

    def elements(self, sequence: Genome) -> ConceptElements | None:
        """Return the elements of the concepts; None without an annotation."""
        if self.annotations is None:
            return None
        annotation = read_annotation(self.annotations, sequence)
        return define_elements(annotation, sequence, load_concepts(self.concepts))


def _truth(genome: StrPath, annotations: Path | None, concepts: Path | None) -> _Truth:
    if not is_run(genome):
        return _Truth(annotations, concepts)
    run = RunFolder.open(genome)
    return _Truth(annotations or run.genomes[run.measured].annotation, concepts or run.concepts)


def _sequence(genome: StrPath) -> Path:
    if not is_run(genome):
        return Path(genome)
    run = RunFolder.open(genome)
    return run.genomes[run.measured].sequence


def _models(
    base: ModelOrPath,
    tuned: ModelOrPath | Sequence[ModelOrPath],
    control: ModelOrPath | None,
    device: str,
) -> ModelSet:
    checkpoints = [tuned] if not isinstance(tuned, Sequence) or isinstance(tuned, str) else [*tuned]
    *stages, last = (_loaded(model, device) for model in checkpoints)
    return ModelSet(
        _loaded(base, device),
        last,
        None if control is None else _loaded(control, device),
        tuple(stages),
    )


def _loaded_if(model: ModelOrPath | None, device: str) -> DnaModel | None:
    return None if model is None else _loaded(model, device)


def _loaded(model: ModelOrPath, device: str) -> DnaModel:
    if isinstance(model, str | os.PathLike):
        return load_model(os.fspath(model), device=device, dtype="float32")
    return model if isinstance(model, DnaModel) else model(device=device)
