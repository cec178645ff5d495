rule associate:
    """Score every feature against every concept: chosen on fit, measured on test."""
    input:
        features=expand("{genome}/features.h5", genome=GENOMES),
        annotations=[annotation_of(genome) for genome in GENOMES],
        sequences=[sequence_of(genome) for genome in GENOMES],
        concepts=outside(config.get("concepts")),
        config=outside(config.get("associate")),
    output:
        table="associations.parquet",
        sides="associations.sides.tsv",
        metadata=metadata_of("associations.sides.tsv"),
    log:
        "logs/associate.log",
    benchmark:
        "benchmarks/associate.tsv"
    threads: 2
    resources:
        mem_mb=4000,
    params:
        content=content("concepts", "associate", *of_all("annotation"), *of_all("sequence")),
        annotations=lambda wildcards, input: options("--annotations", input.annotations),
        sequences=lambda wildcards, input: options("--genome", input.sequences),
        test=held_out,
        options=lambda wildcards: given(
            concepts=config.get("concepts"),
            config=config.get("associate"),
            seed=config["seed"],
        ),
    shell:
        "genointerp associate {input.features:q} {params.annotations} {params.sequences}"
        " {params.test} {params.options} --out {output.table:q} &> {log:q}"


rule rank:
    """Rank the features that no known concept explains."""
    input:
        unpack(ranked),
        ablation=["ablation.tsv"],
        measured="preselected.tsv",
        metadata=metadata_of("preselected.tsv"),
        annotations=[annotation_of(genome) for genome in SEARCHED],
        predictions=expand("{genome}/predicted.gff3", genome=SEARCHED),
        matches=expand(MATCHES[0], name=COMPARISONS["match"]),
        matches_metadata=expand(metadata_of(MATCHES[0]), name=COMPARISONS["match"]),
    output:
        table="candidates.tsv",
        metadata=metadata_of("candidates.tsv"),
        loci="candidates.gff3",
        sequences="candidates.fasta",
    log:
        "logs/rank.log",
    benchmark:
        "benchmarks/rank.tsv"
    # what others wait for goes before figures and queries
    priority: 1
    threads: 1
    resources:
        mem_mb=3000,
    params:
        content=content("rank", *of_all("sequence"), *of_all("annotation")),
        options=ranking,
        annotations=lambda wildcards, input: options("--annotations", input.annotations),
        predictions=lambda wildcards, input: options("--predictions", input.predictions),
        matches=lambda wildcards, input: options("--matches", input.matches),
    shell:
        "genointerp rank {input.features:q} --associations {input.associations:q}"
        " {params.options} --measured {input.measured:q} {params.matches}"
        " {params.annotations} {params.predictions} --out {output.table:q} &> {log:q}"


rule annotate:
    """Predict the annotation of a genome that comes without one."""
    input:
        genome=lambda wildcards: sequence_of(wildcards.genome),
    output:
        "{genome}/annotation.gff3",
    log:
        "logs/{genome}/annotate.log",
    benchmark:
        "benchmarks/{genome}/annotate.tsv"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        content=content("genomes.{genome}.sequence"),
        finders=lambda wildcards: options(
            "--find", config["genomes"][wildcards.genome]["annotate_with"]
        ),
    shell:
        "genointerp annotate {input.genome:q} {params.finders} --out {output:q} &> {log:q}"


rule find:
    """Predict the elements of one genome from its sequence alone, with the finders that are named."""
    input:
        genome=lambda wildcards: sequence_of(wildcards.genome),
    output:
        "{genome}/predicted.gff3",
    log:
        "logs/{genome}/find.log",
    benchmark:
        "benchmarks/{genome}/find.tsv"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        content=content("genomes.{genome}.sequence"),
        finders=options("--find", config["finders"]),
    shell:
        "genointerp annotate {input.genome:q} {params.finders} --out {output:q} &> {log:q}"


rule dossier:
    """Write what is known of each of the first candidates."""
    input:
        candidates="candidates.tsv",
        features=expand("{genome}/features.h5", genome=GENOMES),
        annotations=[annotation_of(genome) for genome in GENOMES],
        sequences=[sequence_of(genome) for genome in GENOMES],
        predictions=expand("{genome}/predicted.gff3", genome=GENOMES if config["finders"] else []),
        sae="sae/cfg.json",
        config=outside(config.get("dossier")),
    output:
        directory("dossiers"),
    log:
        "logs/dossier.log",
    benchmark:
        "benchmarks/dossier.tsv"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        content=content("dossier", *of_all("annotation"), *of_all("sequence")),
        features=lambda wildcards, input: options("--features", input.features),
        annotations=lambda wildcards, input: options("--annotations", input.annotations),
        sequences=lambda wildcards, input: options("--genome", input.sequences),
        predictions=lambda wildcards, input: options("--predictions", input.predictions),
        sae=lambda wildcards, input: str(Path(input.sae).parent),
        options=lambda wildcards: given(config=config.get("dossier")),
    shell:
        "genointerp dossier {input.candidates:q} {params.features} {params.sequences}"
        " {params.annotations} {params.predictions} --sae {params.sae:q} {params.options}"
        " --out {output:q} &> {log:q}"
