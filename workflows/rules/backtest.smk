rule backtest:
    """Hide each known class in turn and see where the ranking puts what tells it."""
    input:
        unpack(ranked),
        unpack(random_weights),
        ablation=["ablation.tsv"],
        measured="candidates.tsv",
        baselines=BASELINES,
        annotations=[annotation_of(genome) for genome in GENOMES],
        concepts=outside(config.get("concepts")),
    output:
        classes="backtest.tsv",
        features="backtest_features.tsv",
        metadata=[metadata_of("backtest.tsv"), metadata_of("backtest_features.tsv")],
        figure="figures/backtest.png",
    log:
        "logs/backtest.log",
    benchmark:
        "benchmarks/backtest.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        content=content("rank", "concepts", *of_all("annotation"), *of_all("sequence")),
        ranking=ranking,
        random=random_options,
        annotations=lambda wildcards, input: options("--annotations", input.annotations),
        baselines=lambda wildcards, input: options("--baselines", input.baselines),
        options=lambda wildcards: given(concepts=config.get("concepts")),
    shell:
        "genointerp backtest {input.features:q} {params.annotations}"
        " --associations {input.associations:q} {params.ranking} {params.random}"
        " --measured {input.measured:q}"
        " {params.baselines} {params.options}"
        " --figure-out {output.figure:q} --out {output.classes:q} &> {log:q}"
