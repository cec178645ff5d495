"""The dictionaries that are shipped with the package, by name."""

from dataclasses import replace

import numpy as np
import pytest

from genointerp.core.errors import UnknownNameError
from genointerp.core.provenance import sha256_file
from genointerp.core.version import PACKAGE_FOLDER
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.header import read_directions, read_header, shipped_name
from genointerp.sae.shipped import dictionary_folder, shipped_dictionaries

NAMES = list(shipped_dictionaries())


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_dictionary_is_of_the_shipped_model_of_its_name(name):
    header = read_header(f"shipped:{name}")
    weights = PACKAGE_FOLDER / "model" / "weights" / name / "model.safetensors"
    assert (header.model, header.model_sha256) == (name, sha256_file(weights))
    assert header.folder == dictionary_folder(f"shipped:{name}")


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_dictionary_loads_by_name_with_scale_and_directions(name):
    dictionary = Dictionary.load(f"shipped:{name}")
    assert dictionary.scales is not None
    assert np.isfinite(dictionary.scales).mean() > 0.8
    directions = read_directions(f"shipped:{name}")
    np.testing.assert_array_equal(directions, dictionary.directions.double().numpy())


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_of_which_weights_it_is(name):
    header = read_header(f"shipped:{name}")
    card = (header.folder / "CARD.md").read_text(encoding="utf-8")
    assert header.sha256[:12] in card
    assert header.model_sha256[:12] in card


def test_a_name_that_is_not_shipped_comes_with_those_that_are():
    with pytest.raises(UnknownNameError, match=r"expected one of nano.*, found 'pico'"):
        dictionary_folder("shipped:pico")


def test_a_path_is_a_path(tmp_path):
    assert dictionary_folder(tmp_path) == tmp_path


def test_a_dictionary_is_known_as_shipped_by_its_weights():
    header = read_header("shipped:nano")
    assert shipped_name(header) == "shipped:nano"
    assert shipped_name(replace(header, sha256="0" * 64)) is None
