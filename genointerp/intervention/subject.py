"""What is painted on: a model with its dictionary, a genome, and what is known of them."""

from dataclasses import dataclass, replace

from genointerp.annotation.concepts import ConceptElements
from genointerp.core.errors import InputError
from genointerp.core.identity import Identity
from genointerp.genome.genome import Genome
from genointerp.intervention.canvas import Canvas
from genointerp.intervention.schedule import Schedule
from genointerp.model.protocol import DnaModel, GivesDistribution
from genointerp.reading.loss import check_causal
from genointerp.sae.dictionary import Dictionary
from genointerp.store.feature.store import FeatureStore


@dataclass(frozen=True, eq=False)
class Subject:
    """A model with its dictionary and a genome, and what is known of them.

    Parameters
    ----------
    model, genome, dictionary
        The model, what it reads, and the dictionary of one of its sites.
    features
        Features of the dictionary on some genome, from which controls by other features are drawn;
        there are none without it.
    elements
        Elements of the genome, for the change by concept.
    """

    model: DnaModel
    genome: Genome
    dictionary: Dictionary
    features: FeatureStore | None = None
    elements: ConceptElements | None = None

    def __post_init__(self) -> None:
        check_causal(self.model.spec)
        if not isinstance(self.model, GivesDistribution):
            expected = "a model that gives the probability of each symbol"
            raise InputError("model", expected, self.model.spec.name)
        if self.features is not None:
            self.dictionary.header.identity.check(self.features.identity, "dictionary")

    @property
    def site(self) -> str:
        """Site of the dictionary."""
        return self.dictionary.header.site

    def bound(self, canvas: Canvas) -> Schedule:
        """Bind a canvas to the genome, the dictionary and the model."""
        return Schedule.of(canvas, self.genome, self.dictionary.header, self.model.spec)

    def check(self, canvas: Canvas) -> None:
        """Refuse a canvas that cannot be painted, whatever its units are."""
        strokes = (it if it.unit > 0 else replace(it, unit=1.0) for it in canvas.strokes)
        self.bound(replace(canvas, strokes=tuple(strokes)))

    def with_units(self, canvas: Canvas) -> Canvas:
        """Return a canvas with its units, and with the genome and the dictionary it is used on.

        Raises
        ------
        InputError
            If a unit is not known and cannot be measured.
        """
        if canvas.lacks_units and self.features is not None:
            canvas = canvas.with_units(self.features, self.elements)
        identity = Identity(
            canvas.identity.where,
            genome_sha256=self.genome.sha256,
            dictionary_sha256=self.dictionary.header.sha256,
        )
        self.bound(canvas)
        return replace(canvas, identity=identity)
