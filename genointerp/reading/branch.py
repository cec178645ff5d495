"""Passages with a common beginning: a model reads once what they have in common."""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from genointerp.model.continuation import Continuation
from genointerp.model.protocol import DnaModel, Edit, Generates, Traced
from genointerp.reading.loss import check_causal
from genointerp.reading.run import Wanted, run_batch
from genointerp.reading.tokens import TokenBatch


class Trunk:
    """One passage, from which others branch off.

    A causal model that can read on from a state reads no token of the passage more than once, and
    of each branch only the tokens from where it differs. Any other model reads whole passages.

    Parameters
    ----------
    model
        A causal model.
    batch
        The passage.
    sites
        Sites of the activations that are wanted of each branch.

    Raises
    ------
    InputError
        If the model is not causal.
    UnknownNameError
        If it has no such site.
    """

    def __init__(self, model: DnaModel, batch: TokenBatch, *, sites: Sequence[str] = ()) -> None:
        check_causal(model.spec)
        self.model, self.batch, self.sites = model, batch, tuple(sites)
        self._read: dict[str, list[Tensor]] = {}
        self._continuation: Continuation | None = None
        if isinstance(model, Generates) and model.spec.chunked:
            watched = [Edit(site, partial(self._keep, site)) for site in self.sites]
            self._continuation = model.continuation(batch.ids.shape[1], edits=watched)

    def branches(self, ids: Int[Tensor, "batch token"], first: int) -> Traced:
        """Read passages of as many tokens, which are those of the trunk before token ``first``.

        ``first`` must not become smaller from call to call.

        Returns
        -------
        Traced
            Activations, and log probabilities as the logits, of the tokens from ``first`` on: index
            0 is token ``first``. The last token has no logits, as nothing comes after it.
        """
        if self._continuation is None:
            return self._whole(ids, first)
        trunk = self._continuation
        if trunk.n_read < first:
            trunk.read(self.batch.ids[:, trunk.n_read : first])
        assert trunk.n_read == first, "branches go from the first token to the last"
        self._read.clear()
        log_p = trunk.branch(len(ids)).read_each(ids[:, first:])
        activations = {site: torch.cat(self._read[site], 1) for site in self.sites}
        return Traced(activations, log_p[:, :-1])

    def _whole(self, ids: Int[Tensor, "batch token"], first: int) -> Traced:
        batch = TokenBatch(self.batch.windows * len(ids), ids)
        found = run_batch(self.model, batch, Wanted(self.sites, distribution=True))
        assert found.distribution is not None, "it was wanted"
        activations = {site: x[:, first:] for site, x in found.activations.items()}
        return Traced(activations, found.distribution[:, first:])

    def _keep(self, site: str, x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        # a copy, since the network may later write into the tensor that it gets
        self._read.setdefault(site, []).append(x.clone())
        return x
