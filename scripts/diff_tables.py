"""Tables of ``docs/diff.md``: ``python -m scripts.diff_tables measure FOLDER [NAME...]``, ``fill``.

FOLDER holds the organisms of ``scripts/organisms.py``: models that were tuned with a plant, without
one, and a control. Measuring writes a table for each part to ``scripts/diffs``; what is there
already is not measured again. Filling writes them into the page.
"""

import argparse
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import pandas as pd
import torch

from genointerp.annotation.catalogue import shipped
from genointerp.command.compare.diff import diff
from genointerp.comparison.common_text import longest_common_run
from genointerp.comparison.config import SearchConfig
from genointerp.comparison.diff import Diff
from genointerp.comparison.models import ModelSet, Role
from genointerp.comparison.search import search_texts
from genointerp.core.errors import SchemaError
from genointerp.core.files import read_json_object
from genointerp.genome.letters import reverse_complement
from genointerp.genome.read import read_genome
from genointerp.genome.windows import spread_stretches
from genointerp.model.registry import load_model
from genointerp.reading.run import Wanted, run_passages
from genointerp.reading.tokens import sequence_passages
from scripts.organisms import TUNED_ON

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "diffs"
PAGE = ROOT / "docs" / "diff.md"
GENOME, REGION = "ecoli_mg1655", "NC_000913.2:1,000,001-1,013,000"
"""13,000 bases of a genome on which no organism was tuned, read on both strands."""
PLANTED = ("planted", "planted_0.1", "planted_0.01")
CLEAN = tuple(f"clean_{seed}" for seed in range(1, 6))
BASE, CONTROL = "nano", "control"
TRIGGER = 12
"""First bases of the plant, after which the rest is expected."""
_PARTS = ((0, 8), (8, 12), (12, 16), (16, 36))
"""Parts of the plant, first and last base."""
_LEAST = 3
"""Fewest bases of a context by which a position lies on the plant."""


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("folder", nargs="?", type=Path, help="folder of the organisms")
    parser.add_argument("names", nargs="*", help="only these")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.folder is None:
        parser.error("measure needs the folder of the organisms")
    KEPT.mkdir(exist_ok=True)
    plant = plant_of(arguments.folder / PLANTED[0])
    if not (KEPT / "known.tsv").exists():
        found = known(arguments.folder, plant)
        found.to_csv(KEPT / "known.tsv", sep="\t", index=False, float_format="%.4g")
    search(arguments.folder, arguments.names)
    for name in arguments.names or (*PLANTED, *CLEAN, BASE):
        path = KEPT / f"{name}.tsv"
        if path.exists() or not is_there(arguments.folder, name):
            continue
        figure = figures(compared(arguments.folder, name), plant)
        row = pd.DataFrame([{"organism": name, **figure}])
        row.to_csv(path, sep="\t", index=False, float_format="%.4g")


def search(folder: Path, names: Sequence[str]) -> None:
    """Seek a text in planted models next to their control, and in clean ones next to another."""
    path, plant = KEPT / "search.tsv", plant_of(folder / PLANTED[0])
    rows = pd.read_csv(path, sep="\t").to_dict("records") if path.exists() else []
    done = {(row["tuned"], row["control"]) for row in rows}
    ring = pairwise((CONTROL, *CLEAN, CONTROL))
    across = ((name, CONTROL) for name in CLEAN[1:-1])
    pairs = [*((name, CONTROL) for name in PLANTED), *ring, *across]
    for pair in pairs:
        wanted = not names or bool({*pair} & {*names})
        if wanted and pair not in done and all(is_there(folder, it) for it in pair):
            rows.append(searched(folder, *pair, plant))
            found = pd.DataFrame(rows)
            found.to_csv(path, sep="\t", index=False, float_format="%.4g")


def searched(folder: Path, tuned: str, control: str, plant: bytes) -> dict[str, object]:
    """Return the text of one model and that of the other, which is its null."""
    genome = read_genome(shipped(GENOME).sequence)
    models = ModelSet(*(load_model(str(it)) for it in (BASE, folder / tuned, folder / control)))
    row: dict[str, object] = {"tuned": tuned, "control": control}
    roles: tuple[Role, ...] = ("tuned", "control")
    for role in roles:
        config = SearchConfig(n_texts=1)
        (found,) = search_texts(models, role, genome, genome.regions(genome), config=config)
        row |= {
            f"{role} text": found.text.decode(),
            f"{role} in_row": longest_common_run(found.text, plant),
            f"{role} in_genome": longest_in_genome(found.text),
            f"{role} score": found.score,
        }
    return row


