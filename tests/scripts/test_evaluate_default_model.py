"""The evaluation of a model, on a genome of 3 kb and an untrained network, beside `genome_loss`."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from genointerp.genome.genome import Contig, Genome
from genointerp.model.hyena.folder import save_model
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.model.registry import load_model
from genointerp.reading.loss import genome_loss
from scripts import evaluate_default_model as script
from scripts.default_model_genomes import STRETCH, JudgedGenome
from scripts.measure_baselines import ordered


@pytest.fixture
def judged():
    letters = np.random.default_rng(0).choice(list(b"ACGTN"), 3000).astype(np.uint8)
    genome = Genome([Contig("a", letters[:2000], circular=True), Contig("b", letters[2000:])])
    first = np.arange(3000) < 1000
    return JudgedGenome(STRETCH[0], "test", genome, {"first": first, "all": first | True})


@pytest.mark.slow
def test_bits_equal_those_of_genome_loss(judged, tmp_path):
    network = StripedHyena(HyenaConfig(vocab_size=8, d_model=8, d_mlp=8, mixers=("SE",), n_heads=2,
                                       n_filter_groups=2))  # fmt: skip
    initialise(network, torch.Generator().manual_seed(0))
    save_model(network, tmp_path, name="tiny", context=4096, default_site="blocks.0")
    settings = script.Settings(str(tmp_path), "cpu", 1)
    baselines = {judged.name: {"genome_sha256": judged.genome.sha256, "mixture": {}}}
    found = script.evaluate(settings, [judged], baselines, processes=1)
    expected = genome_loss(load_model(str(tmp_path)), judged.genome, config=script.CONFIG)
    figures = found["genomes"][judged.name]
    assert figures["bits_per_base"] == pytest.approx(expected.bits_per_base, abs=2e-4)
    assert figures["n_bases"] == expected.n_bases
    assert figures["by_class"]["all"] == figures["bits_per_base"]
    assert figures["baselines"] == {"mixture": {}}
    assert set(found["by_window"]["bits_per_base"]) == {"1024", "4096", "8192"}


def test_one_in_so_many_runs_of_windows_is_read_and_read_alike(judged, tmp_path, monkeypatch):
    network = StripedHyena(HyenaConfig(vocab_size=8, d_model=8, d_mlp=8, mixers=("SE",), n_heads=2,
                                       n_filter_groups=2))  # fmt: skip
    initialise(network, torch.Generator().manual_seed(0))
    save_model(network, tmp_path, name="tiny", context=4096, default_site="blocks.0")
    monkeypatch.setattr(script, "_CHUNK", 1)
    monkeypatch.setattr(script, "_models", [load_model(str(tmp_path))])
    config = replace(script.CONFIG, window=600, warmup=100)
    spec = script._models[0].spec
    with ThreadPoolExecutor(1) as pool:
        whole = script.base_bits(pool, spec, judged.genome, config)
        third = script.base_bits(pool, spec, judged.genome, config, every=3)
    read = ~np.isnan(third)
    assert 0 < read.sum() < 0.5 * (~np.isnan(whole)).sum()
    np.testing.assert_array_equal(third[read], whole[read])


def test_baselines_of_another_sequence_are_refused(judged):
    with pytest.raises(ValueError, match="expected baselines of this sequence"):
        script.baseline_figures(judged, {judged.name: {"genome_sha256": "other"}})


def test_the_best_order_is_named():
    assert ordered([2.0, 1.5, 1.75])["best_order"] == 1
