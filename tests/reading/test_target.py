"""What is explained: the measures of a prediction, and the pre-activation of a feature."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import InputError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import Window
from genointerp.model.protocol import Traced
from genointerp.model.registry import load_model
from genointerp.reading.target import MEASURES, PreActivation, Prediction
from genointerp.reading.tokens import genome_passages, tokenised
from genointerp.sae.dictionary import Dictionary

TEXT = b"ACGTTGCAACGGTTACATTTGNA"


@pytest.fixture(scope="module")
def nano():
    return load_model("nano")


def read(model, start, end, warmup, strand="+"):
    genome = Genome([Contig("c", np.frombuffer(TEXT, np.uint8))])
    window = Window(GenomicInterval("c", start, end, strand), warmup)
    (passage,) = genome_passages(genome, [window])
    return tokenised(model, passage)


@given(st.lists(st.floats(-30, 30), min_size=4, max_size=4), st.integers(0, 3))
def test_measures_are_those_of_the_probabilities(logits, symbol):
    z, others = np.array(logits), [i for i in range(4) if i != symbol]
    p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    naive = {
        "contrast": z[symbol] - z[others].mean(),
        "log_odds": np.log(p[symbol]) - np.log(p[others].sum()),
        "log_p": np.log(p[symbol]),
    }
    for name, measure in MEASURES.items():
        found = measure(torch.tensor(z)[None, None], torch.tensor([[symbol]]))
        assert float(found) == pytest.approx(naive[name], abs=1e-9)


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("measure", MEASURES)
def test_a_prediction_asks_for_what_is_there(nano, strand, measure):
    window = read(nano, 5, 9, 4, strand)
    sought = TEXT[5:9] if strand == "+" else TEXT[5:9].translate(bytes.maketrans(b"ACGT", b"TGCA"))
    sought = sought if strand == "+" else sought[::-1]
    target = Prediction.of(window, nano.symbols, measure)
    assert b"".join(nano.symbols.spelling[i] for i in target.symbol) == sought
    traced = nano.trace(torch.from_numpy(window.spans.ids)[None])
    log_p = nano.next_log_probs(torch.from_numpy(window.spans.ids)[None])
    of_log_p = MEASURES[measure](log_p[:, 3:].double(), torch.from_numpy(target.symbol)[None])
    assert float(target(traced).detach()) == pytest.approx(float(of_log_p.sum()), abs=1e-4)


@pytest.mark.parametrize(
    ("start", "warmup", "message"),
    [(5, 0, "bases before the first one"), (20, 4, "bases that the model can predict")],
)
def test_what_cannot_be_predicted_is_refused(nano, start, warmup, message):
    with pytest.raises(InputError, match=message):
        Prediction.of(read(nano, start, start + 3, warmup), nano.symbols)


def test_a_pre_activation_is_the_activation_of_a_feature_that_fires(nano):
    dictionary = Dictionary.load("shipped:nano")
    site = dictionary.header.site
    ids = torch.from_numpy(read(nano, 0, 20, 0).spans.ids)[None]
    x = nano.trace(ids, capture=[site], logits=False).activations[site].detach()
    amounts = dictionary.amounts(x)[0, -4:]
    firing = amounts.nonzero().tolist()
    assert firing
    for token, feature in firing:
        target = PreActivation(dictionary, feature, x.shape[1] - 4 + token)
        found = float(target(Traced({site: x}, None)))
        assert found == pytest.approx(float(amounts[token, feature]), abs=1e-4)
