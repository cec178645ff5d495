"""Evidence from the firing of each feature on the genomes, without any annotation."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64, UInt8

from genointerp.association.count.tracks import RowTrack, stream_rows
from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.backdrop import Backdrop, heads, make_backdrop
from genointerp.candidate.evidence.coherence import N_LOCI, choose_bases, draw_surroundings
from genointerp.candidate.evidence.families import count_families
from genointerp.candidate.evidence.kmers import kmer_auroc
from genointerp.candidate.evidence.pattern import Shape, classify, motif_information, motif_share
from genointerp.candidate.evidence.seen import seen_chance, seen_share
from genointerp.core.metric import auroc_of_counts
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.feature.loci import Loci, find_loci
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.genome.letters import reverse_complement
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand

_SAMPLED = 1024
_COMPARED, _FLANK, _LONGEST = 20, 50, 1000
_ALIGNED, _AROUND = 100, 15


class Period(NamedTuple):
    """Strength of the best period, 0 to 1, and the period in bp (0 if there is none)."""

    strength: float
    bp: int


def gather_evidence(
    specimens: Sequence[Specimen],
    config: RankConfig,
    *,
    trained_on: Collection[str] | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Describe every feature that fires anywhere, in one row each.

    Parameters
    ----------
    specimens
        Genomes with their sequences; windows and outliers may be unknown.
    trained_on
        sha256 of the genomes that the dictionary was trained on; None if unknown.

    Returns
    -------
    pandas.DataFrame
        The columns are measured over all covered bases of all genomes, on both strands:

        ``density``
            Share of the covered (base, strand) pairs on which the feature fires.
        ``n_loci``
            Number of loci: stretches of bases with at least ``locus_share`` of its maximum, where
            gaps of up to ``merge_gap`` bases are closed, on each strand separately.
        ``gc_auroc``
            Chance that a firing base has a higher local GC content than a silent one, ties half;
            NaN if it fires everywhere.
        ``periodicity``, ``period``
            See `find_period`.
        ``tandem_share``
            Share of its firing bases that lie in tandem repeats.
        ``strand_asymmetry``
            ``(p - m) / (p + m)`` of its densities on ``+`` and on ``-``; NaN unless both strands
            were read.
        ``window_bias``
            Share of its firing bases that lie in the heads of windows, over the share of all bases
            that lie there. It is 1 without bias, and NaN if windows are unknown.
        ``window_bias_16``, ``window_bias_1024``
            The same for the first 16 and the first 1,024 bases of windows.
        ``edge_share``
            Share of its firing bases near an end of a linear contig.
        ``outlier_share``
            Share of its firing bases at tokens of unusual norm; NaN if these are unknown.
        ``coherence``
            See `genointerp.candidate.evidence.coherence.Surroundings.auroc`.
        ``kmer_auroc``
            See `genointerp.candidate.evidence.kmers.kmer_auroc`.
        ``locus_length``
            Median length of its loci in bp.
        ``n_families``
            Number of families of sequences among its 20 strongest loci with 50 bp on either side;
            see `genointerp.candidate.evidence.families.count_families`.
        ``motif_bits``
            Information in bits of its 100 strongest loci, with 15 bp on either side of the peak.
        ``motif_share``
            See `genointerp.candidate.evidence.pattern.motif_share`, for the loci of ``motif_bits``.
        ``pattern``
            See `genointerp.candidate.evidence.pattern.classify`.
        ``n_genomes``
            Number of genomes that hold a locus.
        ``seen_share``, ``seen_p``
            See `genointerp.candidate.evidence.seen`.
        ``top_region``
            Region of the locus with its largest activation, the first one among ties; 1-based,
            closed.
    """
    stores = [specimen.features for specimen in specimens]
    backdrops = [make_backdrop(specimen, config) for specimen in specimens]
    n_features = stores[0].n_features
    memory = [np.zeros(store.n_rows + config.max_period + 2, dtype=np.bool_) for store in stores]
    surroundings = draw_surroundings(stores, config.seed)
    rows = []
    for feature, tracks in stream_rows(stores, range(n_features)):
        if any(len(track.row) for track in tracks):
            shape = _shape(feature, tracks, memory, config)
            loci = _find_all_loci(stores, tracks, config)
            place = _place(backdrops, tracks, loci, trained_on)
            row = {"feature": feature, **_shares(tracks, backdrops, config), **shape, **place}
            row["outlier_share"] = _outlier_share(tracks, specimens)
            draw = rng(config.seed, f"coherence/{feature}")
            chosen = _choose(tracks, loci, config, draw)
            row["coherence"] = surroundings.auroc(tracks, chosen)
            row["kmer_auroc"] = kmer_auroc(tracks, [it.kmers for it in backdrops])
            rows.append({**row, "pattern": _pattern(row, config)})
        progress(feature + 1, n_features)
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = [
    "feature",
    "density",
    "gc_auroc",
    "tandem_share",
    "strand_asymmetry",
    "window_bias",
    "window_bias_16",
    "window_bias_1024",
    "edge_share",
    "outlier_share",
    "coherence",
    "kmer_auroc",
    "periodicity",
    "period",
    "n_loci",
    "locus_length",
    "n_families",
    "motif_bits",
    "motif_share",
    "pattern",
    "n_genomes",
    "seen_share",
    "seen_p",
    "top_region",
]


