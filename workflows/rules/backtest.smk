def random_weights(wildcards):
    """Return what the model gives with random weights, where it read every genome."""
    # of a dictionary that read other genomes the ranks would not be comparable
    genomes = GENOMES if RIVALS["random"] == GENOMES else []
    return {
        "random": expand("random/{genome}/features.h5", genome=genomes),
        "random_activations": expand("random/{genome}/activations.h5", genome=genomes),
        "random_sae": ["random/sae/cfg.json"] if genomes else [],
    }


def random_options(wildcards, input):
    """Return the options by which random weights are ranked beside."""
    files = {"random": input.random, "random-activations": input.random_activations}
    files["random-sae"] = [Path(one).parent for one in input.random_sae]
    return " ".join(options(f"--{flag}", paths) for flag, paths in files.items())


rule backtest:
    """Hide each known class in turn and see where the ranking puts what tells it."""
    input:
        unpack(ranked),
        unpack(random_weights),
        ablation=["ablation.tsv"],
        measured="candidates.tsv",
        baselines=["baselines.tsv"] if "baselines" in config else [],
        annotations=[config["genomes"][genome]["annotation"] for genome in GENOMES],
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
        ranking=ranking,
        random=random_options,
        annotations=lambda wildcards, input: options("--annotations", input.annotations),
        baselines=lambda wildcards, input: options("--baselines", input.baselines),
        options=given(concepts=config.get("concepts")),
    shell:
        "genointerp backtest {input.features:q} {params.annotations}"
        " --associations {input.associations:q} {params.ranking} {params.random}"
        " --measured {input.measured:q}"
        " {params.baselines} {params.options}"
        " --figure {output.figure:q} --out {output.classes:q} &> {log:q}"
