rule backtest:
    """Hide each known class in turn and see where the ranking puts what tells it."""
    input:
        features=expand("{genome}/features.h5", genome=GENOMES),
        activations=expand("{genome}/activations.h5", genome=GENOMES),
        # of a dictionary that read other genomes the ranks would not be comparable
        random=(
            expand("random/{genome}/features.h5", genome=GENOMES)
            if RIVALS["random"] == GENOMES
            else []
        ),
        associations="associations.parquet",
        baselines=["baselines.tsv"] if "baselines" in config else [],
        annotations=[config["genomes"][genome]["annotation"] for genome in GENOMES],
        sequences=[config["genomes"][genome]["sequence"] for genome in GENOMES],
        concepts=config.get("concepts", []),
    output:
        classes="backtest.tsv",
        features="backtest_features.tsv",
        figure="figures/backtest.png",
    log:
        "logs/backtest.log",
    benchmark:
        "benchmarks/backtest.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        annotations=lambda wildcards, input: options("--annotations", input.annotations),
        sequences=lambda wildcards, input: options("--genome", input.sequences),
        activations=lambda wildcards, input: options("--activations", input.activations),
        random=lambda wildcards, input: options("--random", input.random),
        baselines=lambda wildcards, input: options("--baselines", input.baselines),
        options=given(concepts=config.get("concepts"), seed=config["seed"]),
    shell:
        "genointerp backtest {input.features:q} {params.annotations} {params.sequences}"
        " --associations {input.associations:q} {params.baselines}"
        " {params.activations} {params.random} {params.options}"
        " --figure {output.figure:q} --out {output.classes:q} &> {log:q}"