def evidence_of(candidates: pd.DataFrame, config: RankConfig) -> pd.DataFrame:
    """Return the evidence in a table of candidates, as `gather_evidence` returned it.

    ``pattern`` is determined again, since that of a candidate may come from its associations.
    """
    found = candidates.sort_values("feature", ignore_index=True)[COLUMNS]
    rows: list[dict[str, object]] = found.to_dict(orient="records")  # type: ignore[assignment]
    return found.assign(pattern=[_pattern(row, config) for row in rows])


def find_period(recurrence: Float64[np.ndarray, " lag"]) -> Period:
    """Find the period with which a feature fires.

    Parameters
    ----------
    recurrence
        For each lag k from 0, the share of firing bases for which the base k positions later fires
        too.

    Notes
    -----
    The strength of period p is ``r(p) - (r(p-1) + r(p+1)) / 2``: 1 for a feature that fires on
    every p-th base, about 0 for one that fires on whole elements, on isolated bases or at random.
    The shortest period that reaches nine tenths of the highest strength is returned, so that its
    multiples do not win.
    """
    if len(recurrence) < 4:
        return Period(0.0, 0)
    strength = recurrence[2:-1] - (recurrence[1:-2] + recurrence[3:]) / 2
    highest = float(strength.max())
    if highest <= 0:
        return Period(0.0, 0)
    return Period(highest, int(np.argmax(strength >= 0.9 * highest)) + 2)


def _shares(
    tracks: Sequence[RowTrack], backdrops: Sequence[Backdrop], config: RankConfig
) -> dict[str, float]:
    n_gc = len(backdrops[0].covered_gc)
    gc = np.zeros(n_gc, dtype=np.int64)
    firing = dict.fromkeys(STRANDS, 0)
    tandem = edge = 0
    for track in tracks:
        backdrop = backdrops[track.genome]
        firing[track.strand] += len(track.row)
        gc += np.bincount(backdrop.gc[track.row], minlength=n_gc)
        tandem += int(np.count_nonzero(backdrop.tandem[track.row]))
        edge += int(np.count_nonzero(backdrop.edge[track.row]))
    covered = {s: sum(backdrop.n_covered[s] for backdrop in backdrops) for s in STRANDS}
    n_firing, n_covered = sum(firing.values()), sum(covered.values())
    covered_gc = np.sum([backdrop.covered_gc for backdrop in backdrops], axis=0)
    biases = [_window_bias(tracks, backdrops, length) for length in heads(config)]
    return {
        "density": n_firing / n_covered,
        "gc_auroc": auroc_of_counts(gc, covered_gc - gc),
        "tandem_share": tandem / n_firing,
        "edge_share": edge / n_firing,
        "strand_asymmetry": _asymmetry(firing["+"], firing["-"], covered["+"], covered["-"]),
        **dict(zip(("window_bias", "window_bias_16", "window_bias_1024"), biases, strict=True)),
    }


