import copy

import pytest

from genointerp.core.errors import AnnotationError, ConfigError, SequenceError
from genointerp.workflow.check import check_inputs

GFF3 = "##gff-version 3\nc1\tx\ttRNA\t1\t9\t.\t+\t.\tID=a\n"


@pytest.fixture
def config(tmp_path):
    (tmp_path / "g.fa").write_text(f">c1\n{'ACGT' * 25}\n>c2\n{'ACGT' * 25}\n")
    (tmp_path / "g.gff3").write_text(GFF3)
    genome = {"sequence": f"{tmp_path}/g.fa", "annotation": f"{tmp_path}/g.gff3"}
    return {
        "genomes": {"g": {**genome, "regions": ["c1:1-50", "c2"]}},
        "test": ["c1"],
        "fidelity": {"genome": "g", "regions": ["c1:1-10"]},
        "queries": {"q": {"genome": "g", "region": "c1:5-9"}},
    }


def test_inputs_that_fit_each_other_pass(config):
    check_inputs(config, where="run.yaml")


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("genomes", "g", "regions"), ["c1:1-999"], r"genomes\.g\.regions: c1:1-999: expected 1 <"),
        (("fidelity", "regions"), ["zz"], r"fidelity\.regions: zz: expected a region of c1, c2"),
        (("queries", "q", "region"), "c1:9-5", r"queries\.q: c1:9-5: expected 1 <= first"),
        (("test",), ["zz"], r"run\.yaml: test: expected one of c1, c2, g, found 'zz'"),
        (
            ("genomes", "g", "regions"),
            ["c1", "c1:5-9"],
            r"g\.regions: expected intervals that do not",
        ),
        (
            ("genomes", "g", "regions"),
            ["c2"],
            r"test: expected bases that are read on the test side",
        ),
        (("test",), ["c1", "c2"], r"run\.yaml: test: expected at least one sequence left for fit"),
        (
            ("baselines",),
            {"random": {"g": ["c2:1-9", "c2:20-30"]}},
            r"baselines\.random: expected regions with bases of the test side, which are of g, "
            r"found c2:1-9, c2:20-30 alone$",
        ),
        (
            ("baselines",),
            {"random": {"g": ["c1"]}},
            r"baselines\.random: expected regions with bases of the fit side, which are of g, ",
        ),
    ],
    ids=[
        *("genome", "fidelity", "query", "test", "overlap", "not-read", "no-fit"),
        *("random-test", "random-fit"),
    ],
)
def test_a_place_that_does_not_exist_is_told_before_the_run(config, keys, value, message):
    changed = copy.deepcopy(config)
    inner = changed
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    with pytest.raises(ConfigError, match=message):
        check_inputs(changed, where="run.yaml")


CANVAS = "seqid\tstart\tend\tstrand\tfeature\tmode\tvalue\n"
INSIDE = "c1\t1\t9\t+\t1\tset\t1"


@pytest.mark.parametrize(
    ("command", "entry", "rows", "message"),
    [
        ("steer", {}, "c1\t90\t220\t+\t1\tset\t1", "row 1: expected end <= 100"),
        ("steer", {}, INSIDE.replace("set", "sett"), "mode: expected one of .*, found sett"),
        (
            "steer",
            {"regions": ["c9"]},
            INSIDE,
            r"interventions\.steer\.one: c9: expected a region of",
        ),
        ("paint", {"region": "c1:1-9", "profile_from": "tRNA"}, INSIDE, "profile_from, found both"),
        ("paint", {"region": "c1:1-9", "strand": "-"}, INSIDE, "expected a stroke on -, which is"),
        ("paint", {"region": "c1:1-9", "template": "NN"}, INSIDE, "template: expected 9 letters"),
        ("paint", {"region": "c1:1-9", "structure": "()"}, INSIDE, "structure: expected 9 letters"),
        ("edit", {"feature": 1}, INSIDE, "one genome to fit on and another to measure on"),
    ],
    ids=["off-the-contig", "mode", "region", "both", "strand", "template", "structure", "edit"],
)
def test_a_canvas_that_cannot_be_painted_is_told_before_the_run(
    config, tmp_path, command, entry, rows, message
):
    canvas = tmp_path / "canvas.tsv"
    canvas.write_text(f"{CANVAS}{rows}\n")
    own = {"genome": "g", "canvas": str(canvas), **entry}
    with pytest.raises(ValueError, match=message) as caught:
        check_inputs(config | {"interventions": {command: {"one": own}}}, where="run.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, r"explanations\.one: expected one of at, variant and vcf, found none"),
        ({"at": ["c1:5"], "variant": ["c1:5:A>C"]}, "found at and variant"),
        ({"at": ["c9:5"]}, r"explanations\.one: c9:5: expected a region of"),
        ({"variant": ["5:A>C"]}, r"explanations\.one: 5:A>C: expected SEQID:POS:REF>ALT"),
        ({"at": ["c1:1"]}, r"c1:1: expected a base that is read before the first .*, found none"),
        ({"at": ["c1:100"]}, "c1:100: expected a base that is read before"),
        ({"vcf": "##fileformat=VCFv4.2\nc9\t1\t.\tA\tC\n"}, "line 2: expected a contig"),
    ],
    ids=["none", "both", "contig", "seqid", "first", "last", "vcf"],
)
def test_a_question_that_cannot_be_answered_is_told_before_the_run(
    config, tmp_path, entry, message
):
    if "vcf" in entry:
        (tmp_path / "some.vcf").write_text(entry["vcf"])
        entry = {"vcf": str(tmp_path / "some.vcf")}
    asked = {"explanations": {"one": {"genome": "g", **entry}}}
    with pytest.raises(ValueError, match=message) as caught:
        check_inputs(config | asked, where="run.yaml")
    assert "\n" not in str(caught.value)


