"""The steps that a dry run lists, and the estimates of their time."""

import re

import pytest

from genointerp.workflow.cost import COSTS, JOB, Step, as_lines, elapsed, estimate, planned, speed
from genointerp.workflow.folder import workflow_folder

LISTING = """\
Job stats:
job          count
rule harvest:
    input: g.fa
    output: ecoli/activations.h5
    jobid: 3
    wildcards: genome=ecoli
rule encode_rival:
    wildcards: rival=random, genome=ecoli
localrule all:
    input: report.html
"""


def test_jobs_are_listed_with_what_they_are_of():
    assert planned(LISTING) == [("harvest", "ecoli"), ("encode_rival", "random ecoli")]


def test_every_rule_with_a_cost_is_a_rule_of_the_workflow():
    text = "".join(path.read_text() for path in (workflow_folder() / "rules").glob("*.smk"))
    assert set(COSTS) <= set(re.findall(r"^rule (\w+):", text, re.M))


def test_a_step_of_a_genome_costs_by_its_bases_and_one_of_the_run_by_all():
    bases = {"a": 1_000_000, "b": 3_000_000}
    steps = estimate([("encode", "a"), ("associate", "")], bases, speed=2.0)
    encode, associate = COSTS["encode"], COSTS["associate"]
    assert steps[0].seconds == pytest.approx(JOB + (encode.fixed + encode.per_mb) / 2)
    assert steps[1].seconds == pytest.approx(JOB + (associate.fixed + 4 * associate.per_mb) / 2)


def test_a_training_has_a_limit_however_much_is_read():
    few, many = (estimate([("train_sae", "")], {"a": n})[0].seconds for n in (50_000, 5_000_000))
    cost = COSTS["train_sae"]
    assert few == pytest.approx(JOB + cost.fixed + cost.per_mb * 0.05)
    assert many == JOB + cost.fixed + cost.most


def test_steps_that_wait_for_each_other_take_no_less_time_on_more_cores():
    steps = [Step("harvest", "a", 60.0), Step("encode", "a", 30.0), Step("find", "a", 10.0)]
    assert elapsed(steps, 1) == 100.0
    assert elapsed(steps, 8) == 90.0


def test_the_last_line_is_of_all_steps_and_says_that_it_is_an_estimate():
    lines = as_lines([Step("harvest", "a", 600.0), Step("rank", "", 30.0)], 2)
    assert lines == [
        "harvest a  about 10 minutes",
        "rank       about 30 seconds",
        "2 steps, about 10 minutes on 2 cores (an estimate)",
    ]
    assert as_lines([], 2) == ["nothing to do: every step is done"]


def test_a_speed_is_measured():
    assert speed() > 0
