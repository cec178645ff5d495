"""What a user is told to do after a run: commands that work for it."""

import shlex

import pytest
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.command.start.start import next_commands


@pytest.mark.parametrize("index", [0, 1, 2], ids=["query", "top", "plot"])
def test_the_commands_that_a_user_is_shown_work(run_dir, tmp_path, index):
    line = next_commands(run_dir)[index]
    words = shlex.split(line.replace(f"{run_dir}/feature", f"{tmp_path}/feature"))
    assert words[0] == "genointerp"
    result = CliRunner().invoke(app, words[1:])
    assert result.exit_code == 0, result.output
