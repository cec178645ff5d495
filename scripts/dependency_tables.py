"""Tables of ``docs/explaining.md`` about bases: ``python -m scripts.dependency_tables measure``.

``measure`` writes a table for each part to ``scripts/dependencies``, for `nano` on B. subtilis,
which neither it nor its dictionary has seen; what is there already is not measured again. ``fill``
writes them into the page.
"""

import argparse
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.catalogue import shipped
from genointerp.annotation.finders.folding import dinucleotide_shuffle
from genointerp.annotation.read import read_annotation
from genointerp.core.metric import auroc_of_values
from genointerp.core.seed import rng
from genointerp.explanation.chain import ChainConfig, chain
from genointerp.explanation.dependency import dependencies, shuffled
from genointerp.explanation.mutagenesis import Mutagenesis, mutate
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome
from genointerp.model.protocol import DnaModel
from genointerp.model.registry import load_model
from genointerp.reading.question import ask_bases, window_passage
from genointerp.reading.tokens import Passage
from genointerp.sae.dictionary import Dictionary

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "dependencies"
PAGE = ROOT / "docs" / "explaining.md"
CONTEXT = 512
"""Bases that are read before those of a question, and before a region."""
N_GENES, GENE_BASES = 20, 150
"""Coding sequences of the map of codons, and bases of each."""
N_PREDICTIONS = 20
"""Predictions of each class whose bases are replaced."""
N_CHAINS = 8
"""Predictions of each class whose effects are followed through features."""
N_DRAWS = 2000
"""Draws of the null of paired bases."""
SEED = 0


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("--part", choices=PARTS, action="append", help="only this one; repeatable")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    for part in arguments.part or PARTS:
        path = KEPT / f"{part}.tsv"
        if not path.exists():
            PARTS[part](Subject.load()).to_csv(path, sep="\t", index=False, float_format="%.4g")


class Subject(NamedTuple):
    """What is measured on."""

    model: DnaModel
    genome: Genome
    annotation: AnnotationSet

    @classmethod
    def load(cls) -> "Subject":
        """Load the model, and B. subtilis with its annotation."""
        files = shipped("bsubtilis_168")
        genome = read_genome(files.sequence)
        return cls(load_model("nano"), genome, read_annotation(files.annotation, genome))

    def elements(self, type: str) -> list[GenomicInterval]:
        """Return the elements of a type that are one stretch, in a random order."""
        found = [
            GenomicInterval(part.seqid, part.start, part.end, part.strand)
            for element in self.annotation
            if element.type == type and len(element.parts) == 1
            for part in element.parts
        ]
        order = rng(SEED, f"elements of type {type}").permutation(len(found))
        return [found[i] for i in order]

    def text(self, interval: GenomicInterval) -> str:
        """Return the bases of an interval on its strand."""
        return window_passage(self.model, self.genome, interval, 0).bases.tobytes().decode()


class Pair(NamedTuple):
    """Two bases of a stem, by their offsets in the tRNA."""

    stem: str
    first: int
    second: int


def stems(text: str) -> list[Pair]:
    """Return the base pairs of a tRNA gene with a short variable loop; none if it folds otherwise.

    The T stem and the acceptor stem are counted from the two ends, with or without CCA; the
    anticodon stem is where a loop of seven bases has a T after its first and the most pairs around
    it; the D stem is counted from there. Only bases that pair (A T, G C, G T) are returned.
    """
    end = len(text) - (4 if text.endswith("CCA") else 1)
    places = [("acceptor", i, end - 1 - i) for i in range(7)]
    places += [("T", end - 24 + i, end - 8 - i) for i in range(5)]
    possible = [s for s in range(24, 30) if text[s + 6] == "T"]
    if not possible:
        return []
    start = max(possible, key=lambda s: _n_pairs(text, [(s + i, s + 16 - i) for i in range(5)]))
    places += [("anticodon", start + i, start + 16 - i) for i in range(5)]
    places += [("D", 9 + i, start - 2 - i) for i in range(4)]
    pairs = [Pair(*place) for place in places if _n_pairs(text, [place[1:]])]
    n = {stem: sum(pair.stem == stem for pair in pairs) for stem in STEMS}
    folds = n["acceptor"] >= 6 and n["T"] >= 4 and n["anticodon"] >= 4
    return pairs if folds and 72 <= len(text) <= 78 else []


