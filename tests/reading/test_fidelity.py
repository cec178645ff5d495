import json

import numpy as np
import pytest
import torch

from genointerp.command.build.evaluate import evaluate as evaluate_file
from genointerp.core.errors import ConfigError, MismatchError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import read_genome
from genointerp.reading.fidelity import _recovered, _splice, load_matching, measure_sae
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.reading.loss import GenomeLoss
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.io import save_sae
from tests.toy_model import ToyDnaModel

METADATA = {"model": "toy", "model_sha256": "0" * 64, "site": "blocks.0"}
CONFIG = HarvestConfig(window=30, warmup=5)


@pytest.fixture
def genome():
    # runs, which a model that bets on repeats predicts well
    letters = np.repeat(np.random.default_rng(0).choice(list(b"ACGT"), 60), 4).astype(np.uint8)
    return Genome([Contig("c", letters)])


def evaluate_sae(model, genome, folder, *, config):
    return measure_sae(model, genome, load_matching(folder, model), config=config).fidelity


def dictionary(folder, directions, metadata=METADATA):
    """A TopK dictionary whose features are the given unit rows, encoded and decoded alike."""
    sae = make_sae(SaeConfig("topk", n_features=len(directions), k=len(directions)), 8, seed=0)
    with torch.no_grad():
        sae.W_dec.copy_(directions)
        sae.W_enc.copy_(directions.T)
    save_sae(sae, folder, metadata)
    return folder


def test_a_perfect_dictionary_recovers_the_whole_loss(genome, tmp_path):
    folder = dictionary(tmp_path / "sae", torch.eye(8))
    fidelity = evaluate_sae(ToyDnaModel(), genome, folder, config=CONFIG)
    assert fidelity.loss_spliced == pytest.approx(fidelity.loss_clean)
    assert fidelity.loss_recovered == pytest.approx(1.0)
    assert fidelity.loss_recovered_zero == pytest.approx(1.0)
    assert fidelity.kl == pytest.approx(0.0, abs=1e-9)
    assert fidelity.fvu == pytest.approx(0.0, abs=1e-9)
    assert fidelity.explained_variance == pytest.approx(1.0, abs=1e-9)
    assert fidelity.dead_share == 0


def test_a_dictionary_that_knows_no_weights_is_matched_by_the_name_of_its_model(genome, tmp_path):
    nameless = METADATA | {"model_sha256": ""}
    folder = dictionary(tmp_path / "sae", torch.eye(8), nameless)
    fidelity = evaluate_sae(ToyDnaModel(), genome, folder, config=CONFIG)
    assert fidelity.loss_recovered == pytest.approx(1.0)
    other = dictionary(tmp_path / "other", torch.eye(8), nameless | {"model": "evo"})
    message = "expected model evo as in .*, found model toy"
    with pytest.raises(MismatchError, match=message):
        evaluate_sae(ToyDnaModel(), genome, other, config=CONFIG)


def test_the_dictionary_is_measured_on_the_tokens_that_the_model_read(tmp_path):
    # one window without warm-up; the features are the one-hot channels of A and T
    genome = Genome([Contig("c", np.frombuffer(b"AATTAATT", np.uint8))])
    folder = dictionary(tmp_path / "sae", torch.eye(8)[[0, 3]])
    config = HarvestConfig(window=8, warmup=0, strands=("+",))
    found = evaluate_sae(ToyDnaModel(), genome, folder, config=config)
    model = ToyDnaModel()
    tokens = torch.from_numpy(model.tokenize(genome["c"].sequence).ids)[None]
    x = model.run(tokens, capture=["blocks.0"])["blocks.0"][0].double()
    kept = torch.zeros_like(x)
    kept[:, [0, 3]] = x[:, [0, 3]]
    expected = (x - kept).square().sum() / (x - x.mean(0)).square().sum()
    assert found.fvu == pytest.approx(float(expected), rel=1e-5)
    assert found.l0 == 1


def test_a_dictionary_of_other_directions_recovers_nothing_of_zero_ablation(genome, tmp_path):
    # features that see only the channels which the toy model's prediction does not use
    folder = dictionary(tmp_path / "sae", torch.eye(8)[4:])
    fidelity = evaluate_sae(ToyDnaModel(), genome, folder, config=CONFIG)
    assert fidelity.loss_spliced == pytest.approx(fidelity.loss_zero_ablated)
    assert fidelity.loss_zero_ablated == pytest.approx(np.log(4))
    assert fidelity.loss_recovered_zero == pytest.approx(0.0, abs=1e-9)


def test_loss_recovered_is_the_stated_ratio(genome, tmp_path):
    folder = dictionary(tmp_path / "sae", torch.eye(8)[1:])
    found = evaluate_sae(ToyDnaModel(), genome, folder, config=CONFIG)
    ratio = (found.loss_mean_ablated - found.loss_spliced) / (
        found.loss_mean_ablated - found.loss_clean
    )
    assert found.loss_recovered == pytest.approx(ratio)
    assert 0 < found.loss_recovered < 1


@pytest.mark.parametrize("ablated", [1.0, 0.5])
def test_loss_recovered_is_undefined_where_the_ablation_does_no_harm(ablated):
    losses = (GenomeLoss(nats, 10) for nats in (1.0, 0.8, ablated))
    assert np.isnan(_recovered(*losses))


