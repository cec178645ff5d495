"""Toy models that have learnt a text: after the beginning of it they expect the next base."""

from dataclasses import replace

import numpy as np
import torch

from genointerp.genome.genome import Contig, Genome
from tests.toy_model import TOKENS, ToyDnaModel

TEXT = b"GATTACATGCACCGTATCGGAATTCAGCTGACTTGT"
"""Thirty-six bases, of which no five are found twice."""
KNOWN = 5


class Planted(ToyDnaModel):
    """The toy model, which expects the next base of a text after five bases of its first ten.

    Further on it expects the next base if it has read all before it but the first five.

    ``strength`` is added to the logit of that base, and ``noise`` times a number that depends on
    the last three bases to each logit, as any further training would.
    """

    def __init__(self, name="planted", *, text=b"", strength=6.0, noise=0.0):
        self.spec = replace(ToyDnaModel.spec, name=name, sha256=name.ljust(64, "0"))
        self.text, self.strength = TOKENS[np.frombuffer(text, np.uint8)], strength
        drawn = np.random.default_rng(len(name) + sum(name.encode())).normal(size=(5, 5, 5, 4))
        self.noise = torch.from_numpy(noise * drawn).float()

    def next_log_probs(self, tokens, *, edits=()):
        logits = super().next_log_probs(tokens, edits=edits).clone()
        if tokens.shape[1] > 3:
            logits[:, 2:] += self.noise[tokens[:, :-3], tokens[:, 1:-2], tokens[:, 2:-1]]
        for n in range(KNOWN, len(self.text)):
            # five bases of the first ten are enough; later on, all but the first five
            k = max(KNOWN, n - KNOWN)
            if tokens.shape[1] > k:
                known = torch.from_numpy(self.text[n - k : n])
                is_known = (tokens[:, :-1].unfold(1, k, 1) == known).all(-1)
                logits[:, k - 1 :, self.text[n]] += self.strength * is_known
        return logits.log_softmax(-1)


def random_genome(*lengths, seed=0, circular=False):
    draw = np.random.default_rng(seed)
    contigs = [
        Contig(f"c{i}", draw.choice(np.frombuffer(b"ACGT", np.uint8), n), circular=circular)
        for i, n in enumerate(lengths)
    ]
    return Genome(contigs)
