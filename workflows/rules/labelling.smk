# What each feature is said to be, and how far that holds.
rule label:
    """Say what each feature is, from what is measured of it on fit."""
    input:
        features=expand("{genome}/features.h5", genome=GENOMES),
        associations="associations.parquet",
        annotations=[annotation_of(genome) for genome in GENOMES],
        sequences=[sequence_of(genome) for genome in GENOMES],
        concepts=outside(config.get("concepts")),
    output:
        table="labels.tsv",
        metadata=metadata_of("labels.tsv"),
    log:
        "logs/label.log",
    benchmark:
        "benchmarks/label.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        content=content("concepts", *of_all("annotation"), *of_all("sequence")),
        options=labelled_options,
    shell:
        "genointerp label {input.features:q} {params.options} --out {output.table:q} &> {log:q}"


rule score:
    """Hold the labels, those by hand too, to bases that no labeller saw."""
    input:
        features=expand("{genome}/features.h5", genome=GENOMES),
        labels="labels.tsv",
        hand=BY_HAND,
        metadata=metadata_of("labels.tsv"),
        associations="associations.parquet",
        annotations=[annotation_of(genome) for genome in GENOMES],
        sequences=[sequence_of(genome) for genome in GENOMES],
        concepts=outside(config.get("concepts")),
    output:
        table="label_scores.tsv",
        summary="label_scores.summary.tsv",
        metadata=[metadata_of(table) for table in LABELS[1:]],
    log:
        "logs/score.log",
    benchmark:
        "benchmarks/score.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        content=content("concepts", *of_all("annotation"), *of_all("sequence")),
        labels=lambda wildcards, input: options("--labels", [input.labels, *input.hand[:1]]),
        options=labelled_options,
    shell:
        "genointerp score {input.features:q} {params.labels} {params.options}"
        " --out {output.table:q} &> {log:q}"
