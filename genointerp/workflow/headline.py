"""What a finished run found, as text; every number is a cell of a table of the run directory."""

from pathlib import Path

import pandas as pd

from genointerp.store.table_schemas import BEST_PER_CONCEPT, CANDIDATES
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
N_CANDIDATES = 10


def headline(run_dir: Path) -> str:
    """Return two tables and a path: best feature per concept, top candidates, the report."""
    run_dir = Path(run_dir)
    best = read_table(run_dir / "best_per_concept.tsv", BEST_PER_CONCEPT)
    concepts = one_per_concept(best)[list(CONCEPT_COLUMNS)].rename(columns=CONCEPT_COLUMNS)
    candidates = read_table(run_dir / "candidates.tsv", CANDIDATES).head(N_CANDIDATES)
    return "\n".join(
        [
            "Best feature of each concept (chosen on fit, scored on test)",
            _text(concepts),
            "",
            f"Top {len(candidates)} candidates",
            _text(candidates[list(CANDIDATE_COLUMNS)]),
            "",
            f"report: {run_dir / 'report.html'}",
        ]
    )


def _text(table: pd.DataFrame) -> str:
    return table.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.3g}")
