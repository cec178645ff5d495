"""Published DNA models that can be loaded by name: their tokenizers, sizes and licences.

Nothing here uses the network or imports a framework. Sizes, contexts and licences are those of the
model cards and configurations; if a card could not be read, the note says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

TokenizerKind = Literal["char", "single-nucleotide", "kmer", "bpe"]


@dataclass(frozen=True)
class TokenizerSettings:
    """How the tokenizer of a model is built from the vocabulary in its folder.

    Parameters
    ----------
    kind
        ``char`` uses a fixed table; ``single-nucleotide``, ``kmer`` and ``bpe`` use a vocabulary.
    k
        Number of bases of a word: 1 for single nucleotides, and 0 if it varies.
    before, after
        Special tokens around the sequence, as spelt in the vocabulary. If both are empty and there
        is a ``tokenizer.json``, they are those that it adds.
    restart
        For k-mers; see :class:`~genointerp.model.tokenizer.kmer.KmerTokenizer`.
    vocabulary
        Source of the ids: the files of the model, or one of the vocabularies that are built in.
    """

    kind: TokenizerKind
    k: int = 1
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    restart: bool = False
    vocabulary: Literal["files", "ascii", "hyena", "carbon"] = "files"


@dataclass(frozen=True)
class Preset:
    """A published model.

    Parameters
    ----------
    name
        Name for ``load_model``.
    hub_id, revision, subfolder
        Repository of the weights, its branch if it is not the main one, and the folder in it.
    family
        ``model_type`` in its ``config.json``, by which transformers chooses the class.
    tokenizer
        Settings of the tokenizer.
    context
        Longest window, in bases, that it was trained on, without special tokens. If the length of
        tokens varies, it is their number times the mean length that its authors, or those of a
        similar model, state.
    n_blocks, d_site
        Number of blocks and width of the residual stream; 0 if only ``config.json`` states it.
    licence
        Licence of the weights: an SPDX identifier, or its name in the model card.
    reads
        ``left`` for causal models, ``both`` for masked ones.
    remote_code
        Whether loading runs Python code of the repository, which must be allowed explicitly.
    note
        Caveats for the user.
    """

    name: str
    hub_id: str
    family: str
    tokenizer: TokenizerSettings
    context: int
    licence: str
    reads: Literal["left", "both"]
    n_blocks: int = 0
    d_site: int = 0
    remote_code: bool = False
    revision: str = ""
    subfolder: str = ""
    note: str = ""

    @property
    def sites(self) -> tuple[str, ...]:
        """The residual stream after each block; empty if ``n_blocks`` is 0."""
        return tuple(f"blocks.{i}" for i in range(self.n_blocks))

    @property
    def default_site(self) -> str:
        """The middle block, as no measurement tells a better one; empty if ``n_blocks`` is 0."""
        return self.sites[self.n_blocks // 2] if self.n_blocks else ""


_CC_NC = "CC-BY-NC-SA-4.0"
_LBNL = "BSD (Berkeley Lab)"
_ESM_WORDS = TokenizerSettings("kmer", k=6, before=("<cls>",))
_GENERATOR_WORDS = TokenizerSettings("kmer", k=6, before=("<s>",))
_CARBON_WORDS = TokenizerSettings("kmer", k=6, before=("<dna>",), vocabulary="carbon")
_MERGES = TokenizerSettings("bpe", k=0)
_LETTERS = TokenizerSettings("single-nucleotide")
_HYENA = TokenizerSettings("single-nucleotide", vocabulary="hyena")
_BYTES = TokenizerSettings("char", vocabulary="ascii")

_NT_SIZES = {
    "500m-human-ref": (24, 1280),
    "500m-1000g": (24, 1280),
    "2.5b-1000g": (32, 2560),
    "2.5b-multi-species": (32, 2560),
}
_NT2_SIZES = {"50m": (0, 0), "100m": (22, 512), "250m": (0, 0), "500m": (29, 1024)}
_GENERATOR_SIZES = {"1.2b": (26, 2048), "3b": (30, 3072)}
_MISTRAL_SIZES = {"1m": 256, "17m": 512, "138m": 512, "422m": 512, "1.6b": 512}
_HYENA_SIZES = {
    "tiny-1k": 1_024,
    "small-32k": 32_768,
    "medium-160k": 160_000,
    "medium-450k": 450_000,
    "large-1m": 1_000_000,
}


def _nucleotide_transformer() -> Iterable[Preset]:
    for size, (n_blocks, d_site) in _NT_SIZES.items():
        name = f"nucleotide-transformer-{size}"
        yield Preset(
            name, f"InstaDeepAI/{name}", "esm", _ESM_WORDS, 5_994, _CC_NC, "both", n_blocks, d_site
        )
    name = "agro-nucleotide-transformer-1b"
    yield Preset(name, f"InstaDeepAI/{name}", "esm", _ESM_WORDS, 6_138, _CC_NC, "both")
    for size, (n_blocks, d_site) in _NT2_SIZES.items():
        name = f"nucleotide-transformer-v2-{size}-multi-species"
        yield Preset(
            name,
            f"InstaDeepAI/{name}",
            "esm",
            _ESM_WORDS,
            12_282,
            _CC_NC,
            "both",
            n_blocks,
            d_site,
            remote_code=True,
        )
    yield Preset(
        name="nucleotide-transformer-v3",
        hub_id="InstaDeepAI/NTv3_pretrained",
        family="ntv3",
        tokenizer=_LETTERS,
        context=1_048_576,
        licence="InstaDeep Open Model Licence (non-commercial)",
        reads="both",
        remote_code=True,
        note="Gated. A U-Net: its blocks run at several resolutions. Tokenizer files not checked.",
    )


def _generator() -> Iterable[Preset]:
    repositories = {
        "generator": "GENERator-eukaryote",
        "generator-v2-eukaryote": "GENERator-v2-eukaryote",
        "generator-v2-prokaryote": "GENERator-v2-prokaryote",
    }
    for prefix, repository in repositories.items():
        for size, (n_blocks, d_site) in _GENERATOR_SIZES.items():
            yield Preset(
                name=f"{prefix}-{size}",
                hub_id=f"GenerTeam/{repository}-{size}-base",
                family="llama",
                tokenizer=_GENERATOR_WORDS,
                context=98_298,
                licence="MIT",
                reads="left",
                n_blocks=n_blocks,
                d_site=d_site,
                note="" if prefix == "generator" else "Licence and context taken from version 1.",
            )


def _carbon() -> Iterable[Preset]:
    for size, context, shape in (
        ("500M", 49_146, (0, 0)),
        ("3B", 196_602, (30, 3072)),
        ("8B", 196_602, (0, 0)),
    ):
        name = f"carbon-{size.lower()}"
        hub_id = f"HuggingFaceBio/Carbon-{size}"
        yield Preset(name, hub_id, "llama", _CARBON_WORDS, context, "Apache-2.0", "left", *shape)


def _merged() -> Iterable[Preset]:
    for size, context, shape in (
        ("100M", 5_000, (12, 768)),
        ("500M", 5_000, (0, 0)),
        ("4B", 51_000, (0, 3072)),
    ):
        yield Preset(
            name=f"genomeocean-{size.lower()}",
            hub_id=f"pGenomeOcean/GenomeOcean-{size}",
            family="mistral",
            tokenizer=_MERGES,
            context=context,
            licence=_LBNL,
            reads="left",
            n_blocks=shape[0],
            d_site=shape[1],
            note="The code in the repository is not needed."
            + (" Context not checked." if size == "500M" else ""),
        )
    yield Preset(
        name="metagene-1",
        hub_id="metagene-ai/METAGENE-1",
        family="llama",
        tokenizer=_MERGES,
        context=2_000,
        licence="Apache-2.0",
        reads="left",
        n_blocks=32,
        d_site=4096,
        note="512 tokens of 4 bases (1.5 T bases in 370 G tokens).",
    )
    for size, tokens in _MISTRAL_SIZES.items():
        yield Preset(
            name=f"mistral-dna-{size}",
            hub_id=f"RaphaelMourad/Mistral-DNA-v1-{size.upper()}-hg38",
            family="mixtral",
            tokenizer=_MERGES,
            context=5 * tokens,
            licence="Apache-2.0",
            reads="left",
            n_blocks=8 if size in ("422m", "1.6b") else 0,
            d_site=768 if size in ("422m", "1.6b") else 0,
            note=f"{tokens} tokens of 5 bases, the mean that GenomeOcean states for 4,096 merges.",
        )
    yield Preset(
        name="modernbert-dna-37m",
        hub_id="RaphaelMourad/ModernBERT-DNA-v1-37M-hg38",
        family="modernbert",
        tokenizer=_MERGES,
        context=10_000,
        licence="Apache-2.0",
        reads="both",
        d_site=256,
        note="Trained on 10-kb sequences; tokenizer not checked.",
    )
    yield Preset(
        name="dnabert-2-117m",
        hub_id="zhihan1996/DNABERT-2-117M",
        family="bert",
        tokenizer=_MERGES,
        context=2_500,
        licence="Apache-2.0",
        reads="both",
        n_blocks=12,
        d_site=768,
        remote_code=True,
        note="512 tokens of 5 bases. Licence not checked.",
    )


def _letters() -> Iterable[Preset]:
    for size, n_blocks, d_site in (("1.2B", 12, 1024), ("10B", 12, 4096), ("10B-v2", 0, 0)):
        yield Preset(
            name=f"genos-{size.lower()}",
            hub_id=f"BGI-HangzhouAI/Genos-{size}",
            family="mixtral",
            tokenizer=_LETTERS,
            context=1_048_576,
            licence="MIT",
            reads="left",
            n_blocks=n_blocks,
            d_site=d_site,
            note="Human. Licence that of the code; "
            + ("context that of 10B." if "v2" in size else "tokenizer not checked."),
        )
    yield Preset(
        name="marindna",
        hub_id="plantcad/marindna-exp472",
        family="qwen3",
        tokenizer=TokenizerSettings("single-nucleotide", before=("[BOS]",)),
        context=8_192,
        licence="not known",
        reads="left",
        subfolder="exp472-plantcad2-angiosperm-lr0p0005-wd0p1-train-s02-v1/hf/step-535985",
        note="Flowering plants. The repository holds several training runs; others by subfolder.",
    )
    for size, context in _HYENA_SIZES.items():
        yield Preset(
            name=f"hyenadna-{size}",
            hub_id=f"LongSafari/hyenadna-{size}-seqlen-hf",
            family="hyenadna",
            tokenizer=_HYENA,
            context=context,
            licence="BSD-3-Clause",
            reads="left",
            remote_code=True,
        )
    for variant in ("ph", "ps"):
        yield Preset(
            name=f"caduceus-{variant}-131k",
            hub_id=f"kuleshov-group/caduceus-{variant}_seqlen-131k_d_model-256_n_layer-16",
            family="caduceus",
            tokenizer=_HYENA,
            context=131_072,
            licence="Apache-2.0",
            reads="both",
            n_blocks=16,
            d_site=512 if variant == "ps" else 256,
            remote_code=True,
            note="Needs mamba-ssm."
            + (" Half the width is the reverse complement's." if variant == "ps" else ""),
        )
    for name, context in (("evo-1-8k-base", 8_192), ("evo-1-131k-base", 131_072)):
        yield Preset(
            name=name,
            hub_id=f"togethercomputer/{name}",
            family="stripedhyena",
            tokenizer=_BYTES,
            context=context,
            licence="Apache-2.0",
            reads="left",
            n_blocks=32,
            d_site=4096,
            remote_code=True,
            revision="1.1_fix",
            note="The main branch has projections in a wrong order; this revision is correct.",
        )


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for family in (_nucleotide_transformer, _generator, _carbon, _merged, _letters)
    for preset in family()
}
