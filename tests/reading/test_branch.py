"""Passages that begin alike: what is read of them, and that what they share is read once."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from genointerp.core.errors import InputError
from genointerp.model.registry import load_model
from genointerp.reading.branch import Trunk
from genointerp.reading.run import Wanted, run_batch
from genointerp.reading.target import Prediction
from genointerp.reading.tokens import TokenBatch, sequence_passages, tokenised
from tests.toy_model import ToyDnaModel

TEXT = "ACGTTGCAACGGTTACATTTGAANACCGTGATTACGCTAGGCATCGATTT"


@pytest.fixture(scope="module")
def nano():
    return load_model("nano")


def batch_of(model) -> TokenBatch:
    (passage,) = sequence_passages([TEXT])
    return TokenBatch.of([tokenised(model, passage)])


class Whole:
    """A causal model that cannot read on from a state."""

    def __init__(self, model):
        self.spec, self.symbols = model.spec, model.symbols
        for name in ("tokenize", "run", "prefill", "log_probs", "next_log_probs"):
            setattr(self, name, getattr(model, name))


@pytest.mark.parametrize("first", [0, 1, 20])
def test_branches_are_what_whole_passes_are_with_and_without_a_continuation(nano, first):
    batch, site = batch_of(nano), "blocks.5"
    rows = batch.ids.repeat(2, 1)
    rows[0, first + 1], rows[1, first] = rows[0, first], rows[0, first + 1]
    wanted = Wanted((site,), distribution=True)
    whole = run_batch(nano, TokenBatch(batch.windows * 2, rows), wanted)
    x, log_p = whole.activations[site][:, first:], whole.distribution[:, first:]
    for model in (nano, Whole(nano)):
        found = Trunk(model, batch, sites=[site]).branches(rows, first)
        torch.testing.assert_close(found.activations[site], x, rtol=1e-5, atol=1e-4)
        torch.testing.assert_close(found.logits, log_p, rtol=1e-5, atol=1e-5)


def test_no_token_of_the_trunk_is_read_twice(nano, monkeypatch):
    n_read, make = [], nano.continuation

    def counted(n_tokens, *, edits):
        continuation = make(n_tokens, edits=edits)
        step = continuation.step
        continuation.step = lambda *args: n_read.append(args[0].shape) or step(*args)
        return continuation

    monkeypatch.setattr(nano, "continuation", counted)
    trunk = Trunk(nano, batch_of(nano))
    for first in (5, 5, 9, 30):
        trunk.branches(trunk.batch.ids.repeat(3, 1), first)
    assert n_read == [(1, 5), (1, 4), (1, 21)]


def test_a_target_counts_its_tokens_from_where_a_pass_begins(nano):
    batch = batch_of(nano)
    traced = nano.trace(batch.ids)
    target = Prediction(np.array([40, 44]), np.array([2, 0]))
    later = traced._replace(logits=traced.logits[:, 17:])
    assert target.after(17)(later).tolist() == target(traced).tolist()


def test_a_masked_model_is_refused():
    model = ToyDnaModel()
    model.spec = replace(model.spec, reads="both")
    with pytest.raises(InputError, match="expected a causal model"):
        Trunk(model, batch_of(model))
