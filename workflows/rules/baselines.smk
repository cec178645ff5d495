rule harvest_random:
    """Store what the model computes with random weights, on the regions that the run names."""
    input:
        genome=of_genome("sequence"),
    output:
        "random/{genome}/activations.h5",
    log:
        "logs/random/{genome}/harvest.log",
    benchmark:
        "benchmarks/random/{genome}/harvest.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        model=config["model"]["name"],
        options=given(
            site=config["model"].get("site"),
            window=config["windows"].get("length"),
            warmup=config["windows"].get("warmup"),
            random_weights=config["seed"],
        ),
        regions=lambda wildcards: options("--region", RANDOM[wildcards.genome]),
    shell:
        "genointerp harvest {input.genome:q} --model {params.model:q}"
        " {params.options} {params.regions} --out {output:q} &> {log:q}"


rule train_rival:
    """Train a dictionary as that of the run: of random weights, or of another seed."""
    input:
        activations=rival_activations,
        config=rival_dictionary,
    output:
        "{rival}/sae/cfg.json",
        "{rival}/sae/sae_weights.safetensors",
        "{rival}/sae/log.json",
    log:
        "logs/{rival}/train.log",
    benchmark:
        "benchmarks/{rival}/train.tsv"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        out=lambda wildcards, output: str(Path(output[0]).parent),
        options=lambda wildcards: given(
            config=rival_dictionary(wildcards) or None,
            seed=config["seed"] + (wildcards.rival == "other_seed"),
        ),
    shell:
        # Snakemake removes its outputs, and leaves the other files of the folder
        "genointerp train {input.activations:q} {params.options} --out {params.out:q} --force"
        " &> {log:q}"


rule encode_rival:
    """Turn activations of one genome into features of another dictionary."""
    input:
        activations=lambda wildcards: rival_activations(wildcards, wildcards.genome),
        sae="{rival}/sae/cfg.json",
    output:
        "{rival}/{genome}/features.h5",
    log:
        "logs/{rival}/{genome}/encode.log",
    benchmark:
        "benchmarks/{rival}/{genome}/encode.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        sae=lambda wildcards, input: str(Path(input.sae).parent),
    shell:
        "genointerp encode {input.activations:q} --sae {params.sae:q} --out {output:q} &> {log:q}"


rule baselines:
    """Measure what it takes without the dictionary to tell each concept."""
    input:
        features=expand("{genome}/features.h5", genome=GENOMES),
        activations=expand("{genome}/activations.h5", genome=GENOMES),
        random=expand("random/{genome}/features.h5", genome=RIVALS["random"]),
        other_seed=expand("other_seed/{genome}/features.h5", genome=RIVALS["other_seed"]),
        associations="associations.parquet",
        annotations=[config["genomes"][genome]["annotation"] for genome in GENOMES],
        sequences=[config["genomes"][genome]["sequence"] for genome in GENOMES],
        concepts=config.get("concepts", []),
        config=config.get("associate", []),
    output:
        "baselines.tsv",
    log:
        "logs/baselines.log",
    benchmark:
        "benchmarks/baselines.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        annotations=lambda wildcards, input: options("--annotations", input.annotations),
        sequences=lambda wildcards, input: options("--genome", input.sequences),
        activations=lambda wildcards, input: options("--activations", input.activations),
        random=lambda wildcards, input: options("--random", input.random),
        other_seed=lambda wildcards, input: options("--other-seed", input.other_seed),
        test=options("--test", config["test"]),
        options=given(
            concepts=config.get("concepts"),
            config=config.get("associate"),
            seed=config["seed"],
        ),
    shell:
        "genointerp associate {input.features:q} {params.annotations} {params.sequences}"
        " {params.test} {params.options} --associations {input.associations:q}"
        " {params.activations} {params.random} {params.other_seed}"
        " --baselines {output:q} &> {log:q}"
