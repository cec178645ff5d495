import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from genointerp.core import exchange as exchange_module
from genointerp.core import files
from genointerp.core.errors import StorageError
from genointerp.core.exchange import temporary_name
from genointerp.core.files import (
    atomic_path,
    check_replaceable,
    check_writable,
    claiming,
    replacing,
    together,
)

OTHER = r"expected nothing, or the same result, in its place; found .* \(--force replaces it\)"


def write(path, text):
    with atomic_path(path) as temporary:
        temporary.write_text(text)


def write_folder(path, texts):
    with atomic_path(path) as folder:
        folder.mkdir()
        for name, text in texts.items():
            with atomic_path(folder / name) as temporary:
                temporary.write_text(text)


def write_together(folder, **texts):
    with together():
        for name, text in texts.items():
            write(folder / name, text)


def content(folder):
    return {str(it.relative_to(folder)): it.read_text() for it in folder.rglob("*") if it.is_file()}


def test_the_same_content_replaces_itself_and_other_content_does_not(tmp_path):
    write(tmp_path / "a.txt", "old")
    write(tmp_path / "a.txt", "old")
    with pytest.raises(StorageError, match=OTHER):
        write(tmp_path / "a.txt", "new")
    assert content(tmp_path) == {"a.txt": "old"}
    with replacing():
        write(tmp_path / "a.txt", "new")
    assert content(tmp_path) == {"a.txt": "new"}


def table(rows, *, format="loci"):
    return f'# {{"format": "genointerp::{format}"}}\n{rows}\n'


def test_a_table_of_ours_is_replaced_by_a_newer_one_of_its_format(tmp_path):
    write(tmp_path / "a.tsv", table("old"))
    write(tmp_path / "a.tsv", table("new"))
    assert content(tmp_path) == {"a.tsv": table("new")}
    for other in ("no table", table("new", format="query")):
        with pytest.raises(StorageError, match=OTHER):
            write(tmp_path / "a.tsv", other)
    assert content(tmp_path) == {"a.tsv": table("new")}


def test_a_table_of_ours_replaces_nothing_of_others(tmp_path):
    (tmp_path / "a.tsv").write_text("years of work")
    with pytest.raises(StorageError, match=OTHER):
        write(tmp_path / "a.tsv", table("new"))
    assert content(tmp_path) == {"a.tsv": "years of work"}


def test_what_lies_next_to_a_table_of_ours_is_replaced_with_it(tmp_path):
    for rows in ("old", "new"):
        write_together(tmp_path, **{"a.tsv": table(rows), "a.fasta": f">{rows}"})
    assert content(tmp_path) == {"a.tsv": table("new"), "a.fasta": ">new"}


def test_a_folder_of_nothing_but_tables_of_ours_is_replaced(tmp_path):
    write_folder(tmp_path / "tables", {"a.tsv": table("old"), "b.tsv": table("old")})
    write_folder(tmp_path / "tables", {"a.tsv": table("new")})
    assert content(tmp_path) == {"tables/a.tsv": table("new")}
    (tmp_path / "tables" / "thesis.tex").write_text("years")
    with pytest.raises(StorageError, match=OTHER):
        write_folder(tmp_path / "tables", {"a.tsv": table("newer")})
    assert content(tmp_path) == {"tables/a.tsv": table("new"), "tables/thesis.tex": "years"}


def test_another_name_next_to_a_table_of_ours_is_not_replaced_with_it(tmp_path):
    write_together(tmp_path, **{"a.tsv": table("old"), "notes": "mine"})
    with pytest.raises(StorageError, match=OTHER):
        write_together(tmp_path, **{"a.tsv": table("new"), "notes": "other"})
    assert content(tmp_path) == {"a.tsv": table("old"), "notes": "mine"}


def test_the_format_stands_at_either_end_of_a_file(tmp_path):
    far = "x" * 300_000
    for text, expected in [
        (far + "genointerp::query", "genointerp::query"),
        ("genointerp::loci " + far + "genointerp::query", "genointerp::loci"),
        (far + "genointerp::query" + far, ""),
        ("\x89HDF genointerp::features", ""),
    ]:
        (tmp_path / "a").write_bytes(text.encode("latin-1"))
        assert exchange_module.written_format(tmp_path / "a") == expected
    assert exchange_module.written_format(tmp_path) == ""
    assert exchange_module.written_format(tmp_path / "none") == ""


