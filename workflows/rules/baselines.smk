rule harvest_random:
    """Store what the model computes with random weights, on the regions that the run names."""
    input:
        genome=lambda wildcards: sequence_of(wildcards.genome),
    output:
        "random/{genome}/activations.h5",
    log:
        "logs/random/{genome}/harvest.log",
    benchmark:
        "benchmarks/random/{genome}/harvest.tsv"
    threads: 1
    resources:
        mem_mb=3000,
        gpu=ON_GPU,
    params:
        content=content("model", "genomes.{genome}.sequence"),
        model=lambda wildcards: f"{MODEL} {WINDOWS}",
        options=given(
            site=config["model"].get("site"),
            chunk=config["windows"].get("chunk"),
            random_weights=config["seed"],
        ),
        regions=regions(lambda wildcards: RANDOM[wildcards.genome]),
    shell:
        # what a stopped job of other settings left gives way
        "genointerp harvest {input.genome:q} {params.model} {params.options} {params.regions} --force"
        " --out {output:q} &> {log:q}"


rule train_rival:
    """Train a dictionary as that of the run: of random weights, or of another seed."""
    input:
        activations=rival_activations,
        config=rival_dictionary,
    output:
        expand("{{rival}}/{file}", file=OF_TRAINING),
    log:
        "logs/{rival}/train.log",
    benchmark:
        "benchmarks/{rival}/train.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        gpu=ON_GPU,
    params:
        content=content("dictionary", "random_dictionary"),
        out=lambda wildcards, output: str(Path(output[0]).parent),
        options=lambda wildcards: given(
            config=rival_dictionary(wildcards) or None,
            seed=config["seed"] + (wildcards.rival == "other_seed"),
        ),
        device=DEVICE,
    shell:
        # sums of another number of threads have other last digits, of which a training makes other
        # features: two, however many cores there are. What a stopped job of other settings left gives way.
        "OMP_NUM_THREADS=2 MKL_DYNAMIC=FALSE genointerp train {input.activations:q} {params.options} {params.device} --force"
        " --out {params.out:q} &> {log:q}"


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
        gpu=ON_GPU,
    params:
        sae=lambda wildcards, input: str(Path(input.sae).parent),
        device=DEVICE,
    shell:
        "genointerp encode {input.activations:q} --sae {params.sae:q} {params.device}"
        " --out {output:q} &> {log:q}"


rule baselines:
    """Measure what it takes without the dictionary to tell each concept."""
    input:
        features=expand("{genome}/features.h5", genome=GENOMES),
        activations=expand("{genome}/activations.h5", genome=GENOMES),
        random=expand("random/{genome}/features.h5", genome=RIVALS["random"]),
        other_seed=expand("other_seed/{genome}/features.h5", genome=RIVALS["other_seed"]),
        associations="associations.parquet",
        annotations=[annotation_of(genome) for genome in GENOMES],
        sequences=[sequence_of(genome) for genome in GENOMES],
        concepts=outside(config.get("concepts")),
        config=outside(config.get("associate")),
    output:
        table="baselines.tsv",
        metadata=metadata_of("baselines.tsv"),
    log:
        "logs/baselines.log",
    benchmark:
        "benchmarks/baselines.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        content=content("concepts", "associate", *of_all("annotation"), *of_all("sequence")),
        annotations=lambda wildcards, input: options("--annotations", input.annotations),
        sequences=lambda wildcards, input: options("--genome", input.sequences),
        activations=lambda wildcards, input: options("--activations", input.activations),
        random=lambda wildcards, input: options("--random-features", input.random),
        other_seed=lambda wildcards, input: options("--other-features", input.other_seed),
        test=held_out,
        options=lambda wildcards: given(
            concepts=config.get("concepts"),
            config=config.get("associate"),
            seed=config["seed"],
        ),
    shell:
        "genointerp associate {input.features:q} {params.annotations} {params.sequences}"
        " {params.test} {params.options} --associations {input.associations:q}"
        " {params.activations} {params.random} {params.other_seed}"
        " --baselines-out {output.table:q} &> {log:q}"
