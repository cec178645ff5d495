"""One question after the other, with a model that stays in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from genointerp.core.progress import Progress
from genointerp.explanation.answer import Answer
from genointerp.explanation.explainer import Explainer
from genointerp.explanation.inputs import names_of
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.reading.kept_model import KeptModel


@dataclass(frozen=True, eq=False)
class Workbench:
    """What a model that is kept says of its predictions."""

    kept: KeptModel

    def explain(
        self,
        specimen: Specimen,
        place: GenomicInterval,
        strands: Sequence[Strand],
        associations: pd.DataFrame,
        *,
        progress: Progress,
    ) -> Answer:
        """Explain the predictions of some bases of a genome: see `Explainer.bases`.

        Parameters
        ----------
        associations
            Associations of the features, in the schema ``ASSOCIATIONS``, by which they are called.
        """
        model, dictionary = self.kept.model, self.kept.dictionary
        names = names_of(dictionary, associations)
        explainer = Explainer(model, dictionary, specimen.needs("sequence"), names)
        return explainer.bases([place], strands, progress=progress)
