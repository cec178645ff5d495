from pathlib import Path

import h5py
import pytest

from genointerp.store.table.schema.registry import SCHEMAS
from tests.stores import dense_features, write_activations, write_features

PAGES = Path(__file__).parents[2] / "docs" / "schema"


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_page_of_tables_tells_every_column(schema):
    section = (PAGES / "tables.md").read_text().split(f"`{schema.format}`")[1].split("\n## ")[0]
    found = [line for line in section.splitlines() if line.startswith("| `")]
    assert found == [
        f"| `{c.name}` | {c.kind} | {c.status} | {c.meaning} |" for c in schema.columns
    ]


@pytest.mark.parametrize(("name", "version"), [("activations", 2), ("features", 2)])
def test_page_names_every_attribute_and_dataset_that_is_written(tmp_path, name, version):
    dense = dense_features()
    write = {
        "activations": lambda path: write_activations(path, dense["+"].repeat(2, axis=0)),
        "features": lambda path: write_features(path, dense),
    }[name]
    page = (PAGES / f"{name}-v{version}.md").read_text()
    with h5py.File(write(tmp_path / "x.h5").path) as file:
        names = []
        file.visititems(lambda path, item: names.append(path) if hasattr(item, "dtype") else None)
        attributes = list(file.attrs)
    for attribute in attributes:
        assert f"`{attribute}`" in page
    for path in names:
        short = path.removeprefix("plus/").removeprefix("minus/")
        assert f"`{short}`" in page or short.split("/")[0] == "contigs"
