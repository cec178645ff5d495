"""`explain`: why a model predicts a base, what a variant changes, why a feature fires."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from genointerp.core.arguments import FeatureName, StrPath, as_path, as_texts
from genointerp.core.config import check_choice, read_config
from genointerp.core.errors import InputError
from genointerp.core.files import check_replaceable, claiming, together
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import sha256_file
from genointerp.explanation.answer import Answer
from genointerp.explanation.explain import ExplainConfig
from genointerp.explanation.inputs import ExplainInputs
from genointerp.feature.specimen_files import labels_around
from genointerp.genome.genome import Genome
from genointerp.genome.place import parse_place
from genointerp.genome.variant import Variant, parse_variant, read_variants
from genointerp.reading.model_choice import AnyModel, RecordedModel
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.header import DictionaryHeader
from genointerp.store.feature.store import STRANDS, ReadStrand
from genointerp.store.graph.file import check_graph_path, is_graph_of, write_graph
from genointerp.store.graph.graph import AttributionGraph
from genointerp.store.table.schema.explanation import EXPLAINED, EXPLANATION
from genointerp.store.table.summarised import summary_of
from genointerp.store.table.table import check_table_path, is_table_of, write_table


def explain(
    genome: StrPath,
    out: StrPath,
    model: AnyModel | RecordedModel | None = None,
    *,
    at: str | Iterable[str] = (),
    variant: str | Iterable[str] = (),
    vcf: StrPath | None = None,
    feature: FeatureName | None = None,
    of: StrPath | None = None,
    strand: ReadStrand | None = None,
    sae: StrPath | None = None,
    associations: StrPath | None = None,
    graph_out: StrPath | None = None,
    config: ExplainConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Explain predictions, variants or a feature by the features of a site; write two tables.

    See :func:`genointerp.explanation.explain.explain_question`. Exactly one of ``at``, ``variant``
    and ``vcf`` says what is asked.

    Parameters
    ----------
    genome
        FASTA or GenBank; or a run directory, whose genome is the one on which it measures, and
        which has the dictionary and the associations too.
    out
        .tsv, .csv, .parquet or .json: the nodes. The sums, a row for each question and strand, are
        written next to it as ``.summary`` of the same name.
    model
        A name, or a model that is loaded; where None, the one that the dictionary is of.
    at
        A base, ``seqid:base``, or a stretch, ``seqid:first-last``; 1-based and closed. Or several.
    variant
        ``POS:REF>ALT``, or ``SEQID:POS:REF>ALT`` where there are several contigs; 1-based, forward
        strand. Or several.
    vcf
        A file of variants, plain, gzip or bgzip.
    feature, of
        In place of the prediction at ``at``, a feature of another dictionary there, by number or
        name, and the folder of that dictionary, at a site above.
    strand
        The reading strand; both, and whether they agree, where None.
    sae
        Folder of the dictionary whose features explain, or ``shipped:nano``; a run has its own.
    associations
        Associations of its features, for the concepts that they are called by.
    graph_out
        Where the nodes are written as a graph too, ``.json`` for circuit-tracer's viewer or
        ``.graphml``; for one question on one strand.
    config
        Baseline, steps and numbers: a mapping such as ``{"baseline": "shuffle"}``, or YAML.

    Raises
    ------
    InputError
        If what is asked cannot be answered: a base without bases before it or beyond its contig, a
        letter other than A, C, G and T, a variant whose REF is not the genome's, a site above that
        of the dictionary, or a model that is masked, of half precision or without gradients.
    MismatchError
        If genome, dictionaries, model and associations do not belong together.

    Examples
    --------
    >>> import genointerp as gi
    >>> answer = gi.explain(
    ...     "results/demo", "explanation.tsv", at="NC_000964.3:30,600"
    ... )  # doctest: +SKIP
    >>> answer.summary["change"]  # doctest: +SKIP
    """
    config, out = read_config(ExplainConfig, config), Path(out)
    beside = summary_of(out)
    for place in (out, beside):
        check_table_path(place)
    places, variants, file = as_texts(at), as_texts(variant), as_path(vcf)
    graph_path = as_path(graph_out)
    if graph_path is not None:
        check_graph_path(graph_path)
    _check_asked(places, variants, file, feature, of, strand)
    config = config if places else _of_variants(config)
    strands: Sequence[ReadStrand] = STRANDS if strand is None else (strand,)
    inputs = ExplainInputs.of(genome, sae=sae, associations=associations)
    explainer = replace(inputs.explainer(model, config), graphs=graph_path is not None)
    settings = {"at": [*places], "variant": [*variants], "strands": [*strands]}
    others = {} if file is None else {"variants": sha256_file(file)}
    above = None if of is None else Dictionary.load(of)
    if above is not None:
        settings["feature"] = [str(feature)]
        others["of"] = above.header.sha256
    provenance = inputs.provenance(explainer, settings, others)
    found = list(dict.fromkeys(parse_place(text, explainer.genome) for text in places))
    own = _variants(variants, file, explainer.genome)
    check_replaceable(beside, same=is_table_of(beside, EXPLAINED, provenance))
    if graph_path is not None:
        _check_one(len(strands) * len([*found, *own]))
        check_replaceable(graph_path, same=is_graph_of(graph_path, provenance))
    with claiming(out, same=is_table_of(out, EXPLANATION, provenance)):
        with progress_bar("explain (percent of a question)", progress) as report:
            if above is not None and feature is not None:
                number = _number(above.header, feature)
                answer = explainer.feature(found, strands, above, number, progress=report)
            elif found:
                answer = explainer.bases(found, strands, progress=report)
            else:
                answer = explainer.variants(own, strands, progress=report)
        with together():
            write_table(answer.nodes, out, EXPLANATION, provenance)
            write_table(answer.summary, beside, EXPLAINED, provenance)
            if graph_path is not None:
                write_graph(_only(answer), graph_path, provenance)
    return answer


