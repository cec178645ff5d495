"""Painting on a toy model, whose every base can be told, and on a network."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.core.errors import ConfigError, InputError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import reverse_complement
from genointerp.genome.windows import Window
from genointerp.intervention.canvas import Canvas
from genointerp.intervention.judge.sequences import Texts
from genointerp.intervention.means import difference_of_means
from genointerp.intervention.paint import PaintConfig, in_short, paint_designs
from genointerp.intervention.prompt import prompts, real_prompts
from genointerp.intervention.subject import Subject
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.loss import genome_loss
from genointerp.reading.tokens import genome_passages, tokenised
from tests.intervention.test_steer import dictionary_of, stroke_of
from tests.model_kinds import make_hyena
from tests.toy_model import ToyDnaModel

PLAIN = PaintConfig(n_designs=3, context=20, behind=10, controls=False)


@pytest.fixture(scope="module")
def genome():
    letters = np.random.default_rng(0).choice(list(b"ACGT"), 300).astype(np.uint8)
    return Genome([Contig("c", letters)])


@pytest.fixture(scope="module")
def toy(genome):
    model = ToyDnaModel()
    return Subject(model, genome, dictionary_of(model, "blocks.0", eye=True))


@pytest.fixture(scope="module")
def hyena(genome):
    model = make_hyena(None)
    return Subject(model, genome, dictionary_of(model, "blocks.3"))


def place(start, end, strand="+"):
    return GenomicInterval("c", start, end, strand)


def written(found, condition):
    table = found.table
    return table[table["condition"] == condition]["sequence"].tolist()


@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_painted_state_decides_its_base_from_the_first_on(toy, strand):
    # the first six bases are to be G, C, T, G, C, T; 30 is far above a one-hot
    start = 100 if strand == "+" else 102
    strokes = [
        stroke_of(start, start + 6, feature, 30.0 * (feature == own), strand=strand, phase=phase)
        for phase, own in enumerate((2, 1, 3))
        for feature in range(4)
    ]
    found = paint_designs(toy, Canvas(tuple(strokes)), place(100, 108, strand), config=PLAIN)
    painted = written(found, "canvas")
    assert all(text.startswith("GCTGCT") for text in painted)
    assert not all(text.startswith("GCTGCT") for text in written(found, "unpainted"))


def test_designs_of_one_number_differ_only_by_what_is_painted(hyena):
    nothing = Canvas((stroke_of(100, 110, mode="scale", value=1.0),))
    found = paint_designs(hyena, nothing, place(100, 130), config=PLAIN)
    assert written(found, "canvas") == written(found, "unpainted")
    assert len(set(written(found, "canvas"))) == 3
    strong = Canvas((stroke_of(100, 130, value=50.0),))
    assert written(
        paint_designs(hyena, strong, place(100, 130), config=PLAIN), "canvas"
    ) != written(found, "unpainted")


@pytest.mark.parametrize("strand", ["+", "-"])
def test_log_probabilities_are_those_of_the_genome_with_the_design_in_place(hyena, genome, strand):
    canvas = Canvas((stroke_of(100, 130, value=9.0, strand=strand),))
    config = replace(PLAIN, n_designs=1)
    found = paint_designs(hyena, canvas, place(100, 130, strand), config=config)
    row = found.table[found.table["condition"] == "canvas"].iloc[0]
    design = np.frombuffer(row["sequence"].encode(), np.uint8)
    letters = genome["c"].sequence.copy()
    letters[100:130] = design if strand == "+" else reverse_complement(design)
    other = Genome([Contig("c", letters)])
    behind = (130, 140) if strand == "+" else (90, 100)
    for column, (start, end), context in (("log_p", (100, 130), 20), ("log_p_behind", behind, 50)):
        reading = HarvestConfig(window=context + end - start, warmup=context, strands=(strand,))
        loss = genome_loss(hyena.model, other, config=reading, regions=[place(start, end)])
        assert row[column] == pytest.approx(-loss.nats_per_base, abs=1e-5)
    # as it was written, under the paints
    window = Window(place(100, 130, strand), 20)
    (passage,) = genome_passages(other, [window])
    read = tokenised(hyena.model, passage)
    edit = hyena.bound(canvas).edit(hyena.dictionary, [read])
    log_p = hyena.model.log_probs(torch.from_numpy(read.spans.ids)[None], edits=[edit])[0]
    assert row["log_p_painted"] == pytest.approx(float(log_p[19:].mean()), abs=1e-5)


def test_rows_of_designs_say_what_is_in_them(toy, genome):
    found = paint_designs(toy, Canvas((stroke_of(100, 130),)), place(100, 130), config=PLAIN)
    own = genome["c"].sequence[100:130]
    for row in found.table.to_dict("records"):
        text = row["sequence"]
        assert row["gc"] == pytest.approx(sum(it in "GC" for it in text) / 30)
        same = np.mean(np.frombuffer(text.encode(), np.uint8) == own)
        assert row["identity"] == pytest.approx(same)
        for frame in range(3):
            codons = [text[i : i + 3] for i in range(frame, 28, 3)]
            assert row[f"n_stops_{frame}"] == sum(it in ("TAA", "TAG", "TGA") for it in codons)
        before, both = genome["c"].sequence[80:100], genome["c"].sequence
        for name, text in (("copied_before", before), ("copied_known", both)):
            design = np.frombuffer(row["sequence"].encode(), np.uint8)
            assert row[name] == Texts([text]).longest_copy(design)
    assert found.table["design"].is_unique
    means = found.table.groupby("condition", sort=False)["gc"].mean()
    assert found.summary.set_index("condition")["gc"].to_dict() == pytest.approx(means.to_dict())
    assert "6 designs" in in_short(found.summary)


def test_constraints_hold_in_every_condition(hyena):
    config = PaintConfig(
        n_designs=2,
        context=20,
        behind=10,
        n_matched=0,
        template="ATG" + "N" * 15,
        avoid=("AAA", "GC"),
        labelled=200,
        doses=(3.0,),
    )
    canvas = Canvas((stroke_of(100, 118, phase=0, value=5.0),))
    found = paint_designs(hyena, canvas, place(100, 118), config=config)
    names = ["canvas", "random 1", "random 2", "difference of means", "shifted", "shuffled", "flat"]
    random = ["random weights, unpainted", "random weights"]
    assert list(dict.fromkeys(found.summary["condition"])) == ["unpainted", *names, *random]
    assert found.summary["dose"].tolist() == [0.0] + [3.0] * 7 + [0.0, 3.0]
    for text in found.table["sequence"]:
        assert text.startswith("ATG")
        assert not any(motif in text for motif in ("AAA", "TTT", "GC"))


def test_the_structure_holds_painted_and_not(hyena):
    config = replace(PLAIN, structure="((((....))))")
    found = paint_designs(hyena, Canvas((stroke_of(100, 112),)), place(100, 112), config=config)
    for text in found.table["sequence"]:
        pairs = {text[i] + text[11 - i] for i in range(4)}
        assert pairs <= {"AT", "TA", "CG", "GC", "GT", "TG"}


def test_shuffled_contexts_are_one_for_each_design(toy, genome):
    config = replace(PLAIN, prompt="shuffled", context=60, n_designs=8, temperature=0.0)
    found = paint_designs(toy, Canvas(()), place(100, 104), config=config)
    # the toy repeats the last base before the place, which shuffling keeps
    last = chr(genome["c"].sequence[99])
    assert written(found, "unpainted") == [last * 4] * 8


ANNOTATION = """##gff-version 3
c\tx\tCDS\t121\t180\t.\t+\t0\tID=a
c\tx\tCDS\t221\t259\t.\t-\t0\tID=b
"""


@pytest.fixture(scope="module")
def annotated(hyena, genome, tmp_path_factory):
    path = tmp_path_factory.mktemp("annotation") / "g.gff3"
    path.write_text(ANNOTATION)
    elements = define_elements(read_annotation(path, genome), genome, load_concepts())
    return replace(hyena, elements=elements)


def test_real_prompts_end_in_the_middle_of_an_element_behind_a_codon(annotated, genome):
    canvas = Canvas((stroke_of(100, 130, concept="CDS_phase0"),))
    found = real_prompts(annotated, canvas, 20, n=2, seed=0)
    letters = genome["c"].sequence
    # 60 bases from 120 on, and 39 before 259 on the other strand
    expected = {letters[130:150].tobytes(), reverse_complement(letters[241:261]).tobytes()}
    assert {it.tobytes() for it in found} == expected
    assert real_prompts(annotated, Canvas((stroke_of(100, 130),)), 20, n=2, seed=0) is None


def test_intergenic_prompts_are_bases_that_nothing_covers(annotated, genome):
    found = prompts("intergenic", genome["c"].sequence[:30], annotated, n=9, seed=0)
    free = [genome["c"].sequence[start:end] for start, end in ((0, 120), (180, 220), (259, 300))]
    both = [it.tobytes() for part in free for it in (part, reverse_complement(part))]
    assert len(found) == 9
    assert all(len(it) == 30 and any(it.tobytes() in text for text in both) for it in found)


@pytest.mark.parametrize("concept", ["CDS_phase0", ""])
def test_the_difference_of_means_is_that_of_labelled_and_other_bases(annotated, concept):
    stroke = stroke_of(100, 130, phase=0, concept=concept)
    schedule = annotated.bound(Canvas((stroke,)))
    (found,) = difference_of_means(annotated, schedule, n_bases=10_000)
    window = Window(place(0, 300), 0), Window(place(0, 300, "-"), 0)
    x, labels = [], []
    for (passage,) in ([it] for it in genome_passages(annotated.genome, window)):
        (found_x,) = annotated.model.run(
            torch.from_numpy(tokenised(annotated.model, passage).spans.ids)[None],
            capture=["blocks.3"],
        )["blocks.3"]
        x.append(found_x)
        minus = passage.window.kept.strand == "-"
        first, last = (300 - 259, 300 - 220) if minus else (120, 180)
        coding = torch.zeros(300, dtype=torch.bool)
        coding[first:last:3] = True
        fires = annotated.dictionary.amounts(found_x)[:, stroke.feature] > 0
        labels.append(coding if concept else fires)
    rows, at = torch.cat(x), torch.cat(labels)
    vector = rows[at].mean(0) - rows[~at].mean(0)
    own = annotated.dictionary.direction(stroke.feature).norm()
    torch.testing.assert_close(found, vector / vector.norm() * own, atol=1e-5, rtol=1e-4)


def test_a_model_that_cannot_write_is_refused(genome):
    class ReadingModel(ToyDnaModel):
        continuation = None

    model = ReadingModel()
    subject = Subject(model, genome, dictionary_of(model, "blocks.0", eye=True))
    with pytest.raises(InputError, match="expected a model that can write"):
        paint_designs(subject, Canvas(()), place(100, 110), config=PLAIN)


def test_work_that_is_ended_by_its_progress_says_how_far_it_was(toy):
    seen = []

    def report(done, total):
        seen.append((done, total))
        if done >= 40:
            raise KeyboardInterrupt

    canvas = Canvas((stroke_of(100, 110),))
    with pytest.raises(KeyboardInterrupt):
        paint_designs(toy, canvas, place(100, 110), config=PLAIN, progress=report)
    # two conditions of three designs of ten bases
    assert seen[0] == (3, 60)
    assert seen[-1] == (42, 60)


@pytest.mark.parametrize(
    ("where", "changes", "message"),
    [
        pytest.param(place(100, 110, "."), {}, r"place: expected a strand", id="strand"),
        pytest.param(place(100, 110), {"template": "NNN"}, "10 letters, as many as", id="template"),
        pytest.param(place(100, 110), {"structure": "()"}, "10 letters, as many", id="structure"),
        pytest.param(
            place(100, 110),
            {"prompt": "intergenic"},
            "prompt: expected an annotation with intergenic stretches of 20 bases",
            id="prompt",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(toy, where, changes, message):
    with pytest.raises(InputError, match=message):
        paint_designs(toy, Canvas(()), where, config=replace(PLAIN, **changes))
    with pytest.raises(ConfigError, match="n_designs: expected at least 1"):
        PaintConfig(n_designs=0)


def test_a_canvas_of_the_other_strand_alone_is_refused(toy):
    canvas = Canvas((stroke_of(100, 110, value=9.0, strand="-"),))
    with pytest.raises(InputError, match=r"expected a stroke on \+, which is written"):
        paint_designs(toy, canvas, place(100, 110), config=PLAIN)
    before = Canvas((stroke_of(90, 95, value=9.0),))
    assert len(paint_designs(toy, before, place(100, 110), config=PLAIN).table) == 6
