"""What is told of a run while it is at work, from the lines of its logs."""

import pytest

from genointerp.workflow.account import Account
from genointerp.workflow.cost import COSTS, JOB, duration

BASES = {"a": 1_000_000, "b": 3_000_000}
STATS = """\
Job stats:
job        count
-------  -------
encode         2
rank           1
all            1
total          4

"""
ENCODE = """\
[Mon Nov 30 10:23:58 2026]
localrule encode:
    input: {name}/activations.h5
    log: logs/{name}/encode.log
    jobid: {number}
    wildcards: genome={name}
[Mon Nov 30 10:23:59 2026]
"""
ALL = """\
localrule all:
    input: report.html
    jobid: 7
"""


ERROR = """\
[Mon Nov 30 10:24:01 2026]
Error in rule encode:
    message: None
    jobid: 5
    input: a/activations.h5
    output: a/features.h5
    log: logs/a/encode.log (check log file(s) for error details)
    shell:
        genointerp encode a/activations.h5
        (command exited with non-zero exit code)
"""


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shown():
    return []


@pytest.fixture
def account(clock, shown):
    return Account(BASES, cores=1, speed=1.0, show=shown.append, clock=clock)


def tell(account, text):
    for line in text.splitlines():
        account.of_snakemake(line)


def seconds(rule, n_mb):
    return JOB + COSTS[rule].fixed + COSTS[rule].per_mb * n_mb


def test_before_the_steps_are_counted_they_are_being_planned(account):
    assert account.status() == "planning the steps"


def test_a_step_is_counted_when_it_ends_with_its_last_word(account, shown):
    tell(account, STATS + ENCODE.format(name="b", number=4) + ENCODE.format(name="a", number=5))
    account.of_step("b/encode", "encode (bases): 10 of 40")
    account.of_step("b/encode", "40 bases read -> b/features.h5")
    account.of_step("a/encode", "encode (bases): 30 of 40")
    assert account.status().startswith("0 of 3 steps done; b/encode 25%, a/encode 75% at work; ")
    tell(account, "Finished jobid: 4 (Rule: encode)")
    assert len(shown) == 1
    assert shown[0].startswith("1 of 3 steps done: b/encode: 40 bases read -> b/features.h5 (about")
    assert account.status().startswith("1 of 3 steps done; a/encode 75% at work; ")


def test_a_step_that_failed_is_at_work_no_more_and_names_no_other(account, shown):
    tell(account, STATS + ENCODE.format(name="a", number=5) + ENCODE.format(name="b", number=4))
    tell(account, ERROR)
    assert account.status().startswith("0 of 3 steps done; b/encode at work; ")
    tell(account, "Finished jobid: 4 (Rule: encode)")
    assert [line.partition(" (")[0] for line in shown] == ["1 of 3 steps done: b/encode"]


def test_the_target_of_the_run_is_no_step(account, shown):
    tell(account, STATS + ALL + "Finished jobid: 7 (Rule: all)\n")
    assert shown == []
    assert account.status().startswith("0 of 3 steps done; nothing at work; ")


def test_the_last_step_has_nothing_after_it(account, shown):
    tell(account, STATS.replace("encode         2\n", ""))
    tell(account, "localrule rank:\n    jobid: 1\nFinished jobid: 1 (Rule: rank)\n")
    assert shown == ["1 of 1 steps done: rank"]


def test_the_time_that_is_left_is_that_of_the_steps_that_are(account, clock):
    whole = seconds("encode", 1) + seconds("encode", 3) + seconds("rank", 4)
    tell(account, STATS)
    assert account.status().endswith(f"{duration(whole)} left")
    tell(account, ENCODE.format(name="b", number=4))
    account.of_step("b/encode", "encode (bases): 20 of 40")
    left = seconds("encode", 3) / 2 + seconds("encode", 2) + seconds("rank", 4)
    clock.now = 10 * (whole - left)
    # ten times as slow as the machine of reference, so far
    assert account.status().endswith(f"{duration(10 * left)} left")


def test_a_warning_is_told_once_with_the_steps_that_gave_it(account, shown):
    for step in ("associate", "backtest", "backtest"):
        for name in ("tmRNA", "prophage", "riboswitch", "IS", "CDS"):
            account.of_step(step, f"warning: {name} (both): no covered base on fit")
    account.of_step("train", "warning: the mean exceeds the spread")
    account.of_step("train", "trained on 12 tokens")
    assert account.warnings() == [
        "tmRNA (both), prophage (both), riboswitch (both) and 2 more: no covered base on fit "
        "(associate, backtest)",
        "the mean exceeds the spread (train)",
    ]
    assert shown == []


def test_an_error_is_told_at_once(account, shown):
    account.of_step("a/harvest", "genointerp: a.fa: expected bases, found none")
    assert shown == ["a/harvest: a.fa: expected bases, found none"]
