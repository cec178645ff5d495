"""Flags, the reasons against a candidate: rules that are data, and the sentences made of them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from operator import ge, gt, le, lt
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool

from genointerp.candidate.config import RankConfig

Sign = Literal["<", "<=", ">", ">=", "=", "is a multiple of", "is no multiple of"]


class Key(NamedTuple):
    """A threshold that the configuration holds.

    Parameters
    ----------
    name
        Name of the key in `RankConfig`.
    is_complement
        Whether the threshold is one minus the value of the key.
    """

    name: str
    is_complement: bool = False


class Column(NamedTuple):
    """A threshold that is another column of the candidates."""

    name: str


class Comparison(NamedTuple):
    """A column of the candidates, compared with a threshold.

    Parameters
    ----------
    column, sign, threshold
        Left side, sign and right side of the comparison. A comparison with NaN does not hold.
    centre
        If given, the distance of the column from this value is compared; if None, the column
        itself.
    note
        Text added to the sentence; ``{key}`` stands for the value of a key.
    """

    column: str
    sign: Sign
    threshold: Key | Column | float
    centre: float | None = None
    note: str = ""

    def holds(self, table: pd.DataFrame, config: RankConfig) -> Bool[np.ndarray, " candidate"]:
        """Return for each row whether the comparison holds."""
        value = table[self.column].to_numpy(np.float64)
        if self.centre is not None:
            value = np.abs(value - self.centre)
        return np.asarray(_SIGNS[self.sign](value, self._limit(table, config)), dtype=np.bool_)

    def sentence(self, config: RankConfig, *, subject: bool = True) -> str:
        """Return the comparison in words, thresholds filled in, with or without its subject."""
        words = [self._subject] if subject else []
        return (
            f"{' '.join([*words, self.sign, self._threshold(config)])}{_filled(self.note, config)}"
        )

    @property
    def _subject(self) -> str:
        if self.centre is None:
            return self.column
        return f"|{self.column} - {self.centre:g}|" if self.centre else f"|{self.column}|"

    def _threshold(self, config: RankConfig) -> str:
        if isinstance(self.threshold, Key):
            before = "1 - " if self.threshold.is_complement else ""
            return f"{before}{self.threshold.name} ({getattr(config, self.threshold.name):g})"
        return self.threshold.name if isinstance(self.threshold, Column) else f"{self.threshold:g}"

    def _limit(self, table: pd.DataFrame, config: RankConfig) -> np.ndarray | float:
        if isinstance(self.threshold, Key):
            value = float(getattr(config, self.threshold.name))
            return 1 - value if self.threshold.is_complement else value
        if isinstance(self.threshold, Column):
            return table[self.threshold.name].to_numpy(np.float64)
        return float(self.threshold)


class Blind(NamedTuple):
    """A case in which a rule can say nothing although all its columns are known, and the reason."""

    where: Comparison
    reason: str


class Flag(NamedTuple):
    """A reason against a candidate.

    Parameters
    ----------
    name
        Name in the column ``flags``.
    rule
        Comparisons that raise the flag: all must hold, or any of them, depending on ``join``.
    reason
        Meaning of the flag when it is raised; ``{key}`` stands for the value of a key.
    demotes
        Whether the flag points at an artefact or at something known: a candidate with such a flag
        ranks after all candidates without one. The other flags are doubts: what they point at may
        itself be biology (a reading frame has a period of 3, a ribosomal operon is one family).
        They are reported, and those of `genointerp.candidate.score.COUNTED` lower the score.
    join
        Word between the comparisons, with a comma before it where the sentence needs one.
    blind
        Case in which the rule can say nothing. In this case, and where a column is undefined, the
        flag is not examined.
    also
        Further keys of `RankConfig` that the flag depends on, which occur only in a note.
    """

    name: str
    rule: tuple[Comparison, ...]
    reason: str
    demotes: bool = True
    join: Literal[" and ", ", and ", " or ", ", or "] = " and "
    blind: Blind | None = None
    also: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the table of candidates that the rule reads."""
        read = [one.column for one in self.rule]
        read += [one.threshold.name for one in self.rule if isinstance(one.threshold, Column)]
        return tuple(dict.fromkeys(read))

    @property
    def thresholds(self) -> tuple[str, ...]:
        """All keys of `RankConfig` that the rule depends on."""
        read = [one.threshold.name for one in self.rule if isinstance(one.threshold, Key)]
        return (*read, *self.also)

    def is_raised(self, table: pd.DataFrame, config: RankConfig) -> Bool[np.ndarray, " candidate"]:
        """Return for each candidate whether the flag is raised."""
        held = [one.holds(table, config) for one in self.rule]
        is_any = self.join.strip(", ") == "or"
        return np.asarray(np.any(held, axis=0) if is_any else np.all(held, axis=0), dtype=np.bool_)

    def rule_of(self, config: RankConfig) -> str:
        """Return the rule in words, with the thresholds of a configuration."""
        subjects = [None, *(one.column for one in self.rule)]
        return self.join.join(
            one.sentence(config, subject=one.column != before)
            for one, before in zip(self.rule, subjects, strict=False)
        )

    def reason_of(self, config: RankConfig) -> str:
        """Return what the flag means, with the thresholds of a configuration."""
        return _filled(self.reason, config)


