"""Following logs while they grow."""

import os

import pytest

from genointerp.workflow.follow import LogFollower


@pytest.fixture
def lines():
    return []


def follow(folder, lines):
    return LogFollower(folder, lambda step, line: lines.append(f"{step}: {line}"))


def test_each_complete_line_is_shown_once_under_its_step(tmp_path, lines):
    follower = follow(tmp_path, lines)
    (tmp_path / "ecoli").mkdir()
    log = tmp_path / "ecoli" / "harvest.log"
    log.write_text("1 of 2\n2 o")
    follower.look()
    follower.look()
    assert lines == ["ecoli/harvest: 1 of 2"]
    with log.open("a") as handle:
        handle.write("f 2\n")
    follower.look()
    assert lines == ["ecoli/harvest: 1 of 2", "ecoli/harvest: 2 of 2"]


def test_what_an_earlier_run_wrote_is_not_shown(tmp_path, lines):
    (tmp_path / "train.log").write_text("old\n")
    follower = follow(tmp_path, lines)
    follower.look()
    assert lines == []


@pytest.mark.parametrize("text", ["new\n", "as long an old\n", "a longer line than the old\n"])
@pytest.mark.parametrize("is_seen_empty", [False, True])
def test_a_log_that_is_begun_anew_is_read_from_its_start(tmp_path, lines, text, is_seen_empty):
    log = tmp_path / "train.log"
    log.write_text("a long old one\n")
    os.utime(log, (0, 0))
    follower = follow(tmp_path, lines)
    if is_seen_empty:
        log.write_text("")
        follower.look()
    log.write_text(text)
    follower.look()
    follower.look()
    assert lines == [f"train: {text.strip()}"]


@pytest.mark.parametrize("text", ["new\n", "first\n", "a longer line than the first\n"])
def test_a_step_that_is_tried_again_is_read_from_its_start(tmp_path, lines, text):
    log = tmp_path / "train.log"
    follower = follow(tmp_path, lines)
    for written in ("first\n", "", text):
        log.write_text(written)
        follower.look()
    assert lines == ["train: first", f"train: {text.strip()}"]


def test_the_last_line_is_shown_though_it_never_ended(tmp_path, lines):
    follower = follow(tmp_path, lines)
    (tmp_path / "train.log").write_text("killed here")
    follower.look()
    follower.look(is_over=True)
    assert lines == ["train: killed here"]


def test_a_log_of_bytes_that_are_no_text_is_read_on(tmp_path, lines):
    follower = follow(tmp_path, lines)
    (tmp_path / "train.log").write_bytes(b"a \xff b\r\n\n\nc\n")
    follower.look()
    assert lines == ["train: a \N{REPLACEMENT CHARACTER} b", "train: c"]
