"""What is read to replace bases: a genome, a model, and a dictionary if there is one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from genointerp.core.arguments import StrPath, as_path, is_run
from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.model.protocol import DnaModel
from genointerp.reading.model_choice import AnyModel, RecordedModel, loaded_or_recorded
from genointerp.sae.dictionary import Dictionary
from genointerp.store.feature.run_folder import RunFolder


@dataclass(frozen=True, eq=False)
class Reader:
    """A model that reads a genome, with a dictionary if one is known.

    Parameters
    ----------
    sae
        Folder of the dictionary; None if neither a run nor a folder names one.
    """

    model: DnaModel
    genome: Genome
    sae: Path | None

    @cached_property
    def dictionary(self) -> Dictionary | None:
        """The dictionary, which is loaded when it is first needed."""
        return None if self.sae is None else Dictionary.load(self.sae)

    @classmethod
    def open(
        cls,
        genome: StrPath,
        model: AnyModel | RecordedModel | None,
        *,
        sae: StrPath | None = None,
    ) -> "Reader":
        """Read the files, and load the model.

        Parameters
        ----------
        genome
            FASTA or GenBank; or a run directory, which has the model and the dictionary too.
        model
            Where None, that of the run, or the one that the dictionary is of.
        sae
            Folder of the dictionary.

        Raises
        ------
        InputError
            If nothing says which model it is.
        """
        own, sequence, source = as_path(sae), Path(genome), as_path(sae)
        if is_run(genome):
            run = RunFolder.open(genome)
            own, sequence = own or run.sae, run.genomes[run.measured].sequence
            source = Path(genome)
        if source is None and (model is None or isinstance(model, RecordedModel)):
            expected = "a model by name, a dictionary, or a run directory in place of the genome"
            raise InputError("model", expected, "none")
        return cls(loaded_or_recorded(model, source or ""), read_genome(sequence), own)

    def alone(self) -> "Reader":
        """Return it without its dictionary, on which what is asked does not depend."""
        return replace(self, sae=None)

    def provenance(self, settings: Mapping[str, object]) -> Provenance:
        """Return what tables are made from."""
        inputs = {"genome": self.genome.sha256, "model": self.model.spec.sha256}
        if self.dictionary is not None:
            inputs["sae"] = self.dictionary.header.sha256
        return Provenance(dict(settings), inputs)
