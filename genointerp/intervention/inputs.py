"""What an intervention reads: a genome, a dictionary, a canvas, and what a run has besides."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genointerp.annotation.concepts import ConceptElements, define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.core.arguments import StrPath, as_path, is_run
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError
from genointerp.core.identity import Identity
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.intervention.canvas import IN_UNITS, Canvas, Profile
from genointerp.intervention.control import ControlConfig
from genointerp.intervention.profile import measure_profile
from genointerp.intervention.sample import sampled_features
from genointerp.intervention.subject import Subject
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.model_choice import AnyModel, RecordedModel, loaded_or_recorded
from genointerp.sae.dictionary import Dictionary
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.delimited import delimited_text


@dataclass(frozen=True)
class PaintInputs:
    """The files of a canvas, as far as they are known.

    Parameters
    ----------
    genome
        FASTA or GenBank.
    source
        What says which model it is: a run directory, or the folder of the dictionary.
    sae
        Folder of the dictionary.
    features
        Features of the genome.
    annotations, concepts
        Annotation of the genome, and the definition of the concepts.
    """

    genome: Path
    source: StrPath
    sae: Path
    features: Path | None
    annotations: Path | None
    concepts: Path | None

    @classmethod
    def of(
        cls,
        genome: StrPath,
        *,
        sae: StrPath | None = None,
        features: StrPath | None = None,
        annotations: StrPath | None = None,
        concepts: StrPath | None = None,
    ) -> "PaintInputs":
        """Return what was said, and otherwise what a run directory in place of the genome has.

        Raises
        ------
        InputError
            If no dictionary is known.
        """
        own, known, truth = as_path(sae), as_path(features), as_path(annotations)
        if not is_run(genome):
            if own is None:
                expected = "the folder of a dictionary, or a run directory in place of the genome"
                raise InputError("sae", expected, "none")
            return cls(Path(genome), own, own, known, truth, as_path(concepts))
        run = RunFolder.open(genome)
        files = run.genomes[run.measured]
        # features of a run are those of its own dictionary
        known = known or (files.features if own is None else None)
        truth, said = truth or files.annotation, as_path(concepts) or run.concepts
        return cls(files.sequence, genome, own or run.sae, known, truth, said)

    def profile(self, concept: str) -> Profile:
        """Measure the profile of a concept on the features of the genome.

        Raises
        ------
        InputError
            If features or annotation are not known, or there is no element to measure.
        """
        genome = read_genome(self.genome)
        elements = self._elements(genome)
        if self.features is None or elements is None:
            expected = "features and annotation of the genome, as a run has them"
            raise InputError(f"profile of {concept}", expected, "none")
        store = FeatureStore(self.features)
        Identity(str(self.genome), genome_sha256=genome.sha256).check(store.identity, "genome")
        return measure_profile(store, elements, concept)

    @contextmanager
    def opened(
        self,
        model: AnyModel | RecordedModel | None,
        canvas: Canvas,
        config: ControlConfig,
        windows: HarvestConfig,
    ) -> Iterator[tuple[Subject, Canvas]]:
        """Yield what is painted on, and the canvas with its units, until the block is left.

        Parameters
        ----------
        windows
            Windows in which a sample is read if features are needed and none are known.

        Raises
        ------
        MismatchError
            If canvas, genome, dictionary, model and features do not belong together.
        """
        genome = read_genome(self.genome)
        loaded = loaded_or_recorded(model, self.source)
        subject = Subject(loaded, genome, Dictionary.load(self.sae), None, self._elements(genome))
        # what is refused must not wait for a sample, nor for units
        subject.check(canvas)
        with self._features(subject, canvas, config, windows) as store:
            subject = replace(subject, features=store)
            yield subject, subject.with_units(canvas)

    def provenance(
        self, subject: Subject, canvas: Canvas, config: ControlConfig, settings: dict[str, Any]
    ) -> Provenance:
        """Return what a table was made from; the canvas is known by its rows and its profiles."""
        text = delimited_text(canvas.table(), "tsv")
        if canvas.profiles:
            text += delimited_text(canvas.profile_table(), "tsv")
        inputs = {
            "genome": subject.genome.sha256,
            "model": subject.model.spec.sha256,
            "sae": subject.dictionary.header.sha256,
            "canvas": hashlib.sha256(text.encode()).hexdigest(),
        }
        if self.features is not None and subject.features is not None:
            inputs["features"] = subject.features.sha256
        for role, path in (("annotations", self.annotations), ("concepts", self.concepts)):
            if path is not None:
                inputs[role] = sha256_file(path)
        units = {str(it.feature): it.unit for it in canvas.strokes if it.mode in IN_UNITS}
        return Provenance(to_mapping(config) | {"units": units} | settings, inputs)

    def _elements(self, genome: Genome) -> ConceptElements | None:
        if self.annotations is None:
            return None
        annotation = read_annotation(self.annotations, genome)
        return define_elements(annotation, genome, load_concepts(self.concepts))

    @contextmanager
    def _features(
        self, subject: Subject, canvas: Canvas, config: ControlConfig, windows: HarvestConfig
    ) -> Iterator[FeatureStore | None]:
        """Yield features of the genome, or of a sample of it; None where nothing needs them."""
        model, genome, dictionary = subject.model, subject.genome, subject.dictionary
        if self.features is not None:
            store = FeatureStore(self.features)
            own = Identity(str(self.genome), genome_sha256=genome.sha256)
            own.check(store.identity, "genome")
            yield store
            return
        if not canvas.lacks_units and not (config.controls and config.n_matched):
            yield None
            return
        with sampled_features(
            model, genome, dictionary, n_bases=config.sample, config=windows
        ) as store:
            yield store
