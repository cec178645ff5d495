"""Every reader of a file of ours, given what a disk or a hand may have made of one.

Whatever byte is another: the answer is that of the whole file, or one line that names the file. The
flips are drawn from a seed. JSON and YAML have no checksum: there the promise is only that no
exception but ours leaves the reader.
"""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.core.config import from_mapping, read_yaml
from genointerp.core.errors import GenointerpError, SchemaError, StorageError
from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval
from genointerp.store.activation.reading import ReadingConfig
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.catalogue import read_catalogue
from genointerp.store.feature.store import FeatureStore
from genointerp.store.feature.writer import FeatureWriter
from genointerp.store.table.schema.feature import LOCI
from genointerp.store.table.table import read_provenance, read_table, write_table
from tests.store.archives import ARCHIVES
from tests.stores import PROVENANCE, dense_features, feature_header, reseal, write_features

LOCUS = pd.DataFrame(
    {
        "seqid": ["chrA", "chrB"],
        "start": [1, 2],
        "end": [10, 20],
        "strand": ["+", "-"],
        "max_activation": [1.5, 2.25],
        "mean_activation": [1.0, 0.125],
        "n_firing": [9, 18],
    }
)


def answers_of_features(path):
    store = FeatureStore(path)
    found = [store.header, store.coverage("+"), store.coverage("-")]
    for strand in "+-":
        rows = store.rows(0, store.n_rows, strand)
        found += [column.tolist() for column in rows]
        fresh = FeatureStore(path)
        for feature in range(store.n_features):
            found += [column.tolist() for column in fresh.feature(feature, strand)]
        found.append(store.n_firing(strand).tolist())
    return found


def answers_of_activations(path):
    store = ActivationStore(path)
    bases = store.token_bases(0, store.n_tokens)
    rows = store.rows(0, store.n_tokens).tolist()
    return [store.header, store.windows, rows, *(column.tolist() for column in bases)]


def answers_of_table(path):
    read_provenance(path, LOCI)
    return read_table(path, LOCI).to_dict()


def answers_of_metadata(path):
    return answers_of_table(path.with_name("loci.csv"))


def answers_of_config(path):
    return from_mapping(ReadingConfig, read_yaml(path), where=str(path))


def answers_of_catalogue(path):
    return [FeatureStore(it.features).header for it in read_catalogue(path).genomes.values()]


READERS = {
    "features.h5": answers_of_features,
    "activations.h5": answers_of_activations,
    "words.h5": answers_of_activations,
    "loci.parquet": answers_of_table,
    "loci.tsv": answers_of_table,
    "loci.csv": answers_of_table,
    "loci.csv-metadata.json": answers_of_metadata,
    "loci.json": answers_of_table,
    "config.yaml": answers_of_config,
    "catalogue.yaml": answers_of_catalogue,
}
CHECKED = ("features.h5", "activations.h5", "words.h5", "loci.tsv", "loci.csv")
"""What has checksums: its answers never change in silence."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    shutil.copy(ARCHIVES / "features-v2-summed.h5", folder / "features.h5")
    shutil.copy(ARCHIVES / "activations-v2-float16.h5", folder / "activations.h5")
    shutil.copy(ARCHIVES / "activations-v2-words.h5", folder / "words.h5")
    for suffix in ("parquet", "tsv", "csv", "json"):
        write_table(LOCUS, folder / f"loci.{suffix}", LOCI, Provenance({"k": 1}, {"a": "b"}))
    (folder / "config.yaml").write_text("skip_first: 16\nblock_bp: 16384\n")
    (folder / "catalogue.yaml").write_text(
        "format: genointerp::feature-catalogue\nversion: 1\ngenomes:\n"
        "  a: {features: features.h5}\n"
    )
    return folder


def damaged(content, random):
    """Return the content with a byte flipped, cut off, doubled, or replaced by a neighbour's."""
    changed = bytearray(content)
    place = int(random.integers(len(content)))
    how = random.integers(8)
    if how < 5:
        changed[place] ^= 1 << int(random.integers(8))
    elif how == 5:
        changed[place] = int(random.integers(256))
    elif how == 6:
        del changed[place:]
    else:
        changed[place:place] = changed[place : place + 40]
    return bytes(changed)


def outcome(read, path):
    """Return what a reader answers, or the message of its error; any other error is a failure."""
    try:
        return read(path), None
    except GenointerpError as error:
        return None, str(error)


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_one_line_or_gives_the_same_answer(name, folder, tmp_path):
    read = READERS[name]
    expected = read(folder / name)
    content = (folder / name).read_bytes()
    for beside in ("features.h5", "loci.csv", "loci.tsv-metadata.json", "loci.csv-metadata.json"):
        shutil.copy(folder / beside, tmp_path)
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(120):
        path = tmp_path / name
        path.write_bytes(damaged(content, random))
        found, line = outcome(read, path)
        refused += line is not None
        assert "\n" not in (line or "")
        assert line is not None or name not in CHECKED or found == expected
    assert refused > 10


