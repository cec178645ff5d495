"""Whether the sides of a split share sequence: test cannot measure what fit has seen."""

import importlib.util
import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import UInt8, UInt64

from genointerp.association.config import AssociateConfig
from genointerp.association.count.universe import lay_side
from genointerp.association.split import SIDE_NAMES, SideName
from genointerp.feature.specimen import Specimen
from genointerp.genome.letters import UNKNOWN, base_codes
from genointerp.genome.runs import merge_intervals
from genointerp.store.table.schema.association import SIDES
from genointerp.store.table.table import conform, empty_table

_log = logging.getLogger(__name__)

SIMILAR_SHARE = 0.05
"""Share of test that may be similar to fit before `compare_sides` warns.

A score can be remembered instead of predicted on this share of test at most, which bounds how much
too high the score may be. Repeats within a bacterial genome (rRNA operons, insertion sequences) are
1 to 3 % of it; two strains of a species share nearly everything.
"""

K = 31
"""Length in bases of the words that are compared, which hardly ever recur by chance."""

_SAMPLE = 64
# one word in this many is compared, chosen by its hash: the same words on either side
_MIX = np.uint64(0x9E3779B97F4A7C15)


class _Side(NamedTuple):
    """The bases of one genome that were read on one side, as pieces of consecutive bases.

    ``genome`` is its number, since drafts of two genomes may begin with contigs of the same name.
    """

    genome: int
    name: str
    pieces: list[UInt8[np.ndarray, " _"]]

    @property
    def n_bp(self) -> int:
        return sum(len(piece) for piece in self.pieces)


def compare_sides(specimens: Sequence[Specimen], config: AssociateConfig) -> pd.DataFrame:
    """Compare what was read on fit with what was read on test, in the schema ``SIDES``.

    There is a row for each pair of a genome with bases on fit and a genome with bases on test. The
    result is logged, with a warning if the sides are alike.

    Notes
    -----
    ``shared_kmers`` is the share of the 31-base words of test, on either strand, that occur in fit.
    It is estimated from one word in 64, chosen by hash as in FracMinHash (Irber et al. 2022). It
    reaches `SIMILAR_SHARE` for exact copies, and for relatives of 91 % identity or more (``.91 **
    31 = .05``).

    ``ani`` and ``aligned_share`` are the average nucleotide identity, and the share of test that
    aligns at all, by skani (Shaw and Yu 2023), which finds relatives down to about 80 % identity.
    They are undefined and 0 if it finds none, and both undefined if `pyskani` is not installed.

    A row is ``similar`` if either share reaches `SIMILAR_SHARE`.
    """
    fit, test = (
        [side for side in _read_sides(specimens, config, name) if side.pieces]
        for name in SIDE_NAMES
    )
    words = {side.genome: np.unique(_words(side.pieces)) for side in fit}
    rows = []
    for side in test:
        own = _words(side.pieces)
        for other in fit:
            shared = float(np.isin(own, words[other.genome]).mean()) if len(own) else 0.0
            rows.append((other.name, side.name, other.n_bp, side.n_bp, shared))
    columns = ["fit_genome", "test_genome", "fit_bp", "test_bp", "shared_kmers"]
    table = pd.DataFrame(rows, columns=columns) if rows else empty_table(SIDES)[columns]
    table = table.assign(**_aligned(fit, test))
    similar = (table[["shared_kmers", "aligned_share"]] >= SIMILAR_SHARE).any(axis=1)
    table = conform(table.assign(similar=similar.astype(np.int64)), SIDES, where="sides")
    _log_shares(table)
    return table


def pieces_on(
    specimens: Sequence[Specimen], config: AssociateConfig, side: SideName
) -> dict[str, list[UInt8[np.ndarray, " _"]]]:
    """Return the bases of each genome that were read on one side, as pieces, by name."""
    sides = _read_sides(specimens, config, side)
    return {one.name: one.pieces for one in sides if one.pieces}


