"""Read, run and write at the same time, in bounded memory, so that the session never waits."""

import contextlib
import hashlib
import itertools
import os
import threading
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from keras_dtl.convert.disk import DiskFull
from keras_dtl.convert.engines.batches import reason_of, run_batch
from keras_dtl.convert.engines.channel import Channel, Closed
from keras_dtl.convert.engines.pace import Pace
from keras_dtl.convert.engines.parcel import WAITING, Parcel
from keras_dtl.convert.image_files.reading import read_file
from keras_dtl.convert.items import Groups, Item, ItemError
from keras_dtl.convert.journal import Journal
from keras_dtl.convert.options import Options
from keras_dtl.convert.report import NOT_BEGUN, Failure, Stages
from keras_dtl.convert.tasks.task import Task
from keras_dtl.images import ImageError

_READERS = min(32, os.cpu_count() or 1)
_SECONDS_TO_REST = 0.01  # of a reader, until it looks whether it can help


class Run:
    """One conversion on its way.

    Readers and writers are threads, the session runs in this one. All of them report to one
    inbox, so that the counts and the progress need no lock: a message is a function without
    arguments, which this thread calls.

    Args:
        model: Function from a batch of images to a dictionary of outputs.
        task: The `Task` that makes something of the outputs.
        journal: The `Journal`, or `None` for a dry run.
        options: The `Options`.
        progress: Called with the number of images done and of all.
    """

    def __init__(
        self,
        model: Callable[[np.ndarray], dict[str, np.ndarray]] | None,
        task: Task,
        journal: Journal | None,
        options: Options,
        progress: Callable[[int, int], None],
    ):
        self.model = model
        self.task = task
        self.journal = journal
        self.options = options
        self.progress = progress
        self.failures = []
        # Those that conversions to come have a use for, as in a watched folder.
        self.checksums = journal.checksums if journal and journal.outlived else None
        self.full = None  # why nothing more can be written, in words
        self.planned = []
        self.converted = self.skipped = self.left = 0
        self.stages = Stages(_READERS, task.writers)

    def convert(self, items: list[Item]) -> None:
        """Convert the items; what became of them is in the attributes afterwards.

        Args:
            items: All `Item`s, numbered from 0 on.
        """
        self.waiting = {item.index: 1 for item in items}  # frames to come, by item
        self.total = len(items)
        self.groups = Groups(self.options.batch_size)
        self.inbox, self.outbox = Channel(WAITING), Channel(WAITING)
        self.next_items, self.taking = iter(items), threading.Lock()
        self.all_taken, self.pace = threading.Event(), Pace()
        self.allowed = itertools.count(1)
        self.stop_reason = self.defect = None
        work = self._work()
        self.alive = {stage: len(functions) for stage, functions in work.items()}
        # None of them keeps the process from ending, whatever interrupts this thread.
        threads = [
            threading.Thread(target=function, daemon=True)
            for functions in work.values()
            for function in functions
        ]
        try:
            for thread in threads:
                thread.start()
            with contextlib.suppress(Closed):  # by a defect
                self._serve()
        finally:
            self.stop_reason = self.stop_reason or "the conversion was stopped"
            self._close()
            for thread in threads:
                if thread.is_alive():
                    thread.join()
        # Threads that the closing woke may all have ended in good order meanwhile.
        if self.defect is not None:
            raise self.defect

    def _work(self):
        """Return what threads of their own do, by stage."""
        return {
            "reading": [partial(self._read_all, bool(number)) for number in range(_READERS)],
            "writing": [self._write_all] * self.task.writers,
        }

    def _close(self):
        for channel in (self.inbox, self.outbox):
            channel.close()
            channel.clear()

    # In this thread -----------------------------------------------------------------------

    def _serve(self):
        """Take what readers and writers report until the last of them has ended."""
        while self.alive["writing"]:
            started = time.perf_counter()
            message = self.inbox.get()
            if self.alive["reading"]:
                self.stages.session_waited += time.perf_counter() - started
            message()

    def _loaded(self, image):
        if image.item.index not in self.waiting:
            return  # an earlier frame failed, and the file with it
        if image.frame == 0:
            self.waiting[image.item.index] += image.frames - 1
        for batch in self.groups.add(image):
            self._run_batch(batch)

    def _run_batch(self, batch):
        if self.stop_reason:
            for image in batch:
                self._failed(image.item, self.stop_reason)
            return
        for images, outputs in run_batch(self._timed_model, batch):
            if isinstance(outputs, Exception):
                self._failed(images[0].item, reason_of(outputs, images[0].item))
            else:
                self._pass_on(images, outputs)

    def _timed_model(self, pixels):
        started = time.perf_counter()
        try:
            return self.model(pixels)
        finally:
            self.stages.session += time.perf_counter() - started

    def _pass_on(self, batch, outputs):
        size = 1 if self.task.writers > 1 else len(batch)
        for start in range(0, len(batch), size):
            part = slice(start, start + size)
            rows = {name: array[part] for name, array in outputs.items()}
            weight = sum(array.nbytes for array in rows.values())
            self.outbox.reserve(weight)
            self.outbox.put((batch[part], rows), weight)

    def _written(self, batch, errors):
        for image, error in zip(batch, errors, strict=True):
            if error is None:
                self._kept(image.item)
            elif isinstance(error, DiskFull):
                self.stop_full(error)
                self._failed(image.item, f"{NOT_BEGUN}{error.strerror}")
            else:
                self._failed(image.item, reason_of(error, image.item))

    def _kept(self, item):
        if item.index not in self.waiting:
            return  # another frame failed, and the file with it
        self.waiting[item.index] -= 1
        if self.waiting[item.index] == 0:
            self.converted += 1
            self._finish(item)

    def _skip(self, item):
        self.skipped += 1
        self._finish(item)

    def _plan(self, item):
        self.planned.append(item)
        self._finish(item)

    def _leave(self, item):
        self.left += 1
        self._finish(item)

    def _failed(self, item, reason):
        if item.index in self.waiting:  # another frame may have failed before
            self.failures.append(Failure(item.path, reason))
            self.task.leave_out(item)
            self._finish(item)

    def _finish(self, item):
        del self.waiting[item.index]
        self.progress(self.total - len(self.waiting), self.total)

    def stop_full(self, error: DiskFull) -> None:
        """Convert no more: nothing can be written.

        Args:
            error: Why.
        """
        self.full = error.strerror
        self.stop_reason = f"{NOT_BEGUN}{error.strerror}"

    def _ended(self, stage, busy):
        setattr(self.stages, stage, getattr(self.stages, stage) + busy)
        self.alive[stage] -= 1
        if not self.alive[stage]:
            self._all_ended(stage)

    def _all_ended(self, stage):
        if stage == "reading":
            for batch in self.groups.rest():
                self._run_batch(batch)
            self.outbox.close()

    # In threads of their own ---------------------------------------------------------------

    def _read_all(self, helps):
        with self._reporting("reading") as busy:
            parcel = Parcel(self.inbox, self.options.batch_size)
            while (item := self._take(helps, parcel)) is not None:
                started, waited = time.perf_counter(), parcel.waited
                try:
                    self._read(item, parcel)
                except (ImageError, ItemError, OSError, MemoryError) as error:
                    parcel.add(partial(self._failed, item, reason_of(error, item)))
                seconds = time.perf_counter() - started - (parcel.waited - waited)
                busy.append(seconds)
                if not helps:
                    self.pace.note(seconds)
            parcel.send()

    def _take(self, helps, parcel):
        """Return the next item, or None after the last; help to read only where that helps."""
        if helps and self.pace.is_quick():
            parcel.send()
            while self.pace.is_quick():
                if self.all_taken.wait(_SECONDS_TO_REST):
                    return None
        with self.taking:
            item = next(self.next_items, None)
        if item is None:
            self.all_taken.set()
        return item

    def _read(self, item, parcel):
        """Send on what is in a file."""
        if self.stop_reason:
            parcel.add(partial(self._failed, item, self.stop_reason))
            return
        path = item.place  # a path object takes as long to make as a small file to read
        known = self.checksums and self.checksums.of(path)
        if known and self._is_done(item, known):
            parcel.add(partial(self._skip, item))
            return
        state = self.checksums and self.checksums.state(path)
        data = read_file(path)
        content = hashlib.sha256(data).hexdigest()
        if self.checksums is not None:
            self.checksums.note(path, state, content)
        if content != known and self._is_done(item, content):
            parcel.add(partial(self._skip, item))
            return
        self.task.check_free(item)
        if self.options.limit and next(self.allowed) > self.options.limit:
            parcel.add(partial(self._leave, item))
        elif self.options.dry_run:
            parcel.add(partial(self._plan, item))
        else:
            self._decode(item, data, content, parcel)

    def _is_done(self, item, content):
        if self.journal is None or not self.journal.known or self.options.overwrite:
            return False
        records = self.journal.records(item.name, content)
        return bool(records) and self.task.is_done(item, records)

    def _decode(self, item, data, content, parcel):
        try:
            for image in self.task.load(item, data, content, before=parcel.reserve):
                parcel.add(partial(self._loaded, image))
        finally:
            parcel.give_back()

    def _write_all(self):
        with self._reporting("writing") as busy:
            while True:
                batch, outputs = self.outbox.get()
                started = time.perf_counter()
                errors = self._write(batch, outputs)
                self.inbox.put(partial(self._written, batch, errors))
                busy.append(time.perf_counter() - started)

    def _write(self, batch, outputs):
        """Keep what is made of the outputs; return what hindered each, or None."""
        made = self._make(batch, outputs)
        whole = [not isinstance(one, Exception) for one in made]
        kept = self.task.keep_each(
            list(itertools.compress(batch, whole)), list(itertools.compress(made, whole))
        )
        hindrances = iter(kept)
        return [next(hindrances) if fine else one for fine, one in zip(whole, made, strict=True)]

    def _make(self, batch, outputs):
        return self.task.make_each(batch, outputs)

    @contextlib.contextmanager
    def _reporting(self, stage):
        busy = _Sum()
        try:
            yield busy
        except Closed:
            pass
        except Exception as error:  # noqa: BLE001 (raised again in the thread of the caller)
            self.defect = error
            self._close()
            return
        self.inbox.put(partial(self._ended, stage, busy.total))


class _Sum:
    total = 0.0

    def append(self, value):
        self.total += value
