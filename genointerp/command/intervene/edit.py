"""`edit`: another model, in which a feature is ablated, scaled or set for good."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from genointerp.annotation.catalogue import shipped
from genointerp.annotation.concepts import ConceptElements, define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.core.arguments import SHIPPED, FeatureName, StrPath, as_path
from genointerp.core.config import check_choice, read_config, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path, claiming
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.specimen_files import labels_around
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.intervention.editing.config import EditConfig, Method, Mode
from genointerp.intervention.editing.effects import Effects, measure_effects
from genointerp.intervention.editing.feature_change import feature_edit
from genointerp.intervention.editing.make import Edited, exact_edit, make_edit
from genointerp.intervention.editing.verdict import Summary, summarise_edit
from genointerp.model.edited.folder import (
    is_edited,
    read_provenance_of,
    restore_parent,
    write_edited,
)
from genointerp.model.load_options import LoadOptions
from genointerp.model.protocol import DnaModel
from genointerp.model.registry import load, model_files
from genointerp.reading.fidelity import check_dictionary
from genointerp.reading.loss import check_causal
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.shipped import shipped_dictionaries
from genointerp.store.table.schema.editing import EDIT_EFFECTS, EDIT_FEATURES, EDIT_WRITING
from genointerp.store.table.table import write_table

FIT, TEST = "ecoli_mg1655", "bsubtilis_168"
"""The shipped genomes on which an edit of a shipped model is fitted and measured."""


def edit(
    out: StrPath,
    model: str = "nano",
    *,
    sae: StrPath | None = None,
    feature: FeatureName | None = None,
    mode: Mode = "ablate",
    value: float | None = None,
    method: Method = "adapter",
    genome: StrPath | None = None,
    test_genome: StrPath | None = None,
    annotations: StrPath | None = None,
    anyway: bool = False,
    undo: bool = False,
    config: EditConfig | Mapping[str, Any] | StrPath | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Summary | None:
    """Edit a model for good; write it as a folder, with its effects, and return their summary.

    The folder is a model that ``load_model`` and every ``--model`` takes. See
    :func:`genointerp.intervention.editing.make.make_edit` and
    :func:`genointerp.intervention.editing.effects.measure_effects`.

    Parameters
    ----------
    out
        Folder to write: the record, the changes, the files of the parent, ``effects.tsv``,
        ``features.tsv``, ``writing.tsv`` and ``summary.json``. A masked model, which has no loss,
        can only get an adapter, and is not measured.
    model
        Name or folder of the model to edit, which may itself be an edited one.
    sae
        Folder of a dictionary of the model; where None, the shipped one.
    feature
        Number or name of the feature.
    mode
        ``ablate`` takes the feature out; ``scale`` multiplies its amount by ``value`` where it
        fires; ``set`` makes its amount ``value`` on every token.
    value
        In units of the activations for ``set``.
    method
        ``adapter`` is the edit of activations itself, applied by the loader; ``closed-form`` writes
        a linear probe of the feature into the weights; ``distil`` trains weights from there on.
    genome
        FASTA or GenBank on which it is fitted; for a shipped model E. coli where None.
    test_genome
        Another one, on which the effects are measured; for a shipped model B. subtilis where None.
    annotations
        GFF3 or GenBank of the test genome, for the loss by concept; a shipped genome has its own.
    anyway
        Write the edit even if the probe predicts too little.
    undo
        Write the parent of the edited ``model`` instead, bit by bit, and return None.
    config
        What is read, controls and thresholds: a mapping such as ``{"n_fit": 8192}``, or YAML.
    options
        Other arguments of ``load_model``, such as ``{"device": "cuda"}``.

    Raises
    ------
    InputError
        If something is missing, the model or the dictionary cannot be edited, or the feature cannot
        be read linearly.
    MismatchError
        If the dictionary is of another model, or both genomes are the same.

    Examples
    --------
    >>> import genointerp as gi
    >>> found = gi.edit("edited", feature=82, method="closed-form")  # doctest: +SKIP
    >>> model = gi.load_model("edited")  # doctest: +SKIP
    """
    out = Path(out)
    if undo:
        _undo(model, out)
        return None
    settings = read_config(EditConfig, config)
    check_choice("method", method, Method)
    if feature is None:
        raise InputError("feature", "the number or the name of a feature to edit", "none")
    loading = LoadOptions(**dict(options or {}))
    files = model_files(model, loading)
    parent, dictionary = load(model, loading), Dictionary.load(_dictionary_of(model, sae))
    check_dictionary(dictionary, parent)
    if method != "adapter":
        check_causal(parent.spec)
    is_measured = parent.spec.reads == "left"
    read = _Genomes.of(model, genome, test_genome, annotations) if is_measured else None
    header = dictionary.header
    number = header.feature_number(feature, partial(labels_around, header.folder))
    wanted = feature_edit(dictionary, number, mode, value)
    said = {"feature": number, "mode": mode, "value": value, "method": method, "anyway": anyway}
    inputs = {"model": parent.spec.sha256, "sae": dictionary.header.sha256}
    provenance = Provenance(
        to_mapping(settings) | said, inputs | ({} if read is None else read.digests())
    )
    same = is_edited(out) and read_provenance_of(out) == json.loads(provenance.as_json())
    found: Effects | None = None
    with claiming(out, same=same), atomic_path(out) as temporary:
        if read is None:
            made = exact_edit(dictionary, wanted)
        else:
            made = make_edit(
                parent, dictionary, wanted, method, read.fit, settings, is_forced=anyway
            )
            found = read.effects(parent, dictionary, made, settings, progress)
        temporary.mkdir()
        write_edited(temporary, parent, files, made.changes, provenance)
        summary = summarise_edit(found, made.r2, made.strength, settings)
        text = json.dumps(summary.as_mapping(), indent=2) + "\n"
        (temporary / "summary.json").write_text(text, encoding="utf-8")
        if found is not None:
            write_table(found.effects, temporary / "effects.tsv", EDIT_EFFECTS, provenance)
            write_table(found.features, temporary / "features.tsv", EDIT_FEATURES, provenance)
            write_table(found.writing, temporary / "writing.tsv", EDIT_WRITING, provenance)
    return summary


@dataclass(frozen=True)
class _Genomes:
    """What an edit is fitted and measured on."""

    fit: Genome
    test: Genome
    elements: ConceptElements | None
    annotation: Path | None

    @classmethod
    def of(
        cls,
        model: str,
        fit: StrPath | None,
        test: StrPath | None,
        annotations: StrPath | None,
    ) -> "_Genomes":
        is_known = model in shipped_dictionaries()
        if not is_known and (fit is None or test is None):
            expected = f"one to fit on and another to test on, since {model} is not shipped"
            raise InputError("genome, test_genome", expected, "fewer")
        annotation = as_path(annotations)
        if test is None:
            test, annotation = shipped(TEST).sequence, annotation or shipped(TEST).annotation
        own = read_genome(shipped(FIT).sequence if fit is None else fit)
        other = read_genome(test)
        one = Identity("genome", genome_sha256=own.sha256)
        one.check_differs(Identity("test genome", genome_sha256=other.sha256), "genome")
        if annotation is None:
            return cls(own, other, None, None)
        read = read_annotation(annotation, other)
        return cls(own, other, define_elements(read, other, load_concepts()), annotation)

    def effects(
        self,
        parent: DnaModel,
        dictionary: Dictionary,
        made: Edited,
        settings: EditConfig,
        progress: Progress | None,
    ) -> Effects:
        """Measure an edit on the test genome."""
        with progress_bar("edit (windows)", progress) as report:
            return measure_effects(
                parent,
                self.test,
                dictionary,
                made.subjects,
                settings,
                elements=self.elements,
                progress=report,
            )

    def digests(self) -> dict[str, str]:
        """Return the sha256 of each input by its role."""
        own = {"genome": self.fit.sha256, "test-genome": self.test.sha256}
        if self.annotation is not None:
            own["annotations"] = sha256_file(self.annotation)
        return own


def _undo(model: str, out: Path) -> None:
    if not is_edited(Path(model)):
        raise InputError("undo", "the folder of an edited model", model)
    restore_parent(Path(model), out)


def _dictionary_of(model: str, given: StrPath | None) -> StrPath:
    if given is not None:
        return given
    if model not in shipped_dictionaries():
        raise InputError("sae", f"a dictionary of {model}, since none is shipped", "none")
    return f"{SHIPPED}{model}"
