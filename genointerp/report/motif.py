"""From files to the motif of a feature: what stands behind the command `motif`."""

from pathlib import Path

import numpy as np

from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.feature.genomes import GenomeFiles, total_inputs
from genointerp.feature.motif import Motif, MotifConfig, find_motif, write_meme
from genointerp.plot.logo import plot_logo
from genointerp.plot.style import FONT_SIZE
from genointerp.report.figure_file import FORMATS, new_figure, save_figure
from genointerp.store.table_schemas import MOTIF
from genointerp.store.tables import write_table

_TABLES = (".tsv", ".json", ".parquet")


def write_motif(
    files: GenomeFiles, feature: int | str, out: Path, config: MotifConfig | None = None
) -> Motif:
    """Write the motif of a feature as the suffix says, and return it.

    Parameters
    ----------
    files
        Features with the sequence of every genome.
    out
        ``.meme``; ``.tsv``, ``.json`` or ``.parquet``; ``.png``, ``.pdf`` or ``.svg`` (a logo).

    Raises
    ------
    InputError
        If the suffix is another, or there is nothing to align.
    """
    config = MotifConfig() if config is None else config
    out = Path(out)
    known = (".meme", *_TABLES, *FORMATS)
    if out.suffix not in known:
        raise InputError(str(out), f"a name that ends in {', '.join(known)}", repr(out.suffix))
    genomes = files.open(bases=True)
    motif = find_motif(genomes, feature, config)
    record = Provenance({"feature": feature, **to_mapping(config)}, total_inputs(genomes))
    if out.suffix == ".meme":
        write_meme(motif, out, record)
    elif out.suffix in _TABLES:
        write_table(motif.table(), out, MOTIF, record)
    else:
        draw_motif(motif, out)
    return motif


def draw_motif(motif: Motif, out: Path) -> None:
    """Draw the logo of a motif, and save the figure."""
    figure = new_figure(1.2 + 0.2 * len(motif.counts), 2.2)
    null_bits = highest_null(motif)
    ax = plot_logo(motif.heights, first=motif.first, null_bits=null_bits, ax=figure.subplots())
    repeated = f", {motif.n_repeated} repeats left out" if motif.n_repeated else ""
    title = f"{motif.name}: {motif.n_sites} loci{repeated}; dashed: 1 in 20 by chance"
    ax.set_title(title, fontsize=FONT_SIZE + 1)
    save_figure(figure, out)


def highest_null(motif: Motif) -> float | None:
    """Return the highest null of the columns that have bases, in bits; None where none has."""
    null_bits = motif.information.null_bits
    known = null_bits[~np.isnan(null_bits)]
    return float(known.max()) if len(known) else None
