"""Verify a run: each of its files, that none is missing, and that they belong to each other."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from genointerp.core.arguments import ASSOCIATIONS_FILE
from genointerp.core.errors import SchemaError
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.verify import Check, verify

_ANNOTATED = (
    *(ASSOCIATIONS_FILE, "associations.sides.tsv", "associations.tsv", "best_per_concept.tsv"),
    *("candidates.tsv", "ablation.tsv", "dossiers/locus_evidence.tsv"),
)
"""Tables of every run whose genomes are annotated."""

_ASKED_FOR = {
    "baselines": ("baselines.tsv",),
    "backtest": ("backtest.tsv", "backtest_features.tsv"),
    "labels": ("labels.tsv", "label_scores.tsv", "label_scores.summary.tsv"),
}
"""Tables of such a run by the key of its configuration that asks for them."""

_OF_COMPARISONS = {
    "diff": (
        *("divergence", "divergence.summary", "divergence.tail", "divergence.bins"),
        *("changed", "changed.concepts", "texts"),
    ),
    "match": ("matches", "matches.summary"),
    "across": ("across", "across.summary"),
    "similar": ("similarity",),
}
"""Tables of each comparison, by its command."""

_OTHERS = (
    *("hand_labels.tsv", "queries/*.tsv", "dossiers/*.tsv", "interventions/**/*.tsv"),
    *("circuits/*.tsv", "explanations/*.tsv", "comparisons/**/*.tsv", "report_tables/**/*.tsv"),
)
"""Where other tables of a run are, whose number is not known before."""


def verify_run(run: RunFolder) -> list[Check]:
    """Check all features, activations and tables of a run, and that they belong to each other.

    The name of each check begins with that of the file. A features file or a table that the
    configuration asks for must exist; activations that were removed are not missed. Features must
    have been made from the activations and the dictionary of the run, those of random weights and
    of another seed too; associations, candidates and queries from the features; and what is
    chosen from associations or candidates from these.
    """
    return [
        one._replace(name=f"{file.relative_to(run.path)}: {one.name}")
        for file, inputs in (*_stores_of(run), *_tables_of(run))
        for one in _checks(file, [path for path in inputs if path.is_file()])
    ]


def _checks(file: Path, inputs: Sequence[Path]) -> list[Check]:
    try:
        return verify(file, inputs=inputs)
    except SchemaError as error:
        return [Check("format", str(error))]


def _stores_of(run: RunFolder) -> Iterator[tuple[Path, Sequence[Path]]]:
    """Yield features and activations, each with what it must have been made from."""
    for folder in (run.path, *(run.path / name for name in ("random", "other_seed"))):
        sae = folder / "sae" / "sae_weights.safetensors"
        for name in run.genomes:
            read = run.path if folder.name == "other_seed" else folder
            activations = read / name / "activations.h5"
            features = folder / name / "features.h5"
            if folder != run.path and not features.is_file():
                continue
            if read == folder and activations.is_file():
                yield activations, ()
            yield features, (activations, sae)


def _tables_of(run: RunFolder) -> Iterator[tuple[Path, Sequence[Path]]]:
    """Yield the tables that must exist and those that do, each with what it was made from."""
    made_from = _made_from(run)
    wanted = [run.path / name for name in _wanted(run)]
    known = [run.path / name for names in (_ANNOTATED, *_ASKED_FOR.values()) for name in names]
    found = [path for path in known if path.is_file()]
    found += [path for pattern in _OTHERS for path in sorted(run.path.glob(pattern))]
    for path in dict.fromkeys((*wanted, *found)):
        yield path, made_from.get(path.relative_to(run.path).as_posix(), ())


def _wanted(run: RunFolder) -> Iterator[str]:
    """Yield the names of the tables that the configuration of a run asks for."""
    if run.is_annotated:
        yield from _ANNOTATED
        for key, names in _ASKED_FOR.items():
            # a mapping without entries asks for the defaults
            if run.config.get(key, False) is not False:
                yield from names
    yield from (f"queries/{name}.tsv" for name in _queries(run))
    if "circuits" in run.config:
        yield from (f"circuits/{name}.tsv" for name in ("edges", "lags", "families", "members"))
    for name in run.config.get("explanations") or {}:
        yield from (f"explanations/{name}{ending}" for ending in (".tsv", ".summary.tsv"))
    for command, names in (run.config.get("comparisons") or {}).items():
        yield from (
            f"comparisons/{command}/{name}/{file}.tsv"
            for name in names
            for file in _OF_COMPARISONS[command]
        )
    for command, names in (run.config.get("interventions") or {}).items():
        ending = "/effects.tsv" if command == "edit" else ".tsv"
        yield from (f"interventions/{command}/{name}{ending}" for name in names)
        if command == "paint":
            yield from (f"interventions/{command}/{name}.summary.tsv" for name in names)


def _made_from(run: RunFolder) -> Mapping[str, Sequence[Path]]:
    features = [genome.features for genome in run.genomes.values()]
    queried = {
        f"queries/{name}.tsv": [run.genomes[asked["genome"]].features]
        for name, asked in _queries(run).items()
        if asked.get("genome") in run.genomes
    }
    painted = {
        f"interventions/{command}/{name}{ending}": [run.genomes[entry["genome"]].features]
        for command, entries in (run.config.get("interventions") or {}).items()
        for name, entry in entries.items()
        for ending in (".tsv", *([".summary.tsv"] if command == "paint" else []))
        if entry.get("genome") in run.genomes
    }
    return {
        **queried,
        **painted,
        ASSOCIATIONS_FILE: features,
        "candidates.tsv": features,
        "labels.tsv": features,
        "label_scores.tsv": [*features, run.path / "labels.tsv"],
        "associations.tsv": [run.associations],
        "best_per_concept.tsv": [run.associations],
        "dossiers/locus_evidence.tsv": [run.path / "candidates.tsv"],
    }


def _queries(run: RunFolder) -> Mapping[str, Mapping[str, str]]:
    return run.config.get("queries") or {}
