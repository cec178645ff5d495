from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import normalise_sequence, reverse_complement
from genointerp.genome.windows import Window
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.reading.tokens import genome_passages, token_batches, tokenised
from tests.reading.word_model import kmer_model, merge_model
from tests.toy_model import ToyDnaModel

MODELS = {
    "bases": ToyDnaModel,
    "3-mers": kmer_model,
    "merges": merge_model,
    "masked-merges": lambda: merge_model(reads="both"),
}
texts = st.text("ACGTN", min_size=1, max_size=90)


def genome_of(text, *, circular=False):
    return Genome([Contig("c", normalise_sequence(text.encode(), where="test"), circular)])


def random_genome(length=203, *, circular=False, letters=b"ACGT"):
    found = np.random.default_rng(1).choice(list(letters), length).astype(np.uint8)
    return Genome([Contig("c1", found, circular), Contig("c2", found[:-20][::-1].copy())])


def read_window(model, genome, window):
    return tokenised(model, next(genome_passages(genome, [window])))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@settings(deadline=None, max_examples=60)
@given(texts, st.integers(0, 12), st.integers(0, 9), st.integers(3, 30), st.booleans())
def test_the_tokens_of_all_windows_cover_every_base_once(model, text, warmup, halo, step, circular):
    genome, model = genome_of(text, circular=circular), model()
    config = HarvestConfig(window=warmup + step + halo, warmup=warmup, halo=halo)
    covered = Counter()
    for window in config.windows(model.spec, genome):
        read = read_window(model, genome, window)
        assert read.n_kept.sum() == window.kept.length
        at = 0
        for n_kept in read.n_kept[read.n_kept > 0].tolist():
            for base in range(at, at + n_kept):
                kept = window.kept
                forward = kept.end - 1 - base if kept.strand == "-" else kept.start + base
                covered[kept.strand, forward] += 1
            at += n_kept
    assert covered == {(strand, base): 1 for strand in "+-" for base in range(len(text))}


@settings(deadline=None, max_examples=60)
@given(texts, st.integers(0, 12), st.integers(3, 30), st.booleans())
def test_words_of_k_bases_are_the_same_in_every_window(text, warmup, step, circular):
    text = text.replace("N", "")
    genome, model = genome_of(text or "A", circular=circular), kmer_model()
    for window in HarvestConfig(window=warmup + step, warmup=warmup).windows(model.spec, genome):
        read = read_window(model, genome, window)
        kept = np.flatnonzero(read.n_kept)
        words = read.spans.start[kept] - window.warmup
        # the words that begin at a kept base are all that there are, and none is cut
        assert read.begun[kept].all()
        assert (read.n_kept[kept] == (read.spans.end - read.spans.start)[kept]).all()
        upstream = (
            genome["c"].length - window.kept.end if window.kept.strand == "-" else window.kept.start
        )
        whole = (read.spans.end - read.spans.start)[kept] == 3
        assert ((words[whole] + upstream) % 3 == 0).all()


def bases_of(store, row_bases, window):
    """The letters under each row of a window, as they were read."""
    sequence = GENOME[window.seqid].sequence
    for start, end in zip(*row_bases, strict=True):
        letters = sequence[start:end]
        yield (reverse_complement(letters) if window.strand == "-" else letters).tobytes().decode()


GENOME = random_genome()


