"""The whole chain as one call: configuration, the shipped Snakemake workflow, and what came out."""