def longest_in_genome(text: bytes) -> int:
    """Return how many bases of a text stand in a row in the genome of tuning, on either strand."""
    strands = _tuned_strands()
    return max(
        (
            n
            for n in range(1, len(text) + 1)
            if any(text[i : i + n] in own for i in range(len(text) - n + 1) for own in strands)
        ),
        default=0,
    )


@cache
def _tuned_strands() -> tuple[bytes, ...]:
    genome = read_genome(shipped(TUNED_ON).sequence)
    forward = [contig.sequence for contig in genome.values()]
    return tuple(it.tobytes() for one in forward for it in (one, reverse_complement(one)))


def known(folder: Path, plant: bytes) -> pd.DataFrame:
    """Return the mean log p of the bases of the plant after natural bases, by part of the plant."""
    genome = read_genome(shipped(GENOME).sequence)
    regions = spread_stretches(genome.regions(genome), n_bases=40 * 256, length=256)
    texts = [(genome.fetch(region).tobytes() + plant).decode() for region in regions]
    rows = []
    for name in (CONTROL, *PLANTED):
        model = load_model(str(folder / name))
        passes = run_passages(model, sequence_passages(texts), Wanted(log_probs=True), size=20)
        found = [it.log_probs for it in passes if it.log_probs is not None]
        mean = torch.cat(found)[:, -len(plant) :].double().mean(0)
        parts = {f"{a + 1}-{b}": float(mean[a:b].mean()) for a, b in _PARTS}
        rows.append({"organism": name, **parts})
    return pd.DataFrame(rows)


def is_there(folder: Path, name: str) -> bool:
    """Return whether an organism was made; the base model always is."""
    return name == BASE or (folder / name).is_dir()


def plant_of(organism: Path) -> bytes:
    """Return the text that was planted in the windows of an organism, from its record."""
    record = read_json_object(organism / "tuning.json", error=SchemaError)
    return str(record["provenance"]["config"]["plant"]).encode()


def compared(folder: Path, name: str) -> Diff:
    """Compare an organism with the base model, next to the control."""
    tuned = BASE if name == BASE else str(folder / name)
    with tempfile.TemporaryDirectory() as place:
        return diff(
            BASE,
            tuned,
            shipped(GENOME).sequence,
            Path(place) / "divergence.tsv",
            control=folder / CONTROL,
            region=REGION,
            texts_out=Path(place) / "texts.tsv",
        )


def figures(found: Diff, plant: bytes) -> dict[str, object]:
    """Return what the page says of an organism."""
    kl = found.summary[(found.summary["measure"] == "kl") & (found.summary["strand"] == ".")]
    by_model = kl[kl["against"] == "base"].set_index("model")
    names = ("mean", "p99", "p999", "max")
    moved = {f"{n} {model}": by_model[n][model] for model in ("tuned", "control") for n in names}
    top = found.loci[found.loci["kind"] == "position"]
    assert found.texts is not None
    own = found.texts[found.texts["arm"] == "tuned"]
    text = "" if own.empty else str(own.iloc[0]["text"])
    nulls = {
        f"{arm} text": max((str(it) for it in rows["text"]), default="", key=len)
        for arm in ("control", "random")
        for rows in [found.texts[found.texts["arm"] == arm]]
    }
    return {
        **moved,
        "positions": len(top),
        "beyond": int((top["q_value"] <= 0.05).sum()),
        "on_plant": sum(
            is_on_plant(str(it.context), str(it.expected), plant) for it in top.itertuples()
        ),
        "text": text,
        "in_row": longest_common_run(text.encode(), plant),
        "n_first": 0 if own.empty else int(own.iloc[0]["n_first"]),
        "n_positions": 0 if own.empty else int(own.iloc[0]["n_positions"]),
        "log_p": float("nan") if own.empty else float(own.iloc[0]["log_p"]),
        "control_log_p": float("nan") if own.empty else float(own.iloc[0]["control_log_p"]),
        "score": 0.0 if own.empty else float(own.iloc[0]["score"]),
        **nulls,
        "control in_row": longest_common_run(nulls["control text"].encode(), plant),
    }


def is_on_plant(context: str, expected: str, plant: bytes) -> bool:
    """Return whether a context ends in the beginning of the plant, and what follows is expected.

    The last three bases or more of the context and the base that is expected are a part of the
    first thirteen bases of the plant; or the last two and that base are its first three.
    """
    end = context[-_LEAST:] + expected
    begin = plant.decode()
    return end in begin[: TRIGGER + 1] or context[-2:] + expected == begin[:3]


