"""The comparisons of a run: twins that it makes, and what is told before it starts."""

import json

import pytest

from genointerp.core.errors import ConfigError
from genointerp.workflow.comparisons import check_comparisons, genomes_of_twin, twin_of_other


@pytest.fixture
def other(tmp_path):
    """A run of one genome whose dictionary was trained there."""
    run = tmp_path / "other"
    (run / "g").mkdir(parents=True)
    (run / "sae").mkdir()
    (run / "sae" / "train_config.yaml").write_text("seed: 1\n")
    (run / "config.yaml").write_text(json.dumps({"genomes": {"g": {"sequence": "g.fa"}}}))
    (run / "g" / "features.h5").touch()
    return run


def config(command="match", **entry):
    genomes = {name: {} for name in ("fitted", "b", "c")}
    compared = {command: {"one": {"genome": "b", **entry}}}
    return {"genomes": genomes, "fit": ["fitted"], "comparisons": compared}


def checked(values, *, is_annotated=True):
    return check_comparisons(values, is_annotated=is_annotated, where="run.yaml")


def test_what_is_compared_and_what_is_trained_on_is_read_with_random_weights():
    assert genomes_of_twin(config(features="f.h5", twin=True)) == ["fitted", "b"]
    assert genomes_of_twin(config(features="f.h5", twin=True, twin_a="t.h5")) == []
    assert genomes_of_twin(config(features="f.h5")) == []


def test_the_other_twin_is_made_of_the_run_in_which_the_file_lies(other, tmp_path):
    entry = {"features": str(other / "g" / "features.h5"), "twin": True}
    assert twin_of_other("match", entry) == (other, "g")
    assert twin_of_other("match", entry | {"twin_b": "t.h5"}) is None
    assert twin_of_other("match", entry | {"twin": False}) is None
    (tmp_path / "alone.h5").touch()
    assert twin_of_other("match", entry | {"features": str(tmp_path / "alone.h5")}) is None
    # a dictionary that was there before the run has no settings of a training
    (other / "sae" / "train_config.yaml").unlink()
    assert twin_of_other("match", entry) is None


def test_a_twin_that_is_not_made_is_noted(other):
    of_run = str(other / "g" / "features.h5")
    assert checked(config(features=of_run, twin=True)) == []
    (note,) = checked(config("similar", activations="x/a.h5", twin=True))
    assert note.startswith("comparisons.similar.one: no twin of the other model is made, since x/a")
    assert "\n" not in note


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "across.one: expected one of other_genome and features, found none"),
        ({"other_genome": "c", "features": "f.h5"}, "found other_genome and features"),
        ({"other_genome": "b"}, "one: other_genome: expected another genome, found b"),
        ({"features": "/x/f.h5"}, "one: features: expected features in the directory of a run"),
    ],
    ids=["none", "both", "itself", "no-run"],
)
def test_genomes_that_cannot_be_compared_are_told_before_the_run(entry, message):
    with pytest.raises(ConfigError, match=message) as caught:
        checked(config("across", **entry))
    assert "\n" not in str(caught.value)


def test_a_run_without_annotation_or_training_is_told_what_it_cannot_compare(other):
    with pytest.raises(ConfigError, match="expected annotated genomes, found none"):
        checked(config("across", other_genome="c"), is_annotated=False)
    values = config(features=str(other / "g" / "features.h5"), twin=True)
    del values["fit"]
    with pytest.raises(ConfigError, match="one: twin: expected a run that trains its dictionary"):
        checked(values)
    values["comparisons"]["match"]["one"]["twin_a"] = "t.h5"
    assert checked(values) == []