def _read_sides(
    specimens: Sequence[Specimen], config: AssociateConfig, name: SideName
) -> list[_Side]:
    universe = lay_side(specimens, config, name)
    sides = []
    names = _names(specimens)
    for index, specimen in enumerate(specimens):
        covered = universe.covered[index]
        contigs = specimen.features.header.contigs
        bases = specimen.letters()
        segments = [np.column_stack([one.start, one.end]) for one in covered.values()]
        borders = np.cumsum([contig.length for contig in contigs])[:-1]
        pieces = [
            part
            for start, end in merge_intervals(np.concatenate(segments))
            for part in np.split(
                bases[start:end], borders[(borders > start) & (borders < end)] - start
            )
        ]
        sides.append(_Side(index, names[index], pieces))
    return sides


def _names(specimens: Sequence[Specimen]) -> list[str]:
    """Name genomes by their first contigs, and add their numbers if these names are not unique."""
    first = [specimen.features.header.contigs[0].seqid for specimen in specimens]
    return [
        f"{name} (genome {number})" if first.count(name) > 1 else name
        for number, name in enumerate(first, start=1)
    ]


def _words(pieces: Sequence[UInt8[np.ndarray, " _"]]) -> UInt64[np.ndarray, " word"]:
    """Return the hashes of the sampled words."""
    hashes = word_hashes(pieces)
    return np.asarray(hashes[hashes <= np.uint64((2**64 - 1) // _SAMPLE)], dtype=np.uint64)


def word_hashes(pieces: Sequence[UInt8[np.ndarray, " _"]]) -> UInt64[np.ndarray, " word"]:
    """Hash each word of K known bases, one to one; of its two strands the lesser code counts."""
    found: list[np.ndarray] = [np.zeros(0, np.uint64)]
    for piece in pieces:
        code = base_codes(piece)
        n = len(code) - K + 1
        if n < 1:
            continue
        forward, reverse = np.zeros(n, np.uint64), np.zeros(n, np.uint64)
        for offset in range(K):
            base = code[offset : offset + n].astype(np.uint64)
            forward = (forward << np.uint64(2)) | (base & np.uint64(3))
            reverse |= ((np.uint64(3) - base) & np.uint64(3)) << np.uint64(2 * offset)
        unknown = np.concatenate([[0], np.cumsum(code == UNKNOWN)])
        word = np.minimum(forward, reverse)[unknown[K:] == unknown[:-K]]
        # the high bits of the product depend on all bits of the word
        found.append((word ^ (word >> np.uint64(31))) * _MIX)
    return np.concatenate(found)


def _aligned(fit: Sequence[_Side], test: Sequence[_Side]) -> dict[str, list[float]]:
    n_rows = len(fit) * len(test)
    if importlib.util.find_spec("pyskani") is None:
        _log.warning(
            "pyskani is not installed: test was not searched for relatives of fit with less than "
            "about 91 % identity (pip install 'genointerp[similarity]')"
        )
        return {"ani": [np.nan] * n_rows, "aligned_share": [np.nan] * n_rows}
    import pyskani

    database = pyskani.Database()
    for side in fit:
        database.sketch(str(side.genome), *map(bytes, side.pieces))
    ani, share = [], []
    for side in test:
        hits = {
            hit.reference_name: hit
            for hit in database.query(str(side.genome), *map(bytes, side.pieces))
        }
        found = [hits.get(str(other.genome)) for other in fit]
        ani += [np.nan if hit is None else float(hit.identity) for hit in found]
        share += [0.0 if hit is None else float(hit.query_fraction) for hit in found]
    return {"ani": ani, "aligned_share": share}


def _log_shares(table: pd.DataFrame) -> None:
    for row in table.to_dict("records"):
        shares = f"{row['shared_kmers']:.1%} of its words of {K} bases"
        if not np.isnan(row["aligned_share"]):
            shares += f", {row['aligned_share']:.1%} by alignment"
        if not np.isnan(row["ani"]):
            shares += f" (ANI {row['ani']:.1%})"
        message = "sequence of test (%s) that also occurs in fit (%s): %s"
        if row["similar"]:
            shares += f"; {SIMILAR_SHARE:.0%} is too much: scores may be remembered"
            _log.warning(message, row["test_genome"], row["fit_genome"], shares)
        else:
            _log.info(message, row["test_genome"], row["fit_genome"], shares)
