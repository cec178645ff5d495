"""`tune`: another model, whose training went on with windows of a genome or a planted text."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool

from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.raster import contig_offsets, element_bases
from genointerp.annotation.read import read_annotation
from genointerp.core.arguments import StrPath, as_texts
from genointerp.core.config import read_config, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path, check_replaceable, together
from genointerp.core.progress import Progress, piece, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.genome import Genome
from genointerp.genome.interval import format_region
from genointerp.genome.read import read_genome
from genointerp.model.edited.folder import is_edited
from genointerp.model.load_options import LoadOptions
from genointerp.model.presets import PRESETS
from genointerp.model.protocol import DnaModel
from genointerp.model.registry import load, model_files
from genointerp.model.tuned import (
    TuningRecord,
    is_tuned,
    read_tuning,
    read_tuning_provenance,
    write_tuned,
)
from genointerp.pretraining.tuning import (
    check_trainable,
    measured_batches,
    tune_model,
    window_bits,
)
from genointerp.pretraining.tuning_config import TuningConfig
from genointerp.pretraining.tuning_windows import Arm, TuningWindows
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.loss import genome_loss

_WINDOW = 4096
"""Bases of a window in which held-out stretches are read, at most."""


class Tuning(NamedTuple):
    """The records of a tuned model and of its control, which is None if none was asked for."""

    tuned: TuningRecord
    control: TuningRecord | None


def tune(
    model: str,
    genome: StrPath,
    out: StrPath,
    *,
    control_out: StrPath | None = None,
    without: str | None = None,
    annotations: StrPath | None = None,
    concepts: StrPath | None = None,
    region: str | Iterable[str] = (),
    config: TuningConfig | Mapping[str, Any] | StrPath | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Tuning:
    """Tune a model on windows of a genome; write it as a folder, and its control as another.

    The folders are models that ``load_model`` and every ``--model`` takes. If they already hold
    what is asked for, nothing is computed. See :func:`genointerp.pretraining.tuning.tune_model`.

    Parameters
    ----------
    model
        Name or folder of the model whose weights the training begins with.
    genome
        FASTA or GenBank, of which windows are drawn on both strands.
    out
        Folder to write: the weights, the tokenizer if it has files, and ``tuning.json``.
    control_out
        Folder of the control, which is tuned on the same windows in the same order, by the same
        seed and steps, without the plant; or with the windows that ``without`` leaves out.
    without
        Concept whose elements no window touches.
    annotations
        GFF3 or GenBank with these elements.
    concepts
        YAML that defines the concepts; the shipped one where None.
    region
        Regions to draw windows from, such as ``chr1:1-100,000``; the whole genome if empty.
    config
        Steps, windows, optimiser and plant: a mapping such as ``{"plant": "ACGT"}``, or YAML.
    options
        Other arguments of ``load_model``, such as ``{"device": "cuda", "dtype": "float32"}``.

    Raises
    ------
    InputError
        If the model cannot be trained, there are no such windows, or there is a control but
        nothing from which it differs.

    Examples
    --------
    >>> import genointerp as gi
    >>> gi.tune("nano", "genome.fa", "tuned", control_out="control",
    ...         config={"plant_length": 36, "plant_rate": 0.1})  # doctest: +SKIP
    >>> model = gi.load_model("tuned")  # doctest: +SKIP
    """
    settings = read_config(TuningConfig, config)
    outs: dict[Arm, Path] = {"tuned": Path(out)}
    if control_out is not None:
        outs["control"] = Path(control_out)
    left_out = _LeftOut.of(without, annotations, concepts)
    _check_arms(settings, left_out, outs)
    loading = LoadOptions(**dict(options or {}))
    task = _Task.of(model, genome, settings, loading, as_texts(region), left_out)
    records = {arm: read_tuning(path) for arm, path in outs.items() if task.is_made(arm, path)}
    missing = [arm for arm in outs if arm not in records]
    for arm in missing:
        check_replaceable(outs[arm], same=False)
    with together(), progress_bar("tune (steps)", progress) as report:
        for number, arm in enumerate(missing):
            with atomic_path(outs[arm]) as temporary:
                records[arm] = task.make(arm, temporary, piece(report, number, len(missing)))
    return Tuning(records["tuned"], records.get("control"))


class _LeftOut(NamedTuple):
    """A concept whose elements no window touches, and the files that say where they are."""

    concept: str
    annotations: Path
    concepts: Path

    @classmethod
    def of(
        cls, concept: str | None, annotations: StrPath | None, concepts: StrPath | None
    ) -> "_LeftOut | None":
        if concept is None:
            if annotations is not None or concepts is not None:
                raise InputError("without", "a concept of the annotation to leave out", "none")
            return None
        if annotations is None:
            raise InputError(
                "annotations", f"GFF3 or GenBank with the elements of {concept}", "none"
            )
        own = annotations_folder() / "concepts.yaml" if concepts is None else Path(concepts)
        return cls(concept, Path(annotations), own)

    def bases(self, genome: Genome) -> dict[str, Bool[np.ndarray, " bp"]]:
        """Return for each contig which bases elements of the concept cover, on either strand."""
        known = read_annotation(self.annotations, genome)
        elements = define_elements(known, genome, load_concepts(self.concepts))
        covered = np.zeros(sum(genome.lengths.values()), dtype=np.bool_)
        covered[element_bases(elements, genome.lengths, self.concept).row] = True
        first = contig_offsets(genome.lengths)
        return {name: covered[first[name] : first[name] + n] for name, n in genome.lengths.items()}


def _check_arms(
    settings: TuningConfig, left_out: _LeftOut | None, outs: Mapping[Arm, Path]
) -> None:
    """Refuse a control that differs in nothing or in two things, or is the tuned model itself."""
    if settings.is_planted and left_out is not None:
        raise InputError("without", "a plant, or a concept that is left out", "both")
    if "control" not in outs:
        return
    if not settings.is_planted and left_out is None:
        expected = "a plant or --without, in which a control differs"
        raise InputError("control_out", expected, "neither")
    if outs["control"].resolve() == outs["tuned"].resolve():
        raise InputError("control_out", "another folder than that of the tuned model", "the same")


@dataclass(frozen=True)
class _Task:
    """What both arms of a tuning are made from."""

    parent: DnaModel
    files: Mapping[str, Path]
    preset: str
    windows: TuningWindows
    said: Mapping[str, Any]
    inputs: Mapping[str, str]

    @classmethod
    def of(
        cls,
        model: str,
        genome: StrPath,
        settings: TuningConfig,
        options: LoadOptions,
        region: tuple[str, ...],
        left_out: _LeftOut | None,
    ) -> "_Task":
        if is_edited(Path(model)):
            raise InputError("model", "a model that is not an edited one", model)
        contigs = read_genome(genome)
        regions = contigs.regions(region)
        parent = load(model, options)
        check_trainable(parent)
        inputs = {"model": parent.spec.sha256, "genome": contigs.sha256}
        without = None
        if left_out is not None:
            without = left_out.bases(contigs)
            inputs["annotations"] = sha256_file(left_out.annotations)
            inputs["concepts"] = sha256_file(left_out.concepts)
        windows = TuningWindows.of(contigs, settings, regions=regions, without=without)
        said = {
            "plant": windows.plant.decode(),
            "without": "" if left_out is None else left_out.concept,
            "regions": [format_region(one) for one in regions],
        }
        preset = read_tuning(Path(model)).preset if is_tuned(Path(model)) else model
        files = model_files(model, options) or {}
        known = preset if preset in PRESETS else ""
        return cls(parent, files, known, windows, to_mapping(settings) | said, inputs)

    def provenance(self, arm: Arm) -> Provenance:
        """Return what an arm is made from, and how."""
        return Provenance({**self.said, "arm": arm}, self.inputs)

    def is_made(self, arm: Arm, path: Path) -> bool:
        """Say whether a folder holds an arm already."""
        wanted = json.loads(self.provenance(arm).as_json())
        return is_tuned(path) and read_tuning_provenance(path) == wanted

    def make(self, arm: Arm, folder: Path, progress: Progress) -> TuningRecord:
        """Tune an arm, measure it and write it."""
        model = tune_model(self.parent, self.windows, arm=arm, progress=progress)
        bits = {
            "windows": self._pair(model, arm, "windows"),
            "held-out": {
                "parent": self._held_out_of_parent,
                "model": _held_out_bits(model, self.windows),
            },
        }
        if self.windows.plant:
            bits["plant"] = self._pair(model, "tuned", "plant")
        provenance = self.provenance(arm)
        return write_tuned(folder, model, self.files, provenance, preset=self.preset, bits=bits)

    def _pair(
        self, model: DnaModel, arm: Arm, what: Literal["windows", "plant"]
    ) -> dict[str, float]:
        """Return the bits of the parent and of a model on windows of an arm."""
        found = {}
        for name, one in {"parent": self.parent, "model": model}.items():
            bits = window_bits(one, measured_batches(self.windows, arm))
            found[name] = getattr(bits, what)
        return found

    @cached_property
    def _held_out_of_parent(self) -> float:
        return _held_out_bits(self.parent, self.windows)


def _held_out_bits(model: DnaModel, windows: TuningWindows) -> float:
    """Return the bits per base on the stretches that are held out; NaN if there are none."""
    if not windows.held_out:
        return math.nan
    window = min(_WINDOW, model.spec.context or _WINDOW)
    reading = HarvestConfig(window=window, warmup=window // 8)
    found = genome_loss(model, windows.genome, config=reading, regions=windows.held_out)
    return found.bits_per_base
