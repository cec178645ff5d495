# Why the model predicts what it predicts, and which features work together.
rule explain:
    """Explain predictions or variants by the features of the dictionary."""
    input:
        unpack(explained_inputs),
    output:
        nodes="explanations/{name}.tsv",
        summary="explanations/{name}.summary.tsv",
        metadata=[
            metadata_of("explanations/{name}.tsv"),
            metadata_of("explanations/{name}.summary.tsv"),
        ],
    log:
        "logs/explain_{name}.log",
    benchmark:
        "benchmarks/explain_{name}.tsv"
    threads: 1
    resources:
        mem_mb=3000,
        gpu=ON_GPU,
    params:
        content=content("model", "explanations.{name}.vcf", *of_all("sequence")),
        options=explained_options,
    shell:
        "genointerp explain {params.options} --out {output.nodes:q} -- {input.genome:q} &> {log:q}"


rule circuit:
    """Find features that fire a fixed number of bases after one another."""
    input:
        features=expand("{genome}/features.h5", genome=GENOMES),
        associations="associations.parquet" if ANNOTATED else [],
    output:
        **dict(zip(("edges", "lags", "families", "members"), CIRCUITS)),
        metadata=[metadata_of(table) for table in CIRCUITS],
    log:
        "logs/circuit.log",
    benchmark:
        "benchmarks/circuit.tsv"
    threads: 2
    resources:
        mem_mb=4000,
    params:
        options=lambda wildcards, input: given(
            associations=input.get("associations") or None,
            seed=config["seed"],
            **config.get("circuits", {}),
        ),
    shell:
        "genointerp circuit {input.features:q} {params.options} --lags-out {output.lags:q}"
        " --families-out {output.families:q} --members-out {output.members:q}"
        " --out {output.edges:q} &> {log:q}"
