"""What a finished run found, as text; every number is a cell of a table of the run directory."""

from pathlib import Path

import pandas as pd

from genointerp.store.table_schemas import BACKTEST, BEST_PER_CONCEPT, CANDIDATES
from genointerp.store.tables import read_table
from genointerp.workflow.summary import one_per_concept

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


def headline(run_dir: Path) -> str:
    """Return three tables and a path: best features, top candidates, hidden classes, the report."""
    run_dir = Path(run_dir)
    best = read_table(run_dir / "best_per_concept.tsv", BEST_PER_CONCEPT)
    concepts = one_per_concept(best)[list(CONCEPT_COLUMNS)].rename(columns=CONCEPT_COLUMNS)
    candidates = read_table(run_dir / "candidates.tsv", CANDIDATES).head(N_CANDIDATES)
    backtest = read_table(run_dir / "backtest.tsv", BACKTEST)
    told = backtest[backtest["n_class_features"] > 0]
    n_live = int(backtest["n_live"].max()) if len(backtest) else 0
    return "\n".join(
        [
            "Best feature of each concept (chosen on fit, scored on test)",
            _text(concepts),
            "",
            f"Top {len(candidates)} candidates",
            _text(candidates[list(CANDIDATE_COLUMNS)]),
            "",
            f"Known classes, hidden one at a time: where {n_live} ranked features tell them",
            _text(told[list(BACKTEST_COLUMNS)].rename(columns=BACKTEST_COLUMNS)),
            f"no feature tells: {', '.join(_untold(backtest)) or 'none'}",
            "",
            f"report: {run_dir / 'report.html'}",
        ]
    )


def _untold(backtest: pd.DataFrame) -> list[str]:
    return list(backtest[backtest["n_class_features"] == 0]["class"])


def _text(table: pd.DataFrame) -> str:
    return table.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.3g}")