@pytest.mark.parametrize("name", READERS)
@given(content=st.binary(max_size=200))
@settings(max_examples=10)
def test_a_file_of_any_bytes_is_one_line(name, content, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(content)
    _, line = outcome(READERS[name], path)
    assert "\n" not in (line or "")


def edit(path, change):
    path = Path(path)
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def replaced(name, value):
    def change(file):
        del file[name]
        if value is not None:
            file[name] = value

    return change


def elsewhere(name):
    def change(file):
        other = Path(file.filename).with_name("other.h5")
        with h5py.File(other, "w") as target:
            target["x"] = file[name][...]
        del file[name]
        file[name] = h5py.ExternalLink(str(other), "/x")

    return change


def virtual(name):
    def change(file):
        data = file[name][...]
        file["hidden"] = data
        layout = h5py.VirtualLayout(data.shape, data.dtype)
        layout[...] = h5py.VirtualSource(file["hidden"])
        del file[name]
        file.create_virtual_dataset(name, layout)

    return change


def unfilled(name, n):
    def change(file):
        dtype = file[name].dtype
        del file[name]
        file.create_dataset(name, shape=(n,), dtype=dtype, chunks=(1024,))

    return change


def attribute(name, value):
    return lambda file: file.attrs.create(name, value)


def values(name, change):
    def apply(file):
        file[name][...] = change(file[name][...])

    return apply


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replaced("contigs/seqid", np.array([1, 2])), "contigs/seqid: expected a dataset of texts"),
        (replaced("contigs/seqid", ["a\tb", "c"]), "names that are not empty, without control"),
        (replaced("contigs/seqid", ["a", "a"]), "a name of its own for each contig, found"),
        (replaced("contigs/length", np.array([12.0, 5.0])), "a dataset of int64, found float64"),
        (replaced("contigs/length", np.array([-1, 5])), "lengths >= 0"),
        (replaced("contigs/length", np.array([[12, 5]])), r"shape \(2,\), found \(1, 2\)"),
        (replaced("contigs/length", None), "contigs/length: expected a dataset of the file itself"),
        (replaced("contigs", 3), "in one piece"),
        (replaced("plus", h5py.SoftLink("/minus")), "expected"),
        (elsewhere("plus/hits/value"), "plus/hits/value: .*found a link to another place"),
        (virtual("plus/hits/row"), "plus/hits/row: .*found a view of other data"),
        (unfilled("plus/tiles/row", 10**12), "plus/tiles/row: expected 1000000000000 stored"),
        (values("plus/tiles/row", lambda x: x - 8192), "plus/tiles/row: expected rising multiples"),
        (values("plus/hits/value", lambda x: x * np.nan), "finite activations > 0, found nan"),
        (values("plus/hits/value", lambda x: x * np.inf), "finite activations > 0, found inf"),
        (values("plus/hits/value", lambda x: -x), "finite activations > 0, found -"),
        (values("plus/hits/value", lambda x: x * 2), "the (checksum|.* hits) that w"),
        (values("plus/hits/row", lambda x: x[::-1]), "the (checksum|.* hits) that w"),
        (values("plus/hits/row", lambda x: x + 900), "rows below"),
        (values("plus/coverage/end", lambda x: x + 100), "0 <= start <= end <= 12"),
        (values("plus/coverage/start", lambda x: x + 1), "contents-sha256: expected"),
        (attribute("model", "another"), "contents-sha256: expected"),
        (attribute("model", 3), "attribute 'model': expected a text"),
        (attribute("n-features", "7"), "attribute 'n-features': expected an integer"),
        (attribute("n-features", 10**12), "attribute 'n-features': expected an integer from 1"),
        (attribute("tile-rows", 0), "attribute 'tile-rows': expected an integer from 1"),
        (attribute("format-version", "2"), "attribute 'format-version': expected an integer"),
        (lambda file: file.attrs.create("feature-names", '{"3": 1}'), "no numbers of features"),
        (lambda file: file.attrs.create("feature-names", '{"f/3": 1}'), "no numbers of features"),
        (lambda file: file.attrs.create("feature-names", '{"a": 9}'), "a feature from 0 to 2"),
        (lambda file: file.attrs.create("feature-names", "[" * 9999), "64 deep"),
    ],
)
def test_an_edited_features_file_is_refused_by_name(folder, tmp_path, change, message):
    path = edit(shutil.copy(folder / "features.h5", tmp_path), change)
    with pytest.raises(SchemaError, match=message):
        answers_of_features(path)


