rule harvest:
    """Store what the model computes on one genome, both strands."""
    input:
        genome=lambda wildcards: sequence_of(wildcards.genome),
    output:
        "{genome}/activations.h5",
    log:
        "logs/{genome}/harvest.log",
    benchmark:
        "benchmarks/{genome}/harvest.tsv"
    threads: 1
    resources:
        mem_mb=3000,
        gpu=ON_GPU,
    params:
        content=content("model", "genomes.{genome}.sequence"),
        model=lambda wildcards: f"{MODEL} {WINDOWS}",
        options=given(site=config["model"].get("site"), chunk=config["windows"].get("chunk")),
        regions=regions(lambda wildcards: config["genomes"][wildcards.genome].get("regions", [])),
    shell:
        # what a stopped job of other settings left gives way
        "genointerp harvest {input.genome:q} {params.model} {params.options} {params.regions} --force"
        " --out {output:q} &> {log:q}"


rule evaluate:
    """Measure how much of the model's loss the dictionary keeps."""
    input:
        genome=sequence_of(config["fidelity"]["genome"]),
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
        gpu=ON_GPU,
    params:
        content=content("model", f"genomes.{config['fidelity']['genome']}.sequence"),
        sae=lambda wildcards, input: str(Path(input.sae).parent),
        options=given(sample=config["fidelity"].get("sample")),
        model=lambda wildcards: f"{MODEL} {PASSES}",
        regions=regions(lambda wildcards: fidelity_regions()),
    shell:
        "genointerp evaluate {input.genome:q} {params.model} --sae {params.sae:q}"
        " --activations {input.activations:q}"
        " {params.options} {params.regions} --out {output:q} &> {log:q}"
