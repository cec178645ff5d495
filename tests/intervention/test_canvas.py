"""Canvases as files and as objects."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from genointerp.annotation.concepts import Concept, ConceptElements
from genointerp.core.errors import CoordinateError, InputError, SchemaError, UnknownNameError
from genointerp.core.identity import Identity
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.intervention.canvas import Canvas, Profile, Stroke, read_profiles
from tests.stores import dense_features, write_features

ROW = "seqid\tstart\tend\tstrand\tfeature\tmode\tvalue\n"
SET = Stroke("c", 3, 9, "+", "f/7", "set", 1.5, unit=2.0)


def written(tmp_path, *rows, header=ROW, name="canvas.tsv"):
    path = tmp_path / name
    path.write_text(header + "".join(f"{row}\n" for row in rows))
    return path


def test_a_canvas_that_a_person_wrote_needs_few_columns_and_no_metadata(tmp_path):
    path = written(tmp_path, "c\t3\t9\t+\tf/7\tset\t1.5", "c\t9\t12\t-\tstart\tablate\t")
    canvas = Canvas.read(path)
    first, second = canvas.strokes
    assert first == replace(SET, unit=first.unit)
    assert (second.feature, second.mode, second.strand) == ("start", "ablate", "-")
    assert (second.phase, second.when, second.state, second.concept) == (-1, "", "decides", "")
    assert math.isnan(second.value)
    assert math.isnan(second.unit)
    assert canvas.identity == Identity(str(path))


@pytest.mark.parametrize("suffix", ["tsv", "csv", "parquet", "json"])
def test_a_canvas_is_read_as_it_was_written(tmp_path, suffix):
    path = tmp_path / f"canvas.{suffix}"
    own = Identity("canvas", genome_sha256="a" * 64, dictionary_sha256="b" * 64)
    strokes = (
        SET,
        Stroke("c", 0, 3, "-", 12, "scale", 0.5, phase=2, when="start", state="reads", unit=1.0),
        Stroke("c", 90, 110, ".", "tRNA", "raise", 4.0, concept="tRNA", unit=0.25),
    )
    Canvas(strokes, identity=own).write(path)
    found = Canvas.read(path)
    assert found.strokes == (SET, replace(strokes[1], feature="12"), strokes[2])
    assert found.identity == replace(own, where=str(path))


def test_a_written_canvas_that_was_edited_is_refused(tmp_path):
    Canvas((SET,)).write(tmp_path / "canvas.tsv")
    text = (tmp_path / "canvas.tsv").read_text()
    (tmp_path / "canvas.tsv").write_text(text.replace("1.5", "2.5"))
    with pytest.raises(SchemaError, match="another or an edited file"):
        Canvas.read(tmp_path / "canvas.tsv")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param("c\t3\t9\t+\tf/7\tput\t1", "row 1: mode: expected .* put", id="mode"),
        pytest.param("c\t3\t9\t?\tf/7\tset\t1", r"row 1: strand: .* found \?", id="strand"),
        pytest.param("c\t9\t9\t+\tf/7\tset\t1", "start < end, found start=9", id="empty"),
        pytest.param("c\t-1\t9\t+\tf/7\tset\t1", "found start=-1, end=9", id="negative"),
        pytest.param("c\t3\t9\t+\tf/7\tset\t", "row 1: value: expected a finite .* nan", id="nan"),
        pytest.param("c\t3\t9\t+\tf/7\tset\tinf", "row 1: value: .* found inf", id="infinite"),
        pytest.param("c\t3\t9\t+\tf/7\tset\tmuch", "found expected a number|could not", id="text"),
        pytest.param("c\t3.5\t9\t+\tf/7\tset\t1", "column 'start': expected integers", id="half"),
        pytest.param("c\t3\t9\t+\tx\tprofile\t1", r"a profile \(none is known\)", id="profile"),
    ],
)  # fmt: skip
def test_a_row_that_means_nothing_is_named(tmp_path, row, message):
    with pytest.raises(SchemaError, match=message) as error:
        Canvas.read(written(tmp_path, row))
    assert "canvas.tsv" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"phase": 3}, "phase: expected 0, 1, 2, or -1", id="phase"),
        pytest.param(
            {"phase": 0, "strand": "."}, "strand: .* as codons have a strand", id="no-strand"
        ),
        pytest.param({"unit": 0.0}, "unit: expected a finite number above 0", id="unit"),
    ],
)
def test_a_stroke_that_means_nothing_is_refused(changes, message):
    with pytest.raises(SchemaError, match=f"canvas: row 2: {message}"):
        Canvas((SET, replace(SET, **changes)))


def test_a_state_of_another_name_is_refused(tmp_path):
    path = written(tmp_path, "c\t3\t9\t+\tf/7\tset\t1\tafter", header=f"{ROW[:-1]}\tstate\n")
    with pytest.raises(SchemaError, match="row 1: state: expected one of decides, reads, found af"):
        Canvas.read(path)


def test_a_table_of_other_columns_is_no_canvas(tmp_path):
    with pytest.raises(SchemaError, match="column 'dose'"):
        Canvas.read(written(tmp_path, header=ROW.replace("value", "dose")))
    with pytest.raises(SchemaError, match="expected column 'mode'"):
        Canvas.read(written(tmp_path, header="seqid\tstart\tend\tstrand\tfeature\n"))
    with pytest.raises(SchemaError, match="a genointerp::canvas table, found"):
        Canvas.read(tmp_path / "none.tsv")
    with pytest.raises(SchemaError, match="a genointerp::canvas table, found"):
        Canvas.read(written(tmp_path, header=""))


def test_a_stroke_may_go_over_the_origin_of_a_circle_alone():
    letters = np.full(20, ord("A"), np.uint8)
    canvas = Canvas((replace(SET, start=18, end=25),))
    canvas.check_inside(Genome([Contig("c", letters, circular=True)]))
    with pytest.raises(CoordinateError, match="canvas: row 1: expected end <= 20, found end=25"):
        canvas.check_inside(Genome([Contig("c", letters)]))
    turn = Canvas((replace(SET, start=3, end=24),))
    with pytest.raises(CoordinateError, match="found end=24"):
        turn.check_inside(Genome([Contig("c", letters, circular=True)]))


def test_doses_are_multiplied_and_factors_are_not():
    strokes = SET, replace(SET, mode="scale"), replace(SET, mode="ablate", value=math.nan)
    first, second, third = Canvas(strokes).times(2.0).strokes
    assert (first.value, second.value) == (3.0, 1.5)
    assert math.isnan(third.value)


def test_without_phases_a_canvas_has_on_each_base_the_mean_over_the_codon():
    phases = [
        replace(SET, value=6.0, phase=0),
        replace(SET, mode="ablate", value=math.nan, phase=1),
        replace(SET, mode="set", value=3.0, unit=1.0, phase=2),
        replace(SET, feature="f/8", mode="scale", value=4.0, phase=1),
        replace(SET, feature="f/9", mode="add"),
    ]
    plain, together, scaled = Canvas(tuple(phases)).flat().strokes
    assert plain == phases[-1]
    # (6 x 2.0 + 0 + 3 x 1.0) / 3 model units are 2.5 doses of 2.0
    assert (together.mode, together.value, together.unit, together.phase) == ("set", 2.5, 2.0, -1)
    # two of the three keep what they have
    assert (scaled.value, scaled.phase) == (2.0, -1)
    assert Canvas((SET,)).flat() is None


def test_strokes_of_one_feature_become_one_whatever_their_concepts_and_units():
    rows = [
        replace(SET, value=6.0, phase=0, concept="CDS"),
        replace(SET, mode="ablate", value=math.nan, phase=1),
        replace(SET, mode="ablate", value=math.nan, phase=2, unit=math.nan),
    ]
    (found,) = Canvas(tuple(rows)).flat().strokes
    assert (found.mode, found.value, found.unit, found.phase) == ("set", 2.0, 2.0, -1)


def test_modes_that_have_no_mean_leave_a_canvas_without_a_flat_one():
    raised = replace(SET, mode="raise", phase=0)
    rows = [raised, *(replace(SET, mode="ablate", value=math.nan, phase=i) for i in (1, 2))]
    assert Canvas(tuple(rows)).flat() is None
    assert Canvas((raised, replace(raised, phase=1))).flat().strokes[0].mode == "raise"


@pytest.mark.parametrize(
    ("place", "frames"),
    [
        pytest.param(GenomicInterval("c", 100, 130, "+"), [(100, 0), (101, 1), (92, 1)], id="+"),
        pytest.param(GenomicInterval("c", 100, 130, "-"), [(70, 0), (71, 2), (99, 1)], id="-"),
    ],
)
def test_the_frame_of_a_canvas_is_where_its_phase_0_lies_on_a_place(place, frames):
    for start, frame in frames:
        stroke = replace(SET, start=start, end=start + 60, strand=place.strand, phase=1)
        assert Canvas((stroke,)).frame_on(place, 1000) == frame
        naive = {base for base in range(start, start + 60) if (base - start) % 3 == 0}
        if place.strand == "-":
            naive = {2 * start + 59 - base for base in naive}
        bases = range(100, 130) if place.strand == "+" else range(129, 99, -1)
        assert next(i for i, base in enumerate(bases) if base in naive) == frame


def test_a_canvas_without_one_frame_on_a_place_has_none():
    place = GenomicInterval("c", 100, 130, "+")
    stroke = replace(SET, start=100, end=160, phase=0)
    assert Canvas((stroke, replace(stroke, start=101))).frame_on(place, 1000) is None
    for other in ({"phase": -1}, {"strand": "-"}, {"seqid": "d"}, {"start": 130}):
        assert Canvas((replace(stroke, **other),)).frame_on(place, 1000) is None
    # over the origin of a circle: base 0 is the sixth of the stroke
    turned = replace(stroke, start=995, end=1060)
    assert Canvas((turned,)).frame_on(GenomicInterval("c", 0, 30, "+"), 1000) == 1


@pytest.fixture
def store(tmp_path):
    return write_features(tmp_path / "features.h5", dense_features())


def elements_over(start, end, strand="+"):
    columns = ["concept", "seqid", "start", "end", "strand", "element", "id", "part", "frame"]
    table = pd.DataFrame([("x", None, start, end, strand, 0, "x", 0, -1)], columns=columns)
    return table, {"x": Concept("", ("x",))}


def test_a_unit_is_the_mean_where_the_feature_fires_on_the_concept_in_sense(store):
    dense, (seqid, *_) = dense_features(), store.lengths
    feature = int(np.argmax((dense["+"] > 0).sum(0)))
    both = np.concatenate([dense[strand][:, feature] for strand in "+-"])
    stroke = replace(SET, seqid=seqid, feature=feature, unit=math.nan)
    (found,) = Canvas((stroke,)).with_units(store).strokes
    assert found.unit == pytest.approx(both[both > 0].mean(), rel=1e-6)
    fires = np.flatnonzero(dense["+"][: store.lengths[seqid], feature])[:2]
    table, concepts = elements_over(int(fires[0]), int(fires[-1]) + 1)
    elements = ConceptElements(table.assign(seqid=seqid), concepts)
    (found,) = Canvas((replace(stroke, concept="x"),)).with_units(store, elements).strokes
    assert found.unit == pytest.approx(dense["+"][fires, feature].mean(), rel=1e-6)
    assert found.concept == "x"
    (kept,) = Canvas((replace(stroke, unit=5.0),)).with_units(store).strokes
    assert kept.unit == 5.0


def test_a_unit_that_cannot_be_measured_is_refused(store):
    stroke = replace(SET, feature=0, unit=math.nan, concept="x")
    with pytest.raises(InputError, match="row 1: expected the annotation, to measure on x"):
        Canvas((stroke,)).with_units(store)
    table, concepts = elements_over(0, 1)
    nothing = ConceptElements(table.assign(seqid=next(iter(store.lengths))).iloc[:0], concepts)
    with pytest.raises(InputError, match="a feature that fires on a base of x, found f/0"):
        Canvas((stroke,)).with_units(store, nothing)
    with pytest.raises(UnknownNameError, match="expected a feature from 0"):
        Canvas((replace(stroke, feature=10**6),)).with_units(store)


def test_a_profile_has_the_amounts_of_its_positions(tmp_path):
    header = "profile\tposition\tfeature\tamount\n"
    path = written(tmp_path, "a\t-1\t5\t1.5", "a\t1\t2\t3", "b\t0\t7\t1", header=header)
    found = read_profiles(path)
    assert list(found) == ["a", "b"]
    assert found["a"].features == (2, 5)
    assert found["a"].course.tolist() == [[0.0, 1.5], [0.0, 0.0], [3.0, 0.0]]
    with pytest.raises(SchemaError, match="profile a: expected positions from -1 to"):
        read_profiles(written(tmp_path, "a\t-2\t5\t1.5", header=header))
    with pytest.raises(SchemaError, match="profile a: expected one position or more"):
        read_profiles(written(tmp_path, "a\t-1\t5\t1.5", header=header))
    with pytest.raises(SchemaError, match="profile a: expected positions from -1 to 1,000,000"):
        read_profiles(written(tmp_path, f"a\t{10**12}\t5\t1.5", header=header))
    twice = "a\t0\t5\t1.5", "a\t0\t6\t1.5", "a\t0\t5\t2"
    with pytest.raises(SchemaError, match=r"one row for each .* found two at position 0 of f/5"):
        read_profiles(written(tmp_path, *twice, header=header))


def test_a_canvas_of_a_profile_can_be_read_again(tmp_path):
    course = np.array([[0.0, 1.5, 0.0], [0.25, 0.0, 0.0], [0.0, 0.0, 0.0]])
    profile = Profile((2, 5, 9), course)
    stroke = replace(SET, feature="tRNA", mode="profile")
    Canvas((stroke,), {"tRNA": profile}).write(tmp_path / "c.tsv")
    found = Canvas.read(tmp_path / "c.tsv", profiles=tmp_path / "c.profiles.tsv")
    assert found.strokes == (stroke,)
    assert found.profiles["tRNA"].features == profile.features
    assert found.profiles["tRNA"].course.tolist() == course.tolist()
    assert Canvas((SET,)).profile_table().empty


def test_a_profile_of_the_length_of_its_place_is_as_it_was_measured():
    course = np.random.default_rng(0).random((6, 3))
    profile = Profile((0, 1, 2), course)
    np.testing.assert_allclose(profile.at(np.arange(-1, 5), 5), course)


def test_a_canvas_shows_how_much_it_holds():
    canvas = Canvas((SET, replace(SET, start=9, end=12)))
    assert repr(canvas) == "Canvas(2 strokes of 1 features)"
    assert "set" in canvas._repr_html_()
