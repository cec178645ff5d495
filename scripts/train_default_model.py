"""Train a shipped model on the corpus of ``scripts/corpus``.

It continues where it was stopped. For several processes, use ``torchrun --nproc-per-node 2``.
"""

import argparse
import os
from datetime import datetime
from pathlib import Path

import torch
import torch.distributed as dist

from genointerp.core.config import read_config
from genointerp.core.progress import progress_bar
from genointerp.model.hyena.folder import load_network
from genointerp.pretraining.corpus import read_corpus
from genointerp.pretraining.pretrain import PretrainConfig, pretrain


def main() -> None:
    """Parse the arguments and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="corpus.npz of scripts/corpus/assemble.py")
    parser.add_argument("--config", type=Path, required=True, help="YAML of PretrainConfig")
    parser.add_argument("--grow-from", type=Path, help="folder of a trained model")
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoint and curves")
    parser.add_argument(
        "--until", type=datetime.fromisoformat, help="local time by which it must have ended"
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of each process")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if "RANK" in os.environ:
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    config = read_config(PretrainConfig, arguments.config)
    start = load_network(arguments.grow_from) if arguments.grow_from else None
    deadline = arguments.until.timestamp() if arguments.until else None
    corpus = read_corpus(arguments.corpus)
    with progress_bar("training") as progress:
        pretrain(corpus, config, arguments.out, start=start, deadline=deadline, progress=progress)


if __name__ == "__main__":
    main()
