import pytest

from genointerp.core.errors import MismatchError
from genointerp.core.provenance import Provenance
from genointerp.store.table.associations import read_associations
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.table import empty_table, write_table
from tests.plant import contigs_of, make_store, silence


@pytest.fixture
def store(tmp_path):
    return make_store(tmp_path / "f.h5", silence(9, 2), contigs_of(c=9), sae_sha256="ab" * 32)


def table_of(path, **inputs):
    write_table(empty_table(ASSOCIATIONS), path, ASSOCIATIONS, Provenance({}, inputs))
    return path


def test_associations_of_the_same_dictionary_are_read(store, tmp_path):
    for name, inputs in (("named", {"sae": "ab" * 32}), ("unnamed", {})):
        found = read_associations(table_of(tmp_path / f"{name}.tsv", **inputs), store)
        required = [c.name for c in ASSOCIATIONS.columns if c.status == "REQUIRED"]
        assert list(found) == required


def test_associations_of_another_dictionary_are_refused(store, tmp_path):
    path = table_of(tmp_path / "a.parquet", sae="cd" * 32)
    message = r"f\.h5: expected dictionary cdcd.* as in .*a\.parquet, found dictionary abab"
    with pytest.raises(MismatchError, match=message):
        read_associations(path, store)
