"""How the processes of a parallel harvest come by their models; importable, hence picklable."""

import os
import signal
from dataclasses import dataclass

from genointerp.core.errors import InputError
from tests.toy_model import ToyDnaModel


def load_toy(*, device):
    if device == "none":
        raise InputError("device", "one that this machine has", repr(device))
    return ToyDnaModel()


@dataclass(frozen=True)
class KilledAfter:
    """Loads a model whose process is killed at its n-th pass, as for want of memory."""

    passes: int

    def __call__(self, *, device):
        model = ToyDnaModel()
        left, run = self.passes, model.run

        def dying(*arguments, **options):
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return run(*arguments, **options)

        model.run = dying
        return model
