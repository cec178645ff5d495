"""`trace`: the attribution graph of a prediction over the dictionaries of several sites."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genointerp.association.summary import feature_labels
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path, as_paths, is_run
from genointerp.core.config import read_config, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import claiming
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.genome.place import parse_place
from genointerp.genome.read import read_genome
from genointerp.reading.model_choice import AnyModel, RecordedModel, loaded_or_recorded
from genointerp.reading.question import ask_bases
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.header import read_header
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.graph.file import check_graph_path, is_graph_of, write_graph
from genointerp.store.graph.graph import AttributionGraph
from genointerp.store.table.identity import table_identity
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.table import read_table
from genointerp.wiring.stack import Stack
from genointerp.wiring.trace import trace_question
from genointerp.wiring.trace_config import TraceConfig


def trace(
    genome: StrPath,
    region: str,
    out: StrPath,
    model: AnyModel | RecordedModel | None = None,
    *,
    sae: OneOrMorePaths = (),
    strand: Strand = "+",
    associations: StrPath | None = None,
    config: TraceConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> AttributionGraph:
    """Trace a prediction through features of several sites; write and return the graph.

    See :func:`genointerp.wiring.trace.trace_question`.

    Parameters
    ----------
    genome
        FASTA or GenBank; or a run directory, whose genome is the one on which it measures, and
        which has a dictionary and associations too.
    region
        The bases that are predicted, as one number: ``seqid:first-last``, or ``seqid:base``.
    out
        .json, as circuit-tracer's viewer reads it, or .graphml.
    model
        A name, or a model that is loaded; where None, the one that the dictionaries are of.
    sae
        Folders of dictionaries, one a site, in any order; that of a run is one more, unless one is
        of its site.
    strand
        Strand that is read.
    associations
        Associations of one of the dictionaries, after which its features are called.
    config
        What is read and followed: a mapping such as ``{"n_nodes": 100}``, or YAML.

    Raises
    ------
    InputError
        If no dictionary is known, or the model cannot be differentiated.
    CoordinateError
        If the region is not inside the genome.
    MismatchError
        If dictionaries, model and associations do not belong together.

    Examples
    --------
    >>> import genointerp as gi
    >>> place = "NC_000964.3:30,600"
    >>> graph = gi.trace("results/demo", place, "why.json", sae="sae3")  # doctest: +SKIP
    """
    config, out = read_config(TraceConfig, config), Path(out)
    check_graph_path(out)
    sequence, folders, named, source = _files(genome, as_paths(sae), as_path(associations))
    contigs = read_genome(sequence)
    dictionaries = [Dictionary.load(folder) for folder in folders]
    stack = Stack.of(loaded_or_recorded(model, source), dictionaries)
    found = parse_place(region, contigs)
    asked = GenomicInterval(found.seqid, found.start, found.end, strand)
    question = ask_bases(
        stack.model, contigs, asked, context=config.context, measure=config.measure
    )
    inputs = {
        "genome": contigs.sha256,
        "model": stack.model.spec.sha256,
        **{f"sae-{it.header.site}": it.header.sha256 for it in stack.dictionaries},
    }
    if named is not None:
        inputs["associations"] = sha256_file(named)
    settings = to_mapping(config) | {"region": region, "strand": strand}
    provenance = Provenance(settings, inputs)
    with claiming(out, same=is_graph_of(out, provenance)):
        with progress_bar("trace (sites)", progress) as report:
            graph = trace_question(
                stack,
                question,
                contig_length=contigs[asked.seqid].length,
                names=_names(stack.dictionaries, named),
                config=config,
                progress=report,
            )
        write_graph(graph, out, provenance)
    return graph


def _files(
    genome: StrPath, sae: Sequence[Path], associations: Path | None
) -> tuple[Path, list[Path], Path | None, StrPath]:
    """Return sequence, dictionaries, associations, and what says which model it is."""
    if not is_run(genome):
        if not sae:
            expected = "the folder of a dictionary, or a run directory in place of the genome"
            raise InputError("sae", expected, "none")
        return Path(genome), list(sae), associations, sae[0]
    run = RunFolder.open(genome)
    sites = {read_header(folder).site for folder in sae}
    own = [] if read_header(run.sae).site in sites else [run.sae]
    if associations is None and own and run.associations.is_file():
        associations = run.associations
    return run.genomes[run.measured].sequence, [*sae, *own], associations, genome


def _names(
    dictionaries: Sequence[Dictionary], associations: Path | None
) -> dict[tuple[str, int], str]:
    """Return what features are called: by their dictionary, else by the concept they mark."""
    names: dict[tuple[str, int], str] = {}
    if associations is not None:
        identities = [dictionary.header.identity for dictionary in dictionaries]
        own = table_identity(associations, ASSOCIATIONS).find(identities, "dictionary")
        site = dictionaries[own].header.site
        labels = feature_labels(read_table(associations, ASSOCIATIONS))
        for row in labels.to_dict("records"):
            label = f"f/{row['feature']} {row['best_concept']} {row['orientation']}"
            names[site, int(row["feature"])] = label
    for dictionary in dictionaries:
        for name, feature in dictionary.header.feature_names.items():
            names[dictionary.header.site, feature] = name
    return names
