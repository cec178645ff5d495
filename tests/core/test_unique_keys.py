import pytest

from genointerp.core.config import read_yaml
from genointerp.core.errors import ConfigError
from genointerp.core.parsing import check_unique_keys


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", 3, "a", id="top"),
        pytest.param("genomes:\n  x: {s: 1}\n  y: {s: 1}\n  x: {s: 2}\n", 4, "x", id="nested"),
        pytest.param("- {a: 1}\n- {b: 1, b: 1}\n", 2, "b", id="in-a-list"),
        pytest.param("x:\n  c: 1\n  'c': 2\n", 3, "c", id="quoted"),
    ],
)
def test_a_key_that_stands_twice_is_named_with_its_line(tmp_path, text, line, key):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    message = f"c.yaml: line {line}: expected each key once, found '{key}' twice"
    with pytest.raises(ConfigError, match=message):
        read_yaml(path)


@pytest.mark.parametrize(
    "text", ["", "a: &x {b: 1}\nc: *x\nd: [*x, *x]\n", "1: a\n'1': b\n", "- a\n- a\n"]
)
def test_keys_of_different_mappings_and_types_may_be_alike(text):
    check_unique_keys(text, where="c.yaml")
