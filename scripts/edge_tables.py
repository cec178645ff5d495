"""Tables of ``docs/edges.md``: ``python -m scripts.edge_tables measure RUN BELOW`` and ``fill``.

RUN is a run of the demo, BELOW a dictionary at ``blocks.3`` that was trained as the page says.
Measuring writes a table for each part to ``scripts/edges``; what is there already is not measured
again. Filling writes them into the page.
"""

import argparse
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr

from genointerp.annotation.higher import load_higher
from genointerp.command.explain.edges import edges
from genointerp.command.explain.mediate import mediate
from genointerp.command.explain.trace import trace
from genointerp.core.seed import rng
from genointerp.genome.read import read_genome
from genointerp.genome.windows import spread_stretches
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.model_choice import loaded_or_recorded
from genointerp.reading.run import Wanted, run_passages
from genointerp.reading.tokens import genome_passages
from genointerp.sae.dictionary import Dictionary
from genointerp.store.feature.run_folder import RunFolder
from genointerp.wiring.edge_tally import ERROR
from genointerp.wiring.stack import SiteNodes

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "edges"
PAGE = ROOT / "docs" / "edges.md"
TARGETS = (127, 86, 82, 108, 115, 123, 50, 114, 49, 145, 242, 393, 286, 203, 237, 428)
"""Codon positions in sense and antisense, rRNA, tRNA, stop codons and a start codon."""
TOGETHER = {
    "CDS": "127,86,82",
    "rRNA": "50,114,49",
    "tRNA": "145,242,393,286",
    "stop_codon": "203,237",
    "start_codon": "428,380,383",
}
"""Features of a concept that are taken out on its bases, chosen by hand."""
PLACES = ("NC_000964.3:30,600", "NC_000964.3:11,000", "NC_000964.3:50,000", "NC_000964.3:9,950")
"""Bases whose predictions are traced: three of 16S rRNA, and one between genes (50,000)."""
_WIRES = 12
"""Strongest edges of all targets whose mediation is measured."""
_FEW_WINDOWS = {"n_windows": 8}
_PHI_BASES = 65_536
_FARTHEST = 128


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("run", nargs="?", type=Path, help="run of the demo, to measure on")
    parser.add_argument("below", nargs="?", type=Path, help="dictionary at blocks.3")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.run is None or arguments.below is None:
        parser.error("measure needs a run and a dictionary of a site below")
    for part, measure in PARTS.items():
        path = KEPT / f"{part}.tsv"
        if not path.exists():
            KEPT.mkdir(exist_ok=True)
            found = measure(arguments.run, arguments.below)
            found.to_csv(path, sep="\t", index=False, float_format="%.4g")


def measure_edges(run: Path, below: Path) -> pd.DataFrame:
    """Return the edges into all targets; their figures by target are kept too."""
    with tempfile.TemporaryDirectory() as folder:
        out, targets = Path(folder) / "edges.tsv", Path(folder) / "targets.tsv"
        found = edges(run, out, below, feature=TARGETS, targets_out=targets, config={"top": 10**6})
        pd.read_csv(targets, sep="\t").to_csv(
            KEPT / "targets.tsv", sep="\t", index=False, float_format="%.4g"
        )
    phi = _phi(run, below, found)
    phi.to_csv(KEPT / "phi.tsv", sep="\t", index=False, float_format="%.4g")
    is_strong = found["source"] != ERROR
    return found[is_strong].groupby("target", sort=False).head(5)


def measure_mediation(run: Path, below: Path) -> pd.DataFrame:
    """Return the mediation of the strongest edges, each from one feature to another."""
    found = pd.read_csv(KEPT / "edges.tsv", sep="\t")
    strong = found[(found["q_value"] <= 0.05) & (found["weight"] > 0)]
    strong = strong.sort_values("share", ascending=False).drop_duplicates(["target", "source"])
    groups = [f"below:{row.source},{row.target}" for row in strong.head(_WIRES).itertuples()]
    with tempfile.TemporaryDirectory() as folder:
        return mediate(run, Path(folder) / "m.tsv", groups, below=below, config=_FEW_WINDOWS)


