"""Files of every format version that was ever written stay readable."""

import numpy as np
import pandas as pd
import pytest

from genointerp.association.summary import count_covered
from genointerp.core.errors import SchemaError
from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval
from genointerp.store.activation import store as activations
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature import store as features
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.association import ASSOCIATIONS, N_COVERED
from genointerp.store.table.schema.candidate import CANDIDATES
from genointerp.store.table.schema.feature import LOCI
from genointerp.store.table.table import read_provenance, read_table, write_table
from tests.store.archives import (
    ARCHIVES,
    CONTIGS,
    N_FEATURES,
    WINDOWS,
    archived_activations,
    archived_features,
)

F1_OF_ARCHIVE = [0.02552659764369868, 0.048704327792692445, 0.017493752231345947]
COVERED_OF_ARCHIVE = 2_000_000


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("encoding", ["float16", "bfloat16"])
def test_activations_of_every_version_say_what_they_said(encoding, version):
    store = ActivationStore(ARCHIVES / f"activations-v{version}-{encoding}.h5")
    assert store.windows == WINDOWS
    assert store.header.contigs == CONTIGS
    assert (store.header.model, store.header.site) == ("toy", "blocks.1")
    np.testing.assert_array_equal(store.rows(0, store.n_tokens), archived_activations())


@pytest.mark.parametrize("version", [1, 2])
def test_activations_of_words_of_every_version_say_what_they_said(version):
    store = ActivationStore(ARCHIVES / f"activations-v{version}-words.h5")
    assert store.windows == WINDOWS
    # windows of 5, 5 and 2 bases on either strand of chrA, of 5 on those of chrB
    assert store.window_offset.tolist() == [0, 2, 4, 5, 7, 9, 10, 12, 14]
    bases = store.token_bases(0, store.n_tokens)
    assert bases.start.tolist() == [0, 3, 5, 8, 10, 2, 0, 7, 5, 10, 0, 3, 2, 0]
    assert bases.end.tolist() == [3, 5, 8, 10, 12, 5, 2, 10, 7, 12, 3, 5, 5, 2]
    expected = np.arange(14)[:, None] - np.arange(4) / 4
    np.testing.assert_array_equal(store.rows(0, 14), expected)


@pytest.mark.parametrize("name", ["v1", "v2", "v2-summed"])
def test_features_of_every_version_say_what_they_said(name):
    store = FeatureStore(ARCHIVES / f"features-{name}.h5")
    assert store.version == int(name[1])
    assert store.header.contigs == CONTIGS
    assert store.header.sae_sha256 == "s" * 64
    for strand, dense in archived_features().items():
        assert [(c.seqid, c.start, c.end) for c in store.coverage(strand)] == [
            ("chrA", 0, 12),
            ("chrB", 0, 5),
        ]
        for feature in range(N_FEATURES):
            track = store.feature(feature, strand)
            np.testing.assert_array_equal(track.row, np.flatnonzero(dense[:, feature]))
            np.testing.assert_array_equal(track.value, dense[track.row, feature])
            part = store.feature(feature, strand, GenomicInterval("chrA", 3, 9))
            np.testing.assert_array_equal(part.row, track.row[(track.row >= 3) & (track.row < 9)])
        both = store.features(1, 3, strand)
        np.testing.assert_array_equal(both.feature, np.nonzero(dense[:, 1:3].T)[1])
        np.testing.assert_array_equal(store.n_firing(strand), (dense > 0).sum(0))
        (block,) = store.blocks(2, 11, strand)
        np.testing.assert_array_equal(block.row + block.start, np.nonzero(dense[2:11].T)[1] + 2)
        np.testing.assert_array_equal(np.diff(block.indptr), (dense[2:11] > 0).sum(0))
        with store.opened(strand) as reader:
            peaks = reader.peaks(2, 11)
        np.testing.assert_array_equal(peaks.highest, dense[2:11].max(0))
        np.testing.assert_array_equal(peaks.n_bases, (dense[2:11] > 0).sum(0))
        rows = store.rows(0, store.n_rows, strand)
        np.testing.assert_array_equal(rows.value, dense[dense > 0])
        np.testing.assert_array_equal(rows.feature, np.nonzero(dense)[1])


def test_associations_of_version_1_are_read_without_the_columns_that_came_later():
    table = read_table(ARCHIVES / "associations-v1.tsv", ASSOCIATIONS)
    required = [c.name for c in ASSOCIATIONS.columns if c.status == "REQUIRED"]
    assert table.columns.tolist() == required
    assert table["f1"].tolist() == pytest.approx(F1_OF_ARCHIVE, nan_ok=True)
    assert table["q_value"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize("version", [1, 2])
def test_older_associations_imply_the_bases_that_the_header_states_from_version_3_on(
    tmp_path, version
):
    older = read_table(ARCHIVES / f"associations-v{version}.tsv", ASSOCIATIONS)
    assert older.attrs == {}
    assert older["f1"].tolist() == pytest.approx(F1_OF_ARCHIVE, nan_ok=True)
    assert count_covered(older) == COVERED_OF_ARCHIVE
    stated = older.copy()
    stated.attrs[N_COVERED] = COVERED_OF_ARCHIVE
    for name in ("t.parquet", "t.tsv", "t.csv", "t.json"):
        write_table(stated, tmp_path / name, ASSOCIATIONS, Provenance({}, {}))
        again = read_table(tmp_path / name, ASSOCIATIONS)
        pd.testing.assert_frame_equal(again, older)
        assert count_covered(again[again["feature"] == 0]) == COVERED_OF_ARCHIVE


def test_associations_that_do_not_state_their_bases_are_not_written(tmp_path):
    older = read_table(ARCHIVES / "associations-v2.tsv", ASSOCIATIONS)
    with pytest.raises(SchemaError, match="n-covered-bp: expected a whole number"):
        write_table(older, tmp_path / "t.tsv", ASSOCIATIONS, Provenance({}, {}))
    assert not (tmp_path / "t.tsv").exists()


def test_candidates_of_version_1_are_read():
    table = read_table(ARCHIVES / "candidates-v1.tsv", CANDIDATES)
    assert table["feature"].tolist() == [348, 464]
    assert table["best_concept"].tolist() == ["tRNA", "tRNA"]
    assert "pattern" not in table.columns


@pytest.mark.parametrize("name", ["loci-v2-header-in-line-1.tsv", "loci-v2.tsv"])
def test_tables_as_text_say_what_they_said_wherever_their_header_stands(name):
    table = read_table(ARCHIVES / name, LOCI)
    assert table["seqid"].tolist() == ["chrA", "chr B"]
    assert table["max_activation"].tolist() == [1.5, 1 / 3]
    assert table["mean_activation"].tolist() == pytest.approx([1.0, np.nan], nan_ok=True)
    assert read_provenance(ARCHIVES / name, LOCI)["inputs"] == {"features": "f" * 64}


def test_the_present_versions_have_their_archives():
    names = {path.name for path in ARCHIVES.iterdir()}
    assert f"activations-v{activations.VERSION}-float16.h5" in names
    assert f"activations-v{activations.VERSION}-words.h5" in names
    assert f"features-v{features.VERSION}-summed.h5" in names