def _check_asked(
    places: Sequence[str],
    variants: Sequence[str],
    vcf: Path | None,
    feature: FeatureName | None,
    of: StrPath | None,
    strand: str | None,
) -> None:
    if strand is not None:
        check_choice("strand", strand, ReadStrand)
    given = {"at": bool(places), "variant": bool(variants), "vcf": vcf is not None}
    names = [name for name, is_given in given.items() if is_given]
    if len(names) != 1:
        found = " and ".join(names) or "none"
        raise InputError("question", "one of at, variant and vcf", found)
    if (feature is None) != (of is None):
        found = "feature alone" if of is None else "of alone"
        expected = "a feature together with the dictionary of a site above that it is of"
        raise InputError("feature", expected, found)
    if feature is not None and not places:
        raise InputError("feature", "a base (at) at which it is read", names[0])


def _of_variants(config: ExplainConfig) -> ExplainConfig:
    """Return the configuration with the baseline and the measure that variants have.

    Raises
    ------
    InputError
        If others are wanted.
    """
    if config.baseline not in (ExplainConfig.baseline, "counterfactual"):
        raise InputError("baseline", "none: a variant is compared with its REF", config.baseline)
    if config.measure not in (ExplainConfig.measure, "log_p"):
        raise InputError("measure", "none: of a variant it is log_p", config.measure)
    return replace(config, baseline="counterfactual", measure="log_p")


def _variants(texts: Sequence[str], vcf: Path | None, genome: Genome) -> list[Variant]:
    """Return what is asked for, each once."""
    own = [parse_variant(text, genome) for text in texts]
    own += [] if vcf is None else read_variants(vcf, genome)
    return list(dict.fromkeys(own))


def _check_one(number: int) -> None:
    if number != 1:
        expected = "one question on one strand (strand), which has nodes"
        raise InputError("graph_out", expected, str(number))


def _only(answer: Answer) -> AttributionGraph:
    _check_one(len(answer.graphs))
    return answer.graphs[0]


def _number(header: DictionaryHeader, feature: FeatureName) -> int:
    return header.feature_number(feature, partial(labels_around, header.folder))
