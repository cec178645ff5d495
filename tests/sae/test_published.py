import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import InputError, MismatchError, SchemaError, UnknownNameError
from genointerp.core.files import replacing
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.formats.published import (
    PUBLISHED,
    find_published,
    published_metadata,
    read_published,
)
from genointerp.sae.io import save_sae
from genointerp.sae.threshold import estimate_threshold
from tests.damaged import PICKLES, write_damaged
from tests.dictionaries import metadata_of
from tests.published import TINY, published_tensors, write_published

METADATA = {"model": "toy", "model_sha256": "ab" * 32, "site": "blocks.1"}


@pytest.fixture
def file(tmp_path):
    return write_published(tmp_path / "published.pt")


def worked_sae(k):
    """Two inputs and three features: z of ``(a, b)`` is ``(a + 1, b, a - b)``."""
    sae = make_sae(SaeConfig("tied_batch_topk", n_features=3, k=k), 2)
    with torch.no_grad():
        sae.W_dec.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]))
        sae.b_enc.copy_(torch.tensor([1.0, 0.0, 0.0]))
        sae.b_dec.copy_(torch.tensor([100.0, 200.0]))
    return sae


def rows(n=20, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, 8)).astype(np.float32))


def naive_call(tensors, x, k):
    """The published formula, element by element."""
    W, b_enc, b_dec = (tensors[f"_orig_mod.{name}"].double() for name in ("W", "b_enc", "b_dec"))
    f = torch.relu(x.double() @ W + b_enc)
    ranked = sorted(
        ((float(f[i, j]), i, j) for i in range(len(f)) for j in range(32)), reverse=True
    )
    kept = torch.zeros_like(f)
    for value, i, j in ranked[: k * len(x)]:
        kept[i, j] = value
    return kept, kept @ W.T + b_dec


def test_the_formula_worked_by_hand():
    sae = worked_sae(k=1)
    x = torch.tensor([[4.0, 1.0], [0.5, -3.0], [-9.0, 2.0]])
    # z: (5, 1, 3), (1.5, -3, 3.5), (-8, 2, -11): the three largest of the call are 5, 3.5 and 3
    codes = sae.encode_call(x)
    assert codes.tolist() == [[5, 0, 3], [0, 0, 3.5], [0, 0, 0]]
    assert sae.decode(codes).tolist() == [[108, 197], [103.5, 196.5], [100, 200]]


def test_what_a_call_keeps_depends_on_its_rows_and_what_the_threshold_keeps_does_not():
    sae = worked_sae(k=1)
    sae.threshold.fill_(1.2)
    x = torch.tensor([[4.0, 1.0], [0.5, -3.0]])
    assert sae.encode_call(x).tolist() == [[5, 0, 0], [0, 0, 3.5]]
    assert sae.encode_call(x[:1]).tolist() == [[5, 0, 0]]
    assert sae.encode_call(x[[0, 0, 1]]).tolist() == [[5, 0, 0], [5, 0, 0], [0, 0, 3.5]]
    huge = torch.cat([x, torch.tensor([[900.0, 700.0]])])
    assert sae.encode_call(huge).tolist()[1] == [0, 0, 0]
    for call in (x, huge):
        assert sae.encode(call)[:2].tolist() == [[5, 0, 3], [1.5, 0, 3.5]]


@pytest.mark.parametrize("n", [1, 20])
def test_a_read_file_does_what_the_naive_formula_does(file, n):
    sae = read_published(file, TINY)
    codes, x_hat = naive_call(published_tensors(), rows(n), TINY.k)
    assert int((codes > 0).sum()) == TINY.k * n
    torch.testing.assert_close(sae.encode_call(rows(n)).double(), codes, rtol=1e-5, atol=1e-5)
    found = sae.decode(sae.encode_call(rows(n))).detach()
    torch.testing.assert_close(found.double(), x_hat, rtol=1e-5, atol=1e-5)


def test_the_weights_are_taken_as_they_are(file):
    sae, tensors = read_published(file, TINY), published_tensors()
    assert torch.equal(sae.W_enc, tensors["_orig_mod.W"])
    assert torch.equal(sae.W_dec, tensors["_orig_mod.W"].t())
    assert {name for name, _ in sae.named_parameters()} == {"W_dec", "b_enc", "b_dec"}
    assert (sae.config.k, float(sae.threshold)) == (2, 0.0)