def _filled(sentence: str, config: RankConfig) -> str:
    return sentence.format_map(asdict(config))


def _is_multiple(value: np.ndarray, of: np.ndarray | float) -> np.ndarray:
    return np.asarray(np.mod(value, of) == 0)


def _is_no_multiple(value: np.ndarray, of: np.ndarray | float) -> np.ndarray:
    return np.asarray(np.mod(value, of) > 0)


_SIGNS: Mapping[Sign, Callable[..., np.ndarray]] = {
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "=": np.equal,
    "is a multiple of": _is_multiple,
    "is no multiple of": _is_no_multiple,
}

FLAGS: tuple[Flag, ...] = (
    Flag(
        "explained",
        (Comparison("unexplained", "<", Key("explained", is_complement=True)),),
        "a known concept accounts for where it fires",
    ),
    Flag(
        "attracted",
        (
            Comparison(
                "attraction",
                ">=",
                Key("attracted"),
                note=", of a concept with q <= max_q ({max_q:g})",
            ),
        ),
        "a weak or split detector of that concept: its bases are 2^{attracted:g} times as common "
        "where it fires",
        demotes=False,
        also=("max_q",),
    ),
    Flag(
        "dense",
        (Comparison("density", ">=", Key("dense")),),
        "fires on so many bases that it singles out nothing",
        demotes=False,
    ),
    Flag(
        "few_loci",
        (Comparison("n_loci", "<", Key("few_loci")),),
        "too few loci to be a kind of thing",
    ),
    Flag(
        "single_genome",
        (Comparison("n_genomes", "=", 1), Comparison("n_read", ">", 1)),
        "may be a peculiarity of one genome, or a memory of it",
        demotes=False,
        blind=Blind(Comparison("n_read", "<", 2), "one genome was read"),
    ),
    Flag(
        "gc_shortcut",
        (Comparison("gc_auroc", ">=", Key("gc_shortcut"), centre=0.5),),
        "local GC content alone predicts where it fires",
        demotes=False,
    ),
    Flag(
        "codon_phase",
        (
            Comparison("periodicity", ">=", Key("periodic")),
            Comparison("period", "is a multiple of", 3, note=" bp"),
        ),
        "a detector of reading frame",
        demotes=False,
        join=", and ",
    ),
    Flag(
        "periodic",
        (
            Comparison("periodicity", ">=", Key("periodic")),
            Comparison("period", "is no multiple of", 3, note=" bp"),
        ),
        "fires in step with a repeat, not with an element",
        demotes=False,
        join=", and ",
    ),
    Flag(
        "low_complexity",
        (
            Comparison(
                "tandem_share",
                ">=",
                Key("low_complexity"),
                note=", in repeats of units <= 12 bp",
            ),
        ),
        "simple sequence, which can be found without a model",
    ),
    Flag(
        "one_strand",
        (Comparison("strand_asymmetry", ">=", Key("one_strand"), centre=0.0),),
        "fires nearly only on one reading strand although genes lie on both: an artefact of "
        "reading",
    ),
    Flag(
        "window_start",
        (Comparison("window_bias", ">=", Key("window_start")),),
        "fires where a window begins, and so responds to missing context",
    ),
    Flag(
        "window_start_16",
        (Comparison("window_bias_16", ">=", Key("window_start")),),
        "fires at the first 16 bases of a window, and so responds to missing context",
    ),
    Flag(
        "outlier_tokens",
        (Comparison("outlier_share", ">=", Key("outlier_tokens")),),
        "fires at tokens of unusual norm, which training leaves out by default",
    ),
    Flag(
        "contig_end",
        (Comparison("edge_share", ">=", Key("edge")),),
        "fires within 500 bp of the ends of linear contigs: vectors, adapters, missing context",
    ),
    Flag(
        "kmer_shortcut",
        (Comparison("kmer_auroc", ">=", Key("kmer_shortcut")),),
        "the six letters around a base predict where it fires",
        demotes=False,
    ),
    Flag(
        "one_family",
        (Comparison("n_families", "=", 1), Comparison("n_loci", ">=", Key("one_family"))),
        "its strongest loci are copies of one sequence: one gene family or one mobile element",
        demotes=False,
        blind=Blind(Comparison("n_loci", "<", Key("one_family")), "it has too few loci to compare"),
    ),
    Flag(
        "memorised",
        (
            Comparison("seen_share", ">=", Key("memorised")),
            Comparison("seen_p", "<=", Key("memorised_chance")),
        ),
        "fires in the genomes that the dictionary was trained on and hardly elsewhere",
        demotes=False,
    ),
    Flag(
        "unstable",
        (
            Comparison("stability", "<", Key("unstable")),
            Comparison("stability", "<=", Column("stability_null")),
        ),
        "a dictionary of another seed has no such direction",
        demotes=False,
        join=" or ",
    ),
    Flag(
        "split",
        (Comparison("split_cosine", ">=", Key("split")),),
        "part of another feature of its dictionary",
        demotes=False,
    ),
    Flag(
        "unused",
        (
            Comparison("loss_effect_p", ">", Key("unused")),
            Comparison("loss_effect", "<=", 0),
        ),
        "removing it does not measurably cost the model more than removing other directions",
        demotes=False,
        join=", or ",
    ),
)
"""All flags in the order in which they are written. A comparison with NaN raises no flag."""
