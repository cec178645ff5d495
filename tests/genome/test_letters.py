import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genointerp.genome.letters import (
    BASES,
    IUPAC,
    UNKNOWN,
    base_codes,
    base_letters,
    count_bases,
    known_bases,
    reverse_complement,
    reverse_complement_codes,
    unknown_sequence,
)

texts = st.text("ACGTRYSWKMBDHVN", max_size=40)
PAIRED = dict(zip("ACGTRYSWKMBDHVN", "TGCAYRSWMKVHDBN", strict=True))


def letters(text):
    return np.frombuffer(text.encode(), np.uint8)


def test_the_letters_are_those_of_iupac_with_the_bases_that_each_allows():
    assert set(IUPAC) == set("ACGTRYSWKMBDHVN")
    assert (IUPAC["A"], IUPAC["Y"], IUPAC["D"], IUPAC["N"]) == ("A", "CT", "AGT", "ACGT")
    assert len(set(IUPAC.values())) == 15  # one letter for each set of bases that is not empty


@given(texts)
def test_the_reverse_complement_of_the_reverse_complement_is_the_sequence(text):
    found = reverse_complement(letters(text))
    assert found.tobytes().decode() == "".join(PAIRED[letter] for letter in text[::-1])
    assert np.array_equal(reverse_complement(found), letters(text))


@given(texts)
def test_a_letter_pairs_with_the_one_that_allows_the_paired_bases(text):
    for letter, other in zip(text, reverse_complement(letters(text))[::-1].tolist(), strict=True):
        assert {PAIRED[base] for base in IUPAC[letter]} == set(IUPAC[chr(other)])


@given(texts)
def test_codes_are_the_places_of_the_bases_in_their_order(text):
    codes = base_codes(letters(text))
    assert codes.tolist() == [BASES.index(x) if x in BASES else UNKNOWN for x in text]
    assert base_letters(codes).tobytes().decode() == "".join(x if x in BASES else "N" for x in text)
    assert known_bases(letters(text)).tolist() == [x in BASES for x in text]
    assert count_bases(letters(text)).tolist() == [text.count(base) for base in BASES]


@given(texts)
def test_codes_of_the_other_strand_are_those_of_its_letters(text):
    expected = base_codes(reverse_complement(letters(text)))
    assert np.array_equal(reverse_complement_codes(base_codes(letters(text))), expected)


def test_an_unknown_sequence_is_made_of_n():
    assert unknown_sequence(3).tobytes() == b"NNN"