@given(data=st.data())
def test_the_threshold_lets_as_much_through_as_one_call_of_all_rows(data):
    sae = worked_sae(k=data.draw(st.integers(1, 2)))
    values = st.floats(-8, 8, width=16)
    x = torch.tensor(
        data.draw(st.lists(st.tuples(values, values), min_size=1, max_size=12)), dtype=torch.float32
    )
    batches = x.split(data.draw(st.integers(1, 12)))
    threshold = estimate_threshold(sae, batches, n_rows=len(x))
    z = np.sort(sae.pre_activations(x).detach().numpy().ravel())[::-1]
    following = z[sae.config.k * len(x) :]
    assert threshold == max([0.0, *following[:1].tolist()])


def test_fewer_positive_values_than_the_budget_give_a_threshold_of_zero():
    assert estimate_threshold(worked_sae(k=2), [torch.tensor([[1.0, 1.0]])], n_rows=1) == 0.0
    assert estimate_threshold(worked_sae(k=1), [torch.tensor([[1.0, 1.0]])], n_rows=1) == 1.0


@pytest.mark.parametrize(("batches", "n_rows", "found"), [([], 0, "0"), ([rows(3)[:, :2]], 4, "3")])
def test_another_number_of_rows_than_was_said_is_refused(batches, n_rows, found):
    with pytest.raises(InputError, match=f"rows for the threshold: expected .*, found {found}"):
        estimate_threshold(worked_sae(k=1), batches, n_rows=n_rows)


def test_folder_gives_the_dictionary_back_with_names_and_origin(file, tmp_path):
    sae = read_published(file, TINY)
    sae.threshold.fill_(0.7)
    save_sae(sae, tmp_path / "sae", published_metadata(file, TINY))
    loaded = Dictionary.load(tmp_path / "sae")
    assert type(loaded.sae) is type(sae)
    assert torch.equal(loaded.sae.encode(rows()), sae.encode(rows()))
    assert loaded.header.feature_names == {"tRNA": 3, "exon": 5, "ORF": 5}
    assert loaded.header.model == "evo2_7b_262k"
    assert loaded.header.site == "blocks.26"
    assert loaded.header.model_sha256 == ""
    assert metadata_of(loaded)["source"] == "Goodfire/Evo-2-Layer-26-Mixed"
    assert json.loads((tmp_path / "sae" / "cfg.json").read_text())["architecture"] == "jumprelu"


@pytest.mark.parametrize("names", [{"tRNA": 32}, {"tRNA": "3"}, {"tRNA": True}, ["tRNA"]])
def test_names_of_no_feature_are_refused(file, tmp_path, names):
    metadata = published_metadata(file, TINY) | {"feature_names": names}
    save_sae(read_published(file, TINY), tmp_path / "sae", metadata)
    with pytest.raises(SchemaError, match=r"metadata\.feature_names"):
        Dictionary.load(tmp_path / "sae")


def test_a_tied_folder_whose_encoder_is_another_matrix_is_refused(tmp_path):
    save_sae(make_sae(SaeConfig("batch_topk", n_features=6, k=2), 4), tmp_path, METADATA)
    sae = Dictionary.load(tmp_path).sae
    with torch.no_grad():
        sae.W_enc[0, 0] += 1
    with replacing():
        save_sae(sae, tmp_path, METADATA)
    path = tmp_path / "cfg.json"
    path.write_text(path.read_text().replace('"batch_topk"', '"tied_batch_topk"'))
    with pytest.raises(SchemaError, match="W_enc: expected the transpose of W_dec"):
        Dictionary.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda t: t.update({"_orig_mod.W_dec": t["_orig_mod.W"].t().contiguous()}),
            r"expected the keys of a tied dictionary: _orig_mod\.W, .*found .*_orig_mod\.W_dec",
            id="untied",
        ),
        pytest.param(
            lambda t: t.update(W=t.pop("_orig_mod.W")), "keys of a tied dictionary", id="renamed"
        ),
        pytest.param(
            lambda t: t.update({"_orig_mod.W": t["_orig_mod.W"].t().contiguous()}),
            r"_orig_mod\.W: expected shape \(8, 32\) of torch\.float32, found \(32, 8\)",
            id="transposed",
        ),
        pytest.param(
            lambda t: t.update({"_orig_mod.b_dec": t["_orig_mod.b_dec"].bfloat16()}),
            r"_orig_mod\.b_dec: expected .* found \(8,\) of torch\.bfloat16",
            id="rounded",
        ),
        pytest.param(
            lambda t: t["_orig_mod.b_enc"].fill_(float("nan")),
            r"_orig_mod\.b_enc: expected finite values, found NaN",
            id="not-finite",
        ),
    ],
)
def test_weights_of_another_formula_or_size_are_refused(tmp_path, change, message):
    tensors = published_tensors()
    change(tensors)
    torch.save(tensors, tmp_path / "other.pt")
    with pytest.raises((SchemaError, MismatchError), match=rf"other\.pt.*{message}"):
        read_published(tmp_path / "other.pt", TINY)


