"""What a program writes on its standard error."""

import io
import logging
import sys

import pytest

from genointerp.core.messages import MessageHandler


class Stream(io.TextIOWrapper):
    """A file, or a terminal, in memory."""

    def __init__(self, *, is_terminal=False):
        super().__init__(io.BytesIO(), encoding="utf-8")
        self.is_terminal = is_terminal

    def isatty(self):
        return self.is_terminal

    def lines(self):
        return self.buffer.getvalue().decode().splitlines()


@pytest.fixture
def stderr(monkeypatch):
    """Return a function that makes the standard error a file or a terminal in memory."""

    def make(*, is_terminal=False):
        stream = Stream(is_terminal=is_terminal)
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return make


def say(*messages):
    handler, log = MessageHandler(), logging.Logger("of a test")
    log.addHandler(handler)
    for level, text in messages:
        log.log(level, text)
    return handler


MESSAGES = [
    (logging.WARNING, "tmRNA: no base on fit"),
    (logging.INFO, "20 rows -> rows.tsv"),
    (logging.WARNING, "tmRNA: no base on fit"),
    (logging.WARNING, "IS: no base on fit"),
    (logging.WARNING, "no base on fit"),
]


def test_a_log_has_each_warning_once_where_it_came(stderr):
    log = stderr()
    say(*MESSAGES).tell()
    assert log.lines() == [
        "warning: tmRNA: no base on fit",
        "20 rows -> rows.tsv",
        "warning: IS: no base on fit",
        "warning: no base on fit",
    ]


def test_a_person_reads_the_warnings_at_the_end_in_a_line_for_each_kind(stderr):
    terminal = stderr(is_terminal=True)
    handler = say(*MESSAGES)
    assert terminal.lines() == ["20 rows -> rows.tsv"]
    handler.tell()
    assert terminal.lines()[1:] == [
        "warning: tmRNA, IS: no base on fit",
        "warning: no base on fit",
    ]


@pytest.mark.parametrize("is_terminal", [False, True])
def test_an_error_is_no_warning(stderr, is_terminal):
    stream = stderr(is_terminal=is_terminal)
    say((logging.ERROR, "broken"), (logging.ERROR, "broken"))
    assert stream.lines() == ["broken", "broken"]
