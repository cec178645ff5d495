import pytest

from genointerp.core.errors import MismatchError
from genointerp.core.provenance import Provenance
from genointerp.store.table.identity import check_features, table_identity
from genointerp.store.table.schema.candidate import ABLATION
from genointerp.store.table.table import empty_table, write_table
from tests.plant import contigs_of, make_store, silence

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture
def store(tmp_path):
    return make_store(tmp_path / "f.h5", silence(9, 2), contigs_of(c=9), sae_sha256=A)


def table_of(folder, **inputs):
    named = {name.replace("_", "-"): sha256 for name, sha256 in inputs.items()}
    folder.mkdir(exist_ok=True)
    path = folder / "t.tsv"
    write_table(empty_table(ABLATION), path, ABLATION, Provenance({}, named))
    return path


def test_files_of_one_role_are_told_from_those_of_another(tmp_path):
    path = table_of(tmp_path, features_0=A, features_1=B, other_features_0=C, concepts=B)
    found = table_identity(path, ABLATION)
    assert found.files == {"features": [A, B], "other-features": [C], "concepts": [B]}
    assert found.where == str(path)


def test_a_dictionary_of_another_seed_is_not_taken_for_ones_own(tmp_path, store):
    path = table_of(tmp_path, other_sae_0=A)
    with pytest.raises(MismatchError, match=r"expected dictionary aaa.* as in .*, found no dict"):
        store.identity.check(table_identity(path, ABLATION), "dictionary")


def test_a_table_is_of_the_features_that_it_was_made_from(tmp_path, store):
    check_features(table_of(tmp_path, features_0=store.sha256), ABLATION, [store])
    with pytest.raises(MismatchError, match=r"t\.tsv: expected features of .*f\.h5 alone, found"):
        check_features(
            table_of(tmp_path / "other", features_0=store.sha256, features_1=B), ABLATION, [store]
        )
