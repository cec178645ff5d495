"""The command `twin`: the same bases with random weights, and a dictionary of its own."""

import json
import shutil

import numpy as np
import pytest

import genointerp as gi
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.files import replacing
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.header import read_cfg, read_header
from genointerp.store.activation.store import ActivationStore

N_BP = 6_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Activations of `nano` on a part of a small genome, and a small dictionary of them."""
    folder = tmp_path_factory.mktemp("twin")
    for name, seed in (("genome", 0), ("other", 1)):
        letters = np.random.default_rng(seed).choice(list("ACGT"), N_BP)
        (folder / f"{name}.fa").write_text(f">chr\n{''.join(letters)}\n")
    gi.harvest(
        folder / "genome.fa",
        folder / "a.h5",
        site="blocks.1",
        region="chr:501-5,500",
        window=1024,
        warmup=128,
    )
    sae = {"n_features": 16, "k": 4}
    gi.train(folder / "a.h5", folder / "sae", config={"sae": sae, "n_tokens": 8_000})
    return folder


def test_the_twin_reads_the_same_bases_with_the_same_settings(folder):
    (found,) = gi.twin(
        folder / "a.h5", folder / "twin", sae=folder / "sae", genome=folder / "genome.fa", seed=3
    )
    own = ActivationStore(folder / "a.h5")
    made = ActivationStore(folder / "twin" / "a.activations.h5")
    assert made.windows == own.windows
    assert (made.header.site, made.header.model) == ("blocks.1", "nano-random-3")
    assert made.header.model_sha256 != own.header.model_sha256
    assert not np.array_equal(made.rows(0, 50), own.rows(0, 50))
    assert found.n_features == 16
    assert found.header.model_sha256 == made.header.model_sha256
    assert found.coverage("+")[0].length == 5_000
    ours, theirs = (Dictionary.load(folder / at) for at in ("sae", "twin/sae"))
    assert ours.directions.shape == theirs.directions.shape
    # it is a twin that `match` and `similar` take
    table = gi.similar(
        folder / "a.h5", made.path, every=5, n_bases=400, config={"n_rotations": 2, "n_near": 1}
    )
    assert table["value"].notna().all()

    # a second call makes nothing again
    def written():
        return {path: path.stat().st_mtime_ns for path in (folder / "twin").rglob("*.*")}

    before = written()
    again = gi.twin(
        folder / "a.h5", folder / "twin", sae=folder / "sae", genome=folder / "genome.fa", seed=3
    )
    assert written() == before
    assert again[0].sha256 == found.sha256


def test_a_changed_corpus_is_refused_and_replaced_as_a_whole(folder, tmp_path):
    """The dictionary is of the activations that lie next to it, whatever was there before."""
    genome = folder / "genome.fa"
    own, out = tmp_path / "a.h5", tmp_path / "twin"
    shutil.copy(folder / "a.h5", own)
    (first,) = gi.twin(own, out, sae=folder / "sae", genome=genome)
    own.unlink()
    gi.harvest(genome, own, site="blocks.1", region="chr:501-4,500", window=1024, warmup=128)
    with pytest.raises(MismatchError, match="--force replaces it"):
        gi.twin(own, out, sae=folder / "sae", genome=genome)
    with replacing():
        (second,) = gi.twin(own, out, sae=folder / "sae", genome=genome)
    sha256 = ActivationStore(out / "a.activations.h5").sha256
    assert read_cfg(out / "sae" / "cfg.json")["metadata"]["activations_sha256"] == sha256
    assert second.header.sae_sha256 == read_header(out / "sae").sha256 != first.header.sae_sha256


def test_the_twin_of_a_run_is_trained_on_what_its_dictionary_was_trained_on(folder, tmp_path):
    run = tmp_path / "run"
    genomes = {}
    for name in ("fitted", "other", "unread"):
        (run / name).mkdir(parents=True)
        genomes[name] = {"sequence": f"{name}.fa", "annotate_with": []}
        shutil.copy(folder / ("genome.fa" if name == "fitted" else "other.fa"), run / f"{name}.fa")
    shutil.copy(folder / "a.h5", run / "fitted" / "activations.h5")
    at = {"site": "blocks.1", "window": 1024, "warmup": 128}
    gi.harvest(run / "other.fa", run / "other" / "activations.h5", region="chr:1-2,000", **at)
    shutil.copytree(folder / "sae", run / "sae")
    config = {"genomes": genomes, "fit": ["fitted"], "model": {"name": "nano"}}
    (run / "config.yaml").write_text(json.dumps(config))
    found = gi.twin(run, tmp_path / "twin", genome="other")
    assert [store.path.name for store in found] == ["fitted.features.h5", "other.features.h5"]
    of_fit = ActivationStore(tmp_path / "twin" / "fitted.activations.h5").sha256
    made = read_cfg(tmp_path / "twin" / "sae" / "cfg.json")["metadata"]
    assert made["activations_sha256"] == of_fit
    with pytest.raises(InputError, match="genome: expected one of fitted, other, unread"):
        gi.twin(run, tmp_path / "x", genome="others")


def test_what_is_missing_or_of_another_is_said(folder, tmp_path):
    with pytest.raises(InputError, match="sae: expected the folder of the dictionary"):
        gi.twin(folder / "a.h5", tmp_path / "x", genome=folder / "genome.fa")
    with pytest.raises(MismatchError, match="its genome among the sequences"):
        gi.twin(folder / "a.h5", tmp_path / "x", sae=folder / "sae", genome=folder / "other.fa")
    with pytest.raises(InputError, match=r"train_config\.yaml"):
        gi.twin(folder / "a.h5", tmp_path / "x", sae=folder, genome=folder / "genome.fa")
    with pytest.raises(MismatchError, match="model"):
        gi.twin(
            folder / "a.h5",
            tmp_path / "x",
            sae=folder / "sae",
            genome=folder / "genome.fa",
            model="small",
        )
    assert not (tmp_path / "x").exists()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="a folder, or nothing yet"):
        gi.twin(
            folder / "a.h5",
            tmp_path / "file",
            sae=folder / "sae",
            genome=folder / "genome.fa",
        )
