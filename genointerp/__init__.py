"""Look inside DNA foundation models.

``import genointerp as gi`` offers what is public, each name loaded when it is first used: what a
command does is ``gi.COMMAND``, a figure is ``gi.plot.FIGURE``. Types for editors and type checkers
are in ``__init__.pyi``. Nothing inside the package imports from here.
"""

from importlib import import_module

from genointerp.core.version import __version__ as __version__

_COMMANDS = {
    "start": ("demo", "fetch", "init", "models", "run", "start"),
    "build": ("adopt", "annotate", "convert", "encode", "evaluate", "harvest", "train", "tune"),
    "find": ("associate", "backtest", "dossier", "label", "rank", "score"),
    "ask": ("export", "motif", "query", "report", "serve", "summarise", "top", "verify"),
    "intervene": ("ablate", "edit", "paint", "steer"),
    "explain": ("circuit", "dependency", "edges", "explain", "mediate", "mutate", "trace"),
    "compare": ("across", "diff", "match", "similar", "twin"),
}
"""The commands by their package in ``genointerp.command``."""

_HOMES = {
    **{
        name: f"genointerp.command.{group}.{name}"
        for group, names in _COMMANDS.items()
        for name in names
    },
    "ActivationStore": "genointerp.store.activation.store",
    "AnnotationSet": "genointerp.annotation.annotation_set",
    "Canvas": "genointerp.intervention.canvas",
    "Dictionary": "genointerp.sae.dictionary",
    "DnaModel": "genointerp.model.protocol",
    "FeatureLabel": "genointerp.labelling.label",
    "FeatureStore": "genointerp.store.feature.store",
    "GenointerpError": "genointerp.core.errors",
    "Genome": "genointerp.genome.genome",
    "GenomicInterval": "genointerp.genome.interval",
    "Profile": "genointerp.intervention.canvas",
    "Run": "genointerp.page.run",
    "Specimen": "genointerp.feature.specimen",
    "Stroke": "genointerp.intervention.canvas",
    "add_hand_label": "genointerp.labelling.hand",
    "base_activations": "genointerp.feature.query",
    "best_per_concept": "genointerp.association.summary",
    "format_region": "genointerp.genome.interval",
    "from_pyranges": "genointerp.annotation.ranges",
    "hand_labels": "genointerp.labelling.hand",
    "load_concepts": "genointerp.annotation.concepts",
    "load_model": "genointerp.model.registry",
    "open_run": "genointerp.page.run",
    "parse_region": "genointerp.genome.interval",
    "read_annotation": "genointerp.annotation.read",
    "read_genome": "genointerp.genome.read",
    "remove_hand_label": "genointerp.labelling.hand",
    "replace_hand_label": "genointerp.labelling.hand",
    "run_labels": "genointerp.labelling.hand",
    "shipped": "genointerp.annotation.catalogue",
    "to_anndata": "genointerp.feature.gene_matrix",
    "to_arrow": "genointerp.store.table.arrow",
    "to_polars": "genointerp.store.table.arrow",
    "to_pyranges": "genointerp.annotation.ranges",
}
"""The module of each name but `plot`, which is one itself."""

__all__ = sorted([*_HOMES, "plot"])  # written out in __init__.pyi


def __getattr__(name: str) -> object:
    if name == "plot":
        return import_module("genointerp.plot")
    if name not in _HOMES:
        raise AttributeError(f"module 'genointerp' has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
