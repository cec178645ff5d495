import numpy as np
import pandas as pd
import pytest
import torch

from genointerp.activation.ablation import AblationConfig, _Ablation, ablate_features
from genointerp.core.errors import MismatchError
from genointerp.genome.genome import Contig, Genome, reverse_complement
from genointerp.model.protocol import Edit
from genointerp.sae.config import SaeConfig
from genointerp.sae.io import save_sae
from genointerp.sae.registry import make_sae
from genointerp.store.contigs import ContigInfo
from tests.plant import make_store, silence
from tests.toy_model import ToyDnaModel

LENGTH = 300
CONFIG = AblationConfig(n_windows=2, kept=24, warmup=8, n_matched=2, n_similar=5)


@pytest.fixture
def world(tmp_path):
    """Features are the channels of the toy model, of which the first four tell its prediction."""
    letters = np.repeat(np.random.default_rng(0).choice(list(b"ACGT"), 75), 4).astype(np.uint8)
    genome = Genome([Contig("c", letters)])
    sae = make_sae(SaeConfig("topk", n_features=8, k=8), 8, seed=0)
    with torch.no_grad():
        sae.W_dec.copy_(torch.eye(8))
        sae.W_enc.copy_(torch.eye(8))
    folder = tmp_path / "sae"
    save_sae(sae, folder, {"model": "toy", "model_sha256": "0" * 64, "site": "blocks.0"})
    model, dense = ToyDnaModel(), silence(LENGTH, 8)
    for strand, sequence in (("+", letters), ("-", reverse_complement(letters))):
        tokens = torch.from_numpy(model.tokenize(sequence).ids)[None]
        x = model.run(tokens, capture=["blocks.0"])["blocks.0"][0].numpy()
        dense[strand][:] = x if strand == "+" else x[::-1]
    dense["+"][:, 7] = dense["-"][:, 7] = 0
    path = tmp_path / "f.h5"
    store = make_store(path, dense, ContigInfo.of(genome), genome_sha256=genome.sha256)
    return genome, store, folder, dense


def naive_effect(genome, dense, feature):
    """Edit the activations window by window by hand and add up what that costs."""
    model, total, n = ToyDnaModel(), 0.0, 0
    free = {strand: dense[strand][:, feature].copy() for strand in "+-"}
    for _ in range(CONFIG.n_windows):
        strand = "+" if free["+"].max() >= free["-"].max() else "-"
        peak = int(np.argmax(free[strand]))
        start = peak - 6 if strand == "+" else peak + 7 - 24
        start = min(max(start, 0), LENGTH - 24)
        end = start + 24
        free[strand][max(0, peak - 23) : peak + 24] = -1
        letters = genome["c"].sequence
        if strand == "+":
            warmup = min(8, start)
            read = letters[start - warmup : end]
        else:
            warmup = min(8, LENGTH - end)
            read = reverse_complement(letters[start : end + warmup])
        tokens = torch.from_numpy(model.tokenize(read).ids)[None]
        x = model.run(tokens, capture=["blocks.0"])["blocks.0"].clone()
        x[..., feature] -= x[..., feature].clamp(min=0)
        edit = Edit("blocks.0", lambda _, x=x: x)
        change = model.log_probs(tokens) - model.log_probs(tokens, edits=[edit])
        first = max(warmup - 1, 0)
        total, n = total + float(change[0, first:].double().sum()), n + change.shape[1] - first
    return total / n


@pytest.mark.parametrize("feature", [0, 1, 2, 3, 5])
def test_effects_equal_those_of_edits_by_hand(world, feature):
    genome, store, folder, dense = world
    found = ablate_features(ToyDnaModel(), genome, store, folder, features=[feature], config=CONFIG)
    assert found["feature"].tolist() == [feature]
    assert found["n_windows"].tolist() == [2]
    expected = naive_effect(genome, dense, feature)
    assert found["loss_effect"][0] == pytest.approx(expected, abs=1e-6)


def test_a_feature_that_the_prediction_reads_costs_loss_and_another_costs_nothing(world):
    genome, store, folder, _ = world
    found = ablate_features(ToyDnaModel(), genome, store, folder, config=CONFIG)
    found = found.set_index("feature")
    # the last never fires
    assert found.index.tolist() == list(range(7))
    assert (found["loss_effect"][:4] > 0.1).all()
    assert found["loss_effect"][4:].to_numpy() == pytest.approx(0.0)
    assert (found["loss_effect"] > found["loss_effect_matched"])[:4].all()
    assert (found["p_value"][:4] <= 0.4).all()
    assert found["p_value"].between(1 / 5, 1).all()


def test_the_same_seed_gives_the_same_table(world):
    genome, store, folder, _ = world
    one, two = (
        ablate_features(ToyDnaModel(), genome, store, folder, config=CONFIG) for _ in range(2)
    )
    pd.testing.assert_frame_equal(one, two)


def test_features_of_another_genome_are_refused(world):
    _, store, folder, _ = world
    other = Genome([Contig("c", np.frombuffer(b"ACGT" * 75, np.uint8))])
    with pytest.raises(MismatchError, match="expected the genome of c, found another"):
        ablate_features(ToyDnaModel(), other, store, folder, config=CONFIG)


def test_matched_directions_have_the_norm_of_the_feature_and_are_others():
    sae = make_sae(SaeConfig("topk", n_features=6, k=6), 8, seed=0)
    with torch.no_grad():
        sae.W_dec.mul_(torch.arange(1.0, 7.0)[:, None])
    n_firing = np.array([5, 0, 9, 7, 8, 6])
    config = AblationConfig(n_matched=2, n_similar=2)
    found = _Ablation(ToyDnaModel(), "blocks.0", sae, n_firing, config)._directions(3, "c:1-9")
    assert found.norm(dim=1).tolist() == pytest.approx([4.0] * 3)
    # of the two nearest in density, among those that fire
    unit = sae.W_dec.detach() / sae.W_dec.detach().norm(dim=1, keepdim=True)
    nearest = (found / 4 @ unit.T).argmax(dim=1).tolist()
    assert nearest[0] == 3
    assert set(nearest[1:]) == {4, 5}


def test_windows_of_the_reverse_strand_are_read_as_it_is(world, tmp_path):
    genome, _, folder, _ = world
    dense = silence(LENGTH, 8)
    dense["-"][[100, 137, 210], 0] = 1, 2, 3
    path = tmp_path / "minus.h5"
    store = make_store(path, dense, ContigInfo.of(genome), genome_sha256=genome.sha256)
    found = ablate_features(ToyDnaModel(), genome, store, folder, features=[0], config=CONFIG)
    assert found["n_bases"].tolist() == [48]
    expected = naive_effect(genome, dense, 0)
    assert found["loss_effect"][0] == pytest.approx(expected, abs=1e-6)
