import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.core.errors import InputError, MismatchError, SchemaError
from genointerp.figure.quality import quality as draw_quality
from genointerp.genome.genome import Contig, Genome
from genointerp.model.registry import load_model
from genointerp.reading import evaluation
from genointerp.reading.evaluation import evaluate_dictionary
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.io import save_sae
from tests.toy_model import ToyDnaModel

METADATA = {"model": "toy", "model_sha256": "0" * 64, "site": "blocks.0"}
CONFIG = HarvestConfig(window=30, warmup=5)


def dictionary(folder, directions, **metadata):
    sae = make_sae(SaeConfig("topk", n_features=len(directions), k=len(directions)), 8)
    with torch.no_grad():
        sae.W_dec.copy_(directions)
        sae.W_enc.copy_(directions.T)
    save_sae(sae, folder, METADATA | metadata)
    return folder


@pytest.fixture
def genome():
    letters = np.random.default_rng(0).choice(list(b"ACGT"), 240).astype(np.uint8)
    return Genome([Contig("c", letters)])


def test_a_dictionary_is_measured_by_itself(genome, tmp_path):
    # the last direction is never on: the toy model's channel of constants is 1, and it looks away
    directions = torch.cat([torch.eye(8)[:4], -torch.eye(8)[7:]])
    found = evaluate_dictionary(
        ToyDnaModel(), genome, dictionary(tmp_path / "sae", directions), config=CONFIG
    )
    own = found.as_mapping()["dictionary"]
    assert own["n_features"] == 5
    assert sum(own["density_histogram"]["count"]) == 4
    # each base is a fourth of the genome or so: densities from 10 ** -0.75 to 10 ** -0.5
    edges, count = own["density_histogram"]["edges"], own["density_histogram"]["count"]
    assert [edges[i] for i in np.flatnonzero(count)] == pytest.approx([10**-0.75])
    assert own["decoder_cosine"]["mean"] == 0
    assert own["against"] == []
    assert found.fidelity.dead_share == 0.2
    json.dumps(found.as_mapping(), allow_nan=False)


def test_a_dictionary_is_compared_with_one_of_another_seed(genome, tmp_path):
    folder = dictionary(tmp_path / "sae", torch.eye(8))
    same = dictionary(tmp_path / "same", torch.eye(8).flip(0))
    half = dictionary(tmp_path / "half", torch.eye(8)[[0, 1, 2, 3, 3, 3, 3, 3]])
    found = evaluate_dictionary(
        ToyDnaModel(), genome, folder, against=[same, half], config=CONFIG
    ).dictionary["against"]
    assert [other["name"] for other in found] == ["same", "half"]
    # the channel of constants has no correlation with anything, itself included
    expected = {"mean_cosine": 1, "share_same_direction": 1, "mean_correlation": 7 / 8,
                "share_same_activation": 7 / 8, "n_features": 8}  # fmt: skip
    assert found[0]["stability"] == pytest.approx(expected)
    assert found[1]["stability"]["share_same_direction"] == 0.5
    assert "nesting" not in found[0]


def test_a_dictionary_is_compared_with_a_wider_one(genome, tmp_path):
    # the wide one has a direction of its own for A and for C; the narrow one, one for either
    both = torch.tensor([[1.0, 1, 0, 0, 0, 0, 0, 0]]) / 2**0.5
    narrow = dictionary(tmp_path / "narrow", torch.cat([both, torch.eye(8)[2:4]]))
    wide = dictionary(tmp_path / "wide", torch.eye(8)[:4])
    expected = {"split_share": 1 / 3, "mean_children": 4 / 3}
    for first, second in ((narrow, wide), (wide, narrow)):
        (found,) = evaluate_dictionary(
            ToyDnaModel(), genome, first, against=[second], config=CONFIG
        ).dictionary["against"]
        assert {key: found["nesting"][key] for key in expected} == pytest.approx(expected)
    # A's direction is the nearest of the general one; C's tokens are absorbed by C's
    assert 0.1 < found["nesting"]["absorption"] < 0.25


def test_tokens_to_compare_on_are_taken_evenly_over_passes_of_any_length(tmp_path):
    sae = Dictionary.load(dictionary(tmp_path / "sae", torch.eye(8))).sae
    rows = torch.randn(23, 8)
    watched = evaluation._Codes([sae], 3)
    for part in rows.split([5, 1, 7, 10]):
        watched.observe(part)
    (coded,) = watched.coded()
    np.testing.assert_allclose(coded.codes.toarray(), sae.encode(rows)[::3].detach(), rtol=1e-6)


def test_a_dictionary_of_another_site_is_not_compared(genome, tmp_path):
    folder = dictionary(tmp_path / "sae", torch.eye(8))
    other = dictionary(tmp_path / "other", torch.eye(8), site="blocks.0.mlp")
    with pytest.raises(MismatchError, match=r"other: expected site blocks\.0 as in .*, found"):
        evaluate_dictionary(ToyDnaModel(), genome, folder, against=[other], config=CONFIG)


@pytest.mark.slow
def test_the_command_writes_figures_and_a_figure(tmp_path):
    spec = load_model("nano").spec
    sae = make_sae(SaeConfig("topk", n_features=32, k=4), spec.d_site)
    origin = {"model": "nano", "model_sha256": spec.sha256, "site": spec.default_site}
    save_sae(sae, tmp_path / "sae", origin)
    fasta = tmp_path / "g.fa"
    fasta.write_text(">c\n" + "ACGTTGCAAG" * 30 + "\n")
    out, figure = tmp_path / "e.json", tmp_path / "e.png"
    line = f"evaluate {fasta} --sae {tmp_path / 'sae'} --against {tmp_path / 'sae'}"
    result = CliRunner().invoke(
        app, [*line.split(), "--out", str(out), "--figure-out", str(figure)]
    )
    assert result.exit_code == 0, result.output
    values = json.loads(out.read_text())
    assert values["kl"] > 0
    assert values["dictionary"]["against"][0]["stability"]["mean_cosine"] == pytest.approx(1)
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_a_figure_of_no_known_format_is_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(InputError, match=r"e\.gif: expected a file name in \.png"):
        app(
            ["evaluate", "none", "--sae", "none", "--out", "e.json", "--figure-out", "e.gif"],
            standalone_mode=False,
        )


def test_figures_of_an_older_version_are_named_when_they_are_drawn(tmp_path):
    (tmp_path / "old.json").write_text('{"loss_clean": 1.0}')
    with pytest.raises(SchemaError, match=r"old\.json: expected a key 'dictionary'"):
        draw_quality(tmp_path / "old.json", tmp_path / "f.png")
