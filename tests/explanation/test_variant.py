"""Variants: how they are read, and their effect against two whole passes of the model."""

import gzip
import logging

import numpy as np
import pytest
import torch

from genointerp.core.errors import InputError
from genointerp.explanation.explain import ExplainConfig
from genointerp.explanation.variant import explain_variant
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.letters import reverse_complement
from genointerp.genome.variant import Variant, parse_variant, read_variants
from tests.explanation.test_attribution import dictionary_of
from tests.model_kinds import make_hyena

CONFIG = ExplainConfig(context=20, n_next=12, n_nodes=30, n_exact=5)
VCF = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


@pytest.fixture(scope="module")
def genome():
    letters = np.random.default_rng(1).choice(list(b"ACGT"), 80).astype(np.uint8)
    letters[39:42] = list(b"GAT")
    return Genome([Contig("c", letters), Contig("ring", letters[:50].copy(), circular=True)])


@pytest.fixture(scope="module")
def hyena():
    model = make_hyena(None)
    with torch.no_grad():
        for name, weight in model.network.named_parameters():
            if name.endswith(("l3.weight", "out_filter_dense.weight", "out_proj.weight")):
                weight.mul_(4)
    return model


def naive_change(model, genome, variant, strand, config=CONFIG):
    """Change of the variant's own bases and of those behind it, from two whole sequences."""
    contig = genome[variant.seqid]
    if contig.circular:
        before, after = config.context, config.n_next
        place = np.arange(variant.start - before - after, variant.start + 1 + before + after)
        bases, start = contig.sequence[place % contig.length], before + after
    else:
        bases, start = contig.sequence, variant.start
    end = start + len(variant.ref)
    own, behind = [], []
    for allele in (variant.ref, variant.alt):
        letters = np.frombuffer(allele.encode(), np.uint8)
        whole = np.concatenate([bases[:start], letters, bases[end:]])
        first = start
        if strand == "-":
            whole, first = reverse_complement(whole), len(bases) - end
        upstream = max(first - config.context, 0)
        whole, first = whole[upstream:], first - upstream
        log_p = model.log_probs(torch.from_numpy(model.tokenize(whole).ids)[None])[0]
        own.append(float(log_p[first - 1 : first + len(allele) - 1].sum()))
        stop = first + len(allele) + config.n_next - 1
        behind.append(float(log_p[first + len(allele) - 1 : stop].sum()))
    return own[1] - own[0], behind[1] - behind[0]


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize(
    "text", ["c:40:G>C", "c:40:GAT>TTA", "c:40:GA>G", "c:41:A>AGGT", "ring:42:T>C", "ring:5:?>A"]
)
def test_the_effect_of_a_variant_is_that_of_two_passes(hyena, genome, strand, text):
    seqid, position, alleles = text.split(":")
    here = chr(genome[seqid].sequence[int(position) - 1])
    alleles = alleles.replace("?>A", "A>C" if here == "A" else f"{here}>A")
    variant = parse_variant(f"{seqid}:{position}:{alleles}", genome)
    found = explain_variant(
        hyena, dictionary_of(hyena, "blocks.1"), genome, variant, strand, CONFIG
    )
    own, behind = naive_change(hyena, genome, variant, strand)
    assert found.own_change == pytest.approx(own, abs=1e-4)
    assert found.change == pytest.approx(behind, abs=1e-4)
    assert found.n_next == 12
    if not variant.is_substitution:
        assert found.explanation is None
        return
    attribution = found.explanation.attribution
    assert attribution.change == pytest.approx(found.change, abs=1e-4)
    total = attribution.features.sum() + attribution.errors.sum()
    assert total == pytest.approx(found.change, abs=0.01 * abs(found.change) + 1e-3)
    # nothing is attributed to states before the variant
    np.testing.assert_allclose(attribution.features[:20], 0, atol=1e-5)
    assert len(found.explanation.nodes.token) == 30
    assert np.isfinite(found.explanation.exact).sum() == 5


def test_at_the_end_of_a_contig_there_is_less_to_explain(hyena, genome):
    dictionary = dictionary_of(hyena, "blocks.1")
    last = chr(genome["c"].sequence[-1])
    variant = Variant("c", 79, last, "A" if last != "A" else "C")
    found = explain_variant(hyena, dictionary, genome, variant, "+", CONFIG)
    assert (found.n_next, found.change, found.explanation) == (0, 0, None)
    assert np.isfinite(found.own_change)
    found = explain_variant(hyena, dictionary, genome, variant, "-", CONFIG)
    assert found.n_next == 12
    # nothing is read before it on this strand
    assert np.isnan(found.own_change)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("40", "variant: expected POS:REF>ALT or SEQID:POS:REF>ALT", id="no-alleles"),
        pytest.param("40:G>C", "as there are 2 contigs", id="no-contig"),
        pytest.param("c:40:A>C", "expected the genome's G at c:40 as REF, found A", id="ref"),
        pytest.param("c:40:G>G", "expected an ALT that is not REF, found G", id="same"),
        pytest.param("c:40:G>N", "ALT: expected A, C, G and T, found N", id="N"),
        pytest.param("c:81:G>C", "expected bases from 1 to 80, found G at 81", id="beyond"),
        pytest.param(
            "d:40:G>C", r"expected a contig of the genome \(c, ring\), found d", id="seqid"
        ),
    ],
)
def test_a_variant_that_is_none_of_the_genome_is_refused(genome, text, message):
    with pytest.raises(InputError, match=message):
        parse_variant(text, genome)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_lines_of_a_vcf_are_split_and_those_without_bases_skipped(genome, tmp_path, caplog, pack):
    path = tmp_path / "v.vcf.gz"
    rows = "c\t40\t.\tG\tC,<DEL>,GA\t.\t.\t.\nc\t41\trs1\ta\t*\nring\t40\t.\tg\tt\t.\t.\t.\n"
    path.write_bytes(pack((VCF + rows).encode()))
    with caplog.at_level(logging.WARNING):
        found = read_variants(path, genome)
    assert [str(it) for it in found] == ["c:40:G>C", "c:40:G>GA", "ring:40:G>T"]
    (record,) = caplog.records
    assert "skipped alternatives without bases (line 3: <DEL>, line 4: *)" in record.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("c\t40\t.\tG\tC\n", "line 1: expected ##fileformat=VCF", id="no-header"),
        pytest.param(VCF + "c\t40\n", "line 3: expected CHROM, POS, ID, REF and ALT", id="short"),
        pytest.param(VCF + "c\tx\t.\tG\tC\n", "line 3: expected CHROM, POS", id="position"),
        pytest.param(VCF + "c\t40\t.\tA\tC\n", "line 3: expected the genome's G at c:40", id="ref"),
        pytest.param(VCF + "c\t40\t.\tN\tC\n", "line 3: REF: expected A, C, G and T", id="ref-N"),
    ],
)
def test_a_file_that_is_no_vcf_of_the_genome_is_refused(genome, tmp_path, text, message):
    path = tmp_path / "v.vcf"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_variants(path, genome)
