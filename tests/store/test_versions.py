import pytest

from genointerp.core.provenance import Provenance
from genointerp.store.table_schemas import ASSOCIATIONS, TableSchema
from genointerp.store.tables import empty_table, read_table, write_table


def first_version(schema):
    required = tuple(column for column in schema.columns if column.status == "REQUIRED")
    assert len(required) < len(schema.columns)
    return TableSchema(schema.format, 1, required)


@pytest.mark.parametrize("suffix", [".parquet", ".tsv", ".json"])
def test_associations_of_version_1_are_read(tmp_path, suffix):
    old = first_version(ASSOCIATIONS)
    path = tmp_path / f"a{suffix}"
    write_table(empty_table(old), path, old, Provenance({}, {}))
    assert list(read_table(path, ASSOCIATIONS)) == old.names
