"""Fill the tables of the pages on the default models: ``python -m scripts.default_model_tables``.

The figures are those of ``evaluation.json`` of each shipped model, and of JSON files next to this.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts import choose_site
from scripts.default_model_genomes import STRETCH
from scripts.evaluate_dictionary import comparison_table, sweep_table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "default_model.md"
SITE_PAGE = ROOT / "docs" / "default_model_site.md"
BASELINES = ROOT / "scripts" / "baselines.json"
ARCHITECTURES = ROOT / "scripts" / "architectures.json"
WEIGHTS = ROOT / "genointerp" / "model" / "weights"
_TABLE = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

Record = Mapping[str, Any]


def main() -> None:
    """Rewrite the pages."""
    PAGE.write_text(filled(PAGE.read_text(), evaluations(), baselines()))
    SITE_PAGE.write_text(filled_site(SITE_PAGE.read_text()))


def evaluations() -> dict[str, Any]:
    """Return ``evaluation.json`` of each shipped model, by name."""
    paths = sorted(WEIGHTS.glob("*/evaluation.json"))
    return {path.parent.name: json.loads(path.read_text()) for path in paths}


def baselines() -> dict[str, Any]:
    """Return the baselines of each genome, test genomes first."""
    genomes = json.loads(BASELINES.read_text())["genomes"]
    return dict(sorted(genomes.items(), key=lambda item: (item[1].get("split", ""), item[0])))


def filled(page: str, models: Record, genomes: Record) -> str:
    """Return the page with each table between its two marks, by name."""
    return _TABLE.sub(lambda m: m[1] + TABLES[m[2]](models, genomes) + m[3], page)


def filled_site(page: str) -> str:
    """Return the page on sites and dictionaries, with the table of each file between its marks."""
    return _TABLE.sub(lambda m: m[1] + _measured(m[2]) + m[3], page)


def _measured(name: str) -> str:
    """Return the table of ``<name>.json``, as made by the script that wrote that file."""
    record = json.loads((ROOT / "scripts" / f"{name}.json").read_text())
    kind = name.partition("_")[0]
    if kind == "site":
        return choose_site.markdown(record)
    table = sweep_table if kind == "sweep" else comparison_table
    return "\n".join([*table(record), ""])


def genome_table(models: Record, genomes: Record) -> str:
    """Return a line for each predictor, with a column for each genome."""
    keys = ("corpus_markov", "corpus_mixture", "own_markov", "mixture")
    labels = (
        "best Markov order of the corpus",
        "mixture of orders 0 to 16 of the corpus",
        "best Markov order of the genome so far",
        "mixture of orders 0 to 16 of both",
    )
    rows = [
        [f"`{name}`", *(_figure(models[name], "genomes", g, "bits_per_base") for g in genomes)]
        for name in models
    ]
    for label, key in zip(labels, keys, strict=True):
        rows.append([label, *(_with_order(genomes[g].get(key, {})) for g in genomes)])
    for name in _compressors(genomes):
        cells = [_figure(genomes[g], "compressors", name, "bits_per_base") for g in genomes]
        rows.append([name, *cells])
    heads = [f"{g} ({genomes[g].get('split', '')})" for g in genomes]
    return _markdown(["bits per base", *heads], rows)


def class_table(models: Record, genomes: Record) -> str:
    """Return a line for each class of bases of the annotated genome."""
    record = genomes.get(STRETCH[0], {})
    classes = record.get("mixture", {}).get("by_class", {})
    rows = [
        [
            name,
            *(_figure(m, "genomes", STRETCH[0], "by_class", name) for m in models.values()),
            *(_figure(record, key, "by_class", name) for key in ("corpus_mixture", "mixture")),
        ]
        for name in classes
    ]
    heads = [STRETCH[0], *(f"`{name}`" for name in models), "mixture, corpus", "mixture, both"]
    return _markdown(heads, rows)


def window_table(models: Record, _: Record) -> str:
    """Return a line for each length of windows."""
    lengths = {length: 0 for m in models.values() for length in _means(m)}
    rows = [
        [f"{int(length):,}", *(_figure(_means(m), length) for m in models.values())]
        for length in sorted(lengths, key=int)
    ]
    return _markdown(["window (bp)", *(f"`{name}`" for name in models)], rows)


def compressor_table(_: Record, genomes: Record) -> str:
    """Return a line for each compressor, with its version."""
    found = {n: r for g in genomes.values() for n, r in g.get("compressors", {}).items()}
    return _markdown(["compressor", "version"], [[n, r["version"]] for n, r in found.items()])


def architecture_table(_: Record, genomes: Record) -> str:
    """Return a line for each design, sorted by its result on the validation genome, best first."""
    validation = next((g for g in genomes if genomes[g].get("split") == "validation"), "")
    names = [validation, *(g for g in genomes if g != validation)]
    designs = json.loads(ARCHITECTURES.read_text())
    rows = [
        [
            design["design"],
            design["mixers"],
            f"{design['d_model']}",
            f"{design['n_parameters'] / 1e6:.2f} M",
            f"{design['training_bases'] / 1e6:.2f} M",
            *(_figure(design, name) for name in names),
        ]
        for design in sorted(designs, key=lambda design: design.get(validation, 0.0))
    ]
    return _markdown(["design", "blocks", "width", "parameters", "bases read", *names], rows)


TABLES: dict[str, Callable[[Record, Record], str]] = {
    "architectures": architecture_table,
    "genomes": genome_table,
    "classes": class_table,
    "windows": window_table,
    "compressors": compressor_table,
}


def _means(model: Record) -> Record:
    means: Record = model.get("by_window", {}).get("bits_per_base", {})
    return means


def _compressors(genomes: Record) -> list[str]:
    return list(dict.fromkeys(n for g in genomes.values() for n in g.get("compressors", {})))


def _figure(record: Record, *keys: str) -> str:
    value: Any = record
    for key in keys:
        value = value.get(key, {})
    return f"{value:.4f}" if isinstance(value, float) else "-"


def _with_order(record: Record) -> str:
    order = f" ({record['best_order']})" if "best_order" in record else ""
    return _figure(record, "bits_per_base") + order


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    main()
