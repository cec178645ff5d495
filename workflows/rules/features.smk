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
        gpu=ON_GPU,
    params:
        sae=lambda wildcards, input: str(Path(input.sae).parent),
        device=DEVICE,
    shell:
        "genointerp encode {input.activations:q} --sae {params.sae:q} {params.device}"
        " --out {output:q} &> {log:q}"


rule query:
    """Tabulate the features that fire in one region, strongest first."""
    input:
        features=query_features,
        associations=ASSOCIATIONS,
    output:
        table="queries/{query}.tsv",
        metadata=metadata_of("queries/{query}.tsv"),
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
        associations=lambda wildcards, input: options("--associations", input.associations),
    shell:
        "genointerp query {params.top} {params.associations} --out {output.table:q}"
        " -- {input.features:q} {params.region:q} &> {log:q}"
