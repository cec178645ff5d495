"""The table of ``docs/match.md``: ``python -m scripts.match_tables measure FOLDER``, ``fill``.

Measuring reads 160 kb of *B. subtilis* with the shipped models, at two sites, and with their
random-weight twins, trains a dictionary of 512 features on each, and matches them; FOLDER keeps
what takes long. A table for each pair goes to ``scripts/matches``; what is there already is not
measured again. Filling writes them into the page.
"""

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from genointerp.annotation.catalogue import shipped
from genointerp.command.build.encode import encode
from genointerp.command.build.harvest import harvest
from genointerp.command.build.train import train
from genointerp.command.compare.match import match
from genointerp.model.registry import load_model
from scripts.llama_toy import make_llama

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "matches"
PAGE = ROOT / "docs" / "match.md"
GENOME, REGION = "bsubtilis_168", "NC_000964.3:1-160,000"
SETTINGS = {
    "sae": {"architecture": "batch_topk", "n_features": 512, "k": 16},
    "n_tokens": 2_000_000,
}


@dataclass(frozen=True)
class Reading:
    """A model at a site with a dictionary; with random weights if ``is_twin``."""

    model: str
    site: str
    seed: int = 0
    is_twin: bool = False

    @property
    def twin(self) -> "Reading":
        """The same network and site with random weights."""
        return replace(self, is_twin=True, seed=0)

    @property
    def activations(self) -> str:
        """Name of the file of activations."""
        return f"{'random_' * self.is_twin}{self.model}_{self.site}.h5"

    @property
    def features(self) -> str:
        """Name of the file of features."""
        return f"features_{self.seed}_{self.activations}"


NANO, NANO_3 = Reading("nano", "blocks.5"), Reading("nano", "blocks.3")
SMALL = Reading("small", "blocks.7")
LLAMA = Reading("llama", "blocks.2")
OTHER_SEED = replace(NANO, seed=1)
PAIRS: Mapping[str, tuple[Reading, Reading]] = {
    "two seeds of the dictionary": (NANO, OTHER_SEED),
    "two sites, blocks.5 and blocks.3": (NANO, NANO_3),
    "two sizes, nano and small": (NANO, SMALL),
    "StripedHyena and a small Llama": (NANO, LLAMA),
}


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("folder", nargs="?", type=Path, help="where features are kept")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.folder is None:
        parser.error("measure needs a folder")
    KEPT.mkdir(exist_ok=True)
    for name, pair in PAIRS.items():
        path = _path(name)
        if not path.is_file():
            table = measure(*pair, arguments.folder)
            table.to_csv(path, sep="\t", index=False, float_format="%.4f")


def measure(a: Reading, b: Reading, folder: Path) -> pd.DataFrame:
    """Match two readings, next to their twins and another seed of the first."""
    files = shipped(GENOME)
    found = match(
        features(a, folder),
        features(b, folder),
        genome=files.sequence,
        annotations=files.annotation,
        twin_a=features(a.twin, folder),
        twin_b=features(b.twin, folder) if b.twin != a.twin else features(_second(b), folder),
        ceiling=features(OTHER_SEED, folder) if b != OTHER_SEED else (),
    )
    return found.summary


def _second(reading: Reading) -> Reading:
    """Return the twin with a dictionary of another seed."""
    return replace(reading.twin, seed=1)


def features(reading: Reading, folder: Path) -> Path:
    """Return the features of a reading, which are made if they are not there."""
    path = folder / reading.features
    if not path.exists():
        activations = folder / reading.activations
        if not activations.exists():
            weights = 0 if reading.is_twin else None
            harvest(
                shipped(GENOME).sequence,
                activations,
                load_model(_model(reading, folder), random_weights=weights),
                site=reading.site,
                region=REGION,
            )
        sae = path.with_suffix("")
        train(activations, sae, config=SETTINGS, seed=reading.seed)
        encode(activations, sae, path)
    return path


def _model(reading: Reading, folder: Path) -> str:
    """Return the name of a model, or the folder of the Llama, which is trained if need be."""
    return str(make_llama(folder)) if reading.model == "llama" else reading.model


def filled(page: str) -> str:
    """Return the page with its table filled from the files."""
    pattern = re.compile(r"(<!-- table matches -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda match: match[1] + _table() + match[2], page)


def _table() -> str:
    head = [
        "pair",
        "matched",
        "without last bases and phase",
        "rotated",
        "rotated by 3",
        "with the twin",
        "twins",
        "excess over the twin",
        "of the ceiling",
    ]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name in PAIRS:
        known = pd.read_csv(_path(name), sep="\t")
        own = known[(known["side"] == "a") & (known["decile"] == 0)].set_index("comparison")
        found = own.loc["found"]
        twin = own.loc["twin"]
        cells = [
            _share(found),
            *(_cell(own, it) for it in ("found_residual", "rotation", "rotation_3")),
            *(_cell(own, it) for it in ("twin", "twins")),
            f"{twin['excess']:.3f} ({twin['excess_low']:.3f} to {twin['excess_high']:.3f})",
            f"{found['of_ceiling']:.2f}" if pd.notna(found["of_ceiling"]) else "",
        ]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines) + "\n"


def _cell(own: pd.DataFrame, comparison: str) -> str:
    return _share(own.loc[comparison]) if comparison in own.index else ""


def _share(row: "pd.Series[float]") -> str:
    return f"{row['share']:.3f} ({row['share_low']:.3f} to {row['share_high']:.3f})"


def _path(name: str) -> Path:
    return KEPT / f"{re.sub(r'[^a-z0-9]+', '_', name.lower())}.tsv"


if __name__ == "__main__":
    main()
