"""One file for each file, in the same tree of folders."""

import collections
import contextlib
import hashlib
import os
import typing
from pathlib import Path, PurePosixPath

import numpy as np

from keras_dtl.convert.artifact import Artifact
from keras_dtl.convert.disk import DiskFull, no_room_is_fatal
from keras_dtl.convert.items import Item, ItemError, Loaded
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.tasks.task import Task
from keras_dtl.files import readable_name


class MirroredTree(Task):
    """A task that writes one file for each file; see `Task`.

    Sub-classes say what suffix a file gets, and encode it. Where two files would become one, as
    `a.jpg` and `a.bmp` would, each keeps its own suffix in the name: `a.jpg.png`, `a.bmp.png`.
    """

    own_options = ("suffix",)
    writers = min(32, os.cpu_count() or 1)

    def suffix_of(self, item: Item) -> str:
        """Return the suffix of the file that is written of an item."""
        raise NotImplementedError

    def __init__(self, artifact: Artifact, destination: Path, options: Options):
        super().__init__(artifact, destination, options)
        self.whole_names = set()  # of items that keep their suffix in the name
        self.taken = {}  # by name, which other item has the place of an item

    def plan(self, items: list[Item]) -> None:
        """Give each file a place of its own; refuse to begin where one would replace an input."""
        self.whole_names, self.taken = set(), {}
        groups = self._groups(items)
        while (
            shared := {item.name for group in groups if len(group) > 1 for item in group}
            - self.whole_names
        ):
            self.whole_names |= shared
            groups = self._groups(items)
        for first, *others in groups:
            self.taken |= {item.name: first.name for item in others}
        self._refuse_inputs(items)

    def _groups(self, items):
        """Return the items of each place, in their order."""
        places = collections.defaultdict(list)
        for item in items:
            # Some file systems take A.png and a.png for the same.
            places[_folded(self.target(item))].append(item)
        return places.values()

    def _refuse_inputs(self, items):
        sources = {_folded(item.path.resolve()) for item in items if _resolves(item.path)}
        for item in items:
            target = self.target(item)
            if _folded(self.output.resolve() / target.relative_to(self.output)) in sources:
                raise ConversionError(
                    f"The output of {readable_name(item.name)} would replace an input, "
                    f"{readable_name(target)}: its folder is that of the input or lies in it. "
                    "Choose another, or a suffix."
                )

    def target(self, item: Item, frame: int | None = None) -> Path:
        """Return where the output of an item, or of one of its frames, belongs.

        Args:
            item: The `Item`.
            frame: Place among the frames, or `None` where the file is one image.
        """
        name, suffix = PurePosixPath(item.name), self.suffix_of(item)
        named = name.with_name(name.stem + self.options.suffix + name.suffix)
        if frame is not None:
            # Named after the whole file name, which no other file of the folder has.
            return self.output / named / f"{frame:05}{suffix}"
        if item.name in self.whole_names:
            return self.output / named.with_name(named.name + suffix)
        return self.output / named.with_suffix(suffix)

    def is_done(self, item: Item, records: list[dict]) -> bool:
        frames = [record.get("frame") for record in records]
        return all(
            self.journal.is_whole(record, self.target(item, frame))
            for record, frame in zip(records, frames, strict=True)
        )

    def check_free(self, item: Item, frame: int | None = None) -> None:
        target = self.target(item, frame)
        if item.name in self.taken:
            raise ItemError(
                f"it would be written to {readable_name(target)}, as "
                f"{readable_name(self.taken[item.name])} is, where small and capital letters are "
                "the same; rename one"
            )
        if self.options.overwrite or not os.path.lexists(target):
            return
        if self.journal is None or not self.journal.wrote(item.name, target):
            raise ItemError(
                f"{readable_name(target)} exists and is not what a conversion wrote for it; "
                "remove it, choose another folder or suffix, or overwrite"
            )

    def make(self, loaded: Loaded, outputs: dict[str, np.ndarray]) -> typing.Any:
        return self.encode(loaded, outputs, self.suffix_of(loaded.item))

    def keep(self, loaded: Loaded, made: typing.Any) -> None:
        target = self.target(loaded.item, loaded.frame)
        if loaded.frame is not None:
            self.check_free(loaded.item, loaded.frame)
        name, frame = loaded.item.name, loaded.frame or 0
        digest = hashlib.sha256(made).hexdigest()
        with _errors_of(target):
            self.journal.add(name, loaded.content, frame, loaded.frames, output=digest)
        self.publish(target, made)

    def publish(self, target: Path, data: bytes) -> None:
        """Write a file, whole or not at all.

        Args:
            target: Where it belongs.
            data: Its bytes.

        Raises:
            ItemError: It cannot be written.
            DiskFull: Nothing can be written any more.
        """
        with _errors_of(target):
            self.journal.publish(target, data)

    def result(self, item: Item) -> Path | None:
        target = self.target(item)
        return target if target.is_file() else None


@contextlib.contextmanager
def _errors_of(target):
    try:
        with no_room_is_fatal():
            yield
    except DiskFull:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise ItemError(f"{readable_name(target)} cannot be written: {reason}") from error


def _folded(path):
    return str(path).casefold()


def _resolves(path):
    with contextlib.suppress(OSError, RuntimeError):
        path.resolve()
        return True
    return False
