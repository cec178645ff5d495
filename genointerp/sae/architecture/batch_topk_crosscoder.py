"""BatchTopK crosscoders: one dictionary over several sites or several models.

Lindsey et al. 2024 (transformer-circuits.pub) with the selection of Minder et al. 2025
(arXiv:2504.02922): a penalty on activations invents features of one model alone; this selection
does not.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from genointerp.core.errors import ConfigError, UnknownNameError
from genointerp.core.seed import derive_seed
from genointerp.sae.architecture.batch_topk import BatchTopK
from genointerp.sae.base import Rows, TrainingBatch
from genointerp.sae.config import SaeConfig


class BatchTopKCrosscoder(BatchTopK):
    """Reads and reconstructs several sites at once; a row joins them end to end.

    A feature has one activation and a direction for each site. The joined direction has unit norm,
    so that features are chosen by what they add to all sites together.

    Notes
    -----
    Sites of equal width begin with the same directions, as in the diffing-toolkit: whatever differs
    between them was learnt, and a model next to itself has equal directions throughout.

    With a delta loss, the loss is ``(sum |e|^2 + c sum |e_B - e_A|^2) / (n V)`` for the errors e of
    n rows of two sites and c the ``delta_coefficient``. It is divided by the variance V of whole
    rows and not by that of the difference, which is 0 where a model is compared with itself.
    """

    joins_sites = True

    @property
    def sites(self) -> tuple[slice, ...]:
        """Columns of each site in a joined row."""
        return _slices(self.config.widths)

    @property
    def dedicated_features(self) -> tuple[slice, ...]:
        """Features that belong to each site alone; empty where none were asked for."""
        return _slices([round(share * self.n_features) for share in self.config.dedicated])

    def split_in_training(self, rows: Float[Tensor, "batch d_row"], step: int) -> Rows:
        """Split the rows of a step; with ``encode_from: any`` one site is read, drawn by step."""
        if self.config.encode_from == "all":
            return self.split(rows)
        site = derive_seed(step, "site that is encoded") % len(self.sites)
        return Rows(self.seen_from(rows, site), rows)

    @torch.no_grad()
    def seen_from(
        self, rows: Float[Tensor, "batch d_row"], site: int
    ) -> Float[Tensor, "batch d_row"]:
        """Return joined rows that encode to what one site says alone; the others are not read.

        Raises
        ------
        ConfigError
            If the dictionary was trained to be read from all sites together.
        UnknownNameError
            If there is no such site.

        Notes
        -----
        The columns of that site become ``b_dec + n (x - b_dec)`` for n sites, and those of the
        others ``b_dec``. The z of a whole row is then the mean of those from each of its sites, and
        all stay what they are when mean and scale of the data are folded into the weights.
        """
        self._check_readable_from(site)
        seen = self.b_dec.expand_as(rows).clone()
        own = self.sites[site]
        seen[:, own] += len(self.sites) * (rows[:, own] - seen[:, own])
        return seen

    @torch.no_grad()
    def from_site(
        self, x: Float[Tensor, "batch d_site"], site: int
    ) -> Float[Tensor, "batch d_row"]:
        """Return joined rows that encode to what one site says, from its activations alone.

        Errors are those of :meth:`seen_from`.
        """
        self._check_readable_from(site)
        rows = self.b_dec.expand(len(x), -1).clone()
        rows[:, self.sites[site]] = x
        return self.seen_from(rows, site)

    @torch.no_grad()
    def constrain(self) -> None:
        """Restore the constraints: dedicated features keep to their site, rows have unit norm."""
        self._restrict(self.W_enc.t())
        self._restrict(self.W_dec)
        super().constrain()

    @torch.no_grad()
    def fold(self, mean: Float64[Tensor, " d_row"], scale: Float64[Tensor, " d_row"]) -> None:
        """Rewrite a dictionary of standardised rows as one of raw rows, and keep the scales."""
        super().fold(mean, scale)
        before = self.config.site_scales or (1.0,) * len(self.sites)
        own = (float(scale[columns.start]) for columns in self.sites)
        scales = tuple(one * other for one, other in zip(before, own, strict=True))
        self.config = replace(self.config, site_scales=scales)

    @torch.no_grad()
    def site_directions(self) -> tuple[Float[Tensor, "n_features d_site"], ...]:
        """Return the directions at each site, in units of its scale; joined they have norm 1.

        Sites are so compared as training saw them, each at the same root mean square, whatever
        their own units.
        """
        scales = self.config.site_scales or (1.0,) * len(self.sites)
        parts = [
            self.W_dec[:, columns] / scale
            for columns, scale in zip(self.sites, scales, strict=True)
        ]
        norm = torch.cat(parts, dim=1).norm(dim=1, keepdim=True).clamp_min(1e-12)
        return tuple(part / norm for part in parts)

    def site_norms(self) -> Float[Tensor, "n_features site"]:
        """Return the norm of each feature's direction at each site, in units of the site's scale.

        A feature of one site or one model has a norm near 0 at the others; squares add up to 1.
        """
        return torch.stack([part.norm(dim=1) for part in self.site_directions()], dim=1)

    def _error(self, batch: TrainingBatch, x_hat: Tensor) -> Tensor:
        share = batch.error_share(x_hat)
        if self.config.delta_coefficient == 0:
            return share
        first, second = ((batch.target - x_hat)[:, columns] for columns in self.sites)
        missed = (second - first).square().sum() / (len(x_hat) * batch.variance)
        return share + self.config.delta_coefficient * missed

    def _make_encoder(self, generator: torch.Generator) -> None:
        with torch.no_grad():
            if len(set(self.config.widths)) == 1:
                for columns in self.sites[1:]:
                    self.W_dec[:, columns] = self.W_dec[:, self.sites[0]]
            self._restrict(self.W_dec)
            super().constrain()
        super()._make_encoder(generator)

    def _check_readable_from(self, site: int) -> None:
        if self.config.encode_from != "any":
            raise ConfigError("encode_from", "any, to be read from one site", "'all'")
        if not 0 <= site < len(self.sites):
            expected = f"an index from 0 to {len(self.sites) - 1}"
            raise UnknownNameError("site", expected, str(site))

    def _restrict(self, by_feature: Float[Tensor, "n_features d_row"]) -> None:
        """Set to 0 what a dedicated feature has outside its own site."""
        for features, columns in zip(self.dedicated_features, self.sites, strict=False):
            by_feature[features, : columns.start] = 0
            by_feature[features, columns.stop :] = 0

    def _check_widths(self, config: SaeConfig, d_row: int) -> None:
        widths = config.widths
        if len(widths) < 2 or sum(widths) != d_row:
            expected = f"a width for each of two sites or more that add up to {d_row}"
            raise ConfigError("widths", expected, repr(widths))
        if config.delta_coefficient and (len(widths) != 2 or widths[0] != widths[1]):
            expected = "two equal ones, for a difference of sites"
            raise ConfigError("widths", expected, repr(widths))
        for name in ("dedicated", "site_scales"):
            found = getattr(config, name)
            if found and len(found) != len(widths):
                expected = f"a number for each of {len(widths)} sites, or none"
                raise ConfigError(name, expected, repr(found))


def _slices(sizes: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(first, stop) for first, stop in pairwise(accumulate(sizes, initial=0)))
