import pytest

from genointerp.core.errors import MismatchError
from genointerp.core.files import replacing
from genointerp.core.provenance import Provenance
from genointerp.store.belonging import check_dictionary, check_made_from, check_origin
from genointerp.store.table.schemas import ABLATION
from genointerp.store.table.table import empty_table, write_table
from tests.plant import contigs_of, make_store, silence
from tests.stores import activation_header, windows_of, write_activations

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
CONTIGS = contigs_of(c=9)


def table_of(folder, **inputs):
    named = {name.replace("_", "-"): sha256 for name, sha256 in inputs.items()}
    path = folder / "t.tsv"
    with replacing():
        write_table(empty_table(ABLATION), path, ABLATION, Provenance({}, named))
    return path


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param({"x.h5": A, "y.h5": B}, None, id="the-same"),
        pytest.param({"y.h5": B, "x.h5": A}, None, id="in-another-order"),
        pytest.param(
            {"x.h5": A}, "made from x.h5 alone, found features bbbbbbbbbbbb too", id="few"
        ),
        pytest.param(
            {"x.h5": A, "y.h5": B, "z.h5": C},
            r"made from z.h5 \(cccccccccccc\), found aaaaaaaaaaaa, bbbbbbbbbbbb",
            id="one-more",
        ),
    ],
)
def test_a_table_is_made_from_all_of_the_files_and_no_other(tmp_path, files, message):
    # what has another role is not asked about
    path = table_of(tmp_path, features_0=A, features_1=B, genome_0=C, other_features_0=C)
    if message is None:
        check_made_from(path, ABLATION, "features", files)
        return
    with pytest.raises(MismatchError, match=rf"t\.tsv: provenance: expected {message}$"):
        check_made_from(path, ABLATION, "features", files)


def test_a_dictionary_of_another_seed_is_not_taken_for_ones_own(tmp_path):
    store = make_store(tmp_path / "f.h5", silence(9, 2), CONTIGS, sae_sha256=A)
    check_dictionary(table_of(tmp_path, sae=A, other_sae_0=B), ABLATION, store)
    with pytest.raises(MismatchError, match=r"made from the dictionary of .*, found no sae$"):
        check_dictionary(table_of(tmp_path, other_sae_0=A), ABLATION, store)


@pytest.mark.parametrize("field", ["genome_sha256", "model_sha256", "site"])
def test_activations_of_another_origin_are_refused(tmp_path, field):
    store = make_store(tmp_path / "f.h5", silence(9, 2), CONTIGS)
    own = {"genome_sha256": "g1", "model_sha256": "m", "site": "blocks.1"}
    for name, changes in (("a", {}), ("b", {field: "other"})):
        header = activation_header(2, contigs=CONTIGS, **(own | changes))
        windows = windows_of(CONTIGS)
        path = tmp_path / f"{name}.h5"
        activations = write_activations(path, silence(18, 2)["+"], header=header, windows=windows)
        if not changes:
            check_origin(store, activations)
            continue
        where = (
            rf"b\.h5: {field.replace('_', '-')}: expected {own[field]} as in .*f\.h5, found other"
        )
        with pytest.raises(MismatchError, match=where):
            check_origin(store, activations)
