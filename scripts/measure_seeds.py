"""Repeat the measurements of the demo for several seeds and several test genomes.

``python -m scripts.measure_seeds scripts/configs/seeds.yaml --corpus DIR --out RUN`` runs the
commands of the package one after the other, each once; a second call continues where the first was
stopped. ``--until encode`` stops before anything is measured. For each test genome and seed,
``RUN/<genome>/<seed>/`` holds ``associations.parquet``, ``candidates.tsv`` and ``backtest.tsv``.
``baselines.tsv`` of each genome is that of the first seed, since neurons, components, probes and
the model of the sequence do not depend on the dictionary. The tables of all seeds are collected in
``scripts/seeds/concepts.tsv`` and ``backtest.tsv``, from which ``python -m scripts.seeds_table``
fills the pages.
"""

import argparse
import logging
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genointerp.annotation.catalogue import shipped
from genointerp.annotation.concepts import load_concepts
from genointerp.association.baseline.beside import beside_baselines
from genointerp.association.summary import best_per_concept
from genointerp.candidate.backtest.backtest import verdict
from genointerp.core.config import read_config
from genointerp.store.table.schema.association import ASSOCIATIONS, BASELINES
from genointerp.store.table.schema.candidate import BACKTEST
from genointerp.store.table.table import read_table
from scripts import reserve_concepts

FINDERS = ("pyrodigal", "pyaragorn", "pybarrnap")
STAGES = ("encode", "associate", "backtest", "collect")
KEPT = Path(__file__).parent / "seeds"
_log = logging.getLogger("measure_seeds")


@dataclass(frozen=True)
class GenomeFiles:
    """Files of a genome, and the regions to read of it."""

    name: str
    """Name of its folder."""
    sequence: str
    """Sequence: ``shipped:NAME``, or ``corpus:PATH`` in the folder of the corpus."""
    regions: tuple[str, ...]
    """Regions, 1-based and closed."""
    annotation: str = ""
    """Annotation, as for ``sequence``; empty means that of the shipped genome, and ``predicted``
    that of gene finders."""


@dataclass(frozen=True)
class SeedsConfig:
    """Settings of the study."""

    model: str
    """Name of the model."""
    window: int
    """Bases of a window."""
    warmup: int
    """Bases at the head of a window whose activations are discarded."""
    dictionary: str
    """Configuration of the training of the dictionaries; a path relative to this file."""
    seeds: tuple[int, ...]
    """Seeds of the dictionaries."""
    fit: GenomeFiles
    """Genome on which everything is chosen."""
    test: tuple[GenomeFiles, ...]
    """Genomes on which everything is measured, one at a time."""


