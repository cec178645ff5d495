"""Round trips through the libraries themselves: ``pip install genointerp[peers]``."""

import pytest
import torch

from genointerp.sae.formats.registry import FORMATS
from tests.sae.formats.test_formats import D_IN, HELD, METADATA, N_FEATURES, make, rows

REASON = "needs the peer library: pip install 'genointerp[peers]'"
pytestmark = pytest.mark.filterwarnings("ignore")


def same(found, expected):
    torch.testing.assert_close(found.detach(), expected.detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("architecture", sorted(HELD["saelens"]))
def test_saelens_reads_what_we_write(tmp_path, architecture):
    sae_lens = pytest.importorskip("sae_lens", reason=REASON)
    sae = make(architecture)
    FORMATS["saelens"].write(sae, tmp_path, METADATA)
    theirs = sae_lens.SAE.load_from_disk(tmp_path)
    same(theirs.encode(rows()), sae.encode(rows()))
    same(theirs(rows()), sae(rows()))


@pytest.mark.parametrize("architecture", ["standard", "topk", "jumprelu", "gated", "transcoder"])
@pytest.mark.parametrize("subtracts", [False, True], ids=["plain", "subtracts-b_dec"])
def test_we_read_what_saelens_writes(tmp_path, architecture, subtracts):
    sae_lens = pytest.importorskip("sae_lens", reason=REASON)
    if architecture == "transcoder" and subtracts:
        pytest.skip("SAELens has no transcoder that subtracts b_dec")
    from sae_lens.registry import get_sae_class

    make_theirs, config = get_sae_class(architecture)
    sizes = {"topk": {"k": 3}, "transcoder": {"d_out": D_IN}}.get(architecture, {})
    theirs = make_theirs(
        config(d_in=D_IN, d_sae=N_FEATURES, apply_b_dec_to_input=subtracts, **sizes)
    )
    assert isinstance(theirs, sae_lens.SAE)
    randomise(theirs)
    theirs.save_model(tmp_path)
    ours = FORMATS["saelens"].read(tmp_path)
    same(ours.encode(rows()), theirs.encode(rows()))
    same(ours(rows()), theirs(rows()))


@pytest.mark.parametrize("architecture", sorted(HELD["dictionary_learning"]))
def test_dictionary_learning_and_we_read_each_other(tmp_path, architecture):
    pytest.importorskip("dictionary_learning", reason=REASON)
    from dictionary_learning.utils import load_dictionary

    sae = make(architecture)
    FORMATS["dictionary_learning"].write(sae, tmp_path, METADATA)
    try:
        theirs, config = load_dictionary(str(tmp_path), "cpu")
    except TypeError as error:
        pytest.skip(f"dictionary_learning cannot read its own class: {error}")
    assert config["trainer"]["activation_dim"] == D_IN
    same(theirs.encode(rows()), sae.encode(rows()))
    same(theirs(rows()), sae(rows()))
    randomise(theirs)
    torch.save(theirs.state_dict(), tmp_path / "ae.pt")
    ours = FORMATS["dictionary_learning"].read(tmp_path)
    same(ours(rows()), theirs(rows()))


def test_sparsify_and_we_read_each_other(tmp_path):
    sparsify = pytest.importorskip("sparsify", reason=REASON)
    sae = make("topk")
    FORMATS["sparsify"].write(sae, tmp_path / "ours", METADATA)
    theirs = sparsify.SparseCoder.load_from_disk(tmp_path / "ours")
    same(theirs(rows()).sae_out, sae(rows()))
    randomise(theirs)
    theirs.save_to_disk(tmp_path / "theirs")
    ours = FORMATS["sparsify"].read(tmp_path / "theirs")
    same(ours(rows()), theirs(rows()).sae_out)


@torch.no_grad()
def randomise(module):
    generator = torch.Generator().manual_seed(2)
    for name, weight in module.named_parameters():
        weight.copy_(0.5 * torch.randn(weight.shape, generator=generator))
        if "threshold" in name:
            weight.abs_()
