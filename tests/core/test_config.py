"""Configurations: what YAML says in several ways."""

from dataclasses import dataclass

import pytest

from genointerp.core.config import read_config
from genointerp.core.errors import ConfigError


@dataclass(frozen=True)
class Rates:
    learning_rate: float = 0.5


@pytest.mark.parametrize("text", ["1e-3", "+1E-3", "1.0e-3", "0.001"])
def test_a_number_with_an_exponent_needs_no_point(tmp_path, text):
    path = tmp_path / "rates.yaml"
    path.write_text(f"learning_rate: {text}\n")
    assert read_config(Rates, path) == Rates(0.001)


@pytest.mark.parametrize("text", ["'fast'", "1e", "e-3", "true", "'1e-3 '"])
def test_what_is_no_number_is_refused(tmp_path, text):
    path = tmp_path / "rates.yaml"
    path.write_text(f"learning_rate: {text}\n")
    with pytest.raises(ConfigError, match="learning_rate: expected float"):
        read_config(Rates, path)
