"""The program as a whole: its commands, its start and its ends."""

import ast
import logging
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import genointerp
from genointerp.cli import main
from genointerp.cli.examples import EXAMPLES
from genointerp.cli.main import app
from genointerp.core.errors import InputError
from genointerp.store.contigs import ContigInfo
from tests.stores import dense_features, write_features

COMMANDS = [
    *["fetch", "annotate", "models", "harvest", "train", "adopt", "convert", "evaluate", "encode"],
    "tune",
    *[
        "associate",
        "ablate",
        "steer",
        "paint",
        "edit",
        "edges",
        "mediate",
        "trace",
        "circuit",
        "explain",
        "mutate",
        "dependency",
        "diff",
        "match",
        "across",
        "similar",
        "twin",
        "rank",
        "dossier",
        "backtest",
        "label",
        "score",
        "query",
        "top",
        "motif",
        "export",
    ],
    *["verify", "report", "serve", "summarise", "start", "init", "run", "demo", "plot"],
]


PROGRAM = typer.main.get_command(app)


def program(*arguments, **options):
    code = "import sys; from genointerp.cli.main import main; sys.argv[0] = 'genointerp'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, **options
    )


def commands(program=PROGRAM, names=()):
    """Each command that does something, by its words."""
    for name, command in program.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*names, name))
        else:
            yield " ".join((*names, name)), command


def test_help_lists_every_command():
    assert list(PROGRAM.commands) == COMMANDS


@pytest.mark.parametrize(("name", "command"), [*commands()])
def test_help_shows_two_examples_that_are_commands(name, command):
    assert len(EXAMPLES[name]) == 2
    for example in EXAMPLES[name]:
        words = shlex.split(example)
        n_words = 1 + len(name.split())
        assert words[:n_words] == ["genointerp", *name.split()]
        command.make_context(name, words[n_words:])
        assert example in command.epilog


@pytest.mark.parametrize(("name", "command"), [*commands()])
def test_what_a_command_writes_is_named_by_o(name, command):
    outs = [param.opts for param in command.params if param.name == "out"]
    assert outs == ([] if name in ("models", "verify", "serve") else [["--out", "-o"]])


def test_every_command_is_in_the_panel_of_its_group():
    panels = {command.rich_help_panel for command in PROGRAM.commands.values()}
    assert panels == {*main._PANELS.values()}


def test_options_of_the_program_stand_anywhere_before_two_dashes(monkeypatch):
    seen = []
    monkeypatch.setattr(main, "hide_progress", lambda: seen.append("hidden"))
    level = logging.getLogger().level
    try:
        for words in (["-q", "models"], ["models", "--quiet"], ["models", "-q"]):
            assert CliRunner().invoke(app, words).exit_code == 0
        assert seen == ["hidden"] * 3
        assert logging.getLogger().level == logging.ERROR
    finally:
        logging.getLogger().setLevel(level)
    found = CliRunner().invoke(app, ["run", "no.yaml", "--", "-q"])
    assert seen == ["hidden"] * 3
    assert found.exit_code != 0


def test_the_package_runs_as_the_program():
    done = subprocess.run(
        [sys.executable, "-m", "genointerp", "--version"], capture_output=True, text=True
    )
    assert done.stdout == f"genointerp {genointerp.__version__}\n"


def test_a_command_that_is_mistyped_is_suggested():
    assert "Did you mean 'query'?" in CliRunner().invoke(app, ["qeury"]).output


