"""`genointerp serve` as a process, as a user has it."""

import subprocess
import sys
from contextlib import contextmanager


@contextmanager
def served(run_dir, port=0):
    """Yield the process and the address that it printed; at the end it is killed."""
    command = [sys.executable, "-m", "genointerp", "serve", str(run_dir), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process, process.stdout.readline().decode().strip()
        finally:
            process.kill()
