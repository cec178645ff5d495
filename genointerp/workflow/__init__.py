"""The configuration of a run, its checks, and the shipped Snakemake workflow."""
