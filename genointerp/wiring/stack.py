"""Dictionaries of several sites of one model, and what is at each site in one passage."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.model.protocol import DnaModel
from genointerp.reading.fidelity import check_dictionary
from genointerp.reading.question import differentiable
from genointerp.reading.run import Wanted, run_batch
from genointerp.reading.tokens import TokenBatch
from genointerp.sae.dictionary import Dictionary


@dataclass(frozen=True, eq=False)
class SiteNodes:
    """What is at a site in one passage: features that fire at its tokens, and the rest.

    ``x[t] = b_dec + sum of amount d over the hits at t + error[t]``. Hits are ordered by token.

    Parameters
    ----------
    dictionary
        Dictionary of the site.
    x
        Activations of the model.
    token, feature, amount
        The hits: token, feature and activation of each.
    """

    dictionary: Dictionary
    x: Float[Tensor, "token d"]
    token: Int64[Tensor, " hit"]
    feature: Int64[Tensor, " hit"]
    amount: Float[Tensor, " hit"]

    @classmethod
    def of(cls, dictionary: Dictionary, x: Float[Tensor, "token d"]) -> "SiteNodes":
        """Encode the activations of one passage."""
        rows = x.to(dictionary.sae.b_enc)
        with torch.no_grad():
            pattern, value = dictionary.sae.codes(rows)
        fires = value > 0
        order = pattern.row[fires].argsort(stable=True)
        token, feature = pattern.row[fires][order].long(), pattern.feature[fires][order].long()
        return cls(dictionary, rows, token, feature, value[fires][order].detach())

    @cached_property
    def error(self) -> Float[Tensor, "token d"]:
        """What the dictionary does not explain of the activations."""
        directions = self.dictionary.directions[self.feature] * self.amount[:, None]
        explained = torch.zeros_like(self.x).index_add(0, self.token, directions)
        return self.x - self.dictionary.sae.b_dec.detach() - explained

    def without(self, hits: Int64[Tensor, " hit"]) -> Float[Tensor, "hit token d"]:
        """Return a copy of the activations for each hit, from which its feature is taken out."""
        copies = self.x.repeat(len(hits), 1, 1)
        taken = self.dictionary.directions[self.feature[hits]] * self.amount[hits, None]
        copies[torch.arange(len(hits)), self.token[hits]] -= taken
        return copies


@dataclass(frozen=True, eq=False)
class Stack:
    """A model, and dictionaries of some of its sites, lowest first.

    The residual stream has no way around a site: what reaches a site from one below passes through
    the activations of every site between, which are the features and the error there. With
    gradients stopped at sites in between, only neighbouring sites are therefore joined by edges.
    """

    model: DnaModel
    dictionaries: tuple[Dictionary, ...]

    @classmethod
    def of(cls, model: DnaModel, dictionaries: Sequence[Dictionary]) -> "Stack":
        """Check dictionaries, and order them by their sites.

        Raises
        ------
        InputError
            If the model is a masked one or cannot be differentiated, or two dictionaries are of one
            site.
        MismatchError
            If a dictionary is of another model, or does not reconstruct its site.
        """
        differentiable(model)
        for dictionary in dictionaries:
            check_dictionary(dictionary, model)
        sites = [dictionary.header.site for dictionary in dictionaries]
        if len(set(sites)) < len(sites):
            raise InputError("sae", "dictionaries of different sites", ", ".join(sites))
        known = model.spec.sites
        for site in sites:
            if site not in known:
                raise InputError("sae", f"dictionaries of {', '.join(known)}", site)
        ordered = sorted(dictionaries, key=lambda it: known.index(it.header.site))
        return cls(model, tuple(ordered))

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites, lowest first."""
        return tuple(dictionary.header.site for dictionary in self.dictionaries)

    def check_highest(self, dictionary: Dictionary) -> None:
        """Refuse a stack of which another dictionary is the highest.

        Raises
        ------
        InputError
            If one that should be below is above.
        """
        if self.dictionaries[-1] is not dictionary:
            expected = f"a dictionary of a site below {dictionary.header.site}"
            raise InputError("below", expected, f"one of {self.sites[-1]}")

    def read(self, batch: TokenBatch) -> tuple[SiteNodes, ...]:
        """Let the model read one passage, and return what is at each site."""
        found = run_batch(self.model, batch, Wanted(self.sites)).activations
        return tuple(
            SiteNodes.of(dictionary.to(found[site].device), found[site][0].clone())
            for dictionary, site in zip(self.dictionaries, self.sites, strict=True)
        )