def test_a_name_that_reads_as_a_number_is_not_written(tmp_path):
    header = replace(feature_header(), feature_names={"3": 6})
    with (
        pytest.raises(SchemaError, match="names that are no numbers of features, found '3'"),
        FeatureWriter(tmp_path / "f.h5", header, PROVENANCE),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_files_without_sums_are_looked_at_too(tmp_path, version):
    path = shutil.copy(ARCHIVES / f"features-{version}.h5", tmp_path / "f.h5")
    name = "plus/by_feature/value" if version == "v1" else "plus/hits/value"
    edit(path, values(name, lambda x: x * np.inf))
    with pytest.raises(SchemaError, match="finite activations > 0, found inf"):
        FeatureStore(path).feature(1, "+")


def test_a_stretch_of_a_feature_is_checked_with_its_tile(folder, tmp_path):
    path = edit(
        shutil.copy(folder / "features.h5", tmp_path), values("plus/hits/value", lambda x: x * 2)
    )
    with pytest.raises(SchemaError, match="the checksum that was written"):
        FeatureStore(path).feature(1, "+", GenomicInterval("chrA", 0, 3))
    with pytest.raises(SchemaError, match="the checksum that was written"):
        list(FeatureStore(path).slices(0, 1, "+", np.array([[0, 5]])))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (values("activations", lambda x: x + 1), "rows 0 to 34: expected the CRC-32"),
        (values("activations", lambda x: x * np.nan), "row 0: expected finite values"),
        (elsewhere("activations"), "found a link to another place"),
        (virtual("activations"), "found a view of other data"),
        (replaced("activations", np.zeros((34, 4))), "a dataset of float16, found float64"),
        (replaced("activations", np.zeros((34, 3), "f2")), r"shape \(any, 4\), found \(34, 3\)"),
        (values("windows/start", lambda x: x + 100), "0 <= start <= end"),
        (attribute("site", "blocks.2"), "contents-sha256: expected"),
        (attribute("d-in", -1), "attribute 'd-in': expected an integer from 1"),
    ],
)
def test_edited_activations_are_refused_by_name(folder, tmp_path, change, message):
    path = edit(shutil.copy(folder / "activations.h5", tmp_path), change)
    with pytest.raises(SchemaError, match=message):
        answers_of_activations(path)


def test_what_is_resealed_is_read_again(folder, tmp_path):
    path = edit(
        shutil.copy(folder / "activations.h5", tmp_path), values("activations", lambda x: x + 1)
    )
    reseal(path)
    whole = ActivationStore(folder / "activations.h5").rows(3, 20)
    np.testing.assert_array_equal(ActivationStore(path).rows(3, 20), whole + 1)


@pytest.mark.parametrize("header", [b"[1]", b"3", b'"x"', b"{", b"[" * 9999, b"\xff", b"null"])
def test_a_parquet_whose_metadata_are_no_mapping_is_refused(tmp_path, header):
    path = tmp_path / "t.parquet"
    table = pa.Table.from_pandas(LOCUS, preserve_index=False)
    pq.write_table(table.replace_schema_metadata({b"genointerp": header}), path)
    for read in (read_table, read_provenance):
        with pytest.raises(SchemaError, match=r"^.*t\.parquet.*: expected"):
            read(path, LOCI)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("٣", "expected a number"),
        ("1_0", "expected a number"),
        ("9" * 5000, "integers of 64 bits"),
        ("1e300", "integers of 64 bits"),
        ("", "integers of 64 bits"),
    ],
)
def test_a_number_of_a_table_is_of_ascii_digits_and_fits(folder, tmp_path, cell, message):
    text = (folder / "loci.tsv").read_text()
    changed = text.replace("chrA\t1\t", f"chrA\t{cell}\t")
    (tmp_path / "t.tsv").write_text(changed)
    metadata = (folder / "loci.tsv-metadata.json").read_text()
    digests = [hashlib.sha256(it.encode()).hexdigest() for it in (text, changed)]
    (tmp_path / "t.tsv-metadata.json").write_text(metadata.replace(*digests))
    with pytest.raises(SchemaError, match=message):
        read_table(tmp_path / "t.tsv", LOCI)


def test_texts_of_a_table_do_not_make_rows(tmp_path):
    frame = LOCUS.assign(seqid=["x\nchrB\t0\t1", "a\tb"])
    for suffix in ("tsv", "csv", "parquet", "json"):
        path = tmp_path / f"t.{suffix}"
        write_table(frame, path, LOCI, Provenance({}, {}))
        assert read_table(path, LOCI)["seqid"].tolist() == ["x chrB 0 1", "a b"]
    assert len((tmp_path / "t.tsv").read_text().splitlines()) == 3


def test_two_writers_of_one_file_leave_one_whole_file(tmp_path):
    path = tmp_path / "f.h5"
    with (
        FeatureWriter(path, feature_header(), PROVENANCE),
        pytest.raises(StorageError, match="expected to be the only writer"),
    ):
        write_features(path, dense_features())
    assert FeatureStore(path).n_firing("+").sum() == 0
    assert [item.name for item in tmp_path.iterdir()] == ["f.h5"]