def test_the_dictionary_goes_where_the_activations_are():
    sae = make_sae(SaeConfig("topk", n_features=4, k=2), 8)
    x = torch.zeros(1, 3, 8, device="meta")
    assert _splice(sae, lambda rows: rows)(x).shape == x.shape
    assert sae.b_dec.device == x.device


def test_a_dictionary_of_other_weights_is_refused(genome, tmp_path):
    folder = dictionary(tmp_path / "sae", torch.eye(8), METADATA | {"model_sha256": "1" * 64})
    with pytest.raises(MismatchError, match=r"weights 111111111111 as.*found .* weights 0000"):
        evaluate_sae(ToyDnaModel(), genome, folder, config=CONFIG)


def test_the_figures_of_a_file_carry_their_provenance(tmp_path):
    fasta = tmp_path / "g.fa"
    fasta.write_text(">c\n" + "AACCGGTT" * 30 + "\n")
    folder = dictionary(tmp_path / "sae", torch.eye(8))
    out = tmp_path / "fidelity.json"
    evaluate_file(fasta, out, ToyDnaModel(), sae=folder, region="c:11-200", config=CONFIG)
    provenance = json.loads(out.read_text())["provenance"]
    assert provenance["config"]["regions"] == ["c:11-200"]
    assert (provenance["config"]["window"], provenance["config"]["warmup"]) == (30, 5)
    assert provenance["inputs"].keys() == {"genome", "model", "sae"}


def test_losses_of_an_even_sample_stand_beside_figures_of_every_stored_row(tmp_path):
    """The last quarter of the genome is another sequence than the others."""
    fasta, folder = tmp_path / "g.fa", dictionary(tmp_path / "sae", torch.eye(8)[:3])
    fasta.write_text(">c\n" + "AACC" * 90 + "GGTT" * 30 + "\n")
    model, config = ToyDnaModel(), HarvestConfig(window=30, warmup=5)
    harvested = tmp_path / "a.h5"
    store = harvest(model, read_genome(fasta), site="blocks.0", out=harvested, config=config)
    out = tmp_path / "fidelity.json"
    evaluate_file(fasta, out, model, sae=folder, sample=125, activations=harvested, config=config)
    found = json.loads(out.read_text())
    assert (found["n_bases"], found["n_bases_whole"], found["sample"]) == (250, 960, 125)
    assert found["n_tokens"] == found["dictionary"]["n_tokens"] == 960
    x = store.rows(0, 960).astype(float)
    lost = x.copy()
    lost[:, :3] = 0
    fvu = (lost**2).sum() / ((x - x.mean(0)) ** 2).sum()
    assert found["fvu"] == pytest.approx(fvu, rel=1e-3)
    assert found["provenance"]["inputs"].keys() == {"genome", "model", "sae", "activations"}
    assert found["provenance"]["config"]["sample"] == 125
    with pytest.raises(ConfigError, match="sample: expected 1 or more bases, found 0"):
        evaluate_file(fasta, out, model, sae=folder, sample=0)


def test_activations_of_another_genome_are_refused(tmp_path):
    fasta, other = tmp_path / "g.fa", tmp_path / "o.fa"
    fasta.write_text(">c\n" + "AACC" * 30 + "\n")
    other.write_text(">c\n" + "GGTT" * 30 + "\n")
    model, folder = ToyDnaModel(), dictionary(tmp_path / "sae", torch.eye(8))
    harvested = tmp_path / "a.h5"
    harvest(model, read_genome(other), site="blocks.0", out=harvested, config=CONFIG)
    given = {"activations": harvested, "config": CONFIG}
    with pytest.raises(MismatchError, match=r"a\.h5: expected genome \w+ as in .*g\.fa"):
        evaluate_file(fasta, tmp_path / "f.json", model, sae=folder, **given)
    assert not (tmp_path / "f.json").exists()


@pytest.mark.parametrize(
    ("d_in", "site", "found"),
    [
        pytest.param(4, "blocks.0", r"blocks\.0, 4 wide", id="width"),
        pytest.param(8, "blocks.9", r"blocks\.9, 8 wide", id="site"),
    ],
)
def test_a_dictionary_of_another_width_or_site_is_refused(genome, tmp_path, d_in, site, found):
    sae = make_sae(SaeConfig("topk", n_features=4, k=2), d_in, seed=0)
    save_sae(sae, tmp_path / "sae", METADATA | {"site": site})
    with pytest.raises(MismatchError, match=f"a site of toy, 8 wide, found {found}"):
        evaluate_sae(ToyDnaModel(), genome, tmp_path / "sae", config=CONFIG)


def test_a_dictionary_that_reads_or_writes_several_sites_is_refused(genome, tmp_path):
    sae = make_sae(SaeConfig("transcoder", n_features=4, k=2, widths=(8, 8)), 16, seed=0)
    save_sae(sae, tmp_path / "sae", METADATA)
    with pytest.raises(MismatchError, match=r"a dictionary of one site, .*, found a transcoder"):
        evaluate_sae(ToyDnaModel(), genome, tmp_path / "sae", config=CONFIG)
