"""Who sees how far a long function is: terminals and logs of commands, but no program's stderr."""

import contextvars
import os
import pty
import subprocess
import sys

import pytest

from genointerp.core.progress import hide_progress, log_progress, progress_bar, status_line


def reported(*settings):
    """Report 0, 1, .. 50 of 50 under settings of a program, which end with it."""

    def program():
        for setting in settings:
            setting()
        with progress_bar("bases") as report:
            for done in range(51):
                report(done, 50)

    contextvars.Context().run(program)


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


def run_shown(*settings, given=None):
    """Show a run of two steps under settings of a program."""

    def program():
        for setting in settings:
            setting()
        with status_line(given) as line:
            line.status("0 of 2 steps done")
            line.show("1 of 2 steps done: [b]")
            line.status("1 of 2 steps done")

    contextvars.Context().run(program)


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ((), ""),
        ((log_progress,), "1 of 2 steps done: [b]\n"),
        ((log_progress, hide_progress), ""),
    ],
)
def test_a_log_has_the_lines_of_a_run_that_stay(capsys, settings, shown):
    run_shown(*settings)
    assert capsys.readouterr() == ("", shown)


def test_the_callback_of_a_caller_gets_the_lines_of_a_run():
    lines = []
    run_shown(given=lines.append)
    assert lines == ["1 of 2 steps done: [b]"]


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal_shows_where_a_run_is_below_the_lines_that_stay():
    ours, theirs = pty.openpty()
    script = (
        "from genointerp.core.progress import status_line\n"
        "with status_line() as line:\n"
        "    line.status('0 of 2 steps done')\n"
        "    line.show('1 of 2: [b]')\n"
        "    line.status('at work: ' + 'x' * 200)\n"
    )
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "40"}
    subprocess.run([sys.executable, "-c", script], stderr=theirs, env=environment, check=True)
    os.close(theirs)
    text = os.read(ours, 10_000).decode()
    assert text.index("0 of 2 steps done") < text.index("1 of 2: [b]") < text.index("at work: xxx")
    assert "x" * 40 not in text
    # the last line is wiped out at the end
    assert text.rstrip("\r\n").endswith(("\x1b[2K", "\x1b[?25h"))
