"""What a run is about to read, read once: a slip is told now, not after hours of computing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genointerp.annotation.concepts import load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.association.config import read_associate_config
from genointerp.association.split import Split, split_genomes
from genointerp.core.errors import ConfigError, CoordinateError, InputError
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.store.contigs import ContigInfo


def check_inputs(config: Mapping[str, Any], *, where: str) -> None:
    """Read the genomes, annotations and concepts of a resolved configuration.

    Parameters
    ----------
    where
        Begins the errors of the configuration, usually its file's name.

    Raises
    ------
    ConfigError
        If a region or a sequence of the test side is in none of the genomes, nothing is left for
        fit, or random weights would be read on one side only.
    InputError
        If a file is damaged, or an annotation is not of its genome.
    """
    genomes = {}
    for name, entry in config["genomes"].items():
        genomes[name] = read_genome(Path(entry["sequence"]))
        read_annotation(Path(entry["annotation"]), genomes[name])
        for region in entry.get("regions", ()):
            _check_region(region, genomes[name], f"{where}: genomes.{name}.regions")
    load_concepts(Path(config["concepts"]) if "concepts" in config else None)
    fidelity = config["fidelity"]
    for region in fidelity.get("regions", ()):
        _check_region(region, genomes[fidelity["genome"]], f"{where}: fidelity.regions")
    for name, regions in config.get("baselines", {}).get("random", {}).items():
        for region in regions:
            _check_region(region, genomes[name], f"{where}: baselines.random.{name}")
    for name, query in config["queries"].items():
        _check_region(query["region"], genomes[query["genome"]], f"{where}: queries.{name}")
    known = [seqid for genome in genomes.values() for seqid in genome]
    for seqid in config.get("test", ()):
        if seqid not in known:
            raise ConfigError(f"{where}: test", f"one of {', '.join(known[:5])}", repr(seqid))
    splits = _divide(config, genomes, where)
    random = config.get("baselines", {}).get("random", {})
    if random:
        _check_random(random, genomes, splits, where)


def _divide(
    config: Mapping[str, Any], genomes: Mapping[str, Genome], where: str
) -> dict[str, Split]:
    """Divide the genomes into fit and test, as `associate` will."""
    path = Path(config["associate"]) if "associate" in config else None
    settings = read_associate_config(path, test=config.get("test", ()))
    contigs = [ContigInfo.of(genome) for genome in genomes.values()]
    try:
        return dict(zip(genomes, split_genomes(contigs, settings), strict=True))
    except InputError as error:
        raise ConfigError(f"{where}: {error.where}", error.expected, error.found) from error


def _check_random(
    random: Mapping[str, Sequence[str]],
    genomes: Mapping[str, Genome],
    splits: Mapping[str, Split],
    where: str,
) -> None:
    """Refuse regions of random weights without a base to choose upon, or none to measure on."""
    read = [
        (name, region)
        for name, regions in random.items()
        for region in genomes[name].regions(regions)
    ]
    for side in ("fit", "test"):
        stretches = {name: getattr(split, side) for name, split in splits.items()}
        if not any(
            region.intersection(stretch) for name, region in read for stretch in stretches[name]
        ):
            there = ", ".join(name for name, own in stretches.items() if own)
            expected = f"regions with bases of the {side} side, which are of {there}"
            found = ", ".join(region for regions in random.values() for region in regions)
            raise ConfigError(f"{where}: baselines.random", expected, f"{found} alone")


def _check_region(region: str, genome: Genome, where: str) -> None:
    try:
        genome.regions([region])
    except CoordinateError as error:
        raise ConfigError(f"{where}: {region}", error.expected, error.found) from error
