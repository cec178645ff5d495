# what a page shows where genomes are annotated
OF_ASSOCIATIONS = [
    *("associations.parquet", *as_text("candidates.tsv"), "dossiers"),
    *([*as_text("backtest.tsv"), "figures/backtest.png"] if config["backtest"] else []),
    *as_text(*BASELINES),
    *([*as_text(*LABELS), *BY_HAND] if LABELLED else []),
    "figures/overlap.png",
    *expand("figures/region_{query}.png", query=QUERIES),
]


rule plot_region:
    """Draw the strongest features of one region over its annotation."""
    input:
        features=query_features,
        associations="associations.parquet",
        annotation=lambda wildcards: annotation_of(QUERIES[wildcards.query]["genome"]),
        sequence=lambda wildcards: sequence_of(QUERIES[wildcards.query]["genome"]),
        concepts=outside(config.get("concepts")),
    output:
        "figures/region_{query}.png",
    log:
        "logs/plot_region_{query}.log",
    benchmark:
        "benchmarks/plot_region_{query}.tsv"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        content=content("concepts", *of_all("annotation"), *of_all("sequence")),
        region=of_query("region"),
        options=lambda wildcards: given(concepts=config.get("concepts")),
    shell:
        "genointerp plot region"
        " --annotations {input.annotation:q} --genome {input.sequence:q} {params.options}"
        " --associations {input.associations:q} --out {output:q}"
        " -- {input.features:q} {params.region:q} &> {log:q}"


rule plot_overlap:
    """Draw which features tell which concepts."""
    input:
        "associations.parquet",
    output:
        "figures/overlap.png",
    log:
        "logs/plot_overlap.log",
    benchmark:
        "benchmarks/plot_overlap.tsv"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "genointerp plot overlap {input:q} --out {output:q} &> {log:q}"


rule summarise:
    """Collect the headline figures of the run and the best feature of each concept."""
    input:
        associations=ASSOCIATIONS,
        log="sae/log.json" if FIT else [],
        sae=[] if FIT else "sae/cfg.json",
        fidelity="fidelity.json",
        baselines=BASELINES,
    output:
        summary="summary.json",
        best="best_per_concept.tsv",
        text="associations.tsv",
        metadata=[metadata_of("best_per_concept.tsv"), metadata_of("associations.tsv")],
    log:
        "logs/summarise.log",
    benchmark:
        "benchmarks/summarise.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        baselines=lambda wildcards, input: options("--baselines", input.baselines),
        dictionary=lambda wildcards, input: (
            given(training=input.log) if FIT else given(sae=Path(input.sae).parent)
        ),
    shell:
        "genointerp summarise {input.associations:q} {params.dictionary} {params.baselines}"
        " --fidelity {input.fidelity:q} --out {output.summary:q} --best-out {output.best:q}"
        " --text-out {output.text:q} &> {log:q}"


rule report:
    """Write one self-contained page of everything above."""
    input:
        "summary.json",
        as_text("best_per_concept.tsv"),
        OF_ASSOCIATIONS if ANNOTATED else [],
        expand("{genome}/features.h5", genome=GENOMES),
        expand(as_text("queries/{query}.tsv"), query=QUERIES),
        expand(as_text("interventions/steer/{name}.tsv"), name=INTERVENTIONS["steer"]),
        expand(as_text("interventions/paint/{name}.summary.tsv"), name=INTERVENTIONS["paint"]),
        expand("interventions/edit/{name}", name=INTERVENTIONS["edit"]),
        as_text(*CIRCUITS) if "circuits" in config else [],
        expand(as_text("explanations/{name}.tsv"), name=EXPLANATIONS),
        expand(as_text("explanations/{name}.summary.tsv"), name=EXPLANATIONS),
        expand(as_text(*OF_DIFF), name=COMPARISONS["diff"]),
        expand("figures/divergence_{name}.png", name=COMPARISONS["diff"]),
        expand(as_text(*MATCHES), name=COMPARISONS["match"]),
        expand("figures/match_{name}.png", name=COMPARISONS["match"]),
        expand(as_text(*ACROSS), name=COMPARISONS["across"]),
        expand("figures/across_{name}.png", name=COMPARISONS["across"]),
        expand(as_text(SIMILARITY), name=COMPARISONS["similar"]),
        concepts=outside(config.get("concepts")),
    output:
        page="report.html",
        tables=directory("report_tables"),
    log:
        "logs/report.log",
    benchmark:
        "benchmarks/report.tsv"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        content=content("concepts", *of_all("annotation"), *of_all("sequence")),
    shell:
        "genointerp report . --out {output.page:q} &> {log:q}"
