"""Whether the ranking would have found what is known, had nobody described it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.concepts import load_concepts
from genointerp.association.inputs import read_split
from genointerp.candidate.backtest.backtest import BacktestResult, RandomWeights, Subject
from genointerp.candidate.backtest.backtest import backtest as backtest_classes
from genointerp.candidate.config import RankConfig, read_rank_config
from genointerp.candidate.evidence.given import Given, GivenFiles
from genointerp.candidate.inputs import RankFiles, activation_digests, find_outliers
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path, as_paths
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import together
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.decoder import read_own_directions
from genointerp.feature.specimen import Specimen, under_others
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.figure.backtest import backtest as draw_backtest
from genointerp.figure.file import Look, check_suffix
from genointerp.store.table.identity import check_features, table_identity
from genointerp.store.table.schema.association import ASSOCIATIONS, BASELINES
from genointerp.store.table.schema.candidate import BACKTEST, BACKTEST_FEATURES
from genointerp.store.table.table import check_table_path, read_table, write_table


def backtest(
    features: OneOrMoreFeatures,
    out: StrPath | None = None,
    *,
    annotations: OneOrMorePaths = (),
    genome: OneOrMorePaths = (),
    associations: StrPath | None = None,
    figure_out: StrPath | None = None,
    activations: OneOrMorePaths = (),
    ablation: StrPath | None = None,
    sae: StrPath | None = None,
    other_sae: OneOrMorePaths = (),
    trained_on: OneOrMorePaths = (),
    measured: StrPath | None = None,
    random_features: OneOrMorePaths = (),
    random_activations: OneOrMorePaths = (),
    random_sae: StrPath | None = None,
    baselines: StrPath | None = None,
    concepts: StrPath | None = None,
    config: RankConfig | Mapping[str, Any] | StrPath | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
    **look: Unpack[Look],
) -> BacktestResult:
    """Hide each known class in turn, and see where the ranking puts the features that show it.

    Parameters
    ----------
    features
        Features files, a catalogue, a run directory, or one of these that is open.
    out
        The classes are written there too, and their features to the file of `features_path`.
    annotations
        GFF3 or GenBank of each genome, in the order of the features, unless a catalogue or a run
        names them: what the associations were made with.
    genome, activations, ablation, sae, other_sae, trained_on, measured, config, seed
        As for `genointerp.rank`.
    associations
        Of these features, with nothing hidden. A catalogue and a run name their own.
    figure_out
        The recall of each class against the rank is drawn there, as the suffix says.
    random_features, random_activations, random_sae
        Features of the model with random weights, in the order of the features; their activations,
        in any order; and the folder of their dictionary, trained on the same genomes.
    baselines
        Table of the baselines of these features: which classes the model knows.
    concepts
        What the associations were made with; where None the definition of the run, or the shipped
        one.
    look
        Resolution, width and title of the figure: see `genointerp.figure.file.Look`.

    Returns
    -------
    BacktestResult
        ``classes`` has a row for each hidden class, ``features`` one for each of their features.

    Raises
    ------
    InputError
        If an annotation, a sequence or the associations are not known.
    MismatchError
        If files do not belong together.

    Examples
    --------
    >>> import genointerp as gi
    >>> found = gi.backtest("results/demo")  # doctest: +SKIP
    """
    settings = read_rank_config(config, seed=seed)
    out, figure, probes = as_path(out), as_path(figure_out), as_path(baselines)
    if out is not None:
        check_table_path(out)
    check_suffix(figure)
    of_random = _RandomFiles(
        as_paths(random_features), as_paths(random_activations), as_path(random_sae)
    )
    files = find_specimens(
        features, genome=genome, annotations=annotations, activations=activations
    )
    table = files.needs_associations(associations)
    evidence = GivenFiles(
        as_path(ablation), as_path(sae), as_paths(other_sae), as_paths(trained_on)
    )
    ranked = RankFiles(files, table, evidence, measured=as_path(measured))
    found = ranked.open(settings, "annotation")
    definition = Path(concepts or files.concepts or annotations_folder() / "concepts.yaml")
    known = _check_known(found.specimens, table, definition)
    subject = Subject(
        found.specimens,
        found.associations,
        replace(read_split(table), locus_share=settings.locus_share, merge_gap=settings.merge_gap),
        found.given,
    )
    if probes is not None:
        check_features(probes, BASELINES, [one.features for one in found.specimens])
        known["baselines"] = sha256_file(probes)
    weights, digests = _open_random(of_random, subject, settings)
    with progress_bar("backtest (classes)", progress) as report:
        result = backtest_classes(
            subject,
            load_concepts(definition),
            settings,
            random=weights,
            probes=None if probes is None else read_table(probes, BASELINES),
            progress=report,
        )
    if out is not None:
        provenance = Provenance(to_mapping(settings), {**found.sha256, **known, **digests})
        with together():
            write_table(result.features, features_path(out), BACKTEST_FEATURES, provenance)
            write_table(result.classes, out, BACKTEST, provenance)
    if figure is not None:
        draw_backtest(result.features, figure, **look)
    return result


def features_path(out: Path) -> Path:
    """Return where the features of the classes are written next to the table of classes.

    Examples
    --------
    >>> features_path(Path("backtest.tsv")).name
    'backtest_features.tsv'
    """
    return out.with_name(f"{out.stem}_features{out.suffix}")


def _check_known(
    specimens: Sequence[Specimen], associations: Path, concepts: Path
) -> dict[str, str]:
    """Refuse other truth than that of the associations; return the sha256 of what is known."""
    paths = [one.annotation_file for one in specimens if one.annotation_file is not None]
    annotations = {str(path): sha256_file(path) for path in paths}
    measured = table_identity(associations, ASSOCIATIONS)
    measured.check_made_from("annotations", annotations)
    measured.check_made_from("concepts", {str(concepts): sha256_file(concepts)})
    known = {f"annotations-{i}": annotations[str(path)] for i, path in enumerate(paths)}
    return {**known, "concepts": sha256_file(concepts)}


@dataclass(frozen=True)
class _RandomFiles:
    """What the model gives with random weights."""

    features: Sequence[Path]
    activations: Sequence[Path]
    sae: Path | None

    def __post_init__(self) -> None:
        if (self.activations or self.sae) and not self.features:
            raise InputError(
                "random weights", "features too, where something else is given", "none"
            )


def _open_random(
    files: _RandomFiles, subject: Subject, config: RankConfig
) -> tuple[RandomWeights | None, dict[str, str]]:
    """Open what there is of random weights, and return the sha256 of each file by its role."""
    if not files.features:
        return None, {}
    opened = find_specimens(files.features, activations=files.activations).open()
    stores = [specimen.features for specimen in opened]
    genomes = under_others(subject.specimens, stores)
    specimens = find_outliers(
        [
            replace(one, activations=other.activations, windows=other.windows)
            for one, other in zip(genomes, opened, strict=True)
        ],
        config,
    )
    decoder = None if files.sae is None else read_own_directions(files.sae, stores[0])
    trained_on = None if subject.given is None else subject.given.trained_on
    sha256 = {f"random-{i}": store.sha256 for i, store in enumerate(stores)}
    sha256["random-sae"] = stores[0].header.sae_sha256
    sha256 |= activation_digests(specimens, "random-activations")
    return RandomWeights(specimens, Given(decoder=decoder, trained_on=trained_on)), sha256
