import re
from pathlib import Path

import pytest

from genointerp.model.hyena.evo2 import EVO2
from genointerp.model.presets import PRESETS
from genointerp.model.registry import MODELS
from genointerp.model.tokenizer.files import build_tokenizer
from genointerp.model.tokenizer.kmer import words
from tests.tiny_tokenizers import as_bases, numbered, train_bpe

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def row_of(preset):
    """The line of the page's table."""
    settings = preset.tokenizer
    token = {"bpe": "merges", "kmer": f"{settings.k}-mer"}.get(settings.kind, "base")
    specials = [
        " ".join(f"`{token}`" for token in side) for side in (settings.before, settings.after)
    ]
    cells = [
        f"`{preset.name}`",
        f"`{preset.hub_id}`",
        f"{preset.family}, {'causal' if preset.reads == 'left' else 'masked'}",
        " ".join(filter(None, [specials[0], token, specials[1]])),
        f"{preset.context:,}",
        f"{preset.n_blocks or '?'} x {preset.d_site or '?'}",
        preset.licence,
        " ".join(filter(None, ["**Remote code.**" if preset.remote_code else "", preset.note])),
    ]
    return "| " + " | ".join(cells).rstrip() + " |"


@pytest.mark.parametrize("name", PRESETS)
def test_the_page_of_models_states_each_preset(name):
    row = row_of(PRESETS[name])
    assert row in PAGE.read_text().splitlines(), f"{PAGE} lacks the line\n{row}"


@pytest.mark.parametrize("name", EVO2)
def test_the_page_of_models_states_the_context_and_site_of_each_evo_2(name):
    start = f"| `{name}` | {EVO2[name].context:,} | "
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(start))
    blocks = f"{len(EVO2[name].network.mixers)} x {EVO2[name].network.d_model}"
    assert row.split(" | ")[2:4] == [blocks, f"`{EVO2[name].default_site}`"]


def test_the_page_names_every_model_and_none_that_is_gone():
    named = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(named) == sorted({*PRESETS, *EVO2, *MODELS})


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_complete(name):
    preset = PRESETS[name]
    assert preset.name == name
    assert HUB_ID.fullmatch(preset.hub_id)
    assert preset.context >= 1_000
    assert preset.licence
    assert preset.family
    assert preset.default_site in ("", *preset.sites)
    assert (preset.default_site == "") == (preset.n_blocks == 0)


def test_names_are_lower_case_and_no_hub_ids():
    assert [name for name in PRESETS if "/" in name or name != name.lower()] == []


def test_the_page_states_the_context_of_the_shipped_model():
    assert f"| `nano` | {MODELS['nano'].context:,} | " in PAGE.read_text()


@pytest.mark.parametrize(
    "name", [name for name, preset in PRESETS.items() if preset.tokenizer.kind == "kmer"]
)
def test_a_context_of_words_is_whole_words(name):
    assert PRESETS[name].context % PRESETS[name].tokenizer.k == 0


def files_for(preset, folder):
    """What the repository of a preset holds for its tokenizer, in small."""
    if preset.tokenizer.kind == "bpe":
        train_bpe(unknown="[UNK]").save(str(folder / "tokenizer.json"))
    else:
        k = preset.tokenizer.k
        tokens = ["<unk>", "<mask>", "[BOS]", *preset.tokenizer.before, *words("ATCG", k)]
        (folder / "vocab.txt").write_text("\n".join(numbered(*tokens)))


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_builds_a_tokenizer_that_covers_every_base(name, tmp_path):
    pytest.importorskip("tokenizers", reason='needs pip install "genointerp[transformers]"')
    preset = PRESETS[name]
    files_for(preset, tmp_path)
    tokenizer = build_tokenizer(preset.tokenizer, tmp_path)
    assert tokenizer.bases_per_token == preset.tokenizer.k
    spans = tokenizer.encode(as_bases("ACGTTGCANNACGTAC"))
    assert (spans.end - spans.start).sum() == 16
    before = len(preset.tokenizer.before)
    assert (spans.start[:before] == -1).all()
