"""Schedules against a loop over the bases of every stroke."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.core.errors import CoordinateError, InputError, MismatchError, UnknownNameError
from genointerp.core.identity import Identity
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import Window, tile_windows
from genointerp.intervention.canvas import Canvas, Profile, Stroke
from genointerp.intervention.schedule import Schedule
from genointerp.reading.tokens import genome_passages, tokenised
from genointerp.sae.paint import Column
from tests.reading.word_model import kmer_model
from tests.sae.test_dictionary import dictionary_of
from tests.toy_model import ToyDnaModel

SPEC = replace(ToyDnaModel.spec, d_site=6, sites=("blocks.0", "blocks.1"), sha256="ab" * 32)
HEADER = replace(dictionary_of().header, feature_names={"start": 4})
UNTOUCHED = [1.0, 0.0, -math.inf]
LENGTH = 60


def genome_of(*, circular=True, length=LENGTH):
    letters = np.random.default_rng(0).choice(list(b"ACGT"), length).astype(np.uint8)
    return Genome([Contig("before", letters[:7]), Contig("c", letters, circular)])


GENOMES = {circular: genome_of(circular=circular) for circular in (True, False)}


def stroke_of(start=10, end=20, strand="+", feature=3, mode="set", value=1.0, **more):
    return Stroke("c", start, end, strand, feature, mode, value, **{"unit": 2.0, **more})


def bound(*strokes, genome=GENOMES[True], spec=SPEC, header=HEADER, profiles=None):
    return Schedule.of(Canvas(strokes, profiles or {}), genome, header, spec)


def tokens_of(window, genome=GENOMES[True], model=None):
    (passage,) = genome_passages(genome, [window])
    return tokenised(model or ToyDnaModel(), passage)


def naive(strokes, columns, window, genome):
    """The rule of each token, by a loop over all bases of all strokes; and which are painted."""
    contig, strand = genome["c"], window.kept.strand
    step = 1 if strand == "+" else -1
    begin = window.kept.start if strand == "+" else window.kept.end - 1
    rule = np.tile(UNTOUCHED, (window.length, len(columns), 1))
    painted = np.zeros(window.length, bool)
    for token in range(window.length):
        read = begin + step * (token - window.warmup)
        for stroke in strokes:
            own = read if stroke.state == "reads" else read + step
            bases = range(stroke.start, stroke.end)
            turns = (
                [own + turn * contig.length for turn in (-1, 0, 1, 2)] if contig.circular else [own]
            )
            for base in set(turns) & set(bases):
                place = base - stroke.start if strand == "+" else stroke.end - 1 - base
                if stroke.strand not in (strand, ".") or stroke.phase not in (-1, place % 3):
                    continue
                column = columns.index(Column(stroke.feature, stroke.when or None))
                amount = stroke.value * 2.0
                rule[token, column] = {
                    "set": [0, amount, -math.inf],
                    "raise": [1, 0, amount],
                    "add": [1, amount, -math.inf],
                    "scale": [stroke.value, 0, -math.inf],
                    "ablate": [0, 0, -math.inf],
                }[stroke.mode]
                painted[token] = True
    return rule, painted


strokes = st.builds(
    lambda start, length, **more: stroke_of(start, start + length, **more),
    start=st.integers(0, LENGTH - 21),
    length=st.integers(1, 20),
    strand=st.sampled_from("+-"),
    mode=st.sampled_from(["set", "raise", "add", "scale", "ablate"]),
    value=st.sampled_from([-0.5, 0.0, 1.0, 2.5]),
    phase=st.integers(-1, 2),
    state=st.sampled_from(["decides", "reads"]),
    when=st.sampled_from(["", 1]),
)
windows = st.builds(
    lambda start, length, strand, warmup: Window(
        GenomicInterval("c", start, min(start + length, LENGTH), strand), warmup
    ),
    start=st.integers(0, LENGTH - 2),
    length=st.integers(1, 40),
    strand=st.sampled_from("+-"),
    warmup=st.integers(0, 15),
)


def on_linear(window):
    """The window with as much of a warm-up as a linear contig has."""
    kept = window.kept
    room = kept.start if kept.strand == "+" else LENGTH - kept.end
    return replace(window, warmup=min(window.warmup, room))


@settings(max_examples=150, deadline=None)
@given(drawn=st.lists(strokes, min_size=1, max_size=4), window=windows, circular=st.booleans())
def test_each_token_gets_the_rule_of_the_bases_that_it_decides_or_has_read(drawn, window, circular):
    # a feature for each, so that none paints what another does
    drawn = [replace(stroke, feature=2 + i) for i, stroke in enumerate(drawn)]
    genome = GENOMES[circular]
    window = window if circular else on_linear(window)
    schedule = bound(*drawn, genome=genome)
    found = schedule.rules(tokens_of(window, genome))
    rule, painted = naive(drawn, list(schedule.columns), window, genome)
    np.testing.assert_array_equal(found.rule, rule)
    np.testing.assert_array_equal(found.painted, painted)
    assert not painted.any() or schedule.touches(window)


@settings(max_examples=50, deadline=None)
@given(drawn=strokes, by=st.integers(0, LENGTH - 1), strand=st.sampled_from("+-"))
def test_a_canvas_that_is_moved_along_a_circle_paints_what_is_moved_as_far(drawn, by, strand):
    genome = GENOMES[True]

    def states(stroke):
        """The rule of the state after each base of the circle."""
        window = Window(GenomicInterval("c", 0, LENGTH, strand), 0)
        rule = bound(stroke, genome=genome).rules(tokens_of(window, genome)).rule[:, 0]
        return rule if strand == "+" else rule[::-1]

    start = (drawn.start + by) % LENGTH
    moved = replace(drawn, start=start, end=start + drawn.length)
    np.testing.assert_array_equal(states(moved), np.roll(states(drawn), by, axis=0))


@settings(max_examples=50, deadline=None)
@given(drawn=strokes, by=st.integers(-2, 2), strand=st.sampled_from("+-"))
def test_a_shifted_schedule_paints_so_many_bases_downstream(drawn, by, strand):
    genome = GENOMES[True]
    window = tokens_of(Window(GenomicInterval("c", 0, LENGTH, strand), 0), genome)
    own = bound(drawn, genome=genome)
    moved = own.shifted(by).rules(window)
    np.testing.assert_array_equal(moved.rule, np.roll(own.rules(window).rule, by, axis=0))


@given(drawn=strokes, seed=st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_shuffling_keeps_how_often_each_rule_occurs_whatever_the_windows(drawn, seed):
    genome = GENOMES[False]
    drawn = replace(drawn, start=drawn.start + 1, end=drawn.end + 1)
    own = bound(drawn, genome=genome)

    def states(schedule, cuts):
        for start, end in pairwise(cuts):
            window = on_linear(Window(GenomicInterval("c", start, end, "+"), 4))
            yield schedule.rules(tokens_of(window, genome)).rule[window.warmup :]

    whole = np.concatenate(list(states(own.shuffled(seed), [0, LENGTH])))
    parts = np.concatenate(list(states(own.shuffled(seed), [0, 11, 23, LENGTH])))
    np.testing.assert_array_equal(whole, parts)
    in_order = np.concatenate(list(states(own, [0, LENGTH])))
    assert sorted(whole[:, 0].tolist()) == sorted(in_order[:, 0].tolist())


def test_on_the_reverse_strand_the_state_that_decides_is_that_of_the_base_to_the_right():
    window = Window(GenomicInterval("c", 0, LENGTH, "-"), 0)
    rule = bound(stroke_of(10, 12, "-")).rules(tokens_of(window))
    # tokens are read from base 59 down; bases 11 and 10 are decided after bases 12 and 11
    assert np.flatnonzero(rule.painted).tolist() == [59 - 12, 59 - 11]


def test_a_token_of_several_bases_is_painted_by_its_first_base():
    model = kmer_model(3)
    window = Window(GenomicInterval("c", 0, LENGTH, "+"), 0)
    read = tokens_of(window, model=model)
    spec = replace(SPEC, bases_per_token=3)
    # a special token stands before the first word
    for state, expected in (("reads", [1 + 4, 1 + 5]), ("decides", [4, 5])):
        rules = bound(stroke_of(11, 18, state=state), spec=spec).rules(read)
        assert np.flatnonzero(rules.painted).tolist() == expected


def test_special_tokens_are_never_painted():
    model = kmer_model(3)
    read = tokens_of(Window(GenomicInterval("c", 0, LENGTH, "+"), 0), model=model)
    spec = replace(SPEC, bases_per_token=3)
    rules = bound(stroke_of(0, LENGTH), spec=spec, genome=GENOMES[False]).rules(read)
    assert not rules.painted[0]
    assert not rules.painted[-1]
    assert rules.painted[1:-2].all()


def test_a_profile_is_stretched_to_the_length_of_its_place():
    course = np.array([[0.0, 8.0], [1.0, 6.0], [2.0, 4.0]])
    profiles = {"x": Profile((5, 2), course)}
    rows = {"decides": [0.0, 0.5, 1.0, 1.5], "reads": [0.5, 1.0, 1.5, 2.0]}
    for state, expected in rows.items():
        stroke = stroke_of(10, 14, feature="x", mode="profile", value=3.0, state=state)
        schedule = bound(stroke, profiles=profiles)
        assert schedule.columns == (Column(5), Column(2))
        rules = schedule.rules(tokens_of(Window(GenomicInterval("c", 0, LENGTH, "+"), 0)))
        np.testing.assert_allclose(rules.rule[rules.painted][:, 0, 1], np.multiply(expected, 3))
        np.testing.assert_allclose(
            rules.rule[rules.painted][:, 1, 1], 3 * (8 - 2 * np.array(expected))
        )
        assert (rules.rule[rules.painted][..., 0] == 0).all()


def test_targets_of_a_batch_have_a_row_for_each_window():
    genome = GENOMES[False]
    windows = tile_windows(genome, length=20, warmup=5, strands="+", regions=[
        GenomicInterval("c", 5, 35)
    ])  # fmt: skip
    schedule = bound(stroke_of(12, 16), genome=genome)
    targets = schedule.targets([tokens_of(window, genome) for window in windows])
    # bases 12 to 15 are decided after 11 to 14; the second window begins at base 15
    assert targets.n_rows == 2
    assert targets.row.tolist() == [0] * 4
    assert targets.token.tolist() == [11, 12, 13, 14]
    assert targets.rule[:, 0].tolist() == [[0.0, 2.0, -math.inf]] * 4


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        pytest.param({}, {"start": 20, "end": 30}, True, id="touching"),
        pytest.param({}, {"start": 19, "end": 30}, False, id="overlapping"),
        pytest.param({}, {"start": 19, "end": 30, "feature": 4}, True, id="another-feature"),
        pytest.param({}, {"start": 19, "end": 30, "strand": "-"}, True, id="another-strand"),
        pytest.param({}, {"start": 19, "end": 30, "strand": "."}, False, id="both-strands"),
        pytest.param({"phase": 0}, {"phase": 1}, True, id="another-phase"),
        pytest.param({"phase": 0}, {"start": 11, "phase": 2}, False, id="the-same-phase-moved"),
        pytest.param({"phase": 0}, {"mode": "ablate"}, False, id="a-phase-and-all"),
        pytest.param({}, {"start": 20, "end": 30, "state": "reads"}, True, id="one-apart"),
        pytest.param({}, {"start": 18, "end": 30, "state": "reads"}, False, id="one-state"),
        pytest.param({"when": 1}, {"when": 2}, False, id="another-condition"),
        pytest.param({"start": 55, "end": 65}, {"start": 3, "end": 9}, False, id="over-the-origin"),
    ],
)  # fmt: skip
def test_a_state_has_one_stroke_for_each_feature(first, second, is_one):
    strokes = stroke_of(**first), stroke_of(**second)
    if is_one:
        assert len(bound(*strokes).lines) == 2
        return
    with pytest.raises(InputError, match=r"canvas: row 2: expected one stroke for f/3 in one state"
                                         r" on [+-], found another in row 1"):  # fmt: skip
        bound(*strokes)


@pytest.mark.parametrize(
    ("stroke", "error", "message"),
    [
        pytest.param(
            stroke_of(feature=10),
            UnknownNameError,
            "canvas: row 1: feature: expected a feature from 0 to 9, found 10",
            id="feature",
        ),
        pytest.param(
            stroke_of(feature="stop"),
            UnknownNameError,
            r"a number or a name \(start\), found 'stop'",
            id="name",
        ),
        pytest.param(
            stroke_of(when="stop"),
            UnknownNameError,
            "row 1: when: feature: expected a num",
            id="condition",
        ),
        pytest.param(
            stroke_of(unit=math.nan), InputError, "row 1: unit: expected the unit", id="unit"
        ),
        pytest.param(
            replace(stroke_of(), seqid="d"),
            CoordinateError,
            "canvas: row 1: expected one of before, c, found d",
            id="contig",
        ),
        pytest.param(
            replace(stroke_of(3, 8), seqid="before"),
            CoordinateError,
            "canvas: row 1: expected end <= 7, found end=8",
            id="end",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_row(stroke, error, message):
    with pytest.raises(error, match=message):
        bound(stroke)


def test_names_stand_for_features():
    schedule = bound(stroke_of(feature="start"), stroke_of(feature="f/7", when="start"))
    assert schedule.columns == (Column(4), Column(7, 4))
    assert schedule.features == (4, 7)


def test_a_phase_is_refused_where_tokens_are_not_bases():
    with pytest.raises(InputError, match="row 1: phase: expected no phase, since tokens of toy"):
        bound(stroke_of(phase=0), spec=replace(SPEC, bases_per_token=6))


def test_one_state_for_all_where_tokens_are_not_bases():
    strokes = stroke_of(), stroke_of(30, 40, state="reads")
    with pytest.raises(InputError, match="row 2: state: expected decides as in row 1, since"):
        bound(*strokes, spec=replace(SPEC, bases_per_token=6))
    assert len(bound(*strokes).lines) == 2


def test_a_canvas_of_another_genome_or_dictionary_is_refused():
    for identity, shared in (
        (Identity("x.tsv", genome_sha256="f" * 64), "genome"),
        (Identity("x.tsv", dictionary_sha256="f" * 64), "dictionary"),
    ):
        with pytest.raises(MismatchError, match=rf"expected {shared} f{{12}} as in x.tsv"):
            Schedule.of(Canvas((stroke_of(),), {}, identity), GENOMES[True], HEADER, SPEC)


def test_a_dictionary_of_another_model_or_site_is_refused():
    with pytest.raises(MismatchError, match="model"):
        bound(stroke_of(), spec=replace(SPEC, sha256="cd" * 32))
    edited = replace(SPEC, name="edited", sha256="cd" * 32, parent="toy", parent_sha256=SPEC.sha256)
    with pytest.raises(MismatchError, match="model"):
        bound(stroke_of(), spec=edited)
    assert bound(stroke_of(), spec=replace(edited, of_parent=True)).features == (3,)
    with pytest.raises(MismatchError, match=r"a site of toy \(blocks.0 to blocks.1\), found other"):
        bound(stroke_of(), header=replace(HEADER, site="other"))


def test_an_edit_paints_each_state_of_a_stroke_exactly_once():
    genome, dictionary = GENOMES[False], dictionary_of()
    window = tokens_of(Window(GenomicInterval("c", 0, LENGTH, "+"), 0), genome)
    schedule = bound(stroke_of(10, 20, value=2.0), genome=genome)
    edit = schedule.edit(dictionary, [window])
    assert edit.site == "blocks.1"
    x = torch.randn(1, LENGTH, 6, generator=torch.Generator().manual_seed(0))
    pieces = [edit.function.at(x[:, i : i + 7], i) for i in range(0, LENGTH, 7)]
    change = (torch.cat(pieces, 1) - x)[0] @ dictionary.direction(3)
    amounts = dictionary.amounts(x, [3])[0, :, 0]
    expected = torch.zeros(LENGTH)
    expected[9:19] = 4.0 - amounts[9:19]
    torch.testing.assert_close(change, expected)


def test_what_is_painted_is_named_by_profile_or_feature():
    strokes = (
        stroke_of(10, 20, feature="tRNA", mode="profile"),
        stroke_of(30, 40, feature=3),
        stroke_of(30, 40, feature=2),
    )
    found = bound(*strokes, profiles={"tRNA": Profile((1, 4), np.ones((3, 2)))})
    assert found.painted == "profile tRNA,f/2,f/3"