def _window_bias(tracks: Sequence[RowTrack], backdrops: Sequence[Backdrop], length: int) -> float:
    head = n_firing = 0
    for track in tracks:
        into = backdrops[track.genome].into
        if into is None:
            return float("nan")
        head += int(np.count_nonzero(into[track.strand][track.row] < length))
        n_firing += len(track.row)
    n_head = sum(backdrop.n_head[length] for backdrop in backdrops)
    n_covered = sum(sum(backdrop.n_covered.values()) for backdrop in backdrops)
    expected = n_firing * n_head / n_covered
    return head / expected if expected > 0 else float("nan")


def _asymmetry(plus: int, minus: int, covered_plus: int, covered_minus: int) -> float:
    if not covered_plus or not covered_minus:
        return float("nan")
    p, m = plus / covered_plus, minus / covered_minus
    return (p - m) / (p + m)


def _shape(
    feature: int,
    tracks: Sequence[RowTrack],
    memory: Sequence[Bool[np.ndarray, " _row"]],
    config: RankConfig,
) -> dict[str, float | int]:
    lags = np.arange(config.max_period + 2)
    draw = rng(config.seed, f"periodicity/{feature}")
    found, n = np.zeros(len(lags)), 0
    for track in tracks:
        row = track.row
        if not len(row):
            continue
        fires = memory[track.genome]
        fires[row] = True
        # the sample is random, since an evenly spaced one would have a period of its own
        sample = row if len(row) <= _SAMPLED else draw.choice(row, _SAMPLED, replace=False)
        found += np.count_nonzero(fires[sample[:, None] + lags], axis=0)
        n += len(sample)
        fires[row] = False
    period = find_period(found / max(n, 1))
    return {"periodicity": period.strength, "period": period.bp}


def _outlier_share(tracks: Sequence[RowTrack], specimens: Sequence[Specimen]) -> float:
    if any(specimen.outliers is None for specimen in specimens):
        return float("nan")
    outliers = [specimen.needs("outliers") for specimen in specimens]
    found = sum(int(outliers[track.genome][track.strand][track.row].sum()) for track in tracks)
    return found / sum(len(track.row) for track in tracks)


def _maximum(tracks: Sequence[RowTrack]) -> float:
    return max(float(track.value.max(initial=0.0)) for track in tracks)


def _find_all_loci(
    stores: Sequence[FeatureStore], tracks: Sequence[RowTrack], config: RankConfig
) -> list[Loci]:
    at_least = config.locus_share * _maximum(tracks)
    return [
        find_loci(
            track.row,
            track.value,
            np.array(list(stores[track.genome].offsets.values()), dtype=np.int64),
            at_least=at_least,
            merge_gap=config.merge_gap,
        )
        for track in tracks
    ]


def _choose(
    tracks: Sequence[RowTrack],
    loci: Sequence[Loci],
    config: RankConfig,
    draw: np.random.Generator,
) -> list[Int64[np.ndarray, " _locus"]]:
    at_least = config.locus_share * _maximum(tracks)
    share = min(1.0, N_LOCI / sum(len(own.start) for own in loci))
    return [
        choose_bases(track.row[track.value >= at_least], own.start, own.end, draw, share=share)
        for track, own in zip(tracks, loci, strict=True)
    ]


