"""What fires in a region, in many, in a gene, or everywhere, strongest first. Torch-free."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from genointerp.core.config import to_mapping
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.query import QueryConfig, query_frames
from genointerp.feature.regions import Places
from genointerp.feature.render import FrameFormat, render_frames, write_frames
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import SpecimenFiles, total_inputs
from genointerp.store.table.associations import read_associations
from genointerp.store.table.schema.feature import QUERY


def query_table(
    files: SpecimenFiles,
    places: Places,
    config: QueryConfig | None = None,
    *,
    associations: Path | None = None,
) -> pd.DataFrame:
    """Return what fires in every region of every genome, as one table in the schema ``QUERY``.

    Parameters
    ----------
    files
        A features file, or a catalogue of several.
    associations
        An associations table; that of the catalogue where None.
    """
    specimens, known = _opened(files, places, associations)
    frames = list(query_frames(specimens, places, config, associations=known))
    return pd.concat(frames, ignore_index=True)


def query(
    files: SpecimenFiles,
    places: Places,
    config: QueryConfig | None = None,
    *,
    associations: Path | None = None,
    format: FrameFormat = "table",
    out: Path | None = None,
) -> Iterator[str]:
    """Yield the text of ``query``, region by region as each is read.

    Parameters
    ----------
    out
        Write a table there instead, with its provenance, as the suffix says (.tsv, .json,
        .parquet, .bed); the text is then one line.
    """
    config = QueryConfig() if config is None else config
    specimens, known = _opened(files, places, associations)
    frames = query_frames(specimens, places, config, associations=known)
    lengths = {
        (specimen.name, seqid): length
        for specimen in specimens
        for seqid, length in specimen.features.lengths.items()
    }
    if out is None:
        yield from render_frames(frames, format, lengths)
        return
    inputs = total_inputs(specimens)
    path = associations or files.associations
    if path is not None:
        inputs["associations"] = sha256_file(path)
    # what comes through a pipe can be read once
    if places.bed is not None and places.bed.is_file():
        inputs["bed"] = sha256_file(places.bed)
    record = Provenance({**to_mapping(config), **to_mapping(places)}, inputs)
    yield f"{write_frames(frames, out, QUERY, record, lengths)} rows -> {out}\n"


def _opened(
    files: SpecimenFiles, places: Places, associations: Path | None
) -> tuple[tuple[Specimen, ...], pd.DataFrame | None]:
    specimens = files.open(annotation=bool(places.genes), required=False)
    if places.genes and all(specimen.annotation is None for specimen in specimens):
        specimens[0].needs("annotation")
    path = associations or files.associations
    return specimens, None if path is None else read_associations(path, specimens[0].features)
