# genomes in which finders look for elements
SEARCHED = GENOMES if config["finders"] else []


def ranked(wildcards):
    """Return what a ranking reads, whichever rule ranks; ablation comes on top."""
    rivals = ["other_seed/sae/cfg.json"] if RIVALS["other_seed"] else []
    return {
        "features": expand("{genome}/features.h5", genome=GENOMES),
        "activations": expand("{genome}/activations.h5", genome=GENOMES),
        "associations": "associations.parquet",
        "sequences": [entry["sequence"] for entry in config["genomes"].values()],
        "sae": "sae/cfg.json",
        "other_sae": rivals,
        "trained_on": [config["genomes"][genome]["sequence"] for genome in config["fit"]],
        "config": config.get("rank", []),
    }


def ranking(wildcards, input):
    """Return the options of a ranking: the same for every rule that ranks."""
    folders = {"sae": [input.sae], "other-sae": input.other_sae}
    files = {name.replace("_", "-"): getattr(input, name) for name in ("activations", "trained_on")}
    files |= {name: [Path(one).parent for one in paths] for name, paths in folders.items()}
    files |= {"genome": input.sequences, "ablation": input.get("ablation", [])}
    settings = given(config=config.get("rank"), seed=config["seed"])
    return " ".join([*(options(f"--{flag}", paths) for flag, paths in files.items()), settings])


rule rank:
    """Rank the features that no known concept explains."""
    input:
        unpack(ranked),
        ablation=["ablation.tsv"],
        measured="preselected.tsv",
        annotations=lambda wildcards: [config["genomes"][it]["annotation"] for it in SEARCHED],
        predictions=expand("{genome}/predicted.gff3", genome=SEARCHED),
    output:
        table="candidates.tsv",
        loci="candidates.gff3",
        sequences="candidates.fasta",
    log:
        "logs/rank.log",
    benchmark:
        "benchmarks/rank.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        options=ranking,
        annotations=lambda wildcards, input: options("--annotations", input.annotations),
        predictions=lambda wildcards, input: options("--predictions", input.predictions),
    shell:
        "genointerp rank {input.features:q} --associations {input.associations:q}"
        " {params.options} --measured {input.measured:q}"
        " {params.annotations} {params.predictions} --out {output.table:q} &> {log:q}"
