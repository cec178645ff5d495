# Keys of the configuration and inputs that the rules of explanations and circuits share.
EXPLANATIONS = config["explanations"]
CIRCUITS = [f"circuits/{name}.tsv" for name in ("edges", "lags", "families", "members")]


def explained_inputs(wildcards):
    """Return what one group of explanations reads."""
    entry = EXPLANATIONS[wildcards.name]
    return {
        "genome": sequence_of(entry["genome"]),
        "sae": "sae/cfg.json",
        "associations": "associations.parquet" if ANNOTATED else [],
        "vcf": outside(entry.get("vcf")),
    }


def explained_options(wildcards, input):
    """Return the options of one group of explanations."""
    entry = EXPLANATIONS[wildcards.name]
    files = given(
        sae=Path(input.sae).parent,
        associations=input.get("associations") or None,
        vcf=input.get("vcf") or None,
        strand=entry.get("strand"),
        seed=config["seed"],
    )
    asked = " ".join(options(f"--{key}", entry.get(key, [])) for key in ("at", "variant"))
    return f"{MODEL} {files} {asked}"