def test_an_empty_file_or_folder_is_nothing_that_could_be_lost(tmp_path):
    (tmp_path / "a.txt").touch()
    (tmp_path / "folder").mkdir()
    write(tmp_path / "a.txt", "new")
    write_folder(tmp_path / "folder", {"b": "1"})
    assert content(tmp_path) == {"a.txt": "new", "folder/b": "1"}


@pytest.mark.parametrize(
    "changed",
    [{"b": "2"}, {"b": "1", "c/d": "1"}, {}, {"c": "1"}],
    ids=["other-file", "one-more", "nothing", "other-name"],
)
def test_a_folder_is_replaced_by_the_same_files_alone(tmp_path, changed):
    write_folder(tmp_path / "folder", {"b": "1"})
    write_folder(tmp_path / "folder", {"b": "1"})
    with pytest.raises(StorageError, match=OTHER):
        write_folder(tmp_path / "folder", changed)
    assert content(tmp_path) == {"folder/b": "1"}
    with replacing():
        write_folder(tmp_path / "folder", changed)
    assert content(tmp_path / "folder") == changed


def test_a_file_never_takes_the_place_of_a_folder_nor_a_folder_that_of_a_file(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("precious")
    os.mkfifo(tmp_path / "pipe")
    with replacing():
        with pytest.raises(StorageError, match="expected the name of a file to write, found a fo"):
            write(tmp_path / "folder", "x")
        with pytest.raises(StorageError, match="expected the name of a folder, found a file"):
            write_folder(tmp_path / "file", {})
        with pytest.raises(StorageError, match="found a device or a pipe"):
            write(tmp_path / "pipe", "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "pipe"]


def test_an_output_that_is_claimed_is_refused_before_the_work(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(StorageError, match=OTHER), claiming(tmp_path / "a.txt", same=False):
        pytest.fail("the work began")
    with claiming(tmp_path / "a.txt", same=True):
        write(tmp_path / "a.txt", "the same but for the last bit")
    check_replaceable(tmp_path / "none", same=False)


def test_outputs_written_together_are_all_refused_where_one_is(tmp_path):
    (tmp_path / "b").write_text("precious")
    with pytest.raises(StorageError, match=r"b: expected nothing"):
        write_together(tmp_path, a="new", b="new")
    assert content(tmp_path) == {"b": "precious"}


def test_outputs_written_together_get_their_names_at_the_end(tmp_path):
    with together():
        write(tmp_path / "a", "1")
        assert not (tmp_path / "a").exists()
        write_folder(tmp_path / "folder", {"sub/b": "2"})
    assert content(tmp_path) == {"a": "1", "folder/sub/b": "2"}


def test_an_index_gets_its_name_with_what_it_is_of(tmp_path):
    with atomic_path(tmp_path / "data") as temporary:
        temporary.write_text("1")
        write(tmp_path / "data.idx", "2")
        assert not (tmp_path / "data.idx").exists()
    assert content(tmp_path) == {"data": "1", "data.idx": "2"}


def test_a_failure_leaves_what_was_there(tmp_path):
    write_folder(tmp_path / "folder", {"b": "1"})
    with pytest.raises(TypeError), replacing():
        write_folder(tmp_path / "folder", {"b": None})
    assert content(tmp_path) == {"folder/b": "1"}


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_files_that_a_library_made_private_get_the_mode_of_new_files(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with atomic_path(tmp_path / "weights") as temporary:
            os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY, 0o600))
        with atomic_path(tmp_path / "folder") as folder:
            folder.mkdir()
            os.close(os.open(folder / "weights", os.O_CREAT | os.O_WRONLY, 0o600))
    finally:
        os.umask(before)
    for path in (tmp_path / "weights", tmp_path / "folder/weights"):
        assert path.stat().st_mode & 0o777 == mode


def test_a_folder_behind_a_link_is_replaced_and_the_link_stays(tmp_path):
    write_folder(tmp_path / "folder", {"b": "1"})
    (tmp_path / "link").symlink_to("folder")
    with replacing():
        write_folder(tmp_path / "link", {"b": "2"})
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "folder") == {"b": "2"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "link"]


def run(code, folder):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=folder, env=os.environ, check=False
    ).returncode