def test_sides_are_those_of_the_settings_of_associate(config, tmp_path):
    (tmp_path / "blocks.yaml").write_text("{block_bp: 20, gap_bp: 0}")
    config |= {"associate": f"{tmp_path}/blocks.yaml", "test": []}
    del config["genomes"]["g"]["regions"]
    for region, side in (("c1:1-20", "test"), ("c2:21-40", "fit")):
        message = f"baselines.random: expected regions with bases of the {side} side"
        with pytest.raises(ConfigError, match=message):
            check_inputs(config | {"baselines": {"random": {"g": [region]}}}, where="run.yaml")
    check_inputs(config | {"baselines": {"random": {"g": ["c1:20-21"]}}}, where="run.yaml")


def test_damaged_files_are_told_before_the_run(config, tmp_path):
    (tmp_path / "g.gff3").write_text(GFF3.replace("c1", "zz"))
    with pytest.raises(AnnotationError, match="line 2: expected a contig of the genome"):
        check_inputs(config, where="run.yaml")
    (tmp_path / "g.fa").write_text("")
    with pytest.raises(SequenceError, match="empty"):
        check_inputs(config, where="run.yaml")


def test_one_genome_under_two_names_is_told_before_the_run(config):
    config["genomes"]["h"] = config["genomes"]["g"]
    with pytest.raises(
        ConfigError, match=r"genomes\.h: expected another genome than g, found the sa"
    ):
        check_inputs(config, where="run.yaml")


def test_a_genome_is_held_out_by_its_name_though_its_sequences_have_like_names(config, tmp_path):
    (tmp_path / "h.fa").write_text(f">c1\n{'ACGA' * 25}\n>c2\n{'ACGT' * 20}\n")
    config["genomes"]["h"] = {"sequence": f"{tmp_path}/h.fa", "annotation": f"{tmp_path}/g.gff3"}
    assert check_inputs(config | {"test": ["h"]}, where="run.yaml") == []
    with pytest.raises(ConfigError, match=r"test: expected .*, found every sequence named"):
        check_inputs(config | {"test": ["g", "h"]}, where="run.yaml")
    (tmp_path / "h.fa").write_text(f">g\n{'ACGA' * 25}\n>c1\n{'ACGT' * 20}\n")
    with pytest.raises(ConfigError, match=r"not both of a genome and of a sequence, found 'g'"):
        check_inputs(config | {"test": ["g"]}, where="run.yaml")


def test_blocks_that_are_made_to_fit_are_told_with_the_sizes_of_the_sides(config):
    config |= {"test": []}
    (line,) = check_inputs(config, where="run.yaml")
    assert line == (
        "fit and test are alternate blocks of 24 bases, without 1 at each of their ends: "
        "72 bases read on fit, 66 on test"
    )


def test_a_genome_without_annotation_is_said_to_be_predicted_or_to_have_no_associations(config):
    del config["genomes"]["g"]["annotation"]
    config["genomes"]["g"]["annotate_with"] = ["pyrodigal"]
    lines = check_inputs(config, where="run.yaml")
    assert lines == ["g: no annotation; it is predicted by pyrodigal"]
    config["genomes"]["g"]["annotate_with"] = []
    (line,) = check_inputs(config, where="run.yaml")
    assert "genointerp[annotate]" in line
    assert line.endswith("the run goes on without associations")


@pytest.mark.parametrize(
    ("entry", "found"),
    [({"mode": "scale"}, "scale without"), ({"value": 2}, "ablate with")],
    ids=["no-value", "a-value"],
)
def test_an_edit_has_a_value_where_its_mode_needs_one(config, tmp_path, entry, found):
    (tmp_path / "h.fa").write_text(f">h1\n{'ACGA' * 25}\n")
    (tmp_path / "h.gff3").write_text("##gff-version 3\n")
    other = {"sequence": f"{tmp_path}/h.fa", "annotation": f"{tmp_path}/h.gff3"}
    config["genomes"]["h"] = other
    edits = {"edit": {"one": {"feature": 1, **entry}}}
    with pytest.raises(ConfigError, match=f"interventions.edit.one: .*, found {found}"):
        check_inputs(config | {"interventions": edits}, where="run.yaml")
