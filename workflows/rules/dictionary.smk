rule harvest:
    """Store what the model computes on one genome, both strands."""
    input:
        genome=of_genome("sequence"),
    output:
        "{genome}/activations.h5",
    log:
        "logs/{genome}/harvest.log",
    benchmark:
        "benchmarks/{genome}/harvest.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        model=config["model"]["name"],
        options=given(
            site=config["model"].get("site"),
            window=config["windows"].get("length"),
            warmup=config["windows"].get("warmup"),
        ),
        regions=lambda wildcards: options(
            "--region", config["genomes"][wildcards.genome].get("regions", [])
        ),
    shell:
        "genointerp harvest {input.genome:q} --model {params.model:q}"
        " {params.options} {params.regions} --out {output:q} &> {log:q}"


rule train_sae:
    """Train one sparse autoencoder on the activations of the fit genomes."""
    input:
        activations=expand("{genome}/activations.h5", genome=config["fit"]),
        config=config.get("dictionary", []),
    output:
        "sae/cfg.json",
        "sae/sae_weights.safetensors",
        "sae/log.json",
    log:
        "logs/train.log",
    benchmark:
        "benchmarks/train.tsv"
    threads: 2
    resources:
        mem_mb=4000,
    params:
        out=lambda wildcards, output: str(Path(output[0]).parent),
        options=given(config=config.get("dictionary"), seed=config["seed"]),
    shell:
        "genointerp train {input.activations:q} {params.options} --out {params.out:q} &> {log:q}"


rule evaluate:
    """Measure how much of the model's loss the dictionary keeps."""
    input:
        genome=config["genomes"][config["fidelity"]["genome"]]["sequence"],
        activations="{genome}/activations.h5".format(genome=config["fidelity"]["genome"]),
        sae="sae/cfg.json",
    output:
        "fidelity.json",
    log:
        "logs/evaluate.log",
    benchmark:
        "benchmarks/evaluate.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        sae=lambda wildcards, input: str(Path(input.sae).parent),
        model=config["model"]["name"],
        options=given(
            window=config["windows"].get("length"),
            warmup=config["windows"].get("warmup"),
            sample=config["fidelity"].get("sample"),
        ),
        regions=options("--region", fidelity_regions()),
    shell:
        "genointerp evaluate {input.genome:q} --model {params.model:q} --sae {params.sae:q}"
        " --activations {input.activations:q}"
        " {params.options} {params.regions} --out {output:q} &> {log:q}"