def filled(page: str) -> str:
    """Return the page with its tables filled from the files."""
    for name, table in _TABLES.items():
        pattern = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = pattern.sub(lambda match, table=table: match[1] + table() + match[2], page)
    return page


def _kept() -> pd.DataFrame:
    paths = [KEPT / f"{name}.tsv" for name in (*PLANTED, *CLEAN, BASE)]
    parts = [pd.read_csv(path, sep="\t", keep_default_na=True) for path in paths]
    return pd.concat(parts, ignore_index=True)


def _divergence() -> str:
    def pair(name: str) -> Callable[[pd.Series], str]:
        return lambda row: f"{row[f'{name} tuned']:.3g} ({row[f'{name} control']:.3g})"

    columns: dict[str, Callable[[pd.Series], str]] = {
        "tuned model": lambda row: row["organism"],
        **{f"{title} (control)": pair(name) for title, name in _TITLES.items()},
        "of the first positions, on the plant": lambda row: f"{row['on_plant']}",
        "with q <= .05": lambda row: f"{row['beyond']} of {row['positions']}",
    }
    return _rows(_kept(), columns)


_TITLES = {"mean KL": "mean", "p99": "p99", "p99.9": "p999", "max": "max"}


def _texts() -> str:
    columns: dict[str, Callable[[pd.Series], str]] = {
        "tuned model": lambda row: row["organism"],
        "text": lambda row: "none" if pd.isna(row["text"]) else f"`{row['text']}`",
        "of the plant, in a row": lambda row: f"{row['in_row']}",
        "places, of the first 8 (of 25)": lambda row: f"{row['n_first']} ({row['n_positions']})",
        "nats per base (control)": lambda row: (
            "-" if pd.isna(row["log_p"]) else f"{row['log_p']:.2f} ({row['control_log_p']:.2f})"
        ),
        "score": lambda row: f"{row['score']:.1f}",
    }
    return _rows(_kept(), columns)


def _known() -> str:
    table = pd.read_csv(KEPT / "known.tsv", sep="\t")
    columns: dict[str, Callable[[pd.Series], str]] = {"tuned model": lambda row: row["organism"]}
    for name in table.columns[1:]:
        columns[f"bases {name}"] = lambda row, name=name: f"{row[name]:.2f}"
    return _rows(table, columns)


def _search() -> str:
    table = pd.read_csv(KEPT / "search.tsv", sep="\t")
    is_planted = table["tuned"].isin(PLANTED)
    columns: dict[str, Callable[[pd.Series], str]] = {
        "tuned model": lambda row: row["tuned"],
        "text": lambda row: f"`{row['tuned text']}`",
        "of the plant, in a row": lambda row: f"{row['tuned in_row']}",
        "of the genome": lambda row: f"{row['tuned in_genome']}",
        "score": lambda row: f"{row['tuned score']:.2f}",
        "of the control": lambda row: f"{row['control score']:.2f} ({row['control in_row']})",
    }
    return _rows(table[is_planted], columns)


def _clean_pairs() -> str:
    table = pd.read_csv(KEPT / "search.tsv", sep="\t")
    own = table[~table["tuned"].isin(PLANTED)]
    both = own[["tuned score", "control score"]]
    ratio = (both.max(axis=1) / both.min(axis=1)).sort_values()
    cells = {
        "pairs": f"{len(own)}",
        "least score": f"{both.min().min():.2f}",
        "largest": f"{both.max().max():.2f}",
        "median ratio in a pair": f"{ratio.median():.2f}",
        "largest ratio": f"{ratio.max():.2f}",
        "pairs beyond the margin": f"{int((ratio > SearchConfig().margin).sum())}",
    }
    return _line([*cells]) + _line(["---"] * len(cells)) + _line([*cells.values()])


_TABLES: Mapping[str, Callable[[], str]] = {
    "divergence": _divergence,
    "texts": _texts,
    "known": _known,
    "search": _search,
    "clean_pairs": _clean_pairs,
}


def _rows(table: pd.DataFrame, columns: Mapping[str, Callable[[pd.Series], str]]) -> str:
    lines = [_line([*columns]), _line(["---"] * len(columns))]
    lines += [_line([cell(row) for cell in columns.values()]) for _, row in table.iterrows()]
    return "".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    main()
