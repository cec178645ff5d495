"""Read all inputs of a run before it starts, so that a mistake is found at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from genointerp.annotation.concepts import load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.association.config import AssociateConfig, read_associate_config
from genointerp.association.inputs import describe_blocks
from genointerp.association.split import (
    Divisible,
    Split,
    fit_blocks,
    sides_read,
    split_genomes,
)
from genointerp.core.errors import ConfigError, CoordinateError, InputError
from genointerp.core.nearest import suggested
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.genome.place import parse_place
from genointerp.genome.read import read_genome
from genointerp.genome.variant import parse_variant, read_variants
from genointerp.genome.windows import check_regions
from genointerp.intervention.canvas import Canvas
from genointerp.workflow.comparisons import check_comparisons
from genointerp.workflow.config import interventions, is_annotated


def check_inputs(config: Mapping[str, Any], *, where: str) -> list[str]:
    """Read the genomes, annotations and concepts of a resolved configuration.

    Parameters
    ----------
    where
        Beginning of error messages, usually the name of the configuration file.

    Returns
    -------
    list
        Notes for the user before the first step, one line each.

    Raises
    ------
    ConfigError
        If a region or a sequence of the test side is in none of the genomes, one genome comes
        twice, nothing is left to read on one side, random weights would be read on one side only,
        or a comparison cannot be made.
    InputError
        If a file is damaged, or an annotation is not of its genome.
    """
    genomes = {}
    for name, entry in config["genomes"].items():
        genomes[name] = read_genome(Path(entry["sequence"]))
        if "annotation" in entry:
            read_annotation(Path(entry["annotation"]), genomes[name])
    _check_twins(genomes, where)
    load_concepts(Path(config["concepts"]) if "concepts" in config else None)
    read = _check_regions(config, genomes, where)
    annotated = is_annotated(config)
    compared = check_comparisons(config, is_annotated=annotated, where=where)
    if not annotated:
        lacking = [name for name, entry in config["genomes"].items() if "annotation" not in entry]
        return [
            f"{', '.join(lacking)}: no annotation, and no finder to predict one "
            '(pip install "genointerp[annotate]"): the run goes on without associations',
            *compared,
        ]
    return [*_predicted(config), *_check_sides(config, genomes, read, where), *compared]


def _predicted(config: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: no annotation; it is predicted by {', '.join(entry['annotate_with'])}"
        for name, entry in config["genomes"].items()
        if "annotation" not in entry
    ]


def _check_twins(genomes: Mapping[str, Genome], where: str) -> None:
    known: dict[str, str] = {}
    for name, genome in genomes.items():
        twin = known.setdefault(genome.sha256, name)
        if twin != name:
            raise ConfigError(f"{where}: genomes.{name}", f"another genome than {twin}", "the same")


def _check_regions(
    config: Mapping[str, Any], genomes: Mapping[str, Genome], where: str
) -> dict[str, tuple[GenomicInterval, ...]]:
    """Check every region of the configuration; return those that are harvested, by genome."""
    read = {}
    for name, entry in config["genomes"].items():
        place = f"{where}: genomes.{name}.regions"
        read[name] = _parse(entry.get("regions", ()), genomes[name], place)
    fidelity = config["fidelity"]
    _parse(fidelity.get("regions", ()), genomes[fidelity["genome"]], f"{where}: fidelity.regions")
    for name, regions in _random(config).items():
        _parse(regions, genomes[name], f"{where}: baselines.random.{name}")
    for name, query in config["queries"].items():
        _parse_region(query["region"], genomes[query["genome"]], f"{where}: queries.{name}")
    for command, name, entry in interventions(config):
        place = f"{where}: interventions.{command}.{name}"
        _CHECKS[command](config, genomes, entry, place)
    for name, entry in config.get("comparisons", {}).get("diff", {}).items():
        place = f"{where}: comparisons.diff.{name}.regions"
        _parse(entry.get("regions", ()), genomes[entry["genome"]], place)
    for name, entry in config.get("explanations", {}).items():
        _check_explained(entry, genomes[entry["genome"]], f"{where}: explanations.{name}")
    return read


def _check_explained(entry: Mapping[str, Any], genome: Genome, where: str) -> None:
    asked = [key for key in ("at", "variant", "vcf") if key in entry]
    if len(asked) != 1:
        found = " and ".join(asked) or "none"
        raise ConfigError(where, "one of at, variant and vcf", found)
    (key,) = asked
    for text in [entry[key]] if key == "vcf" else entry[key]:
        try:
            if key == "vcf":
                read_variants(Path(text), genome)
            elif key == "variant":
                parse_variant(text, genome)
            else:
                _check_predicted(parse_place(text, genome), genome, entry.get("strand"))
        except InputError as error:
            place = error.where if key == "vcf" else text
            raise ConfigError(f"{where}: {place}", error.expected, error.found) from error


def _check_predicted(place: GenomicInterval, genome: Genome, strand: str | None) -> None:
    """Refuse bases that no model predicts: unknown ones, and the first that is read of a contig."""
    letters = genome.fetch(place).tobytes().decode()
    if not set(letters) <= set("ACGT"):
        raise InputError(format_region(place), "A, C, G and T", letters[:30])
    contig = genome[place.seqid]
    ends = {"+": place.start == 0, "-": place.end == contig.length}
    if not contig.circular and any(ends[one] for one in (strand or "+-")):
        expected = "a base that is read before the first that is asked for"
        raise InputError(format_region(place), expected, "none")


def _check_steered(
    _: Mapping[str, Any], genomes: Mapping[str, Genome], entry: Mapping[str, Any], where: str
) -> None:
    genome = genomes[entry["genome"]]
    for region in entry.get("regions", ()):
        _parse_region(region, genome, where)
    _read_canvas(entry, genome)


def _read_canvas(entry: Mapping[str, Any], genome: Genome) -> Canvas:
    canvas = Canvas.read(entry["canvas"], profiles=entry.get("profiles"))
    canvas.check_inside(genome)
    return canvas


def _check_painted(
    config: Mapping[str, Any],
    genomes: Mapping[str, Genome],
    entry: Mapping[str, Any],
    where: str,
) -> None:
    genome, strand = genomes[entry["genome"]], entry.get("strand", "+")
    (place,) = _parse_region(entry["region"], genome, where)[:1]
    if ("canvas" in entry) == ("profile_from" in entry):
        found = "both" if "canvas" in entry else "neither"
        raise ConfigError(where, "a canvas or profile_from", found)
    if "profile_from" in entry and not is_annotated(config):
        raise ConfigError(f"{where}: profile_from", "annotated genomes", "none")
    for key in ("template", "structure"):
        if key in entry and len(entry[key]) != place.length:
            expected = f"{place.length} letters, as many as the region has bases"
            raise ConfigError(f"{where}: {key}", expected, str(len(entry[key])))
    if "canvas" in entry:
        canvas = _read_canvas(entry, genome)
        if strand not in {it.strand for it in canvas.strokes}:
            raise ConfigError(where, f"a stroke on {strand}, which is written", "none")


def _check_edited(
    config: Mapping[str, Any], genomes: Mapping[str, Genome], entry: Mapping[str, Any], where: str
) -> None:
    if len(genomes) < 2:
        raise ConfigError(where, "one genome to fit on and another to measure on", "one genome")
    mode = entry.get("mode", "ablate")
    if (mode == "ablate") == ("value" in entry):
        expected = "no value for ablate, and one for scale and set"
        raise ConfigError(where, expected, f"{mode} {'with' if 'value' in entry else 'without'}")


_CHECKS = {"steer": _check_steered, "paint": _check_painted, "edit": _check_edited}


def _parse(regions: Sequence[str], genome: Genome, where: str) -> tuple[GenomicInterval, ...]:
    found = tuple(part for region in regions for part in _parse_region(region, genome, where))
    try:
        check_regions(found, genome)
    except CoordinateError as error:
        raise ConfigError(where, error.expected, error.found) from error
    return found


def _parse_region(region: str, genome: Genome, where: str) -> list[GenomicInterval]:
    try:
        return genome.regions([region])
    except CoordinateError as error:
        raise ConfigError(f"{where}: {region}", error.expected, error.found) from error


def _random(config: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    random: Mapping[str, Sequence[str]] = config.get("baselines", {}).get("random", {})
    return random


def _check_sides(
    config: Mapping[str, Any],
    genomes: Mapping[str, Genome],
    read: Mapping[str, tuple[GenomicInterval, ...]],
    where: str,
) -> list[str]:
    """Divide the genomes into fit and test as `associate` will; note if blocks had to be fitted."""
    divisible = [Divisible.of_genome(genome, read[name]) for name, genome in genomes.items()]
    asked = _settings(config, genomes, where)
    try:
        settings = fit_blocks(divisible, asked)
        splits = split_genomes(divisible, settings)
    except InputError as error:
        raise ConfigError(f"{where}: {error.where}", error.expected, error.found) from error
    sides = sides_read(divisible, settings)
    for name, side in sides._asdict().items():
        if sum(part.length for part in side) < 2:
            expected = f"bases that are read on the {name} side, as on the other"
            raise ConfigError(f"{where}: test", expected, "none")
    if _random(config):
        _check_random(_random(config), genomes, dict(zip(genomes, splits, strict=True)), where)
    return [] if settings.block_bp == asked.block_bp else [describe_blocks(settings, *sides)]


def _settings(
    config: Mapping[str, Any], genomes: Mapping[str, Genome], where: str
) -> AssociateConfig:
    known = [seqid for genome in genomes.values() for seqid in genome]
    for name in config["test"]:
        if name not in known and name not in genomes:
            expected = f"one of {', '.join([*known[:5], *genomes])}"
            found = suggested(name, [*known, *genomes])
            raise ConfigError(f"{where}: test", expected, found)
        if name in known and name in genomes:
            expected = "a name that is not both of a genome and of a sequence"
            raise ConfigError(f"{where}: test", expected, repr(name))
    path = Path(config["associate"]) if "associate" in config else None
    seqids = [name for name in config["test"] if name in known]
    settings = read_associate_config(path, test=seqids)
    named = tuple(genomes[name].sha256 for name in config["test"] if name in genomes)
    if not named:
        return settings
    return replace(settings, test=tuple(seqids), test_genomes=named)


def _check_random(
    random: Mapping[str, Sequence[str]],
    genomes: Mapping[str, Genome],
    splits: Mapping[str, Split],
    where: str,
) -> None:
    """Refuse regions of random weights that leave no base on fit or none on test."""
    read = [
        (name, part)
        for name, regions in random.items()
        for part in _parse(regions, genomes[name], where)
    ]
    for side in ("fit", "test"):
        stretches = {name: getattr(split, side) for name, split in splits.items()}
        if not any(
            part.intersection(stretch) for name, part in read for stretch in stretches[name]
        ):
            there = ", ".join(name for name, own in stretches.items() if own)
            expected = f"regions with bases of the {side} side, which are of {there}"
            found = ", ".join(region for regions in random.values() for region in regions)
            raise ConfigError(f"{where}: baselines.random", expected, f"{found} alone")
