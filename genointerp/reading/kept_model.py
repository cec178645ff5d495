"""The model of a run with its dictionary, loaded once for all that is asked of it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from genointerp.model.protocol import DnaModel
from genointerp.reading.model_choice import RecordedModel, loaded_or_recorded
from genointerp.sae.dictionary import Dictionary


@dataclass(frozen=True, eq=False)
class KeptModel:
    """The model and the dictionary of a run, which are loaded when they are first needed.

    Parameters
    ----------
    source
        The run directory, which says which model it is.
    sae
        Folder of the dictionary.
    choice
        The model, or how that of the run is loaded.
    """

    source: Path
    sae: Path
    choice: DnaModel | RecordedModel

    @cached_property
    def model(self) -> DnaModel:
        """The model."""
        return loaded_or_recorded(self.choice, self.source)

    @cached_property
    def dictionary(self) -> Dictionary:
        """The dictionary."""
        return Dictionary.load(self.sae)
