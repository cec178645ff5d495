import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.config import read_yaml
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.files import read_json_object
from genointerp.core.parsing import MOST_BYTES, MOST_NODES, parse_json, parse_yaml

TENFOLD = ", ".join(
    f"&{name} [{','.join([f'*{before}' if before else 'x'] * 10)}]"
    for before, name in zip(["", *"abcdefgh"], "abcdefghi", strict=True)
)


def yaml_of(text):
    return parse_yaml(text, where="x.yaml", error=ConfigError)


def json_of(text):
    return parse_json(text, where="x.json", error=ConfigError)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(f"n: [{TENFOLD}]", "nodes", id="aliases-that-multiply"),
        pytest.param("a: &a [*a]", "an alias of what holds it", id="cyclic"),
        pytest.param("a: &a {b: {c: *a}}", "an alias of what holds it", id="cyclic-mapping"),
        pytest.param("[" * 3000, "64 deep", id="deep-flow"),
        pytest.param("".join(f"{' ' * i}a:\n" for i in range(100)), "64 deep", id="deep-block"),
        pytest.param("x: " + "9" * 5000, "YAML, found", id="long-integer"),
        pytest.param("x: 0x" + "f" * 5000, "63 bits", id="long-hexadecimal"),
        pytest.param("x: -9223372036854775809", "63 bits", id="one-too-many"),
        pytest.param("x" * (MOST_BYTES + 1), "characters", id="large"),
        pytest.param("- a\n" * MOST_NODES, "nodes", id="long"),
        pytest.param("!!bool x", "YAML, found", id="no-bool"),
        pytest.param("!!int ''", "YAML, found", id="no-int"),
        pytest.param("!!timestamp x", "YAML, found", id="no-time"),
        pytest.param("2001-99-99", "YAML, found", id="no-date"),
        pytest.param("!!python/object:os.system {}", "YAML, found", id="code"),
        pytest.param("a: b: c", "YAML, found", id="syntax"),
        pytest.param("? [a]\n: b", "YAML, found", id="list-as-key"),
        pytest.param("a: \x00", "YAML, found", id="control-character"),
    ],
)
def test_yaml_beyond_its_limits_is_one_line_at_once(text, message):
    begin = time.process_time()
    with pytest.raises(ConfigError, match=rf"^x\.yaml: expected .*{message}") as caught:
        yaml_of(text)
    assert time.process_time() - begin < 10
    assert len(str(caught.value)) < 2200
    assert "\n" not in str(caught.value)


def test_anchors_that_stay_small_are_read():
    assert yaml_of("a: &x {k: 1}\nb: {<<: *x, l: 2}\nc: [*x, *x]") == {
        "a": {"k": 1},
        "b": {"k": 1, "l": 2},
        "c": [{"k": 1}, {"k": 1}],
    }
    assert yaml_of("") is None
    assert yaml_of("x: 9223372036854775807") == {"x": 2**63 - 1}


def test_digits_of_other_scripts_are_no_numbers():
    assert yaml_of("x: ٣") == {"x": "٣"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "64 deep"),
        ("[" * 70 + "]" * 70, "64 deep"),
        ('{"a": ' + "9" * 5000 + "}", "an integer of 5000 digits"),
        ("[1", "JSON"),
        ("٣", "JSON"),
        ("", "JSON"),
    ],
)
def test_json_beyond_its_limits_is_one_line(text, message):
    with pytest.raises(ConfigError, match=rf"^x\.json: .*{message}"):
        json_of(text)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(values)
def test_what_json_holds_is_read_back(value):
    assert json_of(json.dumps(value)) == value


@given(st.text())
def test_any_text_is_yaml_or_an_error_of_ours(text):
    with suppress(ConfigError):
        yaml_of(text)


def test_files_go_through_the_same_limits(tmp_path):
    (tmp_path / "x").write_text("[" * 5000)
    with pytest.raises(ConfigError, match="64 deep"):
        read_yaml(tmp_path / "x")
    with pytest.raises(ConfigError, match="64 deep"):
        read_json_object(tmp_path / "x", error=ConfigError)


def test_the_longest_text_of_a_tokenizer_without_one_is_read():
    text = '{"model_max_length": 1000000000000000019884624838656}'
    found = parse_json(text, where="tokenizer_config.json", error=InputError)
    assert found == {"model_max_length": int(1e30)}
