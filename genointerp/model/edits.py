"""Edits of activations: add, clamp, ablate, replace and splice, each on a range of tokens.

In the formulas x is the activation vector of one token at the site. Vectors and directions hold
``d_site`` numbers, in any floating dtype and on any device.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.core.errors import ConfigError, InputError
from genointerp.model.protocol import Edit


def add(
    site: str,
    vector: Tensor,
    *,
    strength: float = 1.0,
    start: int = 0,
    end: int | None = None,
) -> Edit:
    """Add a multiple of a vector: ``x + strength * vector``.

    Raises
    ------
    ConfigError
        If the vector is not a finite vector, or the range of tokens is not valid.
    """
    _check_finite(f"edit of {site}", torch.tensor(float(strength)), "strength")
    kept = _Kept(_checked(site, vector, "vector").double() * strength, site)
    return Edit(site, lambda x: (_wide(x) + kept.like(x)).to(x.dtype), *_range(site, start, end))


def clamp(
    site: str,
    direction: Tensor,
    value: float,
    *,
    start: int = 0,
    end: int | None = None,
) -> Edit:
    """Set the coefficient along a direction: ``x + (value - x . u) u``, u of unit length.

    Parameters
    ----------
    direction
        Vector of any length except zero; u is ``direction / ||direction||``.
    value
        New coefficient, in units of the activations.

    Raises
    ------
    ConfigError
        If the direction is not a finite vector other than zero, or the range is not valid.
    """
    _check_finite(f"edit of {site}", torch.tensor(float(value)), "value")
    unit = _Kept(_unit(site, direction), site)

    def set_coefficient(x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        u, wide = unit.like(x), _wide(x)
        return (wide + (value - wide @ u)[..., None] * u).to(x.dtype)

    return Edit(site, set_coefficient, *_range(site, start, end))


def ablate(
    site: str,
    direction: Tensor | None = None,
    *,
    start: int = 0,
    end: int | None = None,
) -> Edit:
    """Project a direction out, ``x - (x . u) u``; without a direction, set all of x to zero.

    Raises
    ------
    ConfigError
        If the direction is not a finite vector other than zero, or the range is not valid.
    """
    if direction is None:
        return Edit(site, torch.zeros_like, *_range(site, start, end))
    return clamp(site, direction, 0.0, start=start, end=end)


def replace(
    site: str,
    values: Tensor,
    *,
    start: int = 0,
    end: int | None = None,
) -> Edit:
    """Replace x by other activations.

    Parameters
    ----------
    values
        One vector for every token of the range, ``(d_site,)``; or a row for each token, the first
        for ``start``: ``(token, d_site)`` for every sequence of a batch, or
        ``(batch, token, d_site)`` with rows for each sequence.
    end
        End of the range. If it is None and ``values`` has rows, it is ``start`` plus their number.

    Raises
    ------
    ConfigError
        If the values are not finite numbers, the range is not valid, or the two do not fit.
    """
    where = f"edit of {site}"
    if values.ndim not in (1, 2, 3):
        raise ConfigError(where, "values of one, two or three axes", f"{values.ndim}")
    _check_finite(where, values, "values")
    if values.ndim > 1:
        end = start + values.shape[-2] if end is None else end
        if end - start != values.shape[-2]:
            expected = f"a row for each of the tokens {start} to {end}"
            raise ConfigError(where, expected, f"{values.shape[-2]} rows")
    return Edit(site, _Rows(_Kept(values.detach(), site), start), *_range(site, start, end))


@dataclass(frozen=True, eq=False)
class FeatureReader:
    """What reads features of a dictionary from activations, and the directions that they write.

    Each feature is read on its own: ``f(x) = z if z > threshold else 0``, with
    ``z = x . read + bias``.
    """

    read: Float[Tensor, "feature d"]
    bias: Float[Tensor, " feature"]
    threshold: Float[Tensor, " feature"]
    direction: Float[Tensor, "feature d"]


def splice(
    site: str,
    features: FeatureReader,
    *,
    gain: Float[Tensor, " feature"],
    value: Float[Tensor, " feature"],
    start: int = 0,
    end: int | None = None,
) -> Edit:
    """Give features other amounts: ``x + sum_i (gain_i f_i(x) + value_i - f_i(x)) direction_i``.

    Everything is computed in float32 or wider, row by row, so that an activation is changed in the
    same way however many are read at once.

    Parameters
    ----------
    gain, value
        The new amount of each feature is ``gain f(x) + value``, also where it does not fire.

    Raises
    ------
    ConfigError
        If a number is not finite, or the range of tokens is not valid.
    """
    for name, values in vars(features).items() | {"gain": gain, "value": value}.items():
        _check_finite(f"edit of {site}", values, name)
    kept = [
        _Kept(values.detach(), site)
        for row in zip(features.read, features.direction, strict=True)
        for values in row
    ]
    numbers = torch.stack([features.bias, features.threshold, gain, value]).T.tolist()

    def change(x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        wide = _wide(x)
        changed = wide
        for i, (bias, threshold, by, new) in enumerate(numbers):
            z = (wide * kept[2 * i].like(x)).sum(-1) + bias
            amount = z.where(z > threshold, 0.0)
            change = (by - 1) * amount + new
            changed = changed + change[..., None] * kept[2 * i + 1].like(x)
        return changed.to(x.dtype)

    return Edit(site, change, *_range(site, start, end))


@dataclass(frozen=True, eq=False)
class _Kept:
    """A constant of an edit, moved once to each device and dtype at which it is used."""

    tensor: Tensor
    site: str
    moved: dict[tuple[torch.device, torch.dtype], Tensor] = field(default_factory=dict)

    def like(self, x: Float[Tensor, "batch token d"]) -> Tensor:
        if x.shape[-1] != self.tensor.shape[-1]:
            expected = f"activations {self.tensor.shape[-1]} wide, as the edit's vector"
            raise InputError(f"edit of {self.site}", expected, f"{x.shape[-1]}")
        key = x.device, _wide_dtype(x)
        if key not in self.moved:
            # a tensor made in inference mode could not be used in a pass with gradients
            with torch.inference_mode(mode=False):
                self.moved[key] = self.tensor.to(*key, copy=True)
        return self.moved[key]


@dataclass(frozen=True, eq=False)
class _Rows:
    """Replacement by rows, which finds the right rows even if the sequence is read in chunks."""

    values: _Kept
    start: int

    def __call__(self, x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        return self.at(x, self.start)

    def at(self, x: Float[Tensor, "batch token d"], first: int) -> Float[Tensor, "batch token d"]:
        rows = self.values.like(x)
        if rows.ndim > 1:
            begin = first - self.start
            rows = rows[..., begin : begin + x.shape[1], :]
        if rows.ndim == 3 and len(rows) != len(x):
            expected = f"a batch of {len(rows)} sequences, as the values have"
            raise InputError(f"edit of {self.values.site}", expected, f"{len(x)}")
        # a copy, since the network may later write into the tensor that it gets
        return rows.to(x.dtype).expand_as(x).clone()


def _wide_dtype(x: Tensor) -> torch.dtype:
    """Return float32 or wider: in bfloat16 a projection leaves about 1 % of what it removes."""
    return torch.promote_types(x.dtype, torch.float32)


def _wide(x: Tensor) -> Tensor:
    return x.to(_wide_dtype(x))


def _unit(site: str, direction: Tensor) -> Tensor:
    wide = _checked(site, direction, "direction").double()
    length = wide.norm()
    if length == 0:
        raise ConfigError(f"edit of {site}", "a direction other than zero", "zeros")
    unit: Tensor = wide / length
    return unit


def _checked(site: str, vector: Tensor, name: str) -> Tensor:
    where = f"edit of {site}"
    if vector.ndim != 1 or not len(vector):
        raise ConfigError(where, f"{name} of one axis", f"shape {tuple(vector.shape)}")
    _check_finite(where, vector, name)
    return vector.detach()


def _check_finite(where: str, values: Tensor, name: str) -> None:
    if not values.is_floating_point():
        raise ConfigError(where, f"{name} of a floating dtype", str(values.dtype))
    if not bool(values.isfinite().all()):
        raise ConfigError(where, f"finite {name}", "NaN or infinity")


def _range(site: str, start: int, end: int | None) -> tuple[int, int | None]:
    if start < 0 or (end is not None and end <= start):
        raise ConfigError(f"edit of {site}", "tokens 0 <= start < end", f"{start}, {end}")
    return start, end