def test_a_file_of_another_width_is_refused_by_the_true_entry(file):
    expected = r"_orig_mod\.W: expected shape \(4096, 32768\) of torch\.float32, found \(8, 32\)"
    with pytest.raises(MismatchError, match=expected):
        read_published(file, find_published("evo2-layer-26-mixed"))


def test_what_is_no_file_of_torch_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.pt: expected a file that can be read"):
        read_published(tmp_path / "none.pt", TINY)
    (tmp_path / "text.pt").write_text("weights")
    with pytest.raises(SchemaError, match=r"text\.pt: expected weights saved by torch"):
        read_published(tmp_path / "text.pt", TINY)
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(SchemaError, match=r"list\.pt: expected tensors by name, found list"):
        read_published(tmp_path / "list.pt", TINY)


@pytest.mark.parametrize(("error", "pickled"), PICKLES.values(), ids=PICKLES)
def test_a_damaged_file_is_refused_whatever_torch_says_of_it(tmp_path, error, pickled):
    path = write_damaged(tmp_path / "damaged.pt", pickled)
    with pytest.raises(error):
        torch.load(path, weights_only=True)
    expected = rf"damaged\.pt: expected weights saved by torch, found {error.__name__}$"
    with pytest.raises(SchemaError, match=expected):
        read_published(path, TINY)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("length", [0, 3, 16, 28, 300, -1])
def test_a_part_of_a_file_is_refused(tmp_path, legacy, length):
    path = tmp_path / "part.pt"
    torch.save(published_tensors(), path, _use_new_zipfile_serialization=not legacy)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(SchemaError, match=r"part\.pt: expected weights saved by torch"):
        read_published(path, TINY)


@pytest.mark.parametrize("start", [0, 100, 200])
def test_a_changed_byte_is_refused_or_in_a_place_that_nobody_reads(file, start):
    whole = file.read_bytes()
    refused = 0
    for place in range(start, start + 100):
        changed = bytes([whole[place] ^ 0xFF])
        file.write_bytes(whole[:place] + changed + whole[place + 1 :])
        try:
            read_published(file, TINY)
        except (SchemaError, MismatchError):
            refused += 1
    assert refused > 30


def test_the_entry_of_evo_2_is_what_was_published():
    entry = find_published("evo2-layer-26-mixed")
    assert (entry.model, entry.site) == ("evo2_7b_262k", "blocks.26")
    assert (entry.d_in, entry.n_features, entry.k, entry.cold_bases) == (4096, 32768, 64, 16)
    names = entry.feature_names
    assert (names["prophage"], names["tRNA"], names["rRNA"]) == (19746, 30262, 2812)
    assert (names["exon"], names["intron"]) == (15680, 28339)
    with pytest.raises(UnknownNameError, match="dictionary: expected one of evo2-layer-26-mixed"):
        find_published("evo2-layer-12")


@pytest.mark.parametrize("entry", PUBLISHED.values(), ids=PUBLISHED)
def test_named_features_exist_and_their_names_are_no_numbers(entry):
    assert all(0 <= feature < entry.n_features for feature in entry.feature_names.values())
    assert not any(name.removeprefix("f/").isdecimal() for name in entry.feature_names)
