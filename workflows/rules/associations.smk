rule associate:
    """Score every feature against every concept: chosen on fit, measured on test."""
    input:
        features=expand("{genome}/features.h5", genome=GENOMES),
        annotations=[config["genomes"][genome]["annotation"] for genome in GENOMES],
        sequences=[config["genomes"][genome]["sequence"] for genome in GENOMES],
        concepts=config.get("concepts", []),
    output:
        "associations.parquet",
    log:
        "logs/associate.log",
    benchmark:
        "benchmarks/associate.tsv"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        annotations=lambda wildcards, input: options("--annotations", input.annotations),
        sequences=lambda wildcards, input: options("--genome", input.sequences),
        test=options("--test", config["test"]),
        options=given(concepts=config.get("concepts"), seed=config["seed"]),
    shell:
        "genointerp associate {input.features:q} {params.annotations} {params.sequences}"
        " {params.test} {params.options} --out {output:q} &> {log:q}"


rule rank:
    """Rank the features that no known concept explains."""
    input:
        features=expand("{genome}/features.h5", genome=GENOMES),
        activations=expand("{genome}/activations.h5", genome=GENOMES),
        sae="sae/cfg.json",
        trained_on=[config["genomes"][genome]["sequence"] for genome in config["fit"]],
        associations="associations.parquet",
        sequences=[config["genomes"][genome]["sequence"] for genome in GENOMES],
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
        sequences=lambda wildcards, input: options("--genome", input.sequences),
        activations=lambda wildcards, input: options("--activations", input.activations),
        sae=lambda wildcards, input: str(Path(input.sae).parent),
        trained_on=lambda wildcards, input: options("--trained-on", input.trained_on),
        options=given(seed=config["seed"]),
    shell:
        "genointerp rank {input.features:q} --associations {input.associations:q}"
        " {params.sequences} {params.activations} --sae {params.sae:q} {params.trained_on}"
        " {params.options} --out {output.table:q} &> {log:q}"
