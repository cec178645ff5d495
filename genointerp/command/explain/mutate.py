"""`mutate`: which bases upstream stand behind a prediction, or behind a feature."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from genointerp.core.arguments import FeatureName, StrPath, as_path, as_texts
from genointerp.core.config import check_choice, read_config, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import check_replaceable, claiming, together
from genointerp.core.progress import Progress, progress_bar
from genointerp.explanation.reader import Reader
from genointerp.explanation.upstream import Upstream, UpstreamConfig, explain_upstream
from genointerp.feature.specimen_files import labels_around
from genointerp.genome.place import parse_place
from genointerp.reading.model_choice import AnyModel, RecordedModel
from genointerp.store.feature.store import STRANDS, ReadStrand
from genointerp.store.table.schema.mutagenesis import CHAIN, EXPLAINING_BASES
from genointerp.store.table.table import check_table_path, is_table_of, write_table


def mutate(
    genome: StrPath,
    out: StrPath,
    at: str | Iterable[str],
    model: AnyModel | RecordedModel | None = None,
    *,
    feature: FeatureName | None = None,
    strand: ReadStrand | None = None,
    sae: StrPath | None = None,
    chain_out: StrPath | None = None,
    config: UpstreamConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> Upstream:
    """Replace the bases before a prediction, one at a time, and write what each does to it.

    See :func:`genointerp.explanation.upstream.explain_upstream`.

    Parameters
    ----------
    genome
        FASTA or GenBank; or a run directory, whose genome is the one on which it measures, and
        which has the model and the dictionary too.
    out
        .tsv, .csv, .parquet or .json: a row for each base that is replaced.
    at
        A base, ``seqid:base``, or a stretch, ``seqid:first-last``, whose prediction is explained;
        1-based and closed. Or several.
    model
        A name, or a model that is loaded; where None, that of the run or of the dictionary.
    feature
        In place of the prediction, a feature of the dictionary at the base, by number or name.
    strand
        The reading strand; both where None.
    sae
        Folder of the dictionary, or ``shipped:nano``; a run has its own. A prediction needs none.
    chain_out
        Table of the features through which the largest effects pass, to be written too.
    config
        Numbers of bases, context and measure: a mapping such as ``{"upstream": 128}``, or YAML.

    Raises
    ------
    InputError
        If what is asked cannot be answered: a base without bases before it or beyond its contig, a
        letter other than A, C, G and T, or a model that is masked, without gradients, or whose
        tokens are not bases; or one of half precision if ``only`` or ``chain_out`` is given.
    MismatchError
        If the dictionary is not of the model.

    Examples
    --------
    >>> import genointerp as gi
    >>> found = gi.mutate(
    ...     "results/demo", "bases.tsv", "NC_000964.3:30,600"
    ... )  # doctest: +SKIP
    """
    config, out, beside = read_config(UpstreamConfig, config), Path(out), as_path(chain_out)
    for place in (out, beside):
        if place is not None:
            check_table_path(place)
    if strand is not None:
        check_choice("strand", strand, ReadStrand)
    texts = as_texts(at)
    if not texts:
        raise InputError("at", "a base or a stretch", "none")
    reader = Reader.open(genome, model, sae=sae)
    strands: Sequence[ReadStrand] = STRANDS if strand is None else (strand,)
    number = None if feature is None else _number(reader, feature)
    places = list(dict.fromkeys(parse_place(text, reader.genome) for text in texts))
    if number is None and beside is None:
        reader = reader.alone()
    settings = to_mapping(config) | {"at": [*texts], "strands": [*strands], "feature": number}
    provenance = reader.provenance(settings)
    if beside is not None:
        check_replaceable(beside, same=is_table_of(beside, CHAIN, provenance))
    with claiming(out, same=is_table_of(out, EXPLAINING_BASES, provenance)):
        with progress_bar("mutate (questions)", progress) as report:
            found = explain_upstream(
                reader,
                places,
                strands,
                feature=number,
                chains=beside is not None,
                config=config,
                progress=report,
            )
        with together():
            write_table(found.bases, out, EXPLAINING_BASES, provenance)
            if beside is not None and found.chain is not None:
                write_table(found.chain, beside, CHAIN, provenance)
    return found


def _number(reader: Reader, feature: FeatureName) -> int:
    if reader.dictionary is None:
        raise InputError("sae", "the dictionary of the feature", "none")
    header = reader.dictionary.header
    return header.feature_number(feature, partial(labels_around, header.folder))
