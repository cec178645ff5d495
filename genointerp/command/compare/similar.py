"""`similar`: how alike two models or sites are on the same bases, without dictionaries."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.comparison.similarity.config import SimilarConfig
from genointerp.comparison.similarity.similar import Known, Others, compare_activations
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path, as_paths
from genointerp.core.config import read_config, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import claiming
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.store.activation.store import ActivationStore
from genointerp.store.table.schema.similarity import SIMILARITY
from genointerp.store.table.table import check_table_path, is_table_of, write_table


def similar(
    activations_a: OneOrMorePaths,
    activations_b: OneOrMorePaths,
    out: StrPath | None = None,
    *,
    genome: OneOrMorePaths = (),
    annotations: OneOrMorePaths = (),
    twin_a: OneOrMorePaths = (),
    twin_b: OneOrMorePaths = (),
    ceiling: OneOrMorePaths = (),
    config: SimilarConfig | Mapping[str, Any] | StrPath | None = None,
    every: int | None = None,
    n_bases: int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Compare what two models, or two sites, compute on the same bases.

    See :func:`genointerp.comparison.similarity.similar.compare_activations`. Models, sites, tokens
    and widths may differ.

    Parameters
    ----------
    activations_a, activations_b
        Activations of one genome or more, as `harvest` writes them.
    out
        The table is written there too, as .tsv, .csv, .parquet or .json.
    genome
        Sequence of each genome, in any order: without it the last five bases are not taken out.
    annotations
        Annotation of each genome, in the order of ``genome``, for the phase in codons.
    twin_a, twin_b
        Activations of models of the same networks with random weights.
    ceiling
        Activations that should be as like those of a as any can: another training of the model.
    config
        A mapping such as ``{"n_neighbours": 20}``, or YAML.
    every, n_bases, seed
        They replace those of ``config``.

    Returns
    -------
    pandas.DataFrame
        A row for each measure and comparison, in the schema ``SIMILARITY``.

    Raises
    ------
    InputError
        If too few bases were read in both, or a file is missing or damaged.
    MismatchError
        If the genomes differ, or a site is compared with itself.

    Examples
    --------
    >>> import genointerp as gi
    >>> gi.similar("a/activations.h5", "b/activations.h5", genome="genome.fa")  # doctest: +SKIP
    """
    settings = read_config(SimilarConfig, config).changed(every=every, n_bases=n_bases, seed=seed)
    place = as_path(out)
    if place is not None:
        check_table_path(place)
    given = {"a": activations_a, "b": activations_b}
    given |= {"twin_a": twin_a, "twin_b": twin_b, "ceiling": ceiling}
    opened = {role: [ActivationStore(path) for path in as_paths(it)] for role, it in given.items()}
    a, b = opened.pop("a"), opened.pop("b")
    known, inputs = _known(a, as_paths(genome), as_paths(annotations))
    stores = {"a": a, "b": b, **opened}
    inputs |= {
        f"{role}-{number}": store.sha256
        for role, own in stores.items()
        for number, store in enumerate(own, start=1)
    }
    record = Provenance(to_mapping(settings), inputs)

    def compared() -> pd.DataFrame:
        with progress_bar("similar (comparisons)", progress) as report:
            return compare_activations(a, b, Others(**opened), known, settings, report)

    if place is None:
        return compared()
    with claiming(place, same=is_table_of(place, SIMILARITY, record)):
        table = compared()
        write_table(table, place, SIMILARITY, record)
    return table


def _known(
    stores: Sequence[ActivationStore], sequences: Sequence[Path], annotations: Sequence[Path]
) -> tuple[list[Known], dict[str, str]]:
    """Return what is known of each genome of the stores, in their order; nothing without them."""
    if annotations and len(annotations) != len(sequences):
        expected = f"one for each of {len(sequences)} genomes"
        raise InputError("annotations", expected, str(len(annotations)))
    if not sequences:
        return [], {}
    genomes = [read_genome(path) for path in sequences]
    back = [
        Identity(str(path), genome_sha256=it.sha256)
        for path, it in zip(sequences, genomes, strict=True)
    ]
    inputs = {f"genome-{i}": it.sha256 for i, it in enumerate(genomes, start=1)}
    inputs |= {f"annotation-{i}": sha256_file(it) for i, it in enumerate(annotations, start=1)}
    found = []
    for store in stores:
        number = store.identity.find(back, "genome")
        own = genomes[number]
        found.append(_opened(own, annotations[number] if annotations else None))
    return found, inputs


def _opened(genome: Genome, annotation: Path | None) -> Known:
    if annotation is None:
        return Known(genome)
    read = read_annotation(annotation, genome)
    return Known(genome, define_elements(read, genome, load_concepts()))
