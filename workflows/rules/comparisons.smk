# What changed from this model to others, which features other dictionaries have too, and how alike
# models are.
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
