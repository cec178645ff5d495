"""A model in which the difference of two others is made larger: what changed, said louder."""

import copy
import math
from pathlib import Path

import torch

from genointerp.comparison.models import ModelSet
from genointerp.core.errors import ConfigError, InputError, MismatchError
from genointerp.core.files import atomic_path
from genointerp.model.hyena.folder import save_model
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel
from genointerp.model.protocol import DnaModel

MOST = 10.0
"""Largest factor of a difference; far beyond 3, a network mostly writes noise."""


def write_amplified(models: ModelSet, amount: float, folder: Path) -> str:
    """Write a model that `genointerp.load_model` takes, and return its name.

    Parameters
    ----------
    amount
        0 is the base model, 1 the tuned one; 2 is as far beyond it, and -1 as far to the other
        side.

    Raises
    ------
    ConfigError
        If the amount is not a number from -10 to 10.
    InputError
        If a model is no StripedHyena of this package.
    MismatchError
        If the networks are of other shapes.

    Notes
    -----
    ``W + amount (W' - W)`` for each parameter, with W of the base and W' of the tuned model.
    """
    check_amount(amount)
    base, tuned = check_amplified(models)
    network = copy.deepcopy(base.network)
    after = tuned.network.state_dict()
    with torch.no_grad():
        for name, weight in network.state_dict().items():
            if weight.is_floating_point():
                weight.add_(after[name].to(weight) - weight, alpha=amount)
    spec = base.spec
    name = f"{tuned.spec.name}-amplified-{amount:g}"
    with atomic_path(folder) as temporary:
        temporary.mkdir(parents=True, exist_ok=True)
        save_model(
            network.cpu(),
            temporary,
            name=name,
            context=spec.context,
            default_site=spec.default_site,
            licence=spec.licence,
        )
    return name


def check_amplified(models: ModelSet) -> tuple[SingleNucleotideModel, SingleNucleotideModel]:
    """Return the base and the tuned model as models whose difference can be amplified.

    Raises
    ------
    InputError
        If a model is no StripedHyena of this package.
    MismatchError
        If the networks are of other shapes.
    """
    base, tuned = _hyena(models.base), _hyena(models.tuned)
    if base.network.config != tuned.network.config:
        expected = f"a network of the shape of {base.spec.name}"
        raise MismatchError(f"model {tuned.spec.name}", expected, "another")
    return base, tuned


def check_amount(amount: float) -> None:
    """Refuse a factor that is no number, or beyond `MOST`.

    Raises
    ------
    ConfigError
        If it is one.
    """
    if not math.isfinite(amount) or abs(amount) > MOST:
        raise ConfigError("amplify", f"a number from -{MOST:g} to {MOST:g}", str(amount))


def _hyena(model: DnaModel) -> SingleNucleotideModel:
    if not isinstance(model, SingleNucleotideModel):
        raise InputError("amplify", "a StripedHyena of this package", model.spec.name)
    return model
