"""The whole chain on phiX174, with a model and a dictionary that can be followed by hand."""

import json
from pathlib import Path

import torch

from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.candidate.config import RankConfig
from genointerp.candidate.rank import rank
from genointerp.feature.encode import encode_store
from genointerp.feature.query import query_region
from genointerp.feature.specimen import Specimen
from genointerp.genome.read import read_genome
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.io import save_sae
from tests.toy_model import ToyDnaModel

DATA = Path(__file__).parents[1] / "data"
GOLDEN = DATA / "golden"
SITE = "blocks.0"
REGION = "NC_001422.1:134-300"

# feature: what it reads of the toy model's channels, and its bias; all exact in float16, so that
# no sum depends upon the order of its terms
FEATURES = {
    "A": ({0: 1.0}, 0.0),
    "C": ({1: 1.0}, 0.0),
    "G": ({2: 1.0}, 0.0),
    "T": ({3: 1.0}, 0.0),
    "GC-rich": ({4: 4.0}, -1.75),
    "AT-rich": ({4: -4.0}, 1.25),
    "run of three or more": ({5: 0.5}, -0.75),
    "always": ({7: 1.0}, 0.0),
}
THRESHOLD = 0.25


def make_golden(folder: Path) -> dict[str, str]:
    """Run the chain in an empty folder; the text of each golden file by its name."""
    phix = DATA / "phix174.gbk"
    genome = read_genome(phix)
    elements = define_elements(read_annotation(phix, genome), genome, load_concepts())
    activations = harvest(
        ToyDnaModel(),
        genome,
        site=SITE,
        out=folder / "activations.h5",
        config=HarvestConfig(window=512, warmup=64),
    )
    save_dictionary(folder / "sae")
    features = encode_store([activations], folder / "sae", folder / "features.h5")
    specimen = Specimen(
        "phix174", features, sequence=genome, elements=elements, windows=activations.windows
    )
    table = associate(
        [specimen],
        config=AssociateConfig(block_bp=1000, gap_bp=50, n_shifts=49, top_per_concept=2),
        matched=False,
    )
    candidates = rank([specimen], table, RankConfig()).table
    region = query_region(features, REGION, top=None)
    record = {
        "genome_sha256": genome.sha256,
        "elements": {name: elements.n_elements(name) for name in elements.names},
        "windows": activations.n_windows,
        "tokens": activations.n_tokens,
        "firing": {strand: features.n_firing(strand).tolist() for strand in "+-"},
        "candidates": candidates[["rank", "feature", "n_loci", "flags"]].to_dict("records"),
    }
    return {
        "phix174.json": json.dumps(record, indent=1) + "\n",
        "phix174_associations.tsv": as_text(table, ASSOCIATION_COLUMNS),
        "phix174_query.tsv": as_text(region, list(region.columns)),
    }


# neither p nor q: they follow the generator of random numbers, which other tests fix
ASSOCIATION_COLUMNS = [
    *["feature", "concept", "orientation", "threshold", "f1_fit", "precision", "recall"],
    *["recall_element", "f1", "auroc", "n_feature_bp", "n_concept_bp", "n_both_bp", "n_elements"],
]


def as_text(table, columns):
    """Three decimals: the last bits of a division are the machine's own affair."""
    return table[columns].round(3).to_csv(sep="\t", index=False, lineterminator="\n", na_rep="nan")


def save_dictionary(folder: Path):
    model = ToyDnaModel()
    config = SaeConfig(architecture="batch_topk", n_features=len(FEATURES), k=3)
    sae = make_sae(config, model.spec.d_site)
    with torch.no_grad():
        sae.W_enc.zero_()
        for number, (weights, bias) in enumerate(FEATURES.values()):
            for channel, weight in weights.items():
                sae.W_enc[channel, number] = weight
            sae.b_enc[number] = bias
        sae.W_dec.copy_(sae.W_enc.t() / sae.W_enc.t().norm(dim=1, keepdim=True))
        sae.threshold.fill_(THRESHOLD)
    spec = model.spec
    save_sae(sae, folder, {"model": spec.name, "model_sha256": spec.sha256, "site": SITE})
