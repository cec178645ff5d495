"""Who sees how far a long function is: terminals and logs of commands, but no program's stderr."""

import contextvars
import os
import pty
import subprocess
import sys

import pytest

from genointerp.core.progress import hide_progress, log_progress, progress_bar


def reported(*settings):
    """Report 0, 1, .. 50 of 50 under settings of a program, which end with it."""

    def program():
        for setting in settings:
            setting()
        with progress_bar("bases") as report:
            for done in range(51):
                report(done, 50)

    contextvars.copy_context().run(program)


def test_nothing_is_written_where_stderr_is_no_terminal(capsys):
    reported()
    assert capsys.readouterr() == ("", "")


def test_the_log_of_a_command_gets_a_line_each_tenth_of_the_way(capsys):
    reported(log_progress)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"bases: {done} of 50" for done in range(0, 51, 5)]


def test_what_is_hidden_is_not_in_the_log_either(capsys):
    reported(log_progress, hide_progress)
    assert capsys.readouterr() == ("", "")


def test_the_callback_of_a_caller_is_called_in_place_of_drawing():
    seen = []
    with progress_bar("bases", lambda done, total: seen.append((done, total))) as report:
        report(3, 4)
    assert seen == [(3, 4)]


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal_shows_a_bar():
    ours, theirs = pty.openpty()
    script = (
        "from genointerp.core.progress import progress_bar\n"
        "with progress_bar('bases') as report:\n"
        "    report(50, 50)\n"
    )
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    subprocess.run([sys.executable, "-c", script], stderr=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "bases" in shown
    assert "50/50" in shown
