"""From files to figures: one public function behind each plot command.

Nothing here touches pyplot or its global state; the format of a figure is that of its suffix.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.core.errors import InputError, MismatchError, SchemaError
from genointerp.core.files import atomic_path, read_text
from genointerp.genome.genome import Genome
from genointerp.genome.interval import parse_region
from genointerp.genome.read import read_genome
from genointerp.plot.feature import (
    plot_activation_histogram,
    plot_aligned,
    plot_density_histogram,
    plot_profile,
)
from genointerp.plot.overlap import best_pairs, plot_overlap
from genointerp.plot.region import plot_concepts, plot_feature_track, plot_genes
from genointerp.plot.style import FONT_SIZE, use_region_axis
from genointerp.plot.training import LABELS, plot_training
from genointerp.report.elements import (
    concept_table,
    concept_texts,
    dense_values,
    gene_table,
    silent_values,
)
from genointerp.report.profile import aligned_profile, binned_profiles, feature_density
from genointerp.store.features import FeatureStore
from genointerp.store.tables import ASSOCIATIONS, read_table

N_TRACKS = 6
"""Features of a region figure where none are named."""

FORMATS = (".png", ".pdf", ".svg")


def draw_region(
    features: Path,
    region: str,
    out: Path,
    *,
    annotations: Path,
    genome: Path,
    associations: Path | None = None,
    feature_ids: Sequence[int | str] = (),
) -> None:
    """Draw genes, concepts and feature tracks of a region, and save the figure.

    Parameters
    ----------
    region
        1-based and closed, as in ``NC_000964.3:9,810-11,364``.
    associations
        Names each feature's best concept beside its track.
    feature_ids
        Features to draw, in this order, by index or name; the strongest of the region where empty.

    Raises
    ------
    MismatchError
        If the features were computed on another genome.
    """
    _check_suffix(out)
    store, bases = FeatureStore(features), read_genome(genome)
    _check_genome(store, bases, features, genome)
    interval = parse_region(region, store.lengths)
    table = read_annotation(annotations, bases)
    genes = gene_table(table)
    concepts = concept_table(define_elements(table, bases, load_concepts()))
    known = {} if associations is None else concept_texts(read_table(associations, ASSOCIATIONS))
    wanted = [store.find_feature(feature) for feature in feature_ids]
    values = dense_values(store, interval)
    chosen = wanted or list(values)[:N_TRACKS]

    near = (concepts["seqid"] == interval.seqid) & (concepts["start"] < interval.end)
    concepts = concepts[near & (concepts["end"] > interval.start)]
    heights = [1.3, 0.18 * concepts["concept"].nunique() + 0.2, *[0.55] * len(chosen)]
    figure = _figure(11.0, sum(heights) + 0.7)
    axes = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    plot_genes(genes, interval, ax=axes[0])
    plot_concepts(concepts, interval, ax=axes[1])
    for ax, feature in zip(axes[2:], chosen, strict=True):
        texts = [*store.names_of(feature), *([known[feature]] if feature in known else [])]
        label = "\n".join([f"f/{feature}", *texts])
        tracks = values.get(feature, silent_values(interval))
        plot_feature_track(
            tracks.plus.astype(float), tracks.minus.astype(float), interval, label=label, ax=ax
        )
    use_region_axis(axes[-1], interval)
    figure.supxlabel(
        "tracks: activation of a feature, read on the + strand upwards (blue), "
        "on the \N{MINUS SIGN} strand downwards (red)",
        fontsize=FONT_SIZE,
    )
    _save(figure, out)


def draw_overlap(associations: Path, out: Path) -> None:
    """Draw features against concepts with their test F1, and save the figure."""
    _check_suffix(out)
    table = read_table(associations, ASSOCIATIONS)
    best = best_pairs(table)
    if best.empty:
        raise InputError(str(associations), "a feature with f1_fit above 0", "none")
    n_rows, n_columns = best["feature"].nunique(), len(best)
    figure = _figure(2.5 + 0.42 * n_columns, 2.2 + 0.3 * n_rows)
    plot_overlap(table, ax=figure.subplots())
    _save(figure, out)


def draw_feature(features: Path, feature: int | str, out: Path) -> None:
    """Draw one feature, by index or name: histogram, density, mean shape, places on contigs."""
    _check_suffix(out)
    store = FeatureStore(features)
    number = store.find_feature(feature)
    plus, minus = (store.feature(number, strand) for strand in ("+", "-"))
    profiles = binned_profiles(store, plus, minus)
    n_rows = max(len(profiles), 1)
    figure = _figure(11.0, 3 + 1.5 * n_rows)
    grid = figure.add_gridspec(1 + n_rows, 3, height_ratios=[3, *[1.5] * n_rows])
    axes = [figure.add_subplot(grid[0, column]) for column in range(3)]
    plot_activation_histogram(plus.value.astype(float), minus.value.astype(float), ax=axes[0])
    plot_density_histogram(feature_density(store), feature=number, ax=axes[1])
    mean = aligned_profile(store, plus, minus)
    plot_aligned(mean.mean, mean.offset, n_loci=mean.n_loci, ax=axes[2])
    for row, profile in enumerate(profiles, start=1):
        ax = figure.add_subplot(grid[row, :])
        bins, start = profile.bin_bp, profile.start
        seqid = profile.seqid
        plot_profile(profile.plus, profile.minus, bin_bp=bins, start=start, seqid=seqid, ax=ax)
    title = " ".join([f"feature f/{number}", *store.names_of(number)])
    figure.suptitle(title, fontsize=FONT_SIZE + 3)
    _save(figure, out)


def draw_training(metrics: Path, out: Path) -> None:
    """Draw the training curves of a dictionary from its ``metrics.jsonl``, and save the figure."""
    _check_suffix(out)
    table = read_metrics(metrics)
    names = [name for name in LABELS if name in table and table[name].notna().any()]
    if not names:
        raise SchemaError(str(metrics), f"one of {', '.join(LABELS)}", ", ".join(map(str, table)))
    n_columns = min(len(names), 3)
    n_rows = -(-len(names) // n_columns)
    figure = _figure(3.4 * n_columns, 2.4 * n_rows)
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        plot_training(table, name, ax=ax)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    _save(figure, out)


def read_metrics(path: Path) -> pd.DataFrame:
    """Read a ``metrics.jsonl``: a JSON object for each logged step.

    Raises
    ------
    SchemaError
        Naming the first line that is no JSON object.
    """
    rows = []
    for number, line in enumerate(read_text(path, error=SchemaError).splitlines(), start=1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise SchemaError(f"{path}: line {number}", "a JSON object", error.msg) from error
        if not isinstance(row, dict):
            raise SchemaError(f"{path}: line {number}", "a JSON object", line.strip()[:40])
        rows.append(row)
    if not rows:
        raise SchemaError(str(path), "at least one line", "an empty file")
    return pd.DataFrame(rows)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, out: Path) -> None:
    # without dates and random ids the same figure is the same file
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(out.suffix)
    with atomic_path(out) as temporary:
        figure.savefig(temporary, dpi=150, metadata=metadata)


def _check_suffix(out: Path) -> None:
    if out.suffix not in FORMATS:
        raise InputError(str(out), f"a file name in {', '.join(FORMATS)}", repr(out.suffix))


def _check_genome(store: FeatureStore, genome: Genome, features: Path, path: Path) -> None:
    if genome.sha256 != store.header.genome_sha256:
        raise MismatchError(
            str(path),
            f"the genome of {features} (sha256 {store.header.genome_sha256[:12]})",
            f"sha256 {genome.sha256[:12]}",
        )
