rule train_sae:
    """Train one sparse autoencoder on the activations of the fit genomes."""
    input:
        activations=expand("{genome}/activations.h5", genome=FIT),
        config=outside(config.get("dictionary")),
    output:
        OF_TRAINING,
    log:
        "logs/train.log",
    benchmark:
        "benchmarks/train.tsv"
    threads: 2
    resources:
        mem_mb=4000,
        gpu=ON_GPU,
    params:
        content=content("dictionary"),
        out=lambda wildcards, output: str(Path(output[0]).parent),
        options=lambda wildcards: given(config=config.get("dictionary"), seed=config["seed"]),
        device=DEVICE,
    shell:
        # sums of another number of threads have other last digits, of which a training makes other
        # features: two, however many cores there are. What a stopped job of other settings left gives way.
        "OMP_NUM_THREADS=2 MKL_DYNAMIC=FALSE genointerp train {input.activations:q} {params.options} {params.device} --force"
        " --out {params.out:q} &> {log:q}"
