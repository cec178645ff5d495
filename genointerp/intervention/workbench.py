"""A run whose model stays in memory, for one canvas after the other."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from genointerp.core.progress import Progress
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.intervention.canvas import Canvas
from genointerp.intervention.outcome import Outcome
from genointerp.intervention.paint import PaintConfig, paint_designs
from genointerp.intervention.steer import SteerConfig, steer_genome
from genointerp.intervention.subject import Subject
from genointerp.model.protocol import DnaModel
from genointerp.reading.model_choice import RecordedModel, loaded_or_recorded
from genointerp.sae.dictionary import Dictionary


class _Loaded(NamedTuple):
    model: DnaModel
    dictionary: Dictionary


@dataclass(frozen=True, eq=False)
class Workbench:
    """The model and the dictionary of a run, loaded when they are first needed.

    There is no control by a difference of means, for which a model reads a sample of the genome for
    many seconds.

    Parameters
    ----------
    source
        The run directory, which says which model it is.
    sae
        Folder of the dictionary.
    model
        The model, or how that of the run is loaded.
    """

    source: Path
    sae: Path
    model: DnaModel | RecordedModel

    def steer(
        self,
        specimen: Specimen,
        canvas: Canvas,
        region: GenomicInterval,
        *,
        is_controlled: bool,
        progress: Progress,
    ) -> Outcome:
        """Measure a region of a genome under a canvas: see `steer_genome`."""
        config = SteerConfig(controls=is_controlled, labelled=0)
        subject, used = self._opened(specimen, canvas)
        found = steer_genome(
            subject, used, regions=[region], config=config, bases=True, progress=progress
        )
        assert found.bases is not None, "the bases were wanted"
        return Outcome(used, found.table, found.bases)

    def paint(
        self,
        specimen: Specimen,
        canvas: Canvas,
        place: GenomicInterval,
        *,
        n_designs: int,
        temperature: float,
        is_controlled: bool,
        progress: Progress,
    ) -> Outcome:
        """Write a place of a genome under a canvas: see `paint_designs`."""
        config = PaintConfig(
            n_designs=n_designs, temperature=temperature, controls=is_controlled, labelled=0
        )
        subject, used = self._opened(specimen, canvas)
        found = paint_designs(subject, used, place, config=config, progress=progress)
        return Outcome(used, found.summary, found.table)

    @cached_property
    def _loaded(self) -> _Loaded:
        model = loaded_or_recorded(self.model, self.source)
        return _Loaded(model, Dictionary.load(self.sae))

    def _opened(self, specimen: Specimen, canvas: Canvas) -> tuple[Subject, Canvas]:
        subject = Subject(
            self._loaded.model,
            specimen.needs("sequence"),
            self._loaded.dictionary,
            specimen.features,
            specimen.elements,
        )
        return subject, subject.with_units(canvas)
