"""A conversion whose images are decoded and converted elsewhere; the journal stays here."""

import time
import typing
from functools import partial

from keras_dtl.convert.engines.channel import Channel
from keras_dtl.convert.engines.run import Run
from keras_dtl.convert.engines.worker import WorkerLost
from keras_dtl.convert.items import Item, Loaded
from keras_dtl.convert.options import ConversionError

_BYTES_AT_ONCE = 2**24  # of files that go to a worker together
_STARTS = 3  # of a worker, before nothing is expected of further ones
_TRIES = 2  # for a file alone, before it is to blame for the loss of its worker


class File(typing.NamedTuple):
    """A file that was read."""

    item: Item
    data: bytes
    content: str


class RemoteRun(Run):
    """Reads files and keeps what workers make of them.

    Files travel as bytes and results come back as bytes, so that no worker needs a disk in common
    with this machine. What a lost worker was doing is done again, by one that takes its place.

    Args:
        workers: List of objects with `start()`, `convert(files)` as in
            `keras_dtl.convert.engines.worker.Worker`, and `stop()`. They raise `WorkerLost`.
        **parts: What `Run` takes, but the model.
    """

    def __init__(self, workers: list, **parts):
        super().__init__(model=None, **parts)
        self.workers = workers
        self.stages.sessions = len(workers)

    def convert(self, items: list[Item]) -> None:
        self.files, self.bytes = [], 0  # that go to a worker next
        self.chunks = Channel(2 * len(self.workers))
        super().convert(items)

    def _work(self):
        jobs = [partial(self._serve_worker, worker) for worker in self.workers]
        return super()._work() | {"session": jobs}

    def _close(self):
        super()._close()
        self.chunks.close()
        self.chunks.clear()

    # In the thread of the conversion -------------------------------------------------------

    def _loaded(self, file):
        self.files.append(file)
        self.bytes += len(file.data)
        if len(self.files) >= self.options.batch_size or self.bytes >= _BYTES_AT_ONCE:
            self._send()

    def _send(self):
        files, self.files, self.bytes = self.files, [], 0
        if self.stop_reason:
            for file in files:
                self._failed(file.item, self.stop_reason)
        elif files:
            self.chunks.reserve(1)
            self.chunks.put(files, 1)

    def _made(self, files, made):
        batch, results = [], []
        for file, found in zip(files, made, strict=True):
            if isinstance(found, str):
                self._failed(file.item, found)
                continue
            self.waiting[file.item.index] += len(found) - 1
            batch += [_frame(file, place, len(found)) for place in range(len(found))]
            results += found
            if self.task.writers > 1:  # which share the work
                self.outbox.put((batch, results))
                batch, results = [], []
        if batch:
            self.outbox.put((batch, results))

    def _all_ended(self, stage):
        if stage == "reading":
            self._send()
            self.chunks.close()
        elif stage == "session":
            self.outbox.close()

    # In threads of their own ---------------------------------------------------------------

    def _decode(self, item, data, content, parcel):
        parcel.reserve_bytes(len(data))
        parcel.add(partial(self._loaded, File(item, data, content)))

    def _serve_worker(self, worker):
        with self._reporting("session") as busy:
            try:
                self._restart(worker)
                while True:
                    self._convert(worker, self.chunks.get(), busy)
            finally:
                worker.stop()

    def _convert(self, worker, files, busy, tries=1):
        started = time.perf_counter()
        try:
            made, seconds = worker.convert([(file.item.name, file.data) for file in files])
        except WorkerLost as error:
            self._restart(worker)
            self._convert_again(worker, files, busy, tries, error)
            return
        busy.append(min(seconds, time.perf_counter() - started))
        self.inbox.put(partial(self._made, files, made))

    def _convert_again(self, worker, files, busy, tries, error):
        """Find, by halves, the file that no worker survives, if there is one."""
        if len(files) > 1:
            middle = len(files) // 2
            self._convert(worker, files[:middle], busy)
            self._convert(worker, files[middle:], busy)
        elif tries < _TRIES:
            self._convert(worker, files, busy, tries + 1)
        else:
            reason = f"the worker that converted it was lost {tries} times: {error}"
            self.inbox.put(partial(self._failed, files[0].item, reason))

    def _restart(self, worker):
        for attempt in range(_STARTS):
            worker.stop()
            if self.stop_reason:
                return
            try:
                worker.start()
            except WorkerLost as error:
                reason = error
                time.sleep(attempt)
            else:
                return
        raise ConversionError(
            f"A worker was lost {_STARTS} times while it started: {reason}. Choose fewer workers, "
            "which need less memory, or the engine threads; what is done is kept."
        ) from reason

    def _make(self, batch, made):
        return made


def _frame(file, frame, frames):
    number = frame if frames > 1 else None
    return Loaded(file.item, None, None, file.content, frame=number, frames=frames)
