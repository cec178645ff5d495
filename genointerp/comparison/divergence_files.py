"""Names of the files of a comparison."""

from pathlib import Path


def files_of(out: Path) -> dict[str, Path]:
    """Return the file of each table that is always written, by its name in the result."""
    beside = {
        it: out.with_name(f"{out.stem}.{it}{out.suffix}") for it in ("summary", "tail", "bins")
    }
    return {"loci": out, **beside}


def differences_beside(latents: Path) -> Path:
    """Return the file of the features of the difference, next to those of the crosscoders."""
    return latents.with_name(f"{latents.stem}.differences{latents.suffix}")
