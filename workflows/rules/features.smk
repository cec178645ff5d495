rule encode:
    """Turn the activations of one genome into features of the dictionary."""
    input:
        activations="{genome}/activations.h5",
        sae="sae/cfg.json",
    output:
        "{genome}/features.h5",
    log:
        "logs/{genome}/encode.log",
    benchmark:
        "benchmarks/{genome}/encode.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        sae=lambda wildcards, input: str(Path(input.sae).parent),
    shell:
        "genointerp encode {input.activations:q} --sae {params.sae:q} --out {output:q} &> {log:q}"


rule query:
    """Tabulate the features that fire in one region, strongest first."""
    input:
        features=query_features,
        associations="associations.parquet",
    output:
        "queries/{query}.tsv",
    log:
        "logs/query_{query}.log",
    benchmark:
        "benchmarks/query_{query}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        region=of_query("region"),
        top=lambda wildcards: given(top=QUERIES[wildcards.query].get("top")),
    shell:
        "genointerp query {input.features:q} {params.region:q} {params.top}"
        " --associations {input.associations:q} --out {output:q} &> {log:q}"
