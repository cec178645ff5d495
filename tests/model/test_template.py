from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import InputError, SequenceError
from genointerp.genome.letters import IUPAC
from genointerp.model.protocol import Symbols
from genointerp.model.template import Template
from tests.toy_model import ToyDnaModel

WORDS = (b"AC", b"G", b"", b"GTA", b"TT", b"C")


def model_of(words, bases_per_token=0):
    model = ToyDnaModel()
    model.symbols = Symbols(np.arange(len(words)), words)
    model.spec = replace(model.spec, bases_per_token=bases_per_token)
    return model


def spellings(letters, words):
    """Every way to lay words end to end over some letters, by trying."""
    if not letters:
        return [[]]
    found = []
    for i, word in enumerate(words):
        agrees = all(chr(x) in IUPAC[y] for x, y in zip(word, letters, strict=False))
        if 0 < len(word) <= len(letters) and agrees:
            found += [[i, *rest] for rest in spellings(letters[len(word) :], words)]
    return found


@given(st.text("".join(IUPAC), min_size=1, max_size=7))
def test_what_fits_is_what_begins_a_way_to_the_end(letters):
    ways = spellings(letters, WORDS)
    if not ways:
        with pytest.raises(InputError, match="no word that fits at letter"):
            Template(letters, model_of(WORDS))
        return
    template = Template(letters, model_of(WORDS))
    for place in range(len(letters)):
        first = {way[0] for way in spellings(letters[place:], WORDS)}
        assert set(np.flatnonzero(template.fits(place)).tolist()) == first
    assert max(map(len, ways)) <= template.most_words() == len(letters)


def test_a_word_that_leads_to_a_dead_end_is_not_begun():
    # G alone would leave TA, which no words spell
    template = Template("GTA", model_of(WORDS))
    assert np.flatnonzero(template.fits(0)).tolist() == [3]


def test_letters_of_either_case_are_those_of_the_iupac_code():
    template = Template("aRn", ToyDnaModel())
    assert [template.fits(i).tolist() for i in range(3)] == [
        [True, False, False, False],
        [True, False, True, False],
        [True] * 4,
    ]


def test_a_letter_that_is_none_is_named():
    with pytest.raises(SequenceError, match=r"template: base 3: expected an IUPAC .* found 'X'"):
        Template("ACX", ToyDnaModel())


@pytest.mark.parametrize(
    ("letters", "words", "width", "message"),
    [
        pytest.param("", WORDS, 0, "a letter for each base to write, found none", id="empty"),
        pytest.param("ANNN", (b"AAA",), 3, "a multiple of 3 letters, .* found 4", id="words"),
        pytest.param("GACA", WORDS, 0, "that words of toy spell .* at letter 4", id="end"),
        pytest.param("TAG", WORDS, 0, "no word that fits at letter 1", id="begin"),
    ],
)
def test_letters_that_no_words_spell_are_refused(letters, words, width, message):
    with pytest.raises(InputError, match=f"template: expected .*{message}"):
        Template(letters, model_of(words, width))
