"""Where else a feature fires: its strongest loci over all genomes, and what lies there."""

from pathlib import Path

from genointerp.core.config import to_mapping
from genointerp.core.provenance import Provenance
from genointerp.feature.specimen_files import SpecimenFiles, total_inputs
from genointerp.feature.top import TopConfig, strongest_loci
from genointerp.store.table.schema.feature import TOP_LOCI
from genointerp.store.table.table import TextFormat, render_table, write_table


def top(
    files: SpecimenFiles,
    feature: int | str,
    config: TopConfig | None = None,
    *,
    format: TextFormat = "table",
    out: Path | None = None,
) -> str:
    """Return the text of `strongest_loci`, or write it as a table with its provenance.

    Parameters
    ----------
    out
        Write a table there, as the suffix says; the text is then one line.
    """
    config = TopConfig() if config is None else config
    specimens = files.open(sequence=True, annotation=True, required=False)
    table = strongest_loci(specimens, feature, config)
    if out is None:
        return render_table(table, format)
    record = Provenance({"feature": feature, **to_mapping(config)}, total_inputs(specimens))
    write_table(table, out, TOP_LOCI, record)
    return f"{len(table)} loci -> {out}\n"