STEMS = ("acceptor", "anticodon", "T", "D")


def _n_pairs(text: str, places: list[tuple[int, int]]) -> int:
    return sum({text[i], text[j]} in ({"A", "T"}, {"C", "G"}, {"G", "T"}) for i, j in places)


def trna(subject: Subject) -> pd.DataFrame:
    """Return how paired bases of tRNAs rank among the pairs at the same distance.

    A row for each stem, way to read, and norm: the AUROC of a pair against the pairs of the same
    tRNA at the same distance that no stem has, mean over pairs; and what random pairs of these
    distances reach (mean and 95 % range over draws, and p).
    """
    rows, seen = [], set()
    for gene in subject.elements("tRNA"):
        text = subject.text(gene)
        pairs = stems(text)
        if pairs and text not in seen:
            seen.add(text)
            for kind, matrices in _maps(subject, gene).items():
                for name, matrix in matrices.items():
                    rows += _ranks(matrix, pairs, kind, name, len(seen))
    table = pd.DataFrame(rows)
    every = table.assign(stem="all")
    found = [
        {"sequence": kind, "norm": name, "stem": stem, **_summary(group, kind + name + stem)}
        for (kind, name, stem), group in pd.concat([table, every]).groupby(
            ["sequence", "norm", "stem"], sort=False
        )
    ]
    return pd.DataFrame(found)


def _maps(subject: Subject, gene: GenomicInterval) -> Mapping[str, Mapping[str, np.ndarray]]:
    """Return the maps of a gene and of its shuffled bases, by the strands read and the norm."""
    found: dict[str, dict[str, np.ndarray]] = {}
    other = "-" if gene.strand == "+" else "+"
    back = GenomicInterval(gene.seqid, gene.start, gene.end, other)
    passages = [window_passage(subject.model, subject.genome, it, CONTEXT) for it in (gene, back)]
    for kind in ("genome", "shuffled"):
        if kind == "shuffled":
            passages = [shuffled(it, SEED, 1) for it in passages]
        maps = [dependencies(subject.model, it) for it in passages]
        found[kind] = {}
        for norm in maps[0]._fields:
            sense, antisense = (getattr(it, norm) for it in maps)
            # what is read on the other strand comes in the other order
            antisense = antisense[::-1, ::-1].T
            found[kind] |= {
                f"{norm}, sense": sense,
                f"{norm}, antisense": antisense,
                f"{norm}, both": (sense + antisense) / 2,
                f"{norm}, both, corrected": _corrected((sense + antisense) / 2),
            }
    return found


def _corrected(matrix: np.ndarray) -> np.ndarray:
    """Return a map without what its rows and columns have in common (Dunn et al. 2008)."""
    whole = np.where(np.isnan(matrix), matrix.T, matrix)
    np.fill_diagonal(whole, np.nan)
    mean = np.nanmean(whole, axis=0)
    return matrix - np.outer(mean, mean) / np.nanmean(whole)


def _ranks(
    matrix: np.ndarray, pairs: list[Pair], kind: str, norm: str, gene: int
) -> Iterator[dict[str, object]]:
    """Yield for each pair its AUROC against unpaired ones at its distance, and all of theirs."""
    paired = {(pair.first, pair.second) for pair in pairs}
    for pair in pairs:
        distance = pair.second - pair.first
        every = [(i, i + distance) for i in range(len(matrix) - distance)]
        others = np.array([matrix[it] for it in every if it not in paired])
        if len(others) > 1:
            own = auroc_of_values(matrix[pair.first, pair.second][None], others)
            null = [
                auroc_of_values(one[None], np.delete(others, i)) for i, one in enumerate(others)
            ]
            yield {
                "sequence": kind,
                "norm": norm,
                "stem": pair.stem,
                "gene": gene,
                "auroc": own,
                "null": null,
            }


def _summary(group: pd.DataFrame, purpose: str) -> dict[str, object]:
    draw = rng(SEED, f"null of {purpose}")
    null = np.mean([draw.choice(one, N_DRAWS) for one in group["null"]], axis=0)
    mean = float(group["auroc"].mean())
    low, high = np.quantile(null, [0.025, 0.975])
    return {
        "n_genes": group["gene"].nunique(),
        "n_pairs": len(group),
        "auroc": mean,
        "null_low": low,
        "null_high": high,
        "p_value": (1 + int((null >= mean).sum())) / (1 + N_DRAWS),
    }


