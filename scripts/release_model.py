"""Turn a checkpoint of a training into the folder of weights to ship."""

import argparse
from pathlib import Path

import torch

from genointerp.core.config import read_config
from genointerp.model.hyena.folder import save_model
from genointerp.model.hyena.network import StripedHyena
from genointerp.pretraining.pretrain import PretrainConfig


def main() -> None:
    """Parse the arguments and write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("training", type=Path, help="folder of train_default_model.py")
    parser.add_argument("--config", type=Path, required=True, help="YAML of the training")
    parser.add_argument("--name", required=True, help="registered name")
    parser.add_argument("--default-site", required=True, help="site to read by default")
    parser.add_argument("--licence", default="MIT", help="licence of the weights")
    parser.add_argument("--half", action="store_true", help="store matrices as float16")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    arguments = parser.parse_args()
    config = read_config(PretrainConfig, arguments.config)
    network = StripedHyena(config.network)
    state = torch.load(arguments.training / "checkpoint.pt", map_location="cpu", weights_only=True)
    network.load_state_dict(state["network"])
    save_model(
        network,
        arguments.out,
        name=arguments.name,
        context=max(stage.length for stage in config.stages),
        default_site=arguments.default_site,
        licence=arguments.licence,
        half=arguments.half,
    )


if __name__ == "__main__":
    main()
