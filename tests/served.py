"""`genointerp serve` as a process, as a user has it."""

import subprocess
import sys
from contextlib import contextmanager

WITHOUT_TORCH = (
    "import sys; sys.modules['torch'] = None; from genointerp.cli.main import main; main()"
)


@contextmanager
def served(run_dir, port=0, *, has_torch=True):
    """Yield the process and the address that it printed; at the end it is killed."""
    program = ["-m", "genointerp"] if has_torch else ["-c", WITHOUT_TORCH]
    command = [sys.executable, *program, "serve", str(run_dir), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process, process.stdout.readline().decode().strip()
        finally:
            process.kill()
