# What the run does with features: steer, paint, and edit the model.
rule steer:
    """Measure how predictions change under a canvas, next to controls."""
    input:
        unpack(painted_inputs("steer")),
    output:
        table="interventions/steer/{name}.tsv",
        metadata=metadata_of("interventions/steer/{name}.tsv"),
    log:
        "logs/steer_{name}.log",
    benchmark:
        "benchmarks/steer_{name}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        gpu=ON_GPU,
    params:
        content=content(
            "model",
            "concepts",
            "interventions.steer.{name}.canvas",
            "interventions.steer.{name}.profiles",
            *of_all("annotation"),
            *of_all("sequence"),
        ),
        options=painted_options,
        doses=doses("steer"),
        # windows of its own: a harvest may read longer ones, in chunks
        settings=given(seed=config["seed"]),
        regions=lambda wildcards: " ".join(
            quote(region) for region in INTERVENTIONS["steer"][wildcards.name].get("regions", [])
        ),
    shell:
        "genointerp steer {params.options} {params.doses} {params.settings} --out {output.table:q}"
        " -- {input.genome:q} {params.regions} &> {log:q}"


rule paint:
    """Let the model write a stretch anew with features painted, next to controls."""
    input:
        unpack(painted_inputs("paint")),
    output:
        designs="interventions/paint/{name}.tsv",
        summary="interventions/paint/{name}.summary.tsv",
        metadata=[
            metadata_of("interventions/paint/{name}.tsv"),
            metadata_of("interventions/paint/{name}.summary.tsv"),
        ],
        sequences="interventions/paint/{name}.fasta",
        places="interventions/paint/{name}.gff3",
    log:
        "logs/paint_{name}.log",
    benchmark:
        "benchmarks/paint_{name}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        gpu=ON_GPU,
    params:
        content=content(
            "model",
            "concepts",
            "interventions.paint.{name}.canvas",
            "interventions.paint.{name}.profiles",
            *of_all("annotation"),
            *of_all("sequence"),
        ),
        options=painted_options,
        doses=doses("paint"),
        settings=lambda wildcards: given(
            seed=config["seed"],
            **{key: INTERVENTIONS["paint"][wildcards.name].get(key) for key in PAINT_SETTINGS},
        ),
        region=of_intervention("paint", "region"),
    shell:
        "genointerp paint {params.options} {params.doses} {params.settings} --out {output.designs:q}"
        " -- {input.genome:q} {params.region:q} &> {log:q}"


rule edit:
    """Edit the model for good, and measure what else changes."""
    input:
        sae="sae/cfg.json",
        genomes=[sequence_of(genome) for genome in EDITED_ON],
        annotations=[annotation_of(genome) for genome in EDITED_ON[1:] if ANNOTATED],
    output:
        directory("interventions/edit/{name}"),
    log:
        "logs/edit_{name}.log",
    benchmark:
        "benchmarks/edit_{name}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        gpu=ON_GPU,
    params:
        content=content("model", *of_all("annotation"), *of_all("sequence")),
        options=lambda wildcards, input: given(
            sae=Path(input.sae).parent,
            **dict(zip(("genome", "test_genome"), input.genomes)),
            annotations=next(iter(input.annotations), None),
            **{
                key: INTERVENTIONS["edit"][wildcards.name].get(key)
                for key in ("feature", "mode", "value", "method")
            },
        ),
        model=lambda wildcards: MODEL,
    shell:
        "genointerp edit {params.model} {params.options} --out {output:q} &> {log:q}"