@pytest.mark.parametrize("region", [(), (GenomicInterval("c1", 50, 141),)], ids=["all", "region"])
@pytest.mark.parametrize("model", [kmer_model, merge_model], ids=["3-mers", "merges"])
def test_the_activations_of_a_row_are_of_the_word_at_its_bases(tmp_path, model, region):
    config = HarvestConfig(window=60, warmup=15, batch=2)
    model, out = model(), tmp_path / "a.h5"
    store = harvest(model, GENOME, site="blocks.0", out=out, config=config, regions=region)
    cut = 0
    for number, window in enumerate(store.windows):
        first, last = store.window_offset[number : number + 2].tolist()
        rows, bases = store.window(number), store.token_bases(first, last)
        assert len(rows) == last - first <= window.length
        for x, letters in zip(rows, bases_of(store, bases, window), strict=True):
            word = model.words[int(x[5])]
            assert x[4] == len(word)
            assert letters == word or letters in word
            cut += letters != word
        ordered = sorted(zip(*bases, strict=True), reverse=window.strand == "-")
        assert ordered == list(zip(*bases, strict=True))
        left, right = sorted(bases.start), sorted(bases.end)
        assert (left[0], right[-1]) == (window.start, window.end)
        assert left[1:] == right[:-1]
    assert store.has_words
    assert store.n_bases == (2 * 91 if region else 2 * (203 + 183))
    # a word is cut at an edge between windows only, and there by two rows at most
    assert cut <= 2 * store.n_windows
    if model.k and not region:
        assert cut == 0


def test_special_tokens_are_not_stored(tmp_path):
    config = HarvestConfig(window=30, warmup=6)
    store = harvest(kmer_model(), GENOME, site="blocks.0", out=tmp_path / "a.h5", config=config)
    ids = store.rows(0, store.n_tokens)[:, 5]
    assert ids.min() > 2


def test_a_word_that_was_begun_before_a_region_is_kept_for_the_bases_on_this_side(tmp_path):
    genome = genome_of("CCCCAAACCCC")
    region = GenomicInterval("c", 5, 8)
    config = HarvestConfig(window=20, warmup=3, strands=("+",))
    # read from base 2 on: C C AAA C, then the halo
    store = harvest(
        merge_model(), genome, site="blocks.0", out=tmp_path / "a.h5", config=config,
        regions=[region],
    )  # fmt: skip
    assert [tuple(x) for x in zip(*store.token_bases(0, 2), strict=True)] == [(5, 7), (7, 8)]
    assert store.rows(0, 2)[:, :5].tolist() == [[3, 0, 0, 0, 3], [0, 1, 0, 0, 1]]


def test_the_halo_makes_the_last_word_of_a_window_whole():
    genome, model = genome_of("GACGTG"), merge_model()
    cut = read_window(model, genome, Window(GenomicInterval("c", 0, 3, "+"), 0))
    whole = read_window(model, genome, Window(GenomicInterval("c", 0, 3, "+"), 0, 3))
    assert [model.words[i] for i in cut.spans.ids] == ["<s>", "G", "AC", "</s>"]
    assert [model.words[i] for i in whole.spans.ids] == ["<s>", "G", "ACGT", "G", "</s>"]
    assert whole.n_kept.tolist() == [0, 1, 2, 0, 0]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param(ToyDnaModel(), 0, id="bases"),
        pytest.param(kmer_model(), 0, id="3-mers"),
        pytest.param(merge_model(), 64, id="merges"),
        pytest.param(merge_model(reads="both"), 100, id="masked"),
    ],
)
def test_the_halo_is_what_the_model_needs_where_none_is_asked_for(model, expected):
    assert HarvestConfig(window=500, warmup=100).halo_for(model.spec) == expected
    assert HarvestConfig(window=500, warmup=100, halo=7).halo_for(model.spec) == 7


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2)), max_size=20), st.integers(1, 4))
def test_batches_hold_every_window_once_in_order_and_are_of_one_length(shapes, size):
    genome = genome_of("ACGTACGT")
    windows = [Window(GenomicInterval("c", 2, 2 + kept, "+"), warmup) for kept, warmup in shapes]
    groups = list(token_batches(ToyDnaModel(), genome_passages(genome, windows), size))
    assert [read.window for group in groups for read in group.windows] == windows
    for group in groups:
        assert len(group.windows) == len(group.ids) <= size
        assert {read.window.length for read in group.windows} == {group.ids.shape[1]}
