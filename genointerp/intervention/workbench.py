"""One canvas after the other, with a model that stays in memory."""

from dataclasses import dataclass

from genointerp.core.progress import Progress
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.intervention.canvas import Canvas
from genointerp.intervention.outcome import Outcome
from genointerp.intervention.paint import PaintConfig, paint_designs
from genointerp.intervention.steer import SteerConfig, steer_genome
from genointerp.intervention.subject import Subject
from genointerp.reading.kept_model import KeptModel


@dataclass(frozen=True, eq=False)
class Workbench:
    """What a model that is kept does under canvases.

    There is no control by a difference of means, for which a model reads a sample of the genome for
    many seconds.
    """

    kept: KeptModel

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

    def _opened(self, specimen: Specimen, canvas: Canvas) -> tuple[Subject, Canvas]:
        subject = Subject(
            self.kept.model,
            specimen.needs("sequence"),
            self.kept.dictionary,
            specimen.features,
            specimen.elements,
        )
        return subject, subject.with_units(canvas)
