"""What a run is about to read, read once: a slip is told now, not after hours of computing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genointerp.annotation.concepts import load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.core.errors import ConfigError, CoordinateError
from genointerp.genome.genome import Genome
from genointerp.genome.interval import parse_region
from genointerp.genome.read import read_genome


def check_inputs(config: Mapping[str, Any], *, where: str) -> None:
    """Read the genomes, annotations and concepts of a resolved configuration.

    Parameters
    ----------
    where
        Begins the errors of the configuration, usually its file's name.

    Raises
    ------
    ConfigError
        If a region or a sequence of the test side is in none of the genomes.
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


def _check_region(region: str, genome: Genome, where: str) -> None:
    try:
        parse_region(region, genome.lengths)
    except CoordinateError as error:
        raise ConfigError(f"{where}: {region}", error.expected, error.found) from error
