"""Loci of one feature upon a genome with one gene, and what finders saw there."""

from dataclasses import replace

import pandas as pd

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.locus import DossierConfig, locus_evidence

LENGTH = 3000
ANNOTATED, MISSING, NOTHING, EDGE = (150, 180), (1000, 1076), (2000, 2100), (390, 490)
QUIET = DossierConfig(n_shuffles=0)


def element(type, start, end, strand="+", **attributes):
    phase = 0 if type == "CDS" else -1
    values = {name: (value,) for name, value in attributes.items()}
    return Element(type, f"{type}{start}", (Part("c", start, end, strand, phase),), values)


def predicted(*elements):
    return AnnotationSet(elements, {"c": LENGTH})


PREDICTED = predicted(
    element("CDS", 100, 400, tool="pyrodigal"),
    element("tRNA", 1000, 1076, "-", tool="pyaragorn"),
    element("ncRNA", 990, 1080, tool="pyinfernal"),
    element("low_complexity_region", 2000, 2050, ".", tool="pydustmasker"),
    element("tandem_repeat", 2000, 2100, ".", tool="pytrf"),
)
CANDIDATES = pd.DataFrame({"rank": [1], "feature": [0]})


def judged(specimen, predictions=None, config=QUIET):
    searched = replace(specimen, predictions=predictions)
    return locus_evidence([searched], CANDIDATES, RankConfig(), config)
