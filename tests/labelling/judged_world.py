"""A genome in which a judge that reads the cards can tell where each feature fires.

Feature i fires in the first 40 bases of the elements of type ``TYPES[i]``, sense, on both contigs.
On fit, pairs of features fire together at places of their own, so that each has a nearest one.
"""

import hashlib
import json
import re
from typing import NamedTuple

import numpy as np

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.association.config import AssociateConfig
from genointerp.feature.specimen import Specimen
from genointerp.genome.genome import Contig, Genome
from genointerp.labelling.judged.config import JudgeConfig
from genointerp.labelling.label import FeatureLabel
from tests.labelling.scripted_server import Answered, probed
from tests.plant import contigs_of, make_store, silence
from tests.specimens import specimen

TYPES = tuple(f"kind{letter}" for letter in "ABCDEF")
N_EACH, LONG, FIRES, GAP = 14, 160, 40, 90
LENGTH = len(TYPES) * N_EACH * (LONG + GAP)
SPLIT = AssociateConfig(test=("test",), n_shifts=19)
CONFIG = JudgeConfig(n_loci=12, n_least=4, n_cards=40, n_rounds=4, n_draws=50)


class Asked(NamedTuple):
    """What a question says: its label, None if there is none, and its rows."""

    label: str | None
    rows: list
    n_answers: int


def labels(source="statistics"):
    return [
        FeatureLabel(i, f"start of {name}", "position", source=source)
        for i, name in enumerate(TYPES)
    ]


def elements(seqid, seed):
    order = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(TYPES)), N_EACH))
    for place, number in enumerate(order.tolist()):
        start = place * (LONG + GAP) + 40
        yield number, seqid, start, start + LONG, "+-"[place % 2]


def with_holes():
    """Windows of a contig that leave out the last 50 bases of each element that is read sense."""
    for strand, first in (("+", 150), ("-", 40)):
        holes = range(first, LENGTH, LONG + GAP)
        for start, end in zip([0, *(it + 50 for it in holes)], [*holes, LENGTH], strict=True):
            yield start, end, strand


def make_world(folder, *, product="a kinase", silent_test=False, rich=False, coverage=None):
    """A specimen; with ``silent_test`` the features fire at random on the test contig.

    With ``rich`` the bases where a feature fires are G and C, and the others are A and T.
    """
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(7)
    dense = silence(2 * LENGTH, len(TYPES))
    known = []
    for offset, seqid in ((0, "fit"), (LENGTH, "test")):
        for number, _, start, end, strand in elements(seqid, seed=offset):
            name = f"{seqid}{start}"
            part = Part(seqid, start, end, strand)
            attributes = {"product": (f"{product} {TYPES[number]}",)}
            known.append(Element(TYPES[number], name, (part,), attributes))
            first = start if strand == "+" else end - FIRES
            dense[strand][offset + first : offset + first + FIRES, number] = 1 + rng.random(FIRES)
    for number in range(len(TYPES)):
        at = 5000 + 5000 * (number // 2)
        dense["+"][at : at + 200, number] = 1
    if silent_test:
        for strand in "+-":
            dense[strand][LENGTH:] = rng.random((LENGTH, len(TYPES))) < 0.002
    text = {name: "".join(rng.choice(list("ACGT"), LENGTH)) for name in ("fit", "test")}
    if rich:
        is_loud = (dense["+"] + dense["-"]).any(axis=1)
        letters = "".join(rng.choice(list("CG" if one else "AT")) for one in is_loud.tolist())
        text = {"fit": letters[:LENGTH], "test": letters[LENGTH:]}
    genome = Genome(Contig(k, np.frombuffer(v.encode(), np.uint8)) for k, v in text.items())
    contigs = contigs_of(fit=LENGTH, test=LENGTH)
    sha256 = genome.sha256
    store = make_store(folder / "f.h5", dense, contigs, genome_sha256=sha256, coverage=coverage)
    annotation = AnnotationSet(known, dict.fromkeys(("fit", "test"), LENGTH))
    found: Specimen = specimen(store, sequence=genome, annotation=annotation)
    return found


def read_question(payload):
    text = payload["messages"][1]["content"]
    label = re.search(r"^Label of the feature: (\{.*\})$", text, re.M)
    data = re.search("<data>\n(.*)\n</data>", text, re.S)[1]
    rows = [json.loads(line) for line in data.splitlines()]
    schema = payload["response_format"]["json_schema"]["schema"]
    said = None if label is None else json.loads(label[1])["label"]
    return Asked(said, rows, len(schema["required"]))


def fires(label, card, by="type"):
    """Whether an oracle says that a feature with this label fires on a card."""
    if label is None:
        return False
    wanted = label.removeprefix("start of ")
    return any(
        it["orientation"] == "sense"
        and 0 <= it["from_start"] < FIRES
        and (it["type"] if by == "type" else it.get("product", "").split()[-1]) == wanted
        for it in card["elements"]
    )


def leans(label, card):
    """Whether a judge says yes that says so to three in five of all cards, and knows the rest."""
    drawn = hashlib.sha256(json.dumps(card["bases"]).encode()).digest()[0]
    return drawn < 0.6 * 256 or fires(label, card)


def is_rich(_, card):
    """Whether a judge says yes that goes by composition, and reads no label."""
    return card["gc"] > 0.7


def judge_by(says):
    """A script for a judge that says of a label and a card whether the feature fires."""
    return probed(lambda payload: _answer(payload, says))


def _answer(payload, says):
    asked = read_question(payload)
    task = json.dumps(payload["messages"][0])
    if "does not belong" in task:
        types = [row["elements"][0]["type"] for row in asked.rows]
        odd = min(range(5), key=lambda it: types.count(types[it]))
        said = {"answer_1": odd + 1}
    elif "choice" in asked.rows[0]:
        said = {
            f"answer_{row['pair']}": row["choice"]
            for row in asked.rows
            if row["choice"] == 1 or says(asked.label, row)
        }
    else:
        said = {f"answer_{row['card']}": 10 * says(asked.label, row) for row in asked.rows}
    assert len(said) == asked.n_answers
    return Answered(json.dumps(said))


by_oracle = judge_by(fires)
