"""The findings of a finished run as text; each number is a cell of a table in the run directory."""

from pathlib import Path

import pandas as pd

from genointerp.association.baseline.beside import NOT_MEASURED, is_measured, read_beside
from genointerp.association.summary import MAX_Q, one_per_concept
from genointerp.core.config import read_yaml
from genointerp.core.errors import SchemaError
from genointerp.core.files import read_json_object
from genointerp.page.findings import finding_lines, read_findings
from genointerp.page.run import open_run
from genointerp.store.table.schema.association import BEST_PER_CONCEPT
from genointerp.store.table.schema.candidate import BACKTEST, CANDIDATES
from genointerp.store.table.table import read_table

CONCEPT_COLUMNS = {
    "concept": "concept",
    "orientation": "orientation",
    "feature": "feature",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "auroc": "AUROC",
    "null_f1": "null F1",
    "q_value": "q",
    "f1_always_on": "always-on F1",
}
BESIDE_COLUMNS = {
    "concept": "concept",
    "orientation": "orientation",
    "feature": "feature",
    "f1": "F1",
    "neuron_or_component": "neuron or component",
    "sequence_alone": "sequence alone",
    "probe": "probe",
    "always_on": "always on",
}
CANDIDATE_COLUMNS = (
    "rank",
    "feature",
    "score",
    "n_loci",
    "best_concept",
    "best_f1",
    "unexplained",
    "top_region",
)
BACKTEST_COLUMNS = {
    "class": "hidden class",
    "n_class_features": "features",
    "best_feature": "best",
    "best_f1": "its F1",
    "rank_best": "its rank",
    "rank_first": "first rank",
    "expected_rank_first": "by chance",
    "p_value": "p",
    "recall_50": "recall 50",
    "probe_auroc": "probe AUROC",
    "verdict": "verdict",
}
N_CANDIDATES = 10

NOTHING = (
    "No feature that was chosen on fit does better than chance "
    f"(q <= {MAX_Q}): there may be too few elements."
)


def headline(run_dir: Path) -> str:
    """Return the findings of a run: figures of the dictionary, tables and the path of the page.

    The tables are the best feature of each concept with its nulls and beside the baselines, the
    first candidates, and the hidden classes, as far as the run has them. What was found follows in
    sentences, as the page opens with them.
    """
    run_dir = Path(run_dir)
    lines = [*figures(run_dir), *_associations(run_dir), *_backtest(run_dir)]
    found = finding_lines(read_findings(open_run(run_dir)))
    return "\n".join([*lines, "", *found, "", f"report: {run_dir / 'report.html'}"])


def _associations(run_dir: Path) -> list[str]:
    if not (run_dir / "candidates.tsv").is_file():
        return ["", "No annotation: features have no concepts, and nothing is ranked."]
    best = read_table(run_dir / "best_per_concept.tsv", BEST_PER_CONCEPT)
    concepts = one_per_concept(best)[list(CONCEPT_COLUMNS)].rename(columns=CONCEPT_COLUMNS)
    candidates = read_table(run_dir / "candidates.tsv", CANDIDATES).head(N_CANDIDATES)
    return [
        "",
        "Best feature of each concept (chosen on fit, scored on test)",
        _text(concepts),
        "",
        *([] if (concepts["q"] <= MAX_Q).any() else [NOTHING, ""]),
        "The same beside what needs no dictionary (F1 on test)",
        *_beside(best, run_dir),
        "",
        f"Top {len(candidates)} candidates",
        _text(candidates[list(CANDIDATE_COLUMNS)]),
    ]


def _backtest(run_dir: Path) -> list[str]:
    if not (run_dir / "backtest.tsv").is_file():
        return []
    backtest = read_table(run_dir / "backtest.tsv", BACKTEST)
    told = backtest[backtest["n_class_features"] > 0]
    if told.empty:
        return ["", "Known classes, hidden one at a time: no feature tells any of them"]
    n_live = int(backtest["n_live"].max())
    return [
        "",
        f"Known classes, hidden one at a time: where {n_live} ranked features tell them",
        _text(told[list(BACKTEST_COLUMNS)].rename(columns=BACKTEST_COLUMNS)),
        f"no feature tells: {', '.join(_untold(backtest)) or 'none'}",
    ]


def figures(run_dir: Path) -> list[str]:
    """Return the headline figures as lines, each with what it is of."""
    summary = read_json_object(run_dir / "summary.json", error=SchemaError)
    config = read_yaml(run_dir / "config.yaml")
    fidelity, trained_on = summary["fidelity"], config.get("fit", [])
    genome = config["fidelity"]["genome"]
    role = "trained on" if genome in trained_on else "held out"
    if "training" in summary:
        source = (
            f"{', '.join(trained_on)} (held-out blocks of the training): "
            f"FVU {summary['training']['fvu']:.3f}"
        )
    else:
        role = "not trained on by this run"
        source = f"dictionary: {summary['dictionary']['source']}"
    n, whole = fidelity["n_bases"], fidelity["n_bases_whole"]
    spread = f" of {whole:,}, in windows spread evenly" if fidelity["sample"] else ""
    return [
        f"{genome} ({role}): {fidelity['bits_per_base']:.3f} bits per base and loss recovered "
        f"{_share(fidelity['loss_recovered'])} ({n:,} bases{spread}); FVU "
        f"{fidelity['fvu']:.3f}, L0 {fidelity['l0']:.1f} ({fidelity['n_tokens']:,} tokens)",
        source,
    ]


def _share(value: float | None) -> str:
    """Return a share of three digits; a model that loses nothing without the site has none."""
    return "undefined" if value is None else f"{value:.3f}"


def _beside(best: pd.DataFrame, run_dir: Path) -> list[str]:
    table = read_beside(best, run_dir)
    lines = [f"{row['concept']}: {row['shows']}" for row in table.to_dict("records")]
    numbers = table[list(BESIDE_COLUMNS)].rename(columns=BESIDE_COLUMNS)
    return [_text(numbers), *lines, *([] if is_measured(table) else [NOT_MEASURED])]


def _untold(backtest: pd.DataFrame) -> list[str]:
    return list(backtest[backtest["n_class_features"] == 0]["class"])


def _text(table: pd.DataFrame) -> str:
    if table.empty:
        return "none"
    return table.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.3g}")