def main() -> None:
    """Parse the arguments, and run the commands whose output is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of assemble.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--until", choices=STAGES, default=STAGES[-1])
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    config = read_config(SeedsConfig, arguments.config)
    run = Seeds(config, arguments.config.parent, arguments.corpus, arguments.out)
    for stage in STAGES[: STAGES.index(arguments.until) + 1]:
        getattr(run, stage)()


class Seeds:
    """The files of one study, and the commands that make them."""

    def __init__(self, config: SeedsConfig, folder: Path, corpus: Path, out: Path) -> None:
        self.config, self.folder, self.corpus, self.out = config, folder, corpus, out
        self.genomes = (config.fit, *config.test)

    def encode(self) -> None:
        """Read the genomes, train the dictionaries, and encode the genomes."""
        for genome in self.genomes:
            sequence = self._sequence(genome)
            windows = ["--window", self.config.window, "--warmup", self.config.warmup]
            regions = _repeated("--region", genome.regions)
            reading = [sequence, "--model", self.config.model, *windows, *regions]
            self._make(self._activations(genome), "harvest", reading)
            if genome.annotation == "predicted":
                finders = _repeated("--find", FINDERS)
                self._make(self._annotation(genome), "annotate", [sequence, *finders])
        for seed in self.config.seeds:
            training = ["--config", self.folder / self.config.dictionary, "--seed", seed]
            fit = self._activations(self.config.fit)
            self._make(self._sae(seed), "train", [fit, *training])
            for genome in self.genomes:
                encoding = [self._activations(genome), "--sae", self._sae(seed)]
                self._make(self._features(genome, seed), "encode", encoding)

    def associate(self) -> None:
        """Score every feature against every concept, and rank unexplained features."""
        self._write_concepts()
        for genome in self.config.test:
            for seed in self.config.seeds:
                pair = (self.config.fit, genome)
                folder = self._folder(genome, seed)
                features = [self._features(one, seed) for one in pair]
                files = [*self._each("--annotations", pair), *self._each("--genome", pair)]
                settings = [*features, *files, *self._test(genome), *self._concepts, "--seed", seed]
                table = folder / "associations.parquet"
                self._make(table, "associate", settings)
                ranking = [*features, "--associations", table, *self._ranking(pair, seed)]
                self._make(folder / "candidates.tsv", "rank", ranking)
                if seed == self.config.seeds[0]:
                    # an option of its own names the table of baselines
                    baselines = self.out / genome.name / "baselines.tsv"
                    settings += ["--associations", table, *self._each("--activations", pair)]
                    self._make(baselines, "associate", settings, flag="--baselines-out")

    def backtest(self) -> None:
        """Hide each class in turn, and rank the features again."""
        for genome in self.config.test:
            for seed in self.config.seeds:
                pair = (self.config.fit, genome)
                folder = self._folder(genome, seed)
                settings: list[object] = [self._features(one, seed) for one in pair]
                settings += [*self._each("--annotations", pair), *self._concepts]
                settings += ["--associations", folder / "associations.parquet"]
                settings += ["--measured", folder / "candidates.tsv", *self._ranking(pair, seed)]
                if seed == self.config.seeds[0]:
                    settings += ["--baselines", self.out / genome.name / "baselines.tsv"]
                self._make(folder / "backtest.tsv", "backtest", settings)

    def collect(self) -> None:
        """Collect the tables that the pages show, over all genomes and seeds."""
        found: dict[str, list[pd.DataFrame]] = {"concepts": [], "backtest": []}
        for genome in self.config.test:
            measured = read_table(self.out / genome.name / "baselines.tsv", BASELINES)
            for seed in self.config.seeds:
                of = {"genome": genome.name, "seed": seed}
                folder = self._folder(genome, seed)
                best = best_per_concept(read_table(folder / "associations.parquet", ASSOCIATIONS))
                found["concepts"].append(beside_baselines(best, measured).assign(**of))
                table = read_table(folder / "backtest.tsv", BACKTEST)
                found["backtest"].append(self._with_probe(table, genome).assign(**of))
        KEPT.mkdir(exist_ok=True)
        for name, tables in found.items():
            table = pd.concat(tables, ignore_index=True)
            columns = ["genome", "seed", *(it for it in table if it not in ("genome", "seed"))]
            text = table[columns].to_csv(sep="\t", index=False, float_format="%.4g")
            (KEPT / f"{name}.tsv").write_text(text, encoding="utf-8")

    def _with_probe(self, table: pd.DataFrame, genome: GenomeFiles) -> pd.DataFrame:
        """Add to a backtest the probe of the first seed, since no dictionary changes it."""
        first = read_table(self._folder(genome, self.config.seeds[0]) / "backtest.tsv", BACKTEST)
        auroc = first.set_index("class")["probe_auroc"]
        concepts = load_concepts(self.out / "concepts.yaml")
        found = table.assign(probe_auroc=table["class"].map(auroc))
        found["verdict"] = [
            verdict(row, within_known=bool(concepts[row["class"]].of))
            for row in found.to_dict("records")
        ]
        return found

    @property
    def _concepts(self) -> list[object]:
        return ["--concepts", self.out / "concepts.yaml"]

    def _write_concepts(self) -> None:
        """Write the shipped concepts, and those that the backtest keeps in reserve."""
        (self.out / "concepts.yaml").write_text(reserve_concepts.text(), encoding="utf-8")

    def _ranking(self, pair: tuple[GenomeFiles, ...], seed: int) -> list[object]:
        files = [*self._each("--genome", pair), *self._each("--activations", pair)]
        trained_on = self._sequence(self.config.fit)
        return [*files, "--sae", self._sae(seed), "--trained-on", trained_on, "--seed", seed]

    def _each(self, flag: str, genomes: tuple[GenomeFiles, ...]) -> list[object]:
        found = {
            "--annotations": self._annotation,
            "--genome": self._sequence,
            "--activations": self._activations,
        }[flag]
        return _repeated(flag, [found(genome) for genome in genomes])

    def _test(self, genome: GenomeFiles) -> list[object]:
        seqids = dict.fromkeys(region.rsplit(":", 1)[0] for region in genome.regions)
        return _repeated("--test", seqids)

    def _sequence(self, genome: GenomeFiles) -> Path:
        kind, _, name = genome.sequence.partition(":")
        return shipped(name).sequence if kind == "shipped" else self.corpus / name

    def _annotation(self, genome: GenomeFiles) -> Path:
        if genome.annotation == "predicted":
            return self.out / genome.name / "predicted.gff3"
        kind, _, name = (genome.annotation or genome.sequence).partition(":")
        return shipped(name).annotation if kind == "shipped" else self.corpus / name

    def _activations(self, genome: GenomeFiles) -> Path:
        return self.out / genome.name / "activations.h5"

    def _features(self, genome: GenomeFiles, seed: int) -> Path:
        return self._folder(genome, seed) / "features.h5"

    def _sae(self, seed: int) -> Path:
        return self.out / "sae" / str(seed)

    def _folder(self, genome: GenomeFiles, seed: int) -> Path:
        return self.out / genome.name / str(seed)

    def _make(
        self, path: Path, command: str, arguments: Sequence[object], *, flag: str = "--out"
    ) -> None:
        """Run one command, unless its output exists."""
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        program = shutil.which("genointerp")
        assert program is not None
        words = [program, command, *map(str, arguments), flag, str(path)]
        _log.info("%s -> %s", command, path)
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def _repeated(flag: str, values: Iterable[object]) -> list[object]:
    """Return the arguments that give an option once for each value."""
    return [part for value in values for part in (flag, value)]


if __name__ == "__main__":
    main()
