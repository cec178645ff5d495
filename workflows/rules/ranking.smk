# What a ranking is told, whichever rule ranks.

# genomes in which finders look for elements
SEARCHED = GENOMES if config["finders"] else []


def ranked(wildcards):
    """Return what a ranking reads, whichever rule ranks; ablation comes on top."""
    rivals = ["other_seed/sae/cfg.json"] if RIVALS["other_seed"] else []
    return {
        "features": expand("{genome}/features.h5", genome=GENOMES),
        "activations": expand("{genome}/activations.h5", genome=GENOMES),
        "associations": "associations.parquet",
        "sequences": [sequence_of(genome) for genome in GENOMES],
        "sae": "sae/cfg.json",
        "other_sae": rivals,
        "trained_on": [sequence_of(genome) for genome in FIT],
        "config": outside(config.get("rank")),
    }


def ranking(wildcards, input):
    """Return the options of a ranking: the same for every rule that ranks."""
    folders = {"sae": [input.sae], "other-sae": input.other_sae}
    files = {name.replace("_", "-"): getattr(input, name) for name in ("activations", "trained_on")}
    files |= {name: [Path(one).parent for one in paths] for name, paths in folders.items()}
    files |= {"genome": input.sequences, "ablation": input.get("ablation", [])}
    settings = given(config=config.get("rank"), seed=config["seed"])
    return " ".join([*(options(f"--{flag}", paths) for flag, paths in files.items()), settings])


def random_weights(wildcards):
    """Return what the model gives with random weights, where it read every genome."""
    # of a dictionary that read other genomes the ranks would not be comparable
    genomes = GENOMES if RIVALS["random"] == GENOMES else []
    return {
        "random": expand("random/{genome}/features.h5", genome=genomes),
        "random_activations": expand("random/{genome}/activations.h5", genome=genomes),
        "random_sae": ["random/sae/cfg.json"] if genomes else [],
    }


def random_options(wildcards, input):
    """Return the options by which random weights are ranked beside."""
    files = {"random-features": input.random, "random-activations": input.random_activations}
    files["random-sae"] = [Path(one).parent for one in input.random_sae]
    return " ".join(options(f"--{flag}", paths) for flag, paths in files.items())