def _place(
    backdrops: Sequence[Backdrop],
    tracks: Sequence[RowTrack],
    found: Sequence[Loci],
    trained_on: Collection[str] | None,
) -> dict[str, object]:
    number = np.array([len(loci.start) for loci in found])
    of = np.repeat(np.arange(len(tracks)), number)
    merged = Loci(*(np.concatenate(columns) for columns in zip(*found, strict=True)))
    order = np.argsort(-merged.maximum, kind="stable")
    best, genomes = order[0], {track.genome for track, n in zip(tracks, number, strict=True) if n}
    n_loci, n_read = np.zeros((2, len(backdrops)), np.int64)
    np.add.at(n_loci, [track.genome for track in tracks], number)
    n_read[:] = [sum(backdrop.n_covered.values()) for backdrop in backdrops]
    known = trained_on or ()
    is_seen = np.array([it.specimen.genome_sha256 in known for it in backdrops], np.bool_)
    share = seen_share(n_loci, n_read, is_seen)
    store = backdrops[tracks[of[best]].genome].specimen.features
    sequences = _sequences(backdrops, [tracks[i] for i in of[order[:_ALIGNED]]], merged, order)
    n_covered = sum(sum(backdrop.n_covered.values()) for backdrop in backdrops)
    return {
        "n_loci": int(number.sum()),
        "locus_length": float(np.median(merged.end - merged.start)),
        "n_genomes": len(genomes),
        "seen_share": float("nan") if trained_on is None else share,
        "seen_p": float("nan") if trained_on is None else seen_chance(n_loci, n_read, is_seen),
        "top_region": _region(store, int(merged.start[best]), int(merged.end[best])),
        **sequences,
        "motif_share": motif_share(
            float(sequences["motif_bits"]), min(len(order), _ALIGNED), n_covered
        ),
    }


def _sequences(
    backdrops: Sequence[Backdrop],
    of: Sequence[RowTrack],
    loci: Loci,
    order: Int64[np.ndarray, " locus"],
) -> dict[str, float | int]:
    """Describe the sequences of the strongest loci; ``of`` holds the track of each locus."""
    spans: list[UInt8[np.ndarray, " _bp"]] = []
    aligned: list[bytes] = []
    for track, locus in zip(of, order[: len(of)].tolist(), strict=True):
        letters = backdrops[track.genome].letters
        if len(spans) < _COMPARED:
            low, high = loci.start[locus] - _FLANK, loci.end[locus] + _FLANK
            high = min(high, low + _LONGEST)
            spans.append(_read(letters, int(max(low, 0)), int(high), track.strand))
        peak = int(loci.peak[locus])
        if _AROUND <= peak < len(letters) - _AROUND:
            around = _read(letters, peak - _AROUND, peak + _AROUND + 1, track.strand)
            aligned.append(around.tobytes())
    counts = np.sum([backdrop.composition for backdrop in backdrops], axis=0)
    both = (counts + counts[::-1]) / (2 * max(int(counts.sum()), 1))
    background = np.maximum(both, 1e-6)
    return {
        "n_families": count_families(spans),
        "motif_bits": motif_information(aligned, background / background.sum()),
    }


def _read(
    letters: UInt8[np.ndarray, " row"], start: int, end: int, strand: ReadStrand
) -> UInt8[np.ndarray, " bp"]:
    bases = letters[start:end]
    return reverse_complement(bases) if strand == "-" else bases


def _pattern(row: Mapping[str, object], config: RankConfig) -> str:
    shape = Shape(**{name: row[name] for name in Shape._fields})  # type: ignore[arg-type]
    return classify(
        shape,
        window_start=config.window_start,
        periodic=config.periodic,
        dense=config.dense,
        element_length=config.element_length,
        motif_bits=config.motif_bits,
    )


def _region(store: FeatureStore, start: int, end: int) -> str:
    names, offsets = list(store.offsets), np.array(list(store.offsets.values()), dtype=np.int64)
    index = int(np.searchsorted(offsets, start, side="right")) - 1
    offset = int(offsets[index])
    return format_region(GenomicInterval(names[index], start - offset, end - offset))