REPLACE = """
    import os, signal
    from pathlib import Path
    from genointerp.core import exchange, files
    def kill(*_):
        os.kill(os.getpid(), signal.SIGKILL)
    {sabotage}
    with files.replacing(), files.together():
        with files.atomic_path(Path("folder")) as folder:
            folder.mkdir()
            (folder / "b").write_text("2")
        with files.atomic_path(Path("table")) as table:
            table.write_text("2")
    """
KILLED = {
    "while-writing": "files._Group.commit = kill",
    "before-the-first-name": "files._replace = kill",
    "before-the-old-is-removed": "files.remove = kill",
    "between-two-names-of-a-folder": (
        "files.exchange = lambda *_: False; real = Path.rename\n"
        "    Path.rename = lambda self, to: kill() if str(to) == 'folder' else real(self, to)"
    ),
    "between-two-outputs": (
        "real = files._replace\n"
        "    files._replace = lambda a, b: kill() if b.name == 'table' else real(a, b)"
    ),
}


@pytest.mark.parametrize("sabotage", KILLED.values(), ids=KILLED)
def test_what_a_kill_leaves_is_put_right_at_the_next_start(tmp_path, sabotage):
    write_folder(tmp_path / "folder", {"b": "1"})
    write(tmp_path / "table", "1")
    assert run(REPLACE.format(sabotage=sabotage), tmp_path) == -signal.SIGKILL
    for name in ("folder", "table"):
        check_writable(tmp_path / name / "b" if name == "folder" else tmp_path / name)
        files.tidy(tmp_path / name)
    found = content(tmp_path)
    assert found in ({"folder/b": "1", "table": "1"}, {"folder/b": "2", "table": "2"})


@pytest.mark.skipif(
    not hasattr(exchange_module.ctypes.CDLL(None), "renameat2"), reason="no exchange of names"
)
def test_a_folder_is_at_its_name_whenever_its_writer_is_killed(tmp_path):
    for sabotage in ("while-writing", "before-the-first-name", "before-the-old-is-removed"):
        write_folder(tmp_path / "folder", {"b": "1"})
        assert run(REPLACE.format(sabotage=KILLED[sabotage]), tmp_path) == -signal.SIGKILL
        assert (tmp_path / "folder/b").read_text() in "12"
        with replacing():
            write_folder(tmp_path / "folder", {"b": "1"})


def test_without_an_exchange_a_folder_is_replaced_in_two_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "exchange", lambda *_: False)
    write_folder(tmp_path / "folder", {"b": "1"})
    with replacing():
        write_folder(tmp_path / "folder", {"b": "2"})
    assert content(tmp_path) == {"folder/b": "2"}


def test_a_temporary_of_a_process_at_work_is_left_alone(tmp_path):
    with atomic_path(tmp_path / "a") as temporary:
        temporary.write_text("1")
        check_writable(tmp_path / "a")
        files.tidy(tmp_path / "a")
        assert temporary.exists()


def test_temporaries_of_another_machine_are_swept_when_they_are_old(tmp_path, monkeypatch):
    monkeypatch.setattr(exchange_module, "_HOST", "0" * 6)
    parts = [temporary_name(tmp_path / "a.h5") for _ in range(2)]
    monkeypatch.undo()
    for part in parts:
        part.write_text("half")
    os.utime(parts[0], (0, 0))
    files.tidy(tmp_path / "a.h5")
    assert [part.exists() for part in parts] == [False, True]


def test_a_journal_that_was_cut_off_says_that_nothing_was_renamed(tmp_path, monkeypatch):
    monkeypatch.setattr(exchange_module, "_PROCESS", "0" * 6)
    journal = temporary_name(tmp_path / "genointerp", "commit")
    monkeypatch.undo()
    journal.write_text(json.dumps([["a", 1]])[:-2])
    write(tmp_path / "a", "1")
    assert content(tmp_path) == {"a": "1"}
