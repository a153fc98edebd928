"""Workers in processes of their own, beside each other on one machine."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

from keras_dtl.convert.worker import Setup, WorkerLost


def process_workers(setup: Setup) -> "list[ProcessWorker]":
    """Return the workers of a conversion, one for each core by default.

    Args:
        setup: The `Setup` of each.
    """
    return [ProcessWorker(setup) for _ in range(setup.options.workers or core_count())]


class ProcessWorker:
    """A `Worker` in another process, which ends when this one does.

    Not by `multiprocessing`: that would run the caller's own script again.

    Args:
        setup: A `Setup`.
    """

    def __init__(self, setup: Setup):
        self.setup = setup
        self.process = None

    def start(self) -> None:
        package = os.fspath(Path(__file__).parents[2])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "keras_dtl.convert.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # Ctrl-C is for the process that writes the journal
        )
        self._ask(self.setup)

    def convert(self, files: list[tuple[str, bytes]]) -> tuple[list, float]:
        """Do what `Worker.convert` does.

        Args:
            files: Pairs of a name and the bytes of the file.

        Raises:
            WorkerLost: The process has ended.
        """
        return self._ask(files)

    def _ask(self, question):
        try:
            pickle.dump(question, self.process.stdin)
            self.process.stdin.flush()
            answer = pickle.load(self.process.stdout)  # noqa: S301 (our own process)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise WorkerLost(f"its process ended with status {self.process.poll()}") from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait()
            self.process = None


def core_count() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
