import h5py
import numpy as np
import pytest
import torch

from genointerp.command.build.train import train as train_from_store
from genointerp.core.errors import ConfigError, InputError, MismatchError
from genointerp.feature.encode import encode_store
from genointerp.sae.dictionary import Dictionary
from genointerp.store.activation.side_by_side import SideBySide, join_sites
from genointerp.store.activation.store import ActivationStore
from genointerp.store.verify import all_passed, verify
from tests.dictionaries import metadata_of
from tests.sae.sources import sparse_rows
from tests.stores import activation_header, reseal, windows_of, write_activations, write_words

CONFIG = """
reading: {{skip_first: 0, block_bp: 5}}
sae: {{architecture: {architecture}, n_features: 12, k: 2}}
n_tokens: 640
batch_tokens: 64
"""


@pytest.fixture
def stores(tmp_path):
    written = []
    for number, width in enumerate((8, 6)):
        header = activation_header(width, site=f"blocks.{number}")
        rows = sparse_rows(320, d_in=width, seed=number)
        written.append(write_activations(tmp_path / f"{number}.h5", rows, header=header))
    return written


def config(tmp_path, architecture):
    (tmp_path / "sae.yaml").write_text(CONFIG.format(architecture=architecture))
    return tmp_path / "sae.yaml"


def test_rows_are_those_of_the_stores_end_to_end(stores):
    joined = SideBySide(stores)
    assert (joined.d_in, joined.widths, joined.n_tokens) == (14, (8, 6), 320)
    expected = np.hstack([store.rows(3, 9) for store in stores])
    assert np.array_equal(joined.rows(3, 9), expected)
    assert (joined.header.model, joined.header.site) == ("toy", "blocks.0 + blocks.1")
    assert np.array_equal(joined.token_bases(0, 30).start, stores[0].token_bases(0, 30).start)


def test_stores_of_other_windows_or_genomes_are_refused(stores, tmp_path):
    other = write_activations(
        tmp_path / "other.h5", sparse_rows(320, d_in=6), windows=windows_of(step=20)
    )
    with pytest.raises(MismatchError, match=r"other.h5: windows: expected the windows and rows of"):
        SideBySide([stores[0], other])
    header = activation_header(6, genome_sha256="h" * 64)
    other = write_activations(tmp_path / "else.h5", sparse_rows(320, d_in=6), header=header)
    with pytest.raises(MismatchError, match=r"else\.h5: expected genome "):
        SideBySide([stores[0], other])
    with pytest.raises(InputError, match="stores of two sites or more, found 1"):
        join_sites([stores[0], other])


def test_stores_whose_words_end_elsewhere_are_refused(tmp_path):
    one = write_words(tmp_path / "one.h5")
    two = write_words(tmp_path / "two.h5", header=activation_header(site="blocks.7"))
    assert SideBySide([one, two]).n_tokens == one.n_tokens
    with h5py.File(two.path, "r+") as file:
        assert one.windows[0].strand == "+"
        file["tokens/end"][0] -= 1
        file["tokens/start"][1] -= 1
    reseal(two.path)
    message = r"two\.h5: tokens: row 0: expected bases 0 to 3 as in .*one\.h5, found 0 to 2"
    with pytest.raises(MismatchError, match=message):
        SideBySide([one, ActivationStore(two.path)])


def test_a_crosscoder_is_trained_and_encoded_with_the_stores_of_its_sites(stores, tmp_path):
    paths = [store.path for store in stores]
    settings = config(tmp_path, "batch_topk_crosscoder")
    train_from_store(paths, tmp_path / "sae", config=settings)
    loaded = Dictionary.load(tmp_path / "sae")
    assert loaded.sae.config.widths == (8, 6)
    assert loaded.header.site == "blocks.0 + blocks.1"
    features = encode_store(stores, tmp_path / "sae", tmp_path / "features.h5")
    assert features.header.n_features == 12
    for path in paths:
        assert all_passed(verify(features.path, inputs=[path]))
    with pytest.raises(MismatchError, match="site"):
        encode_store(stores[::-1], tmp_path / "sae", tmp_path / "again.h5")


def test_a_universal_dictionary_encodes_the_store_of_any_one_of_its_sites(stores, tmp_path):
    settings = config(tmp_path, "batch_topk_crosscoder")
    settings.write_text(settings.read_text().replace("k: 2", "k: 2, encode_from: any"))
    train_from_store([store.path for store in stores], tmp_path / "sae", config=settings)
    sae = Dictionary.load(tmp_path / "sae").sae
    for number, store in enumerate(stores):
        features = encode_store([store], tmp_path / "sae", tmp_path / f"{number}.features.h5")
        assert features.header.site == f"blocks.{number}"
        # the other site stands at what is expected of it, and the own one counts twice
        x = torch.from_numpy(store.rows(0, store.n_tokens))
        own = sae.sites[number]
        z = 2 * (x - sae.b_dec[own]) @ sae.W_enc[own] + sae.b_dec @ sae.W_enc + sae.b_enc
        naive = (z * (z > sae.threshold)).detach().numpy()
        n_bases = sum(features.lengths.values())
        found = [features.rows(0, n_bases, strand).value for strand in ("+", "-")]
        assert sum(map(len, found)) == (naive > 0).sum() > 0
        assert sum(it.sum() for it in found) == pytest.approx(naive.sum(), rel=1e-3)
    both = encode_store(stores, tmp_path / "sae", tmp_path / "both.h5")
    assert both.header.site == "blocks.0 + blocks.1"
    other = write_activations(
        tmp_path / "2.h5",
        sparse_rows(320, d_in=8),
        header=activation_header(8, site="blocks.2"),
    )
    with pytest.raises(MismatchError, match=r"site blocks\.0 . blocks\.1 as in"):
        encode_store([other], tmp_path / "sae", tmp_path / "other.h5")


def test_a_transcoder_is_trained_on_two_sites_and_encodes_the_first(stores, tmp_path):
    paths = [store.path for store in stores]
    train_from_store(paths, tmp_path / "sae", config=config(tmp_path, "transcoder"))
    loaded = Dictionary.load(tmp_path / "sae")
    assert (loaded.sae.d_in, len(loaded.sae.b_dec)) == (8, 6)
    assert (loaded.header.site, metadata_of(loaded)["target_site"]) == ("blocks.0", "blocks.1")
    features = encode_store([stores[0]], tmp_path / "sae", tmp_path / "features.h5")
    assert features.header.n_features == 12
    with pytest.raises(MismatchError, match="site"):
        encode_store([stores[1]], tmp_path / "sae", tmp_path / "again.h5")


def test_a_transcoder_of_three_sites_is_refused(stores, tmp_path):
    header = activation_header(4, site="blocks.2")
    third = write_activations(tmp_path / "2.h5", sparse_rows(320, d_in=4), header=header)
    paths = [store.path for store in (*stores, third)]
    with pytest.raises(ConfigError, match="widths: expected two widths, of input and target"):
        train_from_store(paths, tmp_path / "sae", config=config(tmp_path, "transcoder"))
