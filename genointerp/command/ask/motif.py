"""From files to the motif of a feature: what stands behind the command `motif`."""

from pathlib import Path

from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.feature.motif import Motif, MotifConfig, find_motif, write_meme
from genointerp.feature.specimen_files import SpecimenFiles, total_inputs
from genointerp.figure.file import FORMATS
from genointerp.figure.motif import motif as draw_motif
from genointerp.store.table.schema.feature import MOTIF
from genointerp.store.table.table import write_table

_TABLES = (".tsv", ".json", ".parquet")


def motif(
    files: SpecimenFiles, feature: int | str, out: Path, config: MotifConfig | None = None
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
    specimens = files.open(sequence=True)
    motif = find_motif(specimens, feature, config)
    record = Provenance({"feature": feature, **to_mapping(config)}, total_inputs(specimens))
    if out.suffix == ".meme":
        write_meme(motif, out, record)
    elif out.suffix in _TABLES:
        write_table(motif.table(), out, MOTIF, record)
    else:
        draw_motif(motif, out)
    return motif