def measure_together(run: Path, below: Path) -> pd.DataFrame:
    """Return the joint ablation of features of a concept, on its bases."""
    with tempfile.TemporaryDirectory() as folder:
        tables = [
            mediate(
                run, Path(folder) / f"{concept}.tsv", group, concept=concept, config=_FEW_WINDOWS
            )
            for concept, group in TOGETHER.items()
        ]
    return pd.concat(tables, ignore_index=True)


def measure_higher(run: Path, below: Path) -> pd.DataFrame:
    """Return the joint ablation of what marks the parts of each higher concept, on its bases."""
    with tempfile.TemporaryDirectory() as folder:
        tables = [mediate(run, Path(folder) / f"{name}.tsv", higher=name) for name in load_higher()]
    return pd.concat(tables, ignore_index=True)


def measure_graphs(run: Path, below: Path) -> pd.DataFrame:
    """Return the scores of the graphs of some predictions."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for place in PLACES:
            graph = trace(run, place, Path(folder) / "g.graphml", sae=below)
            rows.append({"place": place, "nodes": len(graph.nodes), **graph.scores})
            (Path(folder) / "g.graphml").unlink()
    return pd.DataFrame(rows)


PARTS: Mapping[str, Callable[[Path, Path], pd.DataFrame]] = {
    "edges": measure_edges,
    "mediation": measure_mediation,
    "together": measure_together,
    "higher": measure_higher,
    "graphs": measure_graphs,
}


def _phi(run: Path, below: Path, found: pd.DataFrame) -> pd.DataFrame:
    """Return, for each target, how weights go with the correlation of firing at the same lags.

    Both are of all edges that were tested, up to 128 tokens; the weight is that for each lag of a
    bin. The null exchanges the sources of a target, in each bin.
    """
    tested = found[found["p_value"].notna() & (found["lag_last"] <= _FARTHEST)]
    low, high = _firing(run, below)
    rows = []
    for target, own in tested.groupby("target", sort=False):
        phi = _correlations(low, high[:, int(target)], own)
        weight = own["weight"].to_numpy() / (own["lag_last"] - own["lag_first"] + 1).to_numpy()
        random, null = rng(0, f"phi of {target}"), []
        bins = own["lag_first"].to_numpy()
        for _ in range(99):
            exchanged = weight.copy()
            for one in np.unique(bins):
                exchanged[bins == one] = random.permutation(weight[bins == one])
            null.append(spearmanr(exchanged, phi).statistic)
        rho = float(spearmanr(weight, phi).statistic)
        rows.append((target, len(own), rho, float(np.quantile(null, 0.95))))
    return pd.DataFrame(rows, columns=["target", "n_edges", "rho", "rho_null"])


def _firing(run: Path, below: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Return whether each feature of both sites fires, on stretches spread over the genome."""
    folder = RunFolder.open(run)
    genome = read_genome(folder.genomes[folder.measured].sequence)
    dictionaries = [Dictionary.load(below), Dictionary.load(folder.sae)]
    model = loaded_or_recorded(None, run)
    reading = HarvestConfig(window=2304, warmup=256, strands=("+",))
    regions = spread_stretches(genome.regions(genome), n_bases=_PHI_BASES, length=2048)
    passages = genome_passages(genome, reading.windows(model.spec, genome, regions))
    sites = tuple(it.header.site for it in dictionaries)
    parts: list[list[torch.Tensor]] = [[], []]
    for read in run_passages(model, passages, Wanted(sites), size=1):
        for number, dictionary in enumerate(dictionaries):
            nodes = SiteNodes.of(dictionary, read.activations[sites[number]][0].clone())
            fires = torch.zeros(len(nodes.x), dictionary.header.n_features)
            fires[nodes.token, nodes.feature] = 1
            parts[number].append(fires[256:])
    return torch.cat(parts[0]), torch.cat(parts[1])


