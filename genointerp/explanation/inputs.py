"""What an explanation reads: a genome, a dictionary, and what its features are called."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genointerp.association.summary import feature_labels
from genointerp.core.arguments import StrPath, as_path, is_run
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.explanation.explain import ExplainConfig, FeatureNames
from genointerp.explanation.explainer import Explainer
from genointerp.genome.read import read_genome
from genointerp.reading.model_choice import AnyModel, RecordedModel, loaded_or_recorded
from genointerp.sae.dictionary import Dictionary
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.table.identity import table_identity
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.table import empty_table, read_table


@dataclass(frozen=True)
class ExplainInputs:
    """The files behind an explanation, as far as they are known.

    Parameters
    ----------
    genome
        FASTA or GenBank.
    source
        What says which model it is: a run directory, or the folder of the dictionary.
    sae
        Folder of the dictionary whose features explain.
    associations
        Associations of its features, for the concepts that they are called by.
    """

    genome: Path
    source: StrPath
    sae: Path
    associations: Path | None

    @classmethod
    def of(
        cls,
        genome: StrPath,
        *,
        sae: StrPath | None = None,
        associations: StrPath | None = None,
    ) -> "ExplainInputs":
        """Return what was said, and otherwise what a run directory in place of the genome has.

        Raises
        ------
        InputError
            If no dictionary is known.
        """
        own, named = as_path(sae), as_path(associations)
        if not is_run(genome):
            if own is None:
                expected = "the folder of a dictionary, or a run directory in place of the genome"
                raise InputError("sae", expected, "none")
            return cls(Path(genome), own, own, named)
        run = RunFolder.open(genome)
        # the associations of a run are those of its own dictionary
        if own is None and named is None and run.associations.is_file():
            named = run.associations
        return cls(run.genomes[run.measured].sequence, genome, own or run.sae, named)

    def explainer(self, model: AnyModel | RecordedModel | None, config: ExplainConfig) -> Explainer:
        """Read the files, and load the model.

        Raises
        ------
        MismatchError
            If the associations are of another dictionary.
        """
        genome, dictionary = read_genome(self.genome), Dictionary.load(self.sae)
        names = self._names(dictionary)
        return Explainer(loaded_or_recorded(model, self.source), dictionary, genome, names, config)

    def provenance(
        self, explainer: Explainer, settings: Mapping[str, object], others: Mapping[str, str]
    ) -> Provenance:
        """Return what tables are made from: these files and others, by their sha256."""
        inputs = {
            "genome": explainer.genome.sha256,
            "model": explainer.model.spec.sha256,
            "sae": explainer.dictionary.header.sha256,
        }
        if self.associations is not None:
            inputs["associations"] = sha256_file(self.associations)
        return Provenance({**to_mapping(explainer.config), **settings}, {**inputs, **others})

    def _names(self, dictionary: Dictionary) -> FeatureNames:
        if self.associations is None:
            return names_of(dictionary, empty_table(ASSOCIATIONS))
        path = self.associations
        table_identity(path, ASSOCIATIONS).check(dictionary.header.identity, "dictionary")
        return names_of(dictionary, read_table(path, ASSOCIATIONS))


def names_of(dictionary: Dictionary, associations: pd.DataFrame) -> FeatureNames:
    """Return what the features of a dictionary are called, by name and by concept.

    Parameters
    ----------
    associations
        In the schema ``ASSOCIATIONS``; empty if none are known.
    """
    names = {feature: name for name, feature in dictionary.header.feature_names.items()}
    concepts = {
        int(row["feature"]): f"{row['best_concept']} {row['orientation']}"
        for row in feature_labels(associations).to_dict("records")
    }
    return FeatureNames(names, concepts)
