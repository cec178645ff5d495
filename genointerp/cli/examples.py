"""Two command lines for each command, which its help shows and the tests parse."""

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, str]] = {
    "fetch": (
        "genointerp fetch NC_000964.3 --out genomes",
        "genointerp fetch NC_001416.1 --out lambda",
    ),
    "annotate": (
        "genointerp annotate genome.gbk --out elements.tsv",
        "genointerp annotate genome.fa --find pyrodigal --find pyaragorn --out predicted.gff3",
    ),
    "models": (
        "genointerp models",
        "genointerp models --format json",
    ),
    "harvest": (
        "genointerp harvest genome.fa --model nano --out activations.h5",
        "genointerp harvest genome.fa --model nano --region chr1:1-100,000 --out activations.h5",
    ),
    "train": (
        "genointerp train activations.h5 --out sae",
        "genointerp train activations.h5 --config dictionary.yaml --out sae",
    ),
    "adopt": (
        "genointerp adopt weights.pt activations.h5 --out sae",
        "genointerp adopt folder activations.h5 --format saelens --out sae",
    ),
    "convert": (
        "genointerp convert results/demo --to saelens --out converted",
        "genointerp convert sae --to sparsify --out converted",
    ),
    "evaluate": (
        "genointerp evaluate results/demo --out fidelity.json",
        "genointerp evaluate genome.fa --sae sae --activations activations.h5 --sample 25000 "
        "--out fidelity.json",
    ),
    "encode": (
        "genointerp encode activations.h5 --sae sae --out features.h5",
        "genointerp encode results/demo --genome bsubtilis --sae shipped:nano --out features.h5",
    ),
    "tune": (
        "genointerp tune nano --genome genome.fa --plant-length 36 --out tuned "
        "--control-out control",
        "genointerp tune nano --genome genome.fa --without rRNA --annotations genome.gff3 "
        "--out without --control-out with",
    ),
    "associate": (
        "genointerp associate features.h5 --annotations genome.gff3 --out associations.parquet",
        "genointerp associate a.h5 b.h5 --annotations a.gff3 --annotations b.gff3 --test NC_2.1 "
        "--out associations.parquet",
    ),
    "ablate": (
        "genointerp ablate results/demo --feature 313 --out ablation.tsv",
        "genointerp ablate features.h5 --genome genome.fa --sae sae --candidates candidates.tsv "
        "--out ablation.tsv",
    ),
    "steer": (
        "genointerp steer results/demo --canvas canvas.tsv --out steering.tsv",
        "genointerp steer genome.fa NC_000964.3:9,810-11,364 --canvas canvas.tsv --sae sae "
        "--dose 1 --dose 2 --bases-out bases.tsv --out steering.tsv",
    ),
    "paint": (
        "genointerp paint results/demo NC_000964.3:1,000,201-1,000,410 --canvas canvas.tsv "
        "--dose 1 --dose 2 --out designs.tsv",
        "genointerp paint genome.fa chrI:101-310 --strand - --canvas canvas.tsv --sae sae "
        "--n-designs 32 --avoid GAATTC --out designs.tsv",
    ),
    "edit": (
        "genointerp edit --feature 82 --out edited",
        "genointerp edit --model nano --sae shipped:nano --feature 82 --mode scale --value 0.5 "
        "--method closed-form --out edited",
    ),
    "edges": (
        "genointerp edges results/demo --below sae3 --feature 82 --out edges.tsv",
        "genointerp edges features.h5 --genome genome.fa --sae sae5 --below sae3 "
        "--targets-out targets.tsv --out edges.tsv",
    ),
    "mediate": (
        "genointerp mediate results/demo --group 127,86,82 --concept CDS --out mediation.tsv",
        "genointerp mediate results/demo --below sae3 --group below:97,127 --higher gene_end "
        "--out mediation.tsv",
    ),
    "trace": (
        "genointerp trace results/demo NC_000964.3:30,600 --sae sae3 --out why.json",
        "genointerp trace genome.fa chrI:101-103 --strand - --sae sae3 --sae sae5 "
        "--out why.graphml",
    ),
    "circuit": (
        "genointerp circuit results/demo --out circuit.tsv --families-out families.tsv",
        "genointerp circuit features.h5 --min-phi 0.2 --lags-out lags.tsv --out circuit.tsv",
    ),
    "explain": (
        "genointerp explain results/demo --at NC_000964.3:30,600 --out explanation.tsv",
        "genointerp explain genome.fa --variant '30,600:A>G' --sae shipped:nano "
        "--out explanation.tsv",
    ),
    "mutate": (
        "genointerp mutate results/demo NC_000964.3:30,600 --out bases.tsv",
        "genointerp mutate genome.fa chrI:30,600 --feature 145 --sae shipped:nano --strand + "
        "--out bases.tsv",
    ),
    "dependency": (
        "genointerp dependency results/demo NC_000964.3:11,464-11,540 --out dependency.tsv",
        "genointerp dependency genome.fa chrI:101-180 --model nano --strand + --out dependency.tsv",
    ),
    "diff": (
        "genointerp diff nano tuned --control control --genome genome.fa --out divergence.tsv",
        "genointerp diff nano tuned --genome results/demo --tracks-out tracks --out diff.tsv",
    ),
    "across": (
        "genointerp across results/demo results/demo --genome-a ecoli --genome-b bsubtilis "
        "--out across.tsv",
        "genointerp across a.h5 b.h5 --genome-a a.fa --genome-b b.fa --annotations-a a.gff3 "
        "--annotations-b b.gff3 --out across.tsv",
    ),
    "twin": (
        "genointerp twin results/demo --out twin",
        "genointerp twin activations.h5 --sae sae --genome genome.fa --out twin --seed 1",
    ),
    "similar": (
        "genointerp similar a.h5 b.h5 --genome genome.fa --out similarity.tsv",
        "genointerp similar a.h5 b.h5 --twin-a random_a.h5 --twin-b random_b.h5 "
        "--out similarity.tsv",
    ),
    "match": (
        "genointerp match a.h5 b.h5 --genome genome.fa --out matches.tsv",
        "genointerp match results/demo b.h5 --genome bsubtilis --twin-b random.h5 "
        "--ceiling seed1.h5 --out matches.tsv",
    ),
    "label": (
        "genointerp label results/demo --out labels.tsv --evidence-out evidence.jsonl",
        "genointerp label features.h5 --genome genome.fa --annotations genome.gff3 "
        "--out labels.tsv",
    ),
    "score": (
        "genointerp score results/demo --labels labels.tsv --out label_scores.tsv",
        "genointerp score results/demo --labels labels.tsv --random-scores random.tsv "
        "--out label_scores.tsv",
    ),
    "rank": (
        "genointerp rank features.h5 --associations associations.parquet --out candidates.tsv",
        "genointerp rank results/demo --out candidates.tsv",
    ),
    "dossier": (
        "genointerp dossier candidates.tsv --features features.h5 --genome genome.fa "
        "--annotations genome.gff3 --sae sae --out dossiers",
        "genointerp dossier results/demo --sae results/demo --out dossiers",
    ),
    "backtest": (
        "genointerp backtest features.h5 --associations associations.parquet --annotations "
        "genome.gff3 --out backtest.tsv",
        "genointerp backtest results/demo --out backtest.tsv",
    ),
    "query": (
        "genointerp query results/demo dnaA",
        "genointerp query features.h5 NC_000964.3:9,810-11,364 --format tsv",
    ),
    "top": (
        "genointerp top results/demo 313",
        "genointerp top features.h5 313 --genome genome.fa --annotations genome.gff3 --top 50",
    ),
    "motif": (
        "genointerp motif results/demo 203",
        "genointerp motif features.h5 203 --genome genome.fa --out logo.svg",
    ),
    "export": (
        "genointerp export features.h5 313 --out feature_313.bw",
        "genointerp export results/demo --genome bsubtilis --out genes.h5ad",
    ),
    "verify": (
        "genointerp verify results/demo",
        "genointerp verify features.h5 --input activations.h5",
    ),
    "report": (
        "genointerp report results/demo --out report.html",
        "genointerp report results/demo --folder --out demo_features",
    ),
    "serve": (
        "genointerp serve results/demo",
        "genointerp serve results/demo --port 0",
    ),
    "summarise": (
        "genointerp summarise results/demo --out summary.json",
        "genointerp summarise associations.parquet --fidelity fidelity.json --sae sae --out "
        "summary.json --best-out best_per_concept.tsv --text-out associations.tsv",
    ),
    "start": (
        "genointerp start phage.fa",
        "genointerp start genome.fa.gz --annotations genome.gff3 --out results/mine --dry-run",
    ),
    "init": (
        "genointerp init genome.gbk --out my.yaml",
        "genointerp init genome.fa another.fa --out both.yaml",
    ),
    "run": (
        "genointerp run my.yaml --out results/mine",
        "genointerp run my.yaml --out results/mine --cores 8 --dry-run",
    ),
    "demo": ("genointerp demo", "genointerp demo --out results/demo --cores 4"),
    "plot graph": (
        "genointerp plot graph why.json --out why.png",
        "genointerp plot graph why.graphml --n-tokens 100 --n-edges 80 --out why.svg",
    ),
    "plot region": (
        "genointerp plot region results/demo NC_000964.3:9,000-15,500 --out region.png",
        "genointerp plot region results/demo trnO-Ala --feature 313 --out bases.svg",
    ),
    "plot overlap": (
        "genointerp plot overlap results/demo --out overlap.png",
        "genointerp plot overlap results/demo --score f1 --out overlap.svg",
    ),
    "plot curves": (
        "genointerp plot curves results/demo --out curves.png",
        "genointerp plot curves results/demo --concept tRNA --concept CDS --out curves.pdf",
    ),
    "plot metagene": (
        "genointerp plot metagene results/demo 82 --concept CDS --out metagene.png",
        "genointerp plot metagene results/demo 313 --concept tRNA --flank 50 --out metagene.png",
    ),
    "plot circle": (
        "genointerp plot circle results/demo 50 --genome bsubtilis --out circle.png",
        "genointerp plot circle features.h5 50 313 --genome genome.gbk --out circle.svg",
    ),
    "plot feature": (
        "genointerp plot feature results/demo 313 --genome bsubtilis --out feature.png",
        "genointerp plot feature features.h5 313 --out feature.pdf",
    ),
    "plot density": (
        "genointerp plot density results/demo --genome bsubtilis --out density.png",
        "genointerp plot density features.h5 --feature 313 --out density.png",
    ),
    "plot dictionary": (
        "genointerp plot dictionary results/demo --out dictionary.png",
        "genointerp plot dictionary sae --method umap --out dictionary.png",
    ),
    "plot training": (
        "genointerp plot training results/demo --out training.png",
        "genointerp plot training sae/metrics.jsonl --out training.svg",
    ),
    "plot circuit": (
        "genointerp plot circuit circuit.tsv families.tsv --lags lags.tsv --out circuit.png",
        "genointerp plot circuit circuit.tsv families.tsv --top 1 --out circuit.svg",
    ),
    "plot latents": (
        "genointerp plot latents latents.tsv --out latents.png",
        "genointerp plot latents latents.tsv --out latents.svg --width 180",
    ),
    "plot match": (
        "genointerp plot match matches.tsv --out match.png",
        "genointerp plot match matches.tsv --side b --out match.svg",
    ),
    "plot paint": (
        "genointerp plot paint designs.summary.tsv --out paint.png",
        "genointerp plot paint low.summary.tsv high.summary.tsv --measure trna --out paint.svg",
    ),
    "plot explain": (
        "genointerp plot explain explanation.tsv --out explanation.png",
        "genointerp plot explain explanation.tsv --bases bases.tsv --strand - --out why.svg",
    ),
    "plot divergence": (
        "genointerp plot divergence divergence.tsv --out divergence.png",
        "genointerp plot divergence divergence.tsv --seqid NC_000964.3 --out divergence.svg",
    ),
    "plot dependency": (
        "genointerp plot dependency dependency.tsv --out dependency.png",
        "genointerp plot dependency dependency.tsv --genome results/demo --above-control "
        "--out dependency.svg",
    ),
    "plot steer": (
        "genointerp plot steer steering.tsv --out steer.png",
        "genointerp plot steer steering.tsv --bases bases.tsv --out steer.pdf",
    ),
}