def _correlations(low: torch.Tensor, target: torch.Tensor, own: pd.DataFrame) -> np.ndarray:
    """Return phi of each source with the target, mean over up to 4 lags of its bin."""
    mean = {}
    for first, last in sorted({*zip(own["lag_first"], own["lag_last"], strict=True)}):
        lags = np.unique(np.linspace(first, last, 4).astype(int)).tolist()
        mean[first] = np.mean([_phi_at(low, target, lag) for lag in lags], axis=0)
    return np.array(
        [mean[first][source] for first, source in zip(own["lag_first"], own["source"], strict=True)]
    )


def _phi_at(low: torch.Tensor, target: torch.Tensor, lag: int) -> np.ndarray:
    x, y = low[: len(low) - lag], target[lag:]
    both = (x * y[:, None]).mean(0)
    p, q = x.mean(0), y.mean()
    found = (both - p * q) / (p * (1 - p) * q * (1 - q)).sqrt()
    return found.nan_to_num().numpy()


_P_VALUES: Mapping[str, Callable[[pd.Series], str]] = {
    "p of a rise": lambda row: f"{row['effect_p']:.2f}",
    "p either way": lambda row: f"{row['effect_p_two_sided']:.2f}",
}


def filled(page: str) -> str:
    """Return the page with its tables filled from the files."""
    tables = {
        "edges": _edges,
        "wires": _wires,
        "together": _together,
        "higher": _higher,
        "graphs": _graphs,
    }
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = pattern.sub(lambda match, table=table: match[1] + table() + match[2], page)
    return page


def _edges() -> str:
    targets = pd.read_csv(KEPT / "targets.tsv", sep="\t").set_index("target")
    phi = pd.read_csv(KEPT / "phi.tsv", sep="\t").set_index("target")
    table = targets.join(phi)
    columns: dict[str, Callable[[pd.Series], str]] = {
        "target": lambda row: f"{row.name}",
        "r": lambda row: f"{row['r']:.3f}",
        "slope": lambda row: f"{row['slope']:.2f}",
        "error share": lambda row: f"{row['error_share']:.2f}",
        "sources": lambda row: f"{row['n_sources']:.0f}",
        "lag 0": lambda row: f"{row['lag_0']:.2f}",
        "1-12": lambda row: f"{row['lag_near']:.2f}",
        "13-128": lambda row: f"{row['lag_far']:.2f}",
        "beyond": lambda row: f"{row['lag_beyond']:.3f}",
        "rho with phi (null)": lambda row: f"{row['rho']:.2f} ({row['rho_null']:.2f})",
    }
    return _rows(table, columns)


def _wires() -> str:
    columns: dict[str, Callable[[pd.Series], str]] = {
        "edge": lambda row: row["group"].removeprefix("below:").replace(",", " to "),
        "target lost (null)": lambda row: (
            f"{row['target_lost']:.2f} ({row['target_lost_null']:.2f})"
        ),
        "p": lambda row: f"{row['target_lost_p']:.2f}",
        "effect of the source, nats per base": lambda row: f"{row['source_effect']:+.4f}",
        "mediated (null)": lambda row: f"{row['mediated']:.2f} ({row['mediated_null']:.2f})",
        "p of that": lambda row: f"{row['mediated_p']:.2f}",
    }
    return _rows(pd.read_csv(KEPT / "mediation.tsv", sep="\t"), columns)


