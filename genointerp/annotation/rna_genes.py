"""Take genes of RNAs for the RNAs themselves, in files that describe no RNA of that kind."""

from dataclasses import replace

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.terms import TERMS, term

_SUFFIX = "_gene"
_RNA_GENES = frozenset(name for name in TERMS if name.endswith("RNA_gene"))


def name_rnas(annotations: AnnotationSet) -> AnnotationSet:
    """Return the annotation in which a ``tRNA_gene`` is a tRNA, if there is no tRNA at all.

    The same holds for every type such as ``rRNA_gene``: the Saccharomyces Genome Database writes
    a gene and its exons (``noncoding_exon``), and nothing between them.
    """
    known = {element.type for element in annotations}
    lone = {
        element.id: rna
        for element in annotations
        if element.type == "gene"
        and element.written in _RNA_GENES
        and (rna := term(element.written.removesuffix(_SUFFIX), element.attributes)) not in known
    }
    if not lone:
        return annotations
    marked = (replace(one, type=lone.get(one.id, one.type)) for one in annotations)
    return AnnotationSet(marked, annotations.lengths)
