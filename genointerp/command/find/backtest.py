"""The backtest from files to files."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.concepts import load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.association.inputs import read_split
from genointerp.candidate.backtest.backtest import BacktestResult, RandomWeights, Subject
from genointerp.candidate.backtest.backtest import backtest as backtest_classes
from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.given import Given
from genointerp.candidate.inputs import RankFiles, RankInputs, activation_digests, find_outliers
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import together
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.decoder import read_own_directions
from genointerp.feature.specimen import Specimen, under_others
from genointerp.feature.specimen_files import find_specimens
from genointerp.figure.backtest import backtest as draw_backtest
from genointerp.figure.file import check_suffix
from genointerp.store.table.identity import check_features, table_identity
from genointerp.store.table.schema.association import ASSOCIATIONS, BASELINES
from genointerp.store.table.schema.candidate import BACKTEST, BACKTEST_FEATURES
from genointerp.store.table.table import check_table_path, read_table, write_table


@dataclass(frozen=True)
class RandomFiles:
    """What the model gives with random weights.

    Parameters
    ----------
    features
        Of each genome, in the order of the features that are tested.
    activations
        Of each genome, in any order.
    sae
        Folder of the dictionary, trained on the same genomes.

    Raises
    ------
    InputError
        If there are files of it and no features.
    """

    features: Sequence[Path] = ()
    activations: Sequence[Path] = ()
    sae: Path | None = None

    def __post_init__(self) -> None:
        if (self.activations or self.sae) and not self.features:
            raise InputError("random weights", "features beside what else is given", "none")


@dataclass(frozen=True)
class BacktestFiles:
    """What a backtest is made from.

    Parameters
    ----------
    ranked
        What is ranked; its associations are those with nothing hidden.
    annotations
        In the order of the features; what the associations were made with.
    random
        Features of random weights, to be ranked beside; not needed.
    concepts
        What the associations were made with; the shipped file where None.
    baselines
        Of the same features: tells which classes the model knows.
    """

    ranked: RankFiles
    annotations: Sequence[Path]
    random: RandomFiles = field(default_factory=RandomFiles)
    concepts: Path | None = None
    baselines: Path | None = None

    @property
    def definitions(self) -> Path:
        """The file that defines the concepts."""
        return self.concepts or annotations_folder() / "concepts.yaml"


def backtest(
    files: BacktestFiles,
    out: Path,
    *,
    figure: Path | None = None,
    config: RankConfig | None = None,
    progress: Progress = silent,
) -> BacktestResult:
    """Hide each known class in turn; write the classes to ``out`` and their features beside it.

    What is ranked is read as `genointerp.command.find.rank.rank` reads it. The second file is
    that of `features_path`.

    Parameters
    ----------
    figure
        Draw the recall of each class against the rank there, as the suffix says; not where None.

    Raises
    ------
    InputError
        If there is not one annotation for each features file.
    MismatchError
        If a sequence is missing, or files do not belong together.
    """
    config = RankConfig() if config is None else config
    check_table_path(out)
    if figure is not None:
        check_suffix(figure)
    found = files.ranked.open(config)
    sha256 = {**found.sha256, **_check_known(files, found)}
    specimens = _with_annotations(found.specimens, files.annotations)
    subject = Subject(
        specimens,
        found.associations,
        replace(
            read_split(files.ranked.associations),
            locus_share=config.locus_share,
            merge_gap=config.merge_gap,
        ),
        found.given,
    )
    probes = None
    if files.baselines is not None:
        check_features(files.baselines, BASELINES, [one.features for one in specimens])
        probes = read_table(files.baselines, BASELINES)
    random, digests = _open_random(files.random, subject, config)
    concepts = load_concepts(files.definitions)
    result = backtest_classes(
        subject, concepts, config, random=random, probes=probes, progress=progress
    )
    provenance = Provenance(to_mapping(config), sha256 | digests)
    with together():
        write_table(result.features, features_path(out), BACKTEST_FEATURES, provenance)
        write_table(result.classes, out, BACKTEST, provenance)
    if figure is not None:
        draw_backtest(result.features, figure)
    return result


def features_path(out: Path) -> Path:
    """Return where the features of the classes are written beside the table of classes.

    Examples
    --------
    >>> features_path(Path("backtest.tsv")).name
    'backtest_features.tsv'
    """
    return out.with_name(f"{out.stem}_features{out.suffix}")


def _check_known(files: BacktestFiles, found: RankInputs) -> dict[str, str]:
    """Refuse other truth than that of the associations; return the sha256 of what is known."""
    n = len(found.specimens)
    if len(files.annotations) != n:
        expected = f"one for each of {n} features files"
        raise InputError("annotations", expected, str(len(files.annotations)))
    annotations = {str(path): sha256_file(path) for path in files.annotations}
    concepts = {str(files.definitions): sha256_file(files.definitions)}
    measured = table_identity(files.ranked.associations, ASSOCIATIONS)
    measured.check_made_from("annotations", annotations)
    measured.check_made_from("concepts", concepts)
    known = {f"annotations-{i}": annotations[str(p)] for i, p in enumerate(files.annotations)}
    known["concepts"] = concepts[str(files.definitions)]
    if files.baselines is not None:
        known["baselines"] = sha256_file(files.baselines)
    return known


def _with_annotations(specimens: Sequence[Specimen], files: Sequence[Path]) -> list[Specimen]:
    return [
        replace(one, annotation=read_annotation(path, one.needs("sequence")), annotation_file=path)
        for one, path in zip(specimens, files, strict=True)
    ]


def _open_random(
    files: RandomFiles, subject: Subject, config: RankConfig
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
