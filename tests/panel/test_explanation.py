"""Panels of explanations and of dependency maps, by their artists, and the figures of them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

import genointerp as gi
from genointerp.cli.main import app
from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval
from genointerp.panel.dependency import dependency_matrix, plot_dependency, plot_elements_beside
from genointerp.panel.explanation import (
    plot_importance,
    plot_nodes,
    plot_replacements,
    plot_sums,
)
from genointerp.store.table.schema.explanation import EXPLAINED, EXPLANATION
from genointerp.store.table.schema.mutagenesis import DEPENDENCY, EXPLAINING_BASES
from genointerp.store.table.table import conform, write_table

PROVENANCE = Provenance({}, {})


def ax():
    return Figure().subplots()


def filled(schema, **values):
    blank = {"string": "", "int64": 0, "float64": 0.0}
    return {column.name: blank[column.kind] for column in schema.columns} | values


@pytest.fixture
def bases():
    rows = [
        filled(EXPLAINING_BASES, question="c:9", strand="+", offset=-3 + i, base=base,
               importance=importance, effect_G=-importance)
        for i, (base, importance) in enumerate([("A", 1.5), ("N", np.nan), ("T", -0.5)])
    ]  # fmt: skip
    return conform(pd.DataFrame(rows), EXPLAINING_BASES, where="bases")


@pytest.fixture
def nodes():
    kinds = [
        ("feature", 7, -1, 2.0, "phase"), ("feature", 4, -1, 0.5, ""),
        ("feature", 7, -2, -0.25, ""), ("error", -1, -2, -1.0, ""),
        ("other features", -1, 0, 0.125, ""), ("other errors", -1, 0, 0.25, ""),
    ]  # fmt: skip
    rows = [
        filled(EXPLANATION, question="c:9", strand=strand, kind=kind, feature=feature,
               offset=offset, attribution=size, concept=concept)
        for strand in "+-" for kind, feature, offset, size, concept in kinds
    ]  # fmt: skip
    return conform(pd.DataFrame(rows), EXPLANATION, where="nodes")


@pytest.fixture
def map_table():
    rows = [
        filled(DEPENDENCY, seqid="c", strand="+-"[i > j], replaced=i, affected=j,
               distance=abs(i - j), dependency=10.0 * i + j, shuffled=11.0)
        for i in range(2, 5) for j in range(2, 5) if i != j
    ]  # fmt: skip
    return conform(pd.DataFrame(rows), DEPENDENCY, where="map")


def test_letters_are_as_high_as_their_importance(bases):
    drawn = plot_importance(bases, ax=ax())
    boxes = {patch.get_gid(): patch.get_path().get_extents() for patch in drawn.patches}
    assert set(boxes) == {"letter-A", "letter-T"}
    assert (boxes["letter-A"].y0, boxes["letter-A"].y1) == pytest.approx((0, 1.5))
    assert (boxes["letter-T"].y0, boxes["letter-T"].y1) == pytest.approx((-0.5, 0))
    low, high = drawn.get_ylim()
    assert low < -0.5
    assert high > 1.5


def test_replacements_mark_what_is_there(bases):
    axes = ax()
    image = plot_replacements(bases, ax=axes)
    assert image.get_array().shape == (4, 3)
    assert axes.collections[0].get_offsets().tolist() == [[-3, 0], [-1, 3]]


def test_nodes_are_rows_of_features_then_errors_then_what_has_no_place(nodes):
    image = plot_nodes(nodes[:6], [7, 4], {7: "f/7", 4: "f/4"}, first=-2, last=-1, ax=ax())
    expected = [[-0.25, 2.0], [0.0, 0.5], [-1.0, 0.0]]
    np.testing.assert_array_equal(image.get_array()[:3], expected)
    assert image.get_array().mask[3].all()


def test_sums_are_bars_from_the_top():
    drawn = plot_sums([2.0, -1.0], change=1.0, ax=ax())
    assert [bar.get_width() for bar in drawn.patches] == [2.0, -1.0]
    assert drawn.get_ylim() == (1.5, -0.5)


def test_a_map_has_one_strand_on_either_side_of_its_diagonal(map_table):
    interval = GenomicInterval("c", 2, 5)
    matrix = dependency_matrix(map_table, interval, length=9)
    expected = [[np.nan, 23, 24], [32, np.nan, 34], [42, 43, np.nan]]
    np.testing.assert_array_equal(matrix, expected)
    above = dependency_matrix(
        map_table.assign(shuffled=33.0), interval, length=9, above_control=True
    )
    np.testing.assert_array_equal(above, np.where(np.array(expected) < 33, 0, expected))
    axes = ax()
    image = plot_dependency(matrix, interval, length=9, ax=axes)
    assert image.get_extent() == [2.5, 5.5, 5.5, 2.5]
    genes = pd.DataFrame({"start": [3], "end": [9], "strand": ["-"], "type": ["tRNA"]})
    (bar,) = plot_elements_beside(genes, interval, ax=ax()).patches
    assert (bar.get_y(), bar.get_height(), bar.get_x()) == (3.5, 6, 0.5)


def test_a_map_goes_around_the_origin(map_table):
    turned = map_table.assign(
        replaced=(map_table["replaced"] + 4) % 7, affected=(map_table["affected"] + 4) % 7
    )
    matrix = dependency_matrix(turned, GenomicInterval("c", 6, 9), length=7)
    assert matrix[0, 1] == 23
    assert matrix[2, 0] == 42


@pytest.fixture
def files(tmp_path, bases, nodes, map_table):
    summary = pd.DataFrame([filled(EXPLAINED, question="c:9", strand="+", measure="contrast")])
    for name, table, schema in (
        ("nodes", nodes, EXPLANATION),
        ("nodes.summary", conform(summary, EXPLAINED, where="summary"), EXPLAINED),
        ("bases", bases, EXPLAINING_BASES),
        ("map", map_table, DEPENDENCY),
    ):
        write_table(table, tmp_path / f"{name}.tsv", schema, PROVENANCE)
    return tmp_path


@pytest.mark.parametrize("width", [90.0, 180.0])
def test_an_explanation_is_drawn_with_its_bases_and_sums(files, width):
    figure = gi.plot.explain(files / "nodes.tsv", bases=files / "bases.tsv", width=width)
    assert figure.get_suptitle() == "c:9, read on +"
    labels = [it.get_text() for it in figure.axes[4].get_yticklabels()]
    assert labels == ["f/7", "f/4", "errors", "other features"]
    assert [bar.get_width() for bar in figure.axes[5].patches] == [1.75, 0.5, -0.75, 0.125]


def test_a_question_that_a_table_does_not_have_is_refused(files):
    with pytest.raises(InputError, match="expected rows of the question c:8, found c:9"):
        gi.plot.explain(files / "nodes.tsv", question="c:8")
    with pytest.raises(InputError, match="expected rows of the question c:9 -, found c:9"):
        gi.plot.explain(files / "nodes.tsv", bases=files / "bases.tsv", strand="-")


def test_of_many_questions_those_that_may_be_meant_are_named(files, nodes):
    many = pd.concat([nodes.assign(question=f"c:{i}") for i in range(100, 140)])
    write_table(many, files / "many.tsv", EXPLANATION, PROVENANCE)
    with pytest.raises(InputError, match=r"found c:1\d\d.* and 3\d more") as error:
        gi.plot.explain(files / "many.tsv", question="c:149")
    assert len(str(error.value)) < 200


def test_a_variant_is_drawn_from_its_first_token_on(files, nodes):
    behind = nodes.assign(offset=-nodes["offset"])
    write_table(behind, files / "variant.tsv", EXPLANATION, PROVENANCE)
    figure = gi.plot.explain(files / "variant.tsv")
    assert figure.axes[0].get_xlim() == (-0.5, 2.5)


def test_a_map_is_drawn_with_the_genes_of_its_genome(files):
    (files / "g.fa").write_text(">c\nACGTACGTA\n")
    (files / "g.gff3").write_text("##gff-version 3\nc\t.\ttRNA\t3\t5\t.\t+\t.\tID=t1\n")
    out = files / "map.png"
    genome = ["--genome", str(files / "g.fa"), "--annotations", str(files / "g.gff3")]
    result = CliRunner().invoke(
        app, ["plot", "dependency", str(files / "map.tsv"), *genome, "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    assert out.stat().st_size > 1000
    figure = gi.plot.dependency(files / "map.tsv")
    assert figure.axes[0].get_xlim() == (2.5, 5.5)
    with pytest.raises(InputError, match="genes: expected a genome together with its annotation"):
        gi.plot.dependency(files / "map.tsv", genome=files / "g.fa")


def test_a_map_of_several_regions_is_refused(files, map_table):
    far = map_table.assign(replaced=map_table["replaced"] + 50, affected=map_table["affected"] + 50)
    write_table(pd.concat([map_table, far]), files / "two.tsv", DEPENDENCY, PROVENANCE)
    with pytest.raises(InputError, match="expected a map of one region"):
        gi.plot.dependency(files / "two.tsv")
    bare = map_table.assign(shuffled=np.nan)
    write_table(bare, files / "bare.tsv", DEPENDENCY, PROVENANCE)
    with pytest.raises(InputError, match="expected a map with a control"):
        gi.plot.dependency(files / "bare.tsv", above_control=True)
