"""Motifs that must not be written, against a search for each of them."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.core.errors import InputError, SequenceError
from genointerp.model.forbidden import Forbidden
from genointerp.model.generation import SamplingConfig, generate
from genointerp.model.protocol import Symbols
from tests.tiny_tokenizers import as_bases
from tests.toy_model import ToyDnaModel

BASES = Symbols(np.arange(4), (b"A", b"C", b"G", b"T"))
WORDS = Symbols(np.arange(5), (b"", b"AA", b"CG", b"GAT", b"T"))
TEXT = st.text("ACGT", max_size=12)
MOTIF = st.text("ACGTRN", min_size=1, max_size=4)
COMPLEMENT = str.maketrans("ACGTRYN", "TGCAYRN")


def regex(motif):
    return "".join({"R": "[AG]", "Y": "[CT]", "N": "[ACGT]"}.get(it, it) for it in motif)


@settings(max_examples=100, deadline=None)
@given(before=TEXT, motifs=st.lists(MOTIF, max_size=3), symbols=st.sampled_from([BASES, WORDS]))
def test_a_symbol_is_allowed_if_no_motif_ends_in_it(before, motifs, symbols):
    both = [*motifs, *(motif.translate(COMPLEMENT)[::-1] for motif in motifs)]

    def completes(word):
        text = before + word
        return any(
            re.fullmatch(regex(motif), text[end - len(motif) : end])
            for motif in both
            for end in range(max(len(motif), len(before) + 1), len(text) + 1)
        )

    expected = [not completes(word.decode()) for word in symbols.spelling]
    assert Forbidden(motifs, symbols).allows(before.encode()).tolist() == expected


def test_a_written_sequence_has_none_of_the_motifs_on_either_strand():
    prompts = [as_bases("ACGTGGATC")] * 20
    free = generate(ToyDnaModel(), prompts, "N" * 60)
    found = generate(ToyDnaModel(), prompts, "N" * 60, config=SamplingConfig(avoid=("GATC", "AAA")))
    texts = [b"ACGTGGATC" + it.bases.tobytes() for it in found]
    assert any(re.search(rb"GATC|AAA|TTT", it.bases.tobytes()) for it in free)
    assert not any(re.search(rb"GATC|AAA|TTT", text[6:]) for text in texts)
    assert not any(re.search(rb"AAA|TTT", text) for text in texts)


def test_where_nothing_may_be_written_an_error_says_so():
    with pytest.raises(InputError, match="for a word that fits the template and no motif forbids"):
        generate(ToyDnaModel(), [as_bases("A")], "N", config=SamplingConfig(avoid=("A", "C")))
    with pytest.raises(SequenceError, match="motif AXX"):
        generate(ToyDnaModel(), [as_bases("A")], "N", config=SamplingConfig(avoid=("AXX",)))
    with pytest.raises(InputError, match="avoid: expected a motif of one letter or more"):
        generate(ToyDnaModel(), [as_bases("A")], "N", config=SamplingConfig(avoid=("",)))


def test_without_motifs_what_is_written_is_as_before():
    prompts = [as_bases("ACG")]
    plain, same = (
        generate(ToyDnaModel(), prompts, "N" * 30, config=SamplingConfig(avoid=avoid))
        for avoid in ((), ("ACGTACGTACGTACGT",))
    )
    assert plain[0].bases.tobytes() == same[0].bases.tobytes()
