"""What an edited model writes, judged by gene finders, next to its parent and to the edit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8

from genointerp.genome.genome import Genome
from genointerp.genome.windows import spread_stretches
from genointerp.intervention.editing.config import EditConfig
from genointerp.intervention.editing.sample import Subject, Variant
from genointerp.intervention.judge.finders import Found, warn_of_absent_finders
from genointerp.intervention.judge.sequences import diversity
from genointerp.model.edited.changes import changed
from genointerp.model.generation import Generated, generate
from genointerp.model.protocol import DnaModel, Generates
from genointerp.store.table.schema.editing import EDIT_WRITING
from genointerp.store.table.table import conform

_MODELS = ("activation edit", "edited")


def judge_writing(
    model: DnaModel, genome: Genome, site: str, subjects: Sequence[Subject], config: EditConfig
) -> pd.DataFrame:
    """Let a model, its edits of activations and the edited models write after the same prompts.

    Parameters
    ----------
    model
        The parent, unchanged.
    genome
        Genome whose bases are the prompts, spread evenly over it, on the forward strand.
    site
        Site of the edits of activations.

    Returns
    -------
    pd.DataFrame
        In the schema ``EDIT_WRITING``; without rows if the model cannot write, nothing is to be
        written, or no contig is as long as a prompt.

    Notes
    -----
    Designs of one number have the same prompt and the same random numbers in every row.
    """
    rows: list[dict[str, object]] = []
    if isinstance(model, Generates) and config.n_written:
        warn_of_absent_finders()
        bench = _Bench.of(model, genome, config)
        if not bench.prompts:
            return conform(pd.DataFrame(columns=EDIT_WRITING.names), EDIT_WRITING, where="writing")
        parent = bench.written(Variant())
        rows.append(_place(subjects[0], "parent") | bench.judged(parent, parent))
        for subject in subjects:
            plain = bench.written(Variant(edits=[subject.splices.at(site)]))
            # an adapter is its edit of activations
            made = bench.written(subject.made) if subject.made.weights else plain
            for name, found in zip(_MODELS, (plain, made), strict=True):
                rows.append(_place(subject, name) | bench.judged(found, parent))
    frame = pd.DataFrame(rows, columns=EDIT_WRITING.names)
    return conform(frame, EDIT_WRITING, where="writing of edited models")


@dataclass(frozen=True, eq=False)
class _Bench:
    model: DnaModel
    prompts: list[UInt8[np.ndarray, " bp"]]
    template: str
    seed: int

    @classmethod
    def of(cls, model: DnaModel, genome: Genome, config: EditConfig) -> "_Bench":
        word = max(1, model.spec.bases_per_token)
        length = max(word, config.prompt // word * word)
        prompts = list(_prompts(genome, config.n_written, length))
        return cls(model, prompts, "N" * max(word, config.written // word * word), config.seed)

    def written(self, variant: Variant) -> list[Generated]:
        with changed(self.model, variant.weights):
            return generate(
                self.model, self.prompts, self.template, edits=variant.edits, seed=self.seed
            )

    def judged(self, found: Sequence[Generated], parent: Sequence[Generated]) -> dict[str, object]:
        """Return what is said of designs, next to those of the parent."""
        bases, own = (np.stack([it.bases for it in each]) for each in (found, parent))
        seen = Found([row.tobytes().decode() for row in bases])
        return {
            "n_designs": len(bases),
            "log_p": float(np.mean([self._log_p(it) for it in found])),
            "gc": float(np.isin(bases, [*b"GC"]).mean()),
            "identity": float((bases == own).mean()),
            "diversity": diversity(bases),
            "coding": float(sum(seen.coding(frame).mean() for frame in range(3))),
            "coding_other": float(seen.coding(None).mean()),
            "trna": float(seen.has("pyaragorn").mean()),
            "rrna": float(seen.has("pybarrnap").mean()),
        }

    def _log_p(self, design: Generated) -> float:
        """Return the log probability of a base of a design under the parent."""
        found = self.model.log_probs(torch.from_numpy(design.tokens.ids)[None])
        return float(found[0, design.first - 1 :].double().sum()) / len(design.bases)


def _place(subject: Subject, model: str) -> dict[str, object]:
    return {
        "edit": subject.edit,
        "draw": subject.draw,
        "feature": subject.feature,
        "model": model,
    }


def _prompts(genome: Genome, n: int, length: int) -> Iterator[UInt8[np.ndarray, " bp"]]:
    """Yield bases spread evenly over the contigs that are long enough."""
    whole = [region for region in genome.regions(genome) if region.length >= length]
    most = sum(region.length for region in whole)
    if n * length >= most:
        # what does not hold so many prompts gives all that it holds
        for region in whole:
            for start in range(region.start, region.end - length + 1, length):
                yield genome.fetch(replace(region, start=start, end=start + length))
        return
    for one in spread_stretches(whole, n_bases=n * length, length=length):
        if one.length == length:
            yield genome.fetch(one)
