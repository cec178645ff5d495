"""The table of crosscoders in ``docs/diff.md``: ``scripts.crosscoder_tables measure``, ``fill``.

Measuring trains crosscoders of two made-up models whose features are known
(``scripts/crosscoder_world.py``), each seed a world of its own. It writes a table for each seed to
``scripts/crosscoders``; what is there already is not measured again.
"""

import argparse
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from genointerp.comparison.latents import (
    FEW,
    MOST_NU_ERROR,
    MOST_NU_RECONSTRUCTION,
    ONE_SIDED,
    tag_latents,
)
from genointerp.sae.architecture.batch_topk_crosscoder import BatchTopKCrosscoder
from genointerp.sae.compare import best_correlated
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.source import RowSource
from genointerp.sae.train import train_sae
from scripts.crosscoder_world import World

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "crosscoders"
PAGE = ROOT / "docs" / "diff.md"
WORLD = World()
SEEDS = range(5)
SAE = SaeConfig("batch_topk_crosscoder", n_features=320, k=6)
TRAIN = TrainConfig(
    sae=SAE,
    n_tokens=3600 * 512,
    batch_tokens=512,
    learning_rate=0.006,
    outlier_sd=None,
    dead_after=50_000,
    eval_rows=8192,
)
VARIANTS: Mapping[str, SaeConfig] = {
    "no delta loss": SAE,
    "delta loss 2": replace(SAE, delta_coefficient=2.0),
    "5 % + 5 % dedicated": replace(SAE, dedicated=(0.05, 0.05)),
}
N_TRAIN, N_TEST = 200_000, 40_000
IS_OF = 0.7
"""Least correlation of a feature with the true feature that it is taken for."""


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("--seed", type=int, choices=SEEDS, help="one seed alone")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    KEPT.mkdir(exist_ok=True)
    for seed in SEEDS if arguments.seed is None else [arguments.seed]:
        path = KEPT / f"world_{seed}.tsv"
        if not path.exists():
            measured(seed).to_csv(path, sep="\t", index=False, float_format="%.4g")


def measured(seed: int) -> pd.DataFrame:
    """Return precision and recall of each way of tagging, for each way of training."""
    rows = []
    for name, sae in VARIANTS.items():
        x, _ = WORLD.rows(N_TRAIN, seed)
        source = RowSource(x, widths=(WORLD.d, WORLD.d))
        found = train_sae(source, replace(TRAIN, sae=sae, seed=seed), metadata={})
        assert isinstance(found.sae, BatchTopKCrosscoder)
        x, amount = WORLD.rows(N_TEST, seed, of="rows to measure on")
        tagged = tag_latents(found.sae, np.array_split(x, 10))
        match = best_correlated(tagged.codes, sparse.csr_array(amount))
        of = np.where(match.value >= IS_OF, match.other, -1)
        for how, tag in _ways(tagged.table, found.sae).items():
            rows += [
                {
                    "seed": seed,
                    "trained": name,
                    "tagged": how,
                    "tag": kind,
                    **_score(of[tag == kind], kind.removeprefix("exclusive_")),
                    "fvu": found.log.fvu,
                    "shared_found": _share_found(of, "shared"),
                }
                for kind in ("exclusive_first", "exclusive_second", "rotated")
            ]
    return pd.DataFrame(rows)


def _ways(table: pd.DataFrame, sae: BatchTopKCrosscoder) -> dict[str, np.ndarray]:
    """Return tags by norm and nu together, and exclusive ones by less than that."""
    fires = (table["n_fired"] >= FEW).to_numpy()
    norm = table["delta_norm"].to_numpy()
    absent = [
        (
            (table[f"nu_error_{side}"] < MOST_NU_ERROR)
            & (table[f"nu_reconstruction_{side}"] < MOST_NU_RECONSTRUCTION)
        ).to_numpy()
        for side in ("first", "second")
    ]
    # both nu are small for a rotated feature; it counts for the model in which it is stronger
    by_nu = [absent[0] & (norm >= 0.5), absent[1] & (norm < 0.5)]
    ways = {
        "norm and nu": table["tag"].to_numpy(),
        "norm alone": _exclusive(norm > 1 - ONE_SIDED, norm < ONE_SIDED, fires),
        "nu alone": _exclusive(*by_nu, fires),
    }
    if sae.config.dedicated:
        number = np.arange(sae.n_features)
        first, second = (
            (number >= part.start) & (number < part.stop) for part in sae.dedicated_features
        )
        ways["partition alone"] = _exclusive(first, second, fires)
    return ways


def _exclusive(first: np.ndarray, second: np.ndarray, fires: np.ndarray) -> np.ndarray:
    return np.select([fires & first, fires & second], ["exclusive_first", "exclusive_second"], "")


def _score(of: np.ndarray, kind: str) -> dict[str, float]:
    kinds = np.array([*WORLD.kinds, "nothing"])
    right = kinds[of] == kind
    return {
        "n": len(of),
        "n_right": int(right.sum()),
        "precision": float(right.mean()) if len(of) else float("nan"),
        "recall": len(set(of[right])) / WORLD.kinds.count(kind),
    }


def _share_found(of: np.ndarray, kind: str) -> float:
    kinds = np.array([*WORLD.kinds, "nothing"])
    return len(set(of[kinds[of] == kind])) / WORLD.kinds.count(kind)


def filled(page: str) -> str:
    """Return the page with its table filled from the files."""
    pattern = re.compile(r"(<!-- table crosscoders -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda match: match[1] + _table() + match[2], page)


def _table() -> str:
    kept = pd.concat([pd.read_csv(path, sep="\t") for path in sorted(KEPT.glob("world_*.tsv"))])
    heads = [
        "trained with",
        "exclusive by",
        "first model: precision, recall",
        "second model",
        "rotated",
        "shared found",
        "FVU",
    ]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for (trained, tagged), own in kept.groupby(["trained", "tagged"], sort=False):
        cells = [
            _both(own[own["tag"] == tag])
            for tag in ("exclusive_first", "exclusive_second", "rotated")
        ]
        if tagged != "norm and nu":
            cells[2] = ""
        rest = [f"{own['shared_found'].mean():.2f}", f"{own['fvu'].mean():.3f}"]
        lines.append(_line([str(trained), str(tagged), *cells, *rest]))
    return "".join(lines)


def _both(own: pd.DataFrame) -> str:
    """Return precision over all seeds together, and the mean and least recall of a seed."""
    precision = own["n_right"].sum() / max(own["n"].sum(), 1)
    return f"{precision:.2f}, {own['recall'].mean():.2f} ({own['recall'].min():.2f})"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    main()
