"""How fast files are read, by which it shows whether several threads at it are of use."""

import time

_QUICK = 1e-3  # seconds a file
_LITTLE_WORK = 2e-4  # seconds of the processor a file
_FILES = 16  # that are looked at together
_OLD = 0.1  # seconds after which nothing is known


class Pace:
    """That of the first reader, with the files that it read last.

    Reading small files is mostly Python's work, which one thread at a time does: a second reader
    makes the first one wait, and both take longer than one. It helps where decoders work long,
    outside of Python's lock, or where a disk or a network is waited for.
    """

    def __init__(self):
        self.files, self.seconds = 0, 0.0
        self.processor = self.noted = 0.0
        self.quick = False

    def is_quick(self) -> bool:
        """Whether the first reader is best left alone, as seen from any thread."""
        return self.quick and time.perf_counter() - self.noted < _OLD

    def note(self, seconds: float) -> None:
        """Note that the first reader, whose thread this is, has read a file.

        Args:
            seconds: That it took.
        """
        self.files += 1
        self.seconds += seconds
        if self.files % _FILES and self.files > 1:
            return
        before, self.processor = self.processor, time.thread_time()
        if self.files > 1:
            work = (self.processor - before) / _FILES
            self.quick = self.seconds / _FILES < _QUICK and work < _LITTLE_WORK
            self.noted = time.perf_counter()
        self.seconds = 0.0
