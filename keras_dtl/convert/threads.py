"""Workers in threads of this process, each with a session of its own.

Of thousands of small files the model is no longer what takes the time, and one session on all cores
wakes and waits for every layer. A session a core, each on one thread, shares only Python's lock.
"""

from keras_dtl.convert.cores import core_count
from keras_dtl.convert.worker import Setup, Worker


def thread_workers(setup: Setup) -> "list[ThreadWorker]":
    """Return the workers of a conversion, one for each core by default.

    Args:
        setup: The `Setup` of each.
    """
    return [ThreadWorker(setup) for _ in range(setup.options.workers or core_count())]


class ThreadWorker:
    """A `Worker` in the thread that calls it, which is there at once and is never lost.

    Args:
        setup: A `Setup`.
    """

    def __init__(self, setup: Setup):
        self.setup = setup
        self.worker: Worker | None = None

    def start(self) -> None:
        """Open the artifact once more."""
        self.worker = Worker(self.setup)

    def convert(self, files: list[tuple[str, bytes]]) -> tuple[list, float]:
        """Do what `Worker.convert` does.

        Args:
            files: Pairs of a name and the bytes of the file.
        """
        if self.worker is None:
            raise RuntimeError("The worker was not started.")
        return self.worker.convert(files)

    def stop(self) -> None:
        """Let go of the artifact."""
        self.worker = None
