"""Models that can be compared: they read the same tokens, and none is rounded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from genointerp.core.errors import InputError, MismatchError
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import DnaModel, GivesDistribution, ModelSpec, Symbols
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.loss import check_causal
from genointerp.reading.run import Pass, Wanted, run_batch
from genointerp.reading.tokens import genome_passages, token_batches

Role = Literal["base", "tuned", "control"]
"""What a model is in a comparison."""


@runtime_checkable
class Predicts(DnaModel, GivesDistribution, Protocol):
    """A model that gives the probability of each symbol."""


_LETTERS = np.frombuffer(b"ACGTTGCANRYAAAACCCCGGGGTTTTACGTACGTGATTACAGATC", np.uint8)
"""Bases by which tokenizers are compared."""


@dataclass(frozen=True, eq=False)
class ModelSet:
    """A model, the model that it became, and a control: the same tuning without what is studied.

    Parameters
    ----------
    base
        The model before.
    tuned
        The model after; it may be the same as ``base``, of which nothing then differs.
    control
        A model that was tuned on the same data as ``tuned``, without the thing of interest. None
        where there is none: whatever is found may then come from any further training.
    stages
        Checkpoints between ``base`` and ``tuned``, in their order.

    Raises
    ------
    InputError
        If a model is a masked one, does not give the probability of each symbol, or is not of
        float32; or if the control is one of the two that are compared.
    MismatchError
        If the models have other tokens, or networks of another shape.
    """

    base: DnaModel
    tuned: DnaModel
    control: DnaModel | None = None
    stages: tuple[DnaModel, ...] = ()

    def __post_init__(self) -> None:
        for name, model in self._named().items():
            _check_alone(name, model)
            _check_alike(name, self.base, model)
        for role in ("base", "tuned"):
            if self.control is not None and self.control.spec.sha256 == self[role].spec.sha256:
                expected = "a model that is neither base nor tuned"
                found = f"{self.control.spec.name}, the {role} model"
                raise InputError("control", expected, found)

    def __getitem__(self, role: Role) -> DnaModel:
        """Return the model of a role."""
        return self.by_role[role]

    @property
    def by_role(self) -> Mapping[Role, DnaModel]:
        """The models by their role; without a control there is none."""
        found: dict[Role, DnaModel] = {"base": self.base, "tuned": self.tuned}
        return found if self.control is None else {**found, "control": self.control}

    @property
    def checkpoints(self) -> tuple[DnaModel, ...]:
        """Base, stages and tuned model, in their order."""
        return (self.base, *self.stages, self.tuned)

    @property
    def symbols(self) -> Symbols:
        """The symbols of the distributions of all models."""
        assert isinstance(self.base, Predicts)
        return self.base.symbols

    @property
    def spec(self) -> ModelSpec:
        """Identity and shape of the base model, whose shape the others have."""
        return self.base.spec

    @property
    def inputs(self) -> dict[str, str]:
        """The sha256 of the weights of each model, for provenance."""
        named = self._named()
        return {f"model-{name.replace(' ', '-')}": it.spec.sha256 for name, it in named.items()}

    def read(
        self,
        genome: Genome,
        wanted: Wanted,
        *,
        config: HarvestConfig,
        regions: Sequence[GenomicInterval] = (),
        progress: Progress = silent,
    ) -> Iterator[Mapping[Role, Pass]]:
        """Let the models read the same batches of a genome; yield their passes together.

        Parameters
        ----------
        regions
            Regions to read; the whole genome if empty.
        progress
            Called with (windows done, in all).
        """
        windows, done = config.windows(self.spec, genome, regions), 0
        for batch in token_batches(self.base, genome_passages(genome, windows), config.batch):
            yield {role: run_batch(it, batch, wanted) for role, it in self.by_role.items()}
            done += len(batch.windows)
            progress(done, len(windows))

    def _named(self) -> dict[str, DnaModel]:
        stages = {f"stage {number}": it for number, it in enumerate(self.stages, 1)}
        return {**{str(role): it for role, it in self.by_role.items()}, **stages}


def _check_alone(name: str, model: DnaModel) -> None:
    check_causal(model.spec)
    if not isinstance(model, Predicts):
        raise InputError(name, "a model that gives the probability of each symbol", model.spec.name)
    if model.spec.dtype != "float32":
        expected = "weights of float32, since rounding would count as a change"
        raise InputError(name, expected, f"{model.spec.dtype} ({model.spec.name})")


def _check_alike(name: str, base: DnaModel, model: DnaModel) -> None:
    assert isinstance(base, Predicts)
    assert isinstance(model, Predicts)
    same = np.array_equal(base.tokenize(_LETTERS).ids, model.tokenize(_LETTERS).ids)
    same = same and np.array_equal(base.symbols.ids, model.symbols.ids)
    if not same or base.symbols.spelling != model.symbols.spelling:
        expected = f"a model with the tokens of the base model {base.spec.name}"
        raise MismatchError(name, expected, f"other tokens ({model.spec.name})")
    if (base.spec.sites, base.spec.d_site) != (model.spec.sites, model.spec.d_site):
        expected = f"a network of the shape of the base model, {_shape(base.spec)}"
        raise MismatchError(name, expected, f"{_shape(model.spec)} ({model.spec.name})")


def _shape(spec: ModelSpec) -> str:
    return f"{spec.d_site} numbers at {spec.sites[0]} to {spec.sites[-1]}"
