# What changed from this model to others, which features other dictionaries and genomes have too, and
# how alike models are.
rule diff:
    """Compare a tuned model with the model of the run, next to a control."""
    input:
        genome=lambda wildcards: sequence_of(COMPARISONS["diff"][wildcards.name]["genome"]),
        annotations=lambda wildcards: (
            annotation_of(COMPARISONS["diff"][wildcards.name]["genome"]) if ANNOTATED else []
        ),
        concepts=outside(config.get("concepts")),
        sae="sae/cfg.json",
    output:
        **dict(zip(("loci", "summary", "tail", "bins", "changed", "concepts", "texts"), OF_DIFF)),
        metadata=[metadata_of(table) for table in OF_DIFF],
        tracks=directory(TRACKS),
    log:
        "logs/diff_{name}.log",
    benchmark:
        "benchmarks/diff_{name}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        gpu=ON_GPU,
    params:
        content=content(
            "model",
            "concepts",
            *(f"comparisons.diff.{{name}}.{key}" for key in OF_MODELS),
            *of_all("annotation"),
            *of_all("sequence"),
        ),
        options=diff_options,
        models=lambda wildcards: " ".join(
            quote(name)
            for name in (config["model"]["name"], COMPARISONS["diff"][wildcards.name]["tuned"])
        ),
    shell:
        "genointerp diff {params.options} --genome {input.genome:q} --out {output.loci:q}"
        " --features-out {output.changed:q} --texts-out {output.texts:q}"
        " --tracks-out {output.tracks:q}"
        " -- {params.models} &> {log:q}"


rule plot_divergence:
    """Draw where the predictions of a tuned model differ, and how far the tail goes."""
    input:
        **dict(zip(("loci", "summary", "tail", "bins", "changed", "concepts", "texts"), OF_DIFF)),
    output:
        "figures/divergence_{name}.png",
    log:
        "logs/plot_divergence_{name}.log",
    benchmark:
        "benchmarks/plot_divergence_{name}.tsv"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "genointerp plot divergence {input.loci:q} --out {output:q} &> {log:q}"


rule twin:
    """Read genomes with the random-weight twin of the model, and train it a dictionary."""
    input:
        activations=expand("{genome}/activations.h5", genome=TWINNED),
        genomes=[sequence_of(genome) for genome in TWINNED],
        sae="sae/cfg.json",
    output:
        directory(TWIN),
    log:
        "logs/twin.log",
    benchmark:
        "benchmarks/twin.tsv"
    # what others wait for goes before figures and queries
    priority: 1
    threads: 1
    resources:
        mem_mb=4000,
        gpu=ON_GPU,
    params:
        content=content("model", *of_all("sequence")),
        options=given(seed=config["seed"]),
        names=options("--genome", TWINNED),
        device=DEVICE,
    shell:
        # threads as for the dictionary of the run
        "OMP_NUM_THREADS=2 MKL_DYNAMIC=FALSE genointerp twin . {params.names} {params.options} {params.device} --force"
        " --out {output:q} &> {log:q}"


rule twin_of_other:
    """Read genomes of another run with the random-weight twin of its model, as `twin`."""
    input:
        lambda wildcards: outside(
            COMPARISONS[wildcards.asked][wildcards.name][OTHER[wildcards.asked]]
        ),
    output:
        directory(TWIN_OF_OTHER),
    log:
        "logs/twin_of_other_{asked}_{name}.log",
    benchmark:
        "benchmarks/twin_of_other_{asked}_{name}.tsv"
    # what others wait for goes before figures and queries
    priority: 1
    threads: 1
    resources:
        mem_mb=4000,
        gpu=ON_GPU,
    params:
        content=content(*(f"comparisons.{{asked}}.{{name}}.{key}" for key in OTHER.values())),
        run=lambda wildcards: quote(str(twinned(wildcards)[0])),
        names=lambda wildcards: options("--genome", [twinned(wildcards)[1]]),
        # another seed: of one network, both twins would have the same weights
        options=given(seed=config["seed"] + 1),
        device=DEVICE,
    shell:
        # threads as for the dictionary of the run
        "OMP_NUM_THREADS=2 MKL_DYNAMIC=FALSE genointerp twin {params.names} {params.options} {params.device} --force"
        " --out {output:q} -- {params.run} &> {log:q}"


rule match:
    """Match the features of a genome with those of another dictionary, next to nulls."""
    input:
        unpack(matched_inputs),
    output:
        **dict(zip(("table", "summary"), MATCHES)),
        metadata=[metadata_of(table) for table in MATCHES],
    log:
        "logs/match_{name}.log",
    benchmark:
        "benchmarks/match_{name}.tsv"
    # what others wait for goes before figures and queries
    priority: 1
    threads: 2
    resources:
        mem_mb=4000,
    params:
        content=content(
            "comparisons.match.{name}.features",
            "comparisons.match.{name}.twin_a",
            "comparisons.match.{name}.twin_b",
            "comparisons.match.{name}.ceiling",
            *of_all("annotation"),
            *of_all("sequence"),
        ),
        options=matched_options,
    shell:
        "genointerp match {params.options} --out {output.table:q}"
        " -- {input.own:q} {input.features:q} &> {log:q}"


rule across:
    """Match the features of two genomes by what they do in orthologous genes."""
    input:
        unpack(across_inputs),
    output:
        **dict(zip(("table", "summary"), ACROSS)),
        metadata=[metadata_of(table) for table in ACROSS],
    log:
        "logs/across_{name}.log",
    benchmark:
        "benchmarks/across_{name}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        content=content(
            "comparisons.across.{name}.features", *of_all("annotation"), *of_all("sequence")
        ),
        options=across_options,
    shell:
        "genointerp across {params.options} --out {output.table:q}"
        " -- {input.features:q} {input.other:q} &> {log:q}"


rule plot_match:
    """Draw the shares of features that are matched and their correlations, next to nulls."""
    input:
        table=MATCHES[0],
        beside=MATCHES[1:],
    output:
        "figures/match_{name}.png",
    log:
        "logs/plot_match_{name}.log",
    benchmark:
        "benchmarks/plot_match_{name}.tsv"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "genointerp plot match {input.table:q} --out {output:q} &> {log:q}"


rule plot_across:
    """Draw the shares of features that are matched across genomes, and their correlations."""
    input:
        table=ACROSS[0],
        beside=ACROSS[1:],
    output:
        "figures/across_{name}.png",
    log:
        "logs/plot_across_{name}.log",
    benchmark:
        "benchmarks/plot_across_{name}.tsv"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "genointerp plot match {input.table:q} --out {output:q} &> {log:q}"


rule similar:
    """Compare the activations of a genome with those of another model, next to nulls."""
    input:
        unpack(similar_inputs),
    output:
        table=SIMILARITY,
        metadata=metadata_of(SIMILARITY),
    log:
        "logs/similar_{name}.log",
    benchmark:
        "benchmarks/similar_{name}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        content=content(
            "comparisons.similar.{name}.activations",
            "comparisons.similar.{name}.twin_a",
            "comparisons.similar.{name}.twin_b",
            "comparisons.similar.{name}.ceiling",
            *of_all("annotation"),
            *of_all("sequence"),
        ),
        options=similar_options,
    shell:
        "genointerp similar {params.options} --out {output.table:q}"
        " -- {input.own:q} {input.activations:q} &> {log:q}"
