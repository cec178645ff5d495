rule preselect:
    """Rank once without the model, for the candidates that are worth an ablation."""
    input:
        unpack(ranked),
    output:
        table=temp("preselected.tsv"),
        metadata=temp(metadata_of("preselected.tsv")),
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
        content=content("rank", *of_all("sequence")),
        options=ranking,
    shell:
        "genointerp rank {input.features:q} --associations {input.associations:q}"
        " {params.options} --out {output.table:q} &> {log:q}"


rule ablate:
    """Measure what the model loses without each of the first candidates."""
    input:
        genome=sequence_of(config["fidelity"]["genome"]),
        sae="sae/cfg.json",
        features="{genome}/features.h5".format(genome=config["fidelity"]["genome"]),
        candidates="preselected.tsv",
        metadata=metadata_of("preselected.tsv"),
    output:
        table="ablation.tsv",
        metadata=metadata_of("ablation.tsv"),
    log:
        "logs/ablate.log",
    benchmark:
        "benchmarks/ablate.tsv"
    # what others wait for goes before figures and queries
    priority: 1
    threads: 1
    resources:
        mem_mb=3000,
        gpu=ON_GPU,
    params:
        content=content("model", f"genomes.{config['fidelity']['genome']}.sequence"),
        sae=lambda wildcards, input: str(Path(input.sae).parent),
        model=lambda wildcards: MODEL,
        options=given(seed=config["seed"]),
    shell:
        "genointerp ablate {input.features:q} --genome {input.genome:q} {params.model} --sae {params.sae:q}"
        " --candidates {input.candidates:q}"
        " {params.options} --out {output.table:q} &> {log:q}"
