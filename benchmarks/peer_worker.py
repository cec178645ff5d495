"""One library's training step, driven line by line: what ``benchmarks.peers`` starts.

Runs in the environment of its library and imports nothing of ours but for ``genointerp`` itself.
Each library keeps its own defaults: initialisation, loss, learning rate, optimiser.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch

DEAD = 0.1
"""Share of features that are made to count as dead where the auxiliary loss is timed."""


class Genointerp:
    def __init__(self, size, architecture):
        from genointerp.sae.architecture.registry import make_sae
        from genointerp.sae.config import SaeConfig, TrainConfig
        from genointerp.sae.step import Trainer

        sae = SaeConfig(architecture, n_features=size["n_features"], k=size["k"])
        config = TrainConfig(
            sae=sae,
            batch_tokens=size["batch"],
            n_tokens=size["batch"] * size["n_steps"],
            # a tenth of a short training, as for dictionary-learning
            warmup_steps=min(100, size["n_steps"] // 10),
        )
        self.sae = make_sae(sae, size["d_in"])
        self.is_first = True
        self.trainer = Trainer(self.sae, config, variance=float(size["d_in"]))
        self.dead_after = config.dead_after

    def step(self, x):
        if self.is_first:
            self.sae.fit_encoder(x)
            self.is_first = False
        self.trainer.step(x)

    def kill(self, n):
        self.trainer.silent_tokens[:n] = self.dead_after

    def codes(self, x):
        z = self.sae.pre_activations(x)
        pattern = self.sae.training_pattern(z)
        return pattern.dense(pattern.values_of(z))

    def decode(self, codes):
        return self.sae.decode(codes)


class SaeLens:
    def __init__(self, size, architecture):
        from sae_lens import (
            BatchTopKTrainingSAE,
            BatchTopKTrainingSAEConfig,
            TopKTrainingSAE,
            TopKTrainingSAEConfig,
        )
        from sae_lens.config import LoggingConfig, SAETrainerConfig
        from sae_lens.training.sae_trainer import SAETrainer

        classes = {
            "topk": (TopKTrainingSAE, TopKTrainingSAEConfig),
            "batch_topk": (BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig),
        }
        make, config = classes[architecture]
        self.sae = make(config(d_in=size["d_in"], d_sae=size["n_features"], k=size["k"]))
        settings = SAETrainerConfig(
            total_training_samples=size["batch"] * size["n_steps"],
            train_batch_size_samples=size["batch"],
            lr_end=3e-5,  # a tenth of the plateau, as its runner has it
            logger=LoggingConfig(log_to_wandb=False),
        )
        self.trainer = SAETrainer(settings, self.sae, data_provider=iter(()))

    def step(self, x):
        self.trainer._train_step(self.sae, x)
        self.trainer.n_training_steps += 1

    def kill(self, n):
        self.trainer.n_forward_passes_since_fired[:n] = 10_000

    def codes(self, x):
        return self.sae.encode_with_hidden_pre(x)[0].to_dense()

    def decode(self, codes):
        return self.sae.decode(codes)


class DictionaryLearning:
    def __init__(self, size, architecture):
        from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer
        from dictionary_learning.trainers.top_k import TopKTrainer

        make = {"topk": TopKTrainer, "batch_topk": BatchTopKTrainer}[architecture]
        self.trainer = make(
            steps=size["n_steps"],
            activation_dim=size["d_in"],
            dict_size=size["n_features"],
            k=size["k"],
            layer=0,
            lm_name="",
            device="cpu",
            # its 1,000 steps would be most of a short training
            warmup_steps=min(1000, size["n_steps"] // 10),
            seed=0,
        )
        self.sae, self.number = self.trainer.ae, 0

    def step(self, x):
        self.trainer.update(self.number, x)
        self.number += 1

    def kill(self, n):
        self.trainer.num_tokens_since_fired[:n] = self.trainer.dead_feature_threshold

    def codes(self, x):
        return self.sae.encode(x, use_threshold=False)

    def decode(self, codes):
        return self.sae.decode(codes)


class Sparsify:
    """The step of its trainer, which takes a language model and no activations."""

    def __init__(self, size, architecture):
        from schedulefree import ScheduleFreeWrapper
        from sparsify import SparseCoder, SparseCoderConfig
        from sparsify.sign_sgd import SignSGD

        config = SparseCoderConfig(num_latents=size["n_features"], k=size["k"])
        self.sae, self.dead = SparseCoder(size["d_in"], config), None
        rate = 5e-3 / (size["n_features"] / (2**14)) ** 0.5
        self.optimizer = ScheduleFreeWrapper(SignSGD(self.sae.parameters(), lr=rate), momentum=0.95)
        self.optimizer.train()
        self.is_first = True

    def step(self, x):
        if self.is_first:
            self.sae.b_dec.data, self.is_first = x.mean(0), False
        self.sae.set_decoder_norm_to_unit_norm()
        out = self.sae(x, dead_mask=self.dead)
        (out.fvu + out.auxk_loss / 32).backward()
        self.sae.remove_gradient_parallel_to_decoder_directions()
        self.optimizer.step()
        self.optimizer.zero_grad()

    def kill(self, n):
        self.dead = torch.arange(self.sae.num_latents) < n

    def codes(self, x):
        self.optimizer.eval()
        found = self.sae.encode(x)
        return torch.zeros_like(found.pre_acts).scatter_(1, found.top_indices, found.top_acts)

    def decode(self, codes):
        return codes @ self.sae.W_dec + self.sae.b_dec


LIBRARIES = {
    "genointerp": Genointerp,
    "sae-lens": SaeLens,
    "dictionary-learning": DictionaryLearning,
    "eai-sparsify": Sparsify,
}


def main() -> None:
    library, architecture, size, fit, held_out = sys.argv[1:]
    size = json.loads(size)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows, n = np.load(fit, mmap_mode="r"), size["batch"]
    state = {"trained": LIBRARIES[library](size, architecture), "used": 0}

    def batch():
        start = state["used"] % (len(rows) // n) * n
        state["used"] += 1
        return torch.from_numpy(np.array(rows[start : start + n]))

    def steps(count, dead):
        seconds = 0.0
        for _ in range(count):
            x = batch()
            if dead:
                state["trained"].kill(int(DEAD * size["n_features"]))
            begun = time.process_time()
            state["trained"].step(x)
            seconds += time.process_time() - begun
        return {"seconds": seconds / max(1, count), "peak_mib": peak_mib()}

    def evaluate():
        return quality(state["trained"], np.load(held_out), n)

    actions = {"steps": steps, "evaluate": evaluate}
    answer({"version": str(torch.__version__), "peak_mib": peak_mib()})
    for line in sys.stdin:
        request = json.loads(line)
        answer(actions[request.pop("do")](**request))


@torch.no_grad()
def quality(trained, rows, batch):
    """FVU about the mean of all rows, L0, and the share of features that never fire."""
    error, fired, hits, n = 0.0, 0, 0, len(rows) // batch * batch
    for start in range(0, n, batch):
        x = torch.from_numpy(rows[start : start + batch])
        codes = trained.codes(x)
        error += float((trained.decode(codes) - x).double().square().sum())
        hits += int((codes > 0).sum())
        fired = fired + (codes > 0).sum(0)
    kept = rows[:n].astype(np.float64)
    total = float(((kept - kept.mean(0)) ** 2).sum())
    return {"fvu": error / total, "l0": hits / n, "dead_share": float((fired == 0).double().mean())}


def peak_mib() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        # Linux counts the memory of the parent, too, in what getrusage tells
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def answer(found: dict) -> None:
    sys.stdout.write("ANSWER " + json.dumps(found) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
