rule preselect:
    """Rank once without the model, for the candidates that are worth an ablation."""
    input:
        features=expand("{genome}/features.h5", genome=GENOMES),
        associations="associations.parquet",
        sequences=[config["genomes"][genome]["sequence"] for genome in GENOMES],
    output:
        table=temp("preselected.tsv"),
        loci=temp("preselected.gff3"),
        sequences=temp("preselected.fasta"),
    log:
        "logs/preselect.log",
    benchmark:
        "benchmarks/preselect.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        sequences=lambda wildcards, input: options("--genome", input.sequences),
        options=given(seed=config["seed"]),
    shell:
        "genointerp rank {input.features:q} --associations {input.associations:q}"
        " {params.sequences} {params.options} --out {output.table:q} &> {log:q}"


rule ablate:
    """Measure what the model loses without each of the first candidates."""
    input:
        genome=config["genomes"][config["fidelity"]["genome"]]["sequence"],
        sae="sae/cfg.json",
        features="{genome}/features.h5".format(genome=config["fidelity"]["genome"]),
        candidates="preselected.tsv",
    output:
        "ablation.tsv",
    log:
        "logs/ablate.log",
    benchmark:
        "benchmarks/ablate.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        sae=lambda wildcards, input: str(Path(input.sae).parent),
        model=config["model"]["name"],
        options=given(seed=config["seed"]),
    shell:
        "genointerp ablate {input.genome:q} --model {params.model:q} --sae {params.sae:q}"
        " --features {input.features:q} --candidates {input.candidates:q}"
        " {params.options} --out {output:q} &> {log:q}"
