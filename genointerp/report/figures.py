"""From files to figures: what the plot commands call, each writing one figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import read_text
from genointerp.core.parsing import parse_json
from genointerp.genome.interval import parse_region
from genointerp.genome.read import read_genome
from genointerp.plot.feature import (
    plot_activation_histogram,
    plot_aligned,
    plot_density_histogram,
    plot_profile,
)
from genointerp.plot.overlap import SCORE_NAMES, Score, plot_overlap, shown_pairs
from genointerp.plot.region import (
    plot_concepts,
    plot_feature_track,
    plot_genes,
    plot_sequence,
)
from genointerp.plot.style import FONT_SIZE, NOT_READ_LABEL, plain_text, use_region_axis
from genointerp.plot.training import LABELS, plot_training
from genointerp.report.elements import (
    concept_table,
    concept_texts,
    dense_values,
    gene_table,
    strongest_features,
    unrolled,
)
from genointerp.report.figure_file import (
    SourceFiles,
    check_genome,
    check_suffix,
    new_figure,
    save_figure,
)
from genointerp.report.profile import aligned_profile, binned_profiles, feature_density
from genointerp.store.associations import read_associations
from genointerp.store.features import FeatureStore
from genointerp.store.table_schemas import ASSOCIATIONS
from genointerp.store.tables import read_table

N_TRACKS = 6
"""Features of a region figure where none are named."""

SEQUENCE_BP = 150
"""A region up to this length shows its bases."""


def draw_region(
    features: Path,
    region: str,
    out: Path,
    *,
    source: SourceFiles,
    associations: Path | None = None,
    feature_ids: Sequence[int | str] = (),
) -> None:
    """Draw genes, concepts and feature tracks of a region, and save the figure.

    A region of at most 150 bp shows its bases too.

    Parameters
    ----------
    region
        1-based and closed, as in ``NC_000964.3:9,810-11,364``; on a circular contig it may span
        the origin.
    associations
        Names each feature's best concept beside its track.
    feature_ids
        Features to draw, in this order, by index or name; the strongest of the region where empty.

    Raises
    ------
    MismatchError
        If the features were computed on another genome.
    """
    check_suffix(out)
    store, bases = FeatureStore(features), read_genome(source.sequence)
    check_genome(store, bases, source.sequence)
    interval = parse_region(region, store.lengths, circular=store.circular)
    table = read_annotation(source.annotation, bases)
    length = bases[interval.seqid].length
    genes = unrolled(gene_table(table), interval, length)
    concepts = define_elements(table, bases, load_concepts(source.concepts))
    blocks = unrolled(concept_table(concepts), interval, length)
    known = {} if associations is None else concept_texts(read_associations(associations, store))
    wanted = [store.find_feature(feature) for feature in feature_ids]
    chosen = wanted or strongest_features(store, interval, N_TRACKS)

    letters = interval.length <= SEQUENCE_BP
    heights = [1.3, 0.18 * blocks["concept"].nunique() + 0.2, *[0.4] * letters]
    n_above = len(heights)
    heights += [0.55] * len(chosen)
    figure = new_figure(11.0, sum(heights) + 0.7)
    axes = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    plot_genes(genes, interval, ax=axes[0])
    plot_concepts(blocks, interval, ax=axes[1])
    if letters:
        plot_sequence(bases.fetch(interval).tobytes().decode(), interval, ax=axes[2])
    gaps = False
    for ax, feature in zip(axes[n_above:], chosen, strict=True):
        texts = [*store.names_of(feature), *([known[feature]] if feature in known else [])]
        label = "\n".join([f"f/{feature}", *texts])
        tracks = dense_values(store, interval, feature)
        gaps |= bool(np.isnan(tracks).any())
        plot_feature_track(
            tracks.plus.astype(float), tracks.minus.astype(float), interval, label=label, ax=ax
        )
    use_region_axis(axes[-1], interval, length=length)
    figure.supxlabel(
        "tracks: activation of a feature, read on the + strand upwards (blue), "
        "on the \N{MINUS SIGN} strand downwards (red)" + f"; {NOT_READ_LABEL}" * gaps,
        fontsize=FONT_SIZE,
    )
    save_figure(figure, out)


def draw_overlap(associations: Path, out: Path, *, score: Score | Literal["all"] = "all") -> None:
    """Draw features against concepts, a heat map for one or each test score; save the figure."""
    check_suffix(out)
    table = read_table(associations, ASSOCIATIONS)
    best = shown_pairs(table)
    if best.empty:
        raise InputError(str(associations), "a feature with f1_fit above 0", "none")
    scores: list[Score] = list(SCORE_NAMES) if score == "all" else [score]
    n_rows, n_columns, n_scores = best["feature"].nunique(), len(best), len(scores)
    figure = new_figure(2.5 + 0.42 * n_columns, 1.9 + (0.3 + 0.22 * n_rows) * n_scores)
    axes = figure.subplots(n_scores, 1, sharex=True, squeeze=False)[:, 0]
    for ax, one in zip(axes, scores, strict=True):
        plot_overlap(table, score=one, ax=ax)
        ax.label_outer()
    save_figure(figure, out)


def draw_feature(features: Path, feature: int | str, out: Path) -> None:
    """Draw one feature, by index or name: histogram, density, mean shape, places on contigs."""
    check_suffix(out)
    store = FeatureStore(features)
    number = store.find_feature(feature)
    plus, minus = (store.feature(number, strand) for strand in ("+", "-"))
    profiles = binned_profiles(store, plus, minus)
    n_rows = max(len(profiles), 1)
    figure = new_figure(11.0, 3 + 1.5 * n_rows)
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
    figure.suptitle(plain_text(title), fontsize=FONT_SIZE + 3)
    save_figure(figure, out)


def draw_density(features: Path, out: Path, *, feature: int | str | None = None) -> None:
    """Draw the densities of all features, one of them marked, and save the figure."""
    check_suffix(out)
    store = FeatureStore(features)
    marked = None if feature is None else store.find_feature(feature)
    figure = new_figure(5.0, 3.2)
    plot_density_histogram(feature_density(store), feature=marked, ax=figure.subplots())
    save_figure(figure, out)


def draw_training(metrics: Path, out: Path) -> None:
    """Draw the training curves of a dictionary from its ``metrics.jsonl``, and save the figure."""
    check_suffix(out)
    save_figure(training_figure(read_metrics(metrics), where=str(metrics)), out)


def training_figure(metrics: pd.DataFrame, *, where: str) -> Figure:
    """Return the training curves: a panel for each known column of the metrics."""
    names = [name for name in LABELS if name in metrics and metrics[name].notna().any()]
    if not names:
        raise SchemaError(where, f"one of {', '.join(LABELS)}", ", ".join(map(str, metrics)))
    n_columns = min(len(names), 3)
    n_rows = -(-len(names) // n_columns)
    figure = new_figure(3.4 * n_columns, 2.4 * n_rows)
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        plot_training(metrics, name, ax=ax)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    return figure


def read_metrics(path: Path) -> pd.DataFrame:
    """Read a ``metrics.jsonl``: a JSON object for each logged step.

    Raises
    ------
    SchemaError
        Naming the first line that is no JSON object.
    """
    rows = []
    for number, line in enumerate(read_text(path, error=SchemaError).splitlines(), start=1):
        where = f"{path}: line {number}"
        row = parse_json(line, where=where, error=SchemaError)
        if not isinstance(row, dict):
            raise SchemaError(where, "a JSON object", line.strip()[:40])
        rows.append(row)
    if not rows:
        raise SchemaError(str(path), "at least one line", "an empty file")
    return pd.DataFrame(rows)