def test_a_choice_that_is_mistyped_is_suggested(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    found = CliRunner().invoke(app, ["query", "f.h5", "--format", "jsno"])
    assert found.exit_code == 2
    assert "'jsno' is not one of" in found.output
    assert "(did you mean 'json'?)" in found.output


def test_h_asks_for_help_of_each_command():
    assert "--min-activation" in CliRunner().invoke(app, ["query", "-h"]).output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_help_imports_no_heavy_library():
    heavy = ("torch", "pandas", "matplotlib", "snakemake", "pysam", "h5py")
    code = (
        "import sys\n"
        "from genointerp.cli.main import app\n"
        f"for command in {['', *COMMANDS]!r}:\n"
        "    app([*command.split(), '--help'], standalone_mode=False)\n"
        f"    found = [name for name in {heavy!r} if name in sys.modules]\n"
        "    assert not found, (command, found)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_a_wrong_input_ends_with_one_line_and_status_1(tmp_path):
    config = tmp_path / "run.yaml"
    config.write_text("genomez: {}\n")
    result = program("run", str(config), "--out", str(tmp_path / "out"))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "did you mean 'genomes'?" in result.stderr


@pytest.mark.parametrize(
    "line",
    [
        "annotate none --genome none --out o.tsv",
        "harvest none --out o.h5",
        "train none --out o",
        "adopt none none --out o",
        "evaluate none --sae none --out o.json",
        "encode none --sae none --out o.h5",
        "tune nano --genome none --out o",
        "associate none --annotations none --out o.tsv",
        "ablate none --sae none --genome none --out o.tsv",
        "steer none --canvas none.tsv --sae none --out o.tsv",
        "paint none c:1-9 --canvas none.tsv --sae none --out o.tsv",
        "mediate none --group 1,2 --sae none --genome none --out o.tsv",
        "trace none c:1-9 --sae none --out o.json",
        "edges none --below none --sae none --genome none --out o.tsv",
        "explain none --at c:9 --sae none --out o.tsv",
        "mutate none c:9 --sae none --out o.tsv",
        "dependency none c:1-9 --model nano --out o.tsv",
        "diff nano nano --genome none --out o.tsv",
        "match none none --out o.tsv",
        "rank none --associations none --genome none --out o.tsv",
        "dossier none.tsv --features none --genome none --annotations none --out o",
        "backtest none --annotations none --genome none --associations none --out o.tsv",
        "query none chrI",
        "top none 0",
        "motif none 0 --out o.meme",
        "export none 0 --out o.bw",
        "verify none",
        "report none --out o.html",
        "serve none",
        "summarise none --training none --fidelity none --out o --best-out b.tsv --text-out t.tsv",
        "start none --out o",
        "init none --out o.yaml",
        "run none --out o",
        "plot graph none.json --out o.png",
        "plot region none chrI --annotations none --genome none --out o.png",
        "plot overlap none.tsv --out o.png",
        "plot feature none 0 --out o.png",
        "plot curves none --annotations none --associations none.tsv --out o.png",
        "plot metagene none 0 --annotations none --associations none.tsv --concept x --out o.png",
        "plot circle none 0 --annotations none --genome none --out o.png",
        "plot density none --out o.png",
        "plot dictionary none --out o.png",
        "plot divergence none.tsv --out o.png",
        "plot training none --out o.png",
        "plot match none.tsv --out o.png",
        "plot latents none.tsv --out o.png",
    ],
)
def test_a_file_that_is_not_there_is_a_wrong_input_to_every_command(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^none.*: expected .*, found (no file|none)$"):
        app(line.split(), standalone_mode=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["run"], ["demo", "--cores", "0"]], ids=["command", "few", "range"]
)
def test_wrong_usage_ends_with_status_2(arguments):
    assert program(*arguments).returncode == 2


def test_version_is_that_of_the_package():
    from genointerp import __version__

    assert program("--version").stdout == f"genointerp {__version__}\n"


def test_a_reader_that_has_seen_enough_is_no_error():
    code = (
        "import sys\n"
        "from genointerp.cli import main\n"
        "def flood():\n"
        "    while True:\n"
        "        print('feature')\n"
        "main.app.command('flood')(flood)\n"
        "sys.argv = ['genointerp', 'flood']\n"
        "main.main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


FAULT = (
    "import sys\n"
    "from genointerp.cli import main\n"
    "def fail():\n"
    "    raise TypeError('two\\nlines')\n"
    "main.app.command('fail')(fail)\n"
    "sys.argv = ['genointerp', *sys.argv[1:], 'fail']\n"
    "main.main()\n"
)


def test_what_nobody_foresaw_is_one_line_that_says_what_to_report():
    done = subprocess.run([sys.executable, "-c", FAULT], capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("genointerp: expected to go on, found TypeError: two lines (a fault of")
    assert "--traceback" in line


def test_a_traceback_is_shown_where_it_is_asked_for():
    arguments = [sys.executable, "-c", FAULT, "--traceback"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last)")
    assert "genointerp: expected to go on" in done.stderr.splitlines()[-1]


def test_a_locale_that_is_not_utf_8_is_no_error(tmp_path):
    path = tmp_path / "f.h5"
    contigs = (ContigInfo("chr\u03b1", 40, circular=False),)
    write_features(path, dense_features(contigs=contigs), contigs=contigs)
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    environment = {**os.environ, **locale}
    for format in ("table", "tsv", "json"):
        arguments = ["query", str(path), "nowhere:1-2", "--format", format]
        done = program(*arguments, env=environment)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
    out = tmp_path / "t.bed"
    done = program("export", str(path), "1", "--out", str(out), env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert out.read_text(encoding="utf-8").count("chr\u03b1") > 1


def test_every_text_file_is_opened_with_its_encoding():
    package = Path(genointerp.__file__).parent
    assert [str(path) for path in package.rglob("*.py") if list(_bare_openings(path))] == []


def _bare_openings(path):
    """Yield calls that open a text in whatever encoding the locale has."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = node.func.attr if isinstance(getattr(node, "func", None), ast.Attribute) else ""
        if not isinstance(node, ast.Call) or any(key.arg == "encoding" for key in node.keywords):
            continue
        modes = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        texts = [mode for mode in modes if isinstance(mode, str) and mode in ("r", "w", "a", "x")]
        is_bigwig = ast.unparse(node.func).startswith("pyBigWig")
        if name in ("read_text", "write_text") or (name == "open" and texts and not is_bigwig):
            yield node