def _together() -> str:
    columns: dict[str, Callable[[pd.Series], str]] = {
        "concept": lambda row: row["concept"],
        "features": lambda row: row["group"],
        "bases": lambda row: f"{row['n_bases']}",
        "together, nats per base": lambda row: f"{row['effect']:.4f} ± {row['effect_se']:.4f}",
        "in standard errors": lambda row: f"{row['effect'] / row['effect_se']:+.1f}",
        "sum of each": lambda row: f"{row['effect_parts']:.4f}",
        "matched": lambda row: f"{row['effect_null']:.4f}",
        "fire": lambda row: f"{row['matched_firing']:.2f}",
        **_P_VALUES,
        "synergy (matched)": lambda row: f"{row['synergy']:+.2f} ({row['synergy_null']:+.2f})",
        "p of that": lambda row: f"{row['synergy_p']:.2f}",
        "other bases (matched)": lambda row: _elsewhere(row, "outside"),
    }
    return _rows(pd.read_csv(KEPT / "together.tsv", sep="\t"), columns)


def _higher() -> str:
    columns: dict[str, Callable[[pd.Series], str]] = {
        "whole, or part": lambda row: row["group"].replace("/", ": "),
        "features": lambda row: re.sub(r"\S+?/", "", row["features"].replace(",", ", ")),
        "their F1 (always on)": lambda row: (
            _or_none(row, "marks_f1", "{}").replace(",", ", ")
            + _or_none(row, "marks_f1_always_on", " ({:.4f})", "")
        ),
        "bases, windows": lambda row: f"{row['n_bases']}, {row['n_windows']}",
        "together, nats per base": lambda row: f"{row['effect']:.4f} ± {row['effect_se']:.4f}",
        "in standard errors": lambda row: f"{row['effect'] / row['effect_se']:+.1f}",
        "matched": lambda row: f"{row['effect_null']:.4f}",
        "fire": lambda row: f"{row['matched_firing']:.2f}",
        **_P_VALUES,
        "other parts (matched)": lambda row: _elsewhere(row, "other_parts"),
        "other bases (matched)": lambda row: _elsewhere(row, "outside"),
        "sum of the parts": lambda row: _or_none(row, "effect_parts", "{:.4f}"),
        "synergy (matched)": lambda row: (
            _or_none(row, "synergy", "{:+.2f}") + _or_none(row, "synergy_null", " ({:+.2f})", "")
        ),
        "p of that": lambda row: _or_none(row, "synergy_p", "{:.2f}"),
    }
    return _rows(pd.read_csv(KEPT / "higher.tsv", sep="\t"), columns)


def _elsewhere(row: pd.Series, name: str) -> str:
    if row.isna()[name]:
        return "-"
    error = _or_none(row, f"{name}_se", " ± {:.4f}", "")
    return f"{row[name]:.4f}{error} ({row[name + '_null']:.4f})"


def _or_none(row: pd.Series, name: str, form: str, none: str = "-") -> str:
    return none if row.isna()[name] else form.format(row[name])


def _graphs() -> str:
    columns: dict[str, Callable[[pd.Series], str]] = {
        "prediction": lambda row: row["place"],
        "replacement": lambda row: f"{row['replacement']:.2f}",
        "unfollowed": lambda row: f"{row['unfollowed']:.2f}",
        "completeness": lambda row: f"{row['completeness']:.2f}",
        "followed at blocks.5, blocks.3": lambda row: (
            f"{row['followed blocks.5']:.2f}, {row['followed blocks.3']:.2f}"
        ),
        "r and slope into the prediction": lambda row: f"{row['r']:.2f}, {row['slope']:.2f}",
        "r and slope into blocks.5": lambda row: (
            f"{row['r blocks.5']:.3f}, {row['slope blocks.5']:.2f}"
        ),
    }
    return _rows(pd.read_csv(KEPT / "graphs.tsv", sep="\t"), columns)


def _rows(table: pd.DataFrame, columns: Mapping[str, Callable[[pd.Series], str]]) -> str:
    lines = [_line([*columns]), _line(["---"] * len(columns))]
    lines += [_line([cell(row) for cell in columns.values()]) for _, row in table.iterrows()]
    return "".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    main()
