"""How far the predictions of tuned models are from those of the run's, as tracks of the browser."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyBigWig
from jaxtyping import Float64, Int64

from genointerp.core.errors import SchemaError
from genointerp.core.text import one_line
from genointerp.genome.interval import GenomicInterval
from genointerp.page.browser import SIGNS, browser_text
from genointerp.panel.divergence import PAIRS
from genointerp.server.known import known
from genointerp.server.tracks import NEAR_BP, bin_length
from genointerp.store.feature.store import STRANDS, ReadStrand
from genointerp.store.table.schema.divergence import DIVERGENCE_BINS
from genointerp.store.table.table import read_table

MEASURES = {"kl": PAIRS["tuned", "base"], "control_kl": PAIRS["control", "base"]}
"""What the tracks show, with label, colour and line as in the figure."""

_FILES = {"+": "plus", "-": "minus"}


class _Places(NamedTuple):
    """One comparison: its genome (empty if the run does not say), bins, and folder of tracks."""

    genome: str
    bins: pd.DataFrame
    folder: Path


class Divergences:
    """The divergence of each tuned model of a run, for any number of threads.

    Parameters
    ----------
    path
        Directory of the run.
    config
        Its configuration, which names the genome of each comparison.
    """

    def __init__(self, path: Path, config: Mapping[str, Any]) -> None:
        entries = (config.get("comparisons") or {}).get("diff") or {}
        self._places = {
            file.parent.name: _Places(
                str((entries.get(file.parent.name) or {}).get("genome", "")),
                read_table(file, DIVERGENCE_BINS),
                file.with_name("tracks"),
            )
            for file in sorted(path.glob("comparisons/diff/*/divergence.bins.tsv"))
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the comparisons."""
        return tuple(self._places)

    def options(self, name: str) -> dict[str, Any]:
        """Return the track of a comparison as the browser takes it: + upward, - downward.

        The control is drawn over the tuned model, so that what is seen of that is beyond it.
        """
        bins = known(self._places, name).bins
        measures = [it for it in MEASURES if bins[it].notna().any()]
        limit = float(np.nanmax(bins[measures].to_numpy(), initial=0.0)) if measures else 0.0
        scale = {"min": -(limit or 1.0), "max": limit or 1.0}
        sides = [
            {
                "type": "wig",
                "name": f"{MEASURES[measure][0]}, read on {strand}",
                "asks": {"divergence": name, "measure": measure, "side": strand},
                "color": MEASURES[measure][1],
                "windowFunction": "max" if SIGNS[strand] > 0 else "min",
                **scale,
            }
            for measure in measures
            for strand in STRANDS
        ]
        said = "next to its control in grey" if "control_kl" in measures else "without a control"
        label = browser_text(f"divergence of {name} (KL in nats, {said})")
        return {"type": "merged", "name": label, "height": 90, **scale, "tracks": sides}

    def region(
        self, name: str, genome: str, place: GenomicInterval, bin_bp: int
    ) -> dict[str, dict[ReadStrand, dict[str, list[Any]]]]:
        """Return the largest KL in stretches of an interval within a contig, by measure and strand.

        Up to `NEAR_BP` it is that of each base where the run has the tracks, or of bins; from
        further away, and without tracks, that of the bins of the table.

        Parameters
        ----------
        bin_bp
            Length in bp of the bins of what is near, see `Tracks.region`.

        Raises
        ------
        SchemaError
            If a file of tracks is damaged.
        """
        places = known(self._places, name)
        found: dict[str, dict[ReadStrand, dict[str, list[Any]]]] = {}
        for measure in MEASURES:
            found[measure] = {}
            for strand in STRANDS:
                file = places.folder / f"{measure}.{_FILES[strand]}.bw"
                if places.genome not in ("", genome):
                    runs = _nothing()
                elif place.length <= NEAR_BP and file.is_file():
                    runs = _of_bases(file, place, bin_length(place, bin_bp))
                else:
                    runs = _of_bins(places.bins, measure, strand, place)
                value = [SIGNS[strand] * float(f"{it:.3g}") for it in runs.value.tolist()]
                found[measure][strand] = {
                    "start": runs.start.tolist(),
                    "end": runs.end.tolist(),
                    "value": value,
                }
        return found


class _Runs(NamedTuple):
    start: Int64[np.ndarray, " run"]
    end: Int64[np.ndarray, " run"]
    value: Float64[np.ndarray, " run"]


def _nothing() -> _Runs:
    return _Runs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def _of_bases(file: Path, place: GenomicInterval, size: int) -> _Runs:
    """Return the largest value of each bin; one without a value is absent."""
    first = place.start // size * size
    found = _stored(file, place, first)
    values = np.full(-(-len(found) // size) * size, -np.inf)
    values[: len(found)] = np.nan_to_num(found, nan=-np.inf)
    top = values.reshape(-1, size).max(axis=1)
    has = np.flatnonzero(np.isfinite(top))
    start = first + has * size
    return _Runs(start, np.minimum(start + size, place.end), top[has])


def _stored(file: Path, place: GenomicInterval, first: int) -> Float64[np.ndarray, " bp"]:
    """Return the value of each base from ``first`` to the end of a place; NaN where none is."""
    try:
        with pyBigWig.open(str(file)) as track:
            return np.array(track.values(place.seqid, first, place.end), dtype=np.float64)
    except RuntimeError as error:
        raise SchemaError(str(file), "a bigWig file", one_line(error)) from error


def _of_bins(bins: pd.DataFrame, measure: str, strand: str, place: GenomicInterval) -> _Runs:
    inside = (bins["seqid"] == place.seqid) & (bins["strand"] == strand) & bins[measure].notna()
    own = bins[inside & (bins["end"] > place.start) & (bins["start"] < place.end)]
    own = own.sort_values("start", kind="stable")
    return _Runs(*(own[name].to_numpy() for name in ("start", "end", measure)))