def codons(subject: Subject) -> pd.DataFrame:
    """Return the mean dependency by distance in coding sequence, and in shuffled bases.

    Bases of the gene are shuffled alone, behind the genome's own, or together with those before.
    """
    rows = []
    genes = [it for it in subject.elements("CDS") if it.length >= 3 * GENE_BASES][:N_GENES]
    for number, gene in enumerate(genes):
        middle = gene.start + gene.length // 2 - GENE_BASES // 2
        part = GenomicInterval(gene.seqid, middle, middle + GENE_BASES, gene.strand)
        own = window_passage(subject.model, subject.genome, part, CONTEXT)
        draw = rng(SEED, f"all bases around gene {number}")
        every = Passage(own.window, dinucleotide_shuffle(own.bases, draw))
        for kind, passage in {
            "genome": own,
            "shuffled": shuffled(own, SEED, 1),
            "all shuffled": every,
        }.items():
            matrix = dependencies(subject.model, passage).largest
            for distance in range(1, GENE_BASES // 2):
                mean = float(np.diagonal(matrix, distance).mean())
                rows.append((kind, number, distance, mean))
    return pd.DataFrame(rows, columns=["sequence", "gene", "distance", "dependency"])


def _questions(subject: Subject, type: str) -> Iterator[Mutagenesis]:
    """Yield mutagenesis before random bases of random elements of a type."""
    draw = rng(SEED, f"bases of {type}")
    for gene in [it for it in subject.elements(type) if it.length >= 70][:N_PREDICTIONS]:
        at = gene.start + int(draw.integers(gene.length))
        base = GenomicInterval(gene.seqid, at, at + 1, gene.strand)
        yield mutate(subject.model, ask_bases(subject.model, subject.genome, base, context=CONTEXT))


def gradients(subject: Subject) -> pd.DataFrame:
    """Return how gradients on bases compare with mutagenesis, a row for each prediction."""
    rows = []
    for type in ("CDS", "tRNA"):
        for found in _questions(subject, type):
            effect, by_gradient = np.abs(found.mean_effect), np.abs(found.gradient).max(1)
            order, best = (-by_gradient).argsort(), (-effect).argsort()
            rows.append(
                {
                    "type": type,
                    "question": found.question.name,
                    "value": found.value,
                    "largest_effect": np.abs(found.effect).max(),
                    "r": found.gradient_correlation,
                    "r_bases": np.corrcoef(effect, by_gradient)[0, 1],
                    "kept_16": effect[order[:16]].sum() / effect.sum(),
                    "best_16": effect[best[:16]].sum() / effect.sum(),
                    "last_16": effect[-16:].sum() / effect.sum(),
                    "same_first": int(order[0] == best[0]),
                    "first_among_16": int(best[0] in order[:16]),
                }
            )
    return pd.DataFrame(rows)


def chains(subject: Subject) -> pd.DataFrame:
    """Return how much of the effect of bases passes through features, a row for each base."""
    dictionary, rows = Dictionary.load("shipped:nano"), []
    for type in ("CDS", "tRNA"):
        for number, found in enumerate(_questions(subject, type)):
            if number == N_CHAINS:
                break
            table = chain(
                subject.model,
                dictionary,
                found,
                ChainConfig(n_bases=4, n_features=512),
                contig_length=subject.genome[found.question.interval.seqid].length,
            )
            for _, of_base in table.groupby("offset"):
                parts = of_base.set_index("node")["contribution"]
                features = parts.drop(["other", "error"]).abs().cumsum()
                rows.append(
                    {
                        "type": type,
                        "question": found.question.name,
                        "offset": of_base["offset"].iloc[0],
                        "effect": of_base["effect"].iloc[0],
                        "features": parts.drop("error").sum(),
                        "error": parts["error"],
                        "gap": of_base["gap"].iloc[0],
                        "n_features_for_80": 1 + int((features < 0.8 * features.iloc[-1]).sum()),
                        "n_features": len(features),
                    }
                )
    return pd.DataFrame(rows)


PARTS: Mapping[str, Callable[[Subject], pd.DataFrame]] = {
    "trna": trna,
    "codons": codons,
    "gradients": gradients,
    "chains": chains,
}


def filled(page: str) -> str:
    """Return the page with its tables of bases filled from the files."""
    tables = {"stems": stem_rows, "codons": codon_rows, "bases": base_rows, "chains": chain_rows}
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = pattern.sub(lambda match, table=table: match[1] + table() + match[2], page)
    return page


def stem_rows() -> str:
    """Return the ranks of paired bases, a row for each stem."""
    table = _kept("trna").set_index(["sequence", "norm", "stem"])
    rows = []
    for stem in (*STEMS, "all"):
        found = {
            way: table.loc[("genome", f"largest, {way}", stem)]
            for way in ("sense", "antisense", "both", "both, corrected")
        }
        n_pairs = found["both"]["n_pairs"]
        cells = [stem, f"{n_pairs:.0f}", *(f"{it['auroc']:.2f}" for it in found.values())]
        for way in ("both", "both, corrected"):
            own, control = found[way], table.loc[("shuffled", f"largest, {way}", stem), "auroc"]
            cells += [f"{own['null_low']:.2f}-{own['null_high']:.2f}", f"{control:.2f}"]
        rows.append(cells)
    names = ["stem", "pairs", "sense", "antisense", "both", "both, corrected"]
    controls = ["random pairs (95 %)", "shuffled bases"]
    return _markdown([*names, *controls, *(f"corrected: {it}" for it in controls)], rows)


def codon_rows() -> str:
    """Return how far distances stand out by their rest modulo 3, a row for each kind of sequence.

    A distance is compared with the geometric mean of its two neighbours, since dependencies fall
    with distance.
    """
    table = _kept("codons").pivot(
        index=["sequence", "gene"], columns="distance", values="dependency"
    )
    value = np.log(table.to_numpy())
    excess = pd.DataFrame(
        value[:, 1:-1] - (value[:, :-2] + value[:, 2:]) / 2,
        index=table.index,
        columns=table.columns[1:-1],
    )
    rows = []
    for kind in ("genome", "shuffled", "all shuffled"):
        cells = [kind, f"{table.loc[kind].loc[:, 6:47].mean(axis=None):.3f}"]
        for rest in range(3):
            own = excess.loc[kind, list(range(6 + rest, 48, 3))].mean(axis=1)
            cells.append(
                f"{np.exp(own.mean()):.2f} ({np.exp(own.min()):.2f}-{np.exp(own.max()):.2f})"
            )
        rows.append(cells)
    names = ["bases", "mean dependency, nats"]
    rests = ["multiples of 3 / their neighbours (range)", "one more", "two more"]
    return _markdown([*names, *rests], rows)


def base_rows() -> str:
    """Return how gradients compare with mutagenesis, a row for each class."""
    names = {
        "r": "r, replacements",
        "r_bases": "r, bases",
        "kept_16": "effect in the 16 of largest gradient",
        "last_16": "in the last 16",
        "best_16": "in the best 16",
        "first_among_16": "holds the strongest base",
    }
    rows = []
    for type, group in _kept("gradients").groupby("type"):
        low, high = group["r"].min(), group["r"].max()
        means = [f"{group[name].mean():.2f}" for name in names]
        means[0] += f" ({low:.2f} to {high:.2f})"
        more = group["kept_16"] - group["last_16"]
        means.append(f"{more.mean():+.3f} ({more.std():.3f})")
        rows.append([str(type), str(len(group)), *means])
    last = "largest gradient less last 16 (sd)"
    return _markdown(["class", "predictions", *names.values(), last], rows)


def chain_rows() -> str:
    """Return how much of the effects passes through features, a row for each class."""
    rows = []
    for type, group in _kept("chains").groupby("type"):
        share = (group["error"] / group["effect"]).abs()
        rows.append([
            str(type), str(len(group)), f"{group['effect'].abs().median():.2f}",
            f"{group['gap'].max():.4f}", f"{share.median():.2f} (to {share.max():.2f})",
            f"{group['n_features_for_80'].median():.0f}",
        ])  # fmt: skip
    return _markdown(
        [
            "class", "bases", "median effect, nats", "largest gap, nats",
            "error / effect, median", "features for 80 %, median",
        ],
        rows,
    )  # fmt: skip


def _kept(part: str) -> pd.DataFrame:
    return pd.read_csv(KEPT / f"{part}.tsv", sep="\t")


def _markdown(names: list[str], rows: list[list[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
