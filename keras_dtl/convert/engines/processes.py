"""Workers in processes of their own, beside each other on one machine."""

import contextlib
import pickle
import subprocess

from keras_dtl.convert.engines.worker import Setup, WorkerLost
from keras_dtl.convert.runtimes.cores import core_count
from keras_dtl.import_path import command_of, environment


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
        """Begin the process.

        Raises:
            WorkerLost: It has ended before it could do anything, or cannot be begun.
        """
        try:
            self.process = subprocess.Popen(
                command_of("keras_dtl.convert.engines.worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(),
                start_new_session=True,  # Ctrl-C is for the process that writes the journal
            )
        except OSError as error:
            raise WorkerLost(f"its process could not be begun: {error.strerror}") from error
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
            raise WorkerLost(f"its process ended with status {self._status()}") from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _status(self):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(timeout=1)
        return "unknown"

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            with contextlib.suppress(BrokenPipeError):  # of what it has not read
                self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait()
            self.process = None
