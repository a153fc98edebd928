"""What is done to the files of a conversion, one kind of model at a time."""

import abc
import contextlib
import dataclasses
import hashlib
import json
import typing
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from keras_dtl.convert.artifact import Artifact
from keras_dtl.convert.disk import DiskFull
from keras_dtl.convert.items import Item, ItemError, Loaded
from keras_dtl.convert.journal import Journal
from keras_dtl.convert.options import Options

# Options that change what is written; a run with others does the work again.
_THAT_MATTER = ("format", "quality", "metadata", "profile", "alpha", "animation", "top")
_THAT_MATTER += ("all_probabilities", "bucket")


@dataclasses.dataclass(frozen=True)
class Preview:
    """What the gallery shows of a file.

    Args:
        before: Of the input.
        after: Of the result, or what it is in words.
        target: The file that the result was written to, if there is one of its own.
    """

    before: Image.Image
    after: Image.Image | str
    target: Path | None = None


class Task(abc.ABC):
    """What is done to each file, and where the result goes.

    A conversion asks a task, in this order: `plan` for all files; then, with `writing` as the
    context, for each file `is_done`, `check_free`, `load`, the function that `model` returned,
    `make` and `keep`, or `leave_out` where any of these failed; `preview` at the end. Everything
    else, from threads to the journal, is the same for all tasks. `load`, the model and `make` may
    happen in another process, by another instance that has no journal. `make_each` and
    `keep_each` do so for a batch, which a task of very many small results may do at once.

    A further task is one file with a class like this, and one line in `by_name.py` beside it.

    Args:
        artifact: The `Artifact`.
        destination: The output folder.
        options: The `Options`.

    Raises:
        ConversionError: The artifact or an option cannot be used for it.
    """

    suffixes: Collection[str] = frozenset()
    """Of the files that are looked for in a folder."""
    none_found = "no files"
    """What a folder holds in which there is none, and how to mend it."""
    writers = 1
    """The number of threads that may call `make` and `keep` at once."""
    own_options: Sequence[str] = ()
    """Names of the `Options` that only some tasks go by, this one among them."""
    takes_small_files = False
    """Whether thousands of files are read so fast that processes of their own may pay."""

    def __init__(self, artifact: Artifact, destination: Path, options: Options):
        self.artifact = artifact
        self.destination = destination
        self.options = options
        self.output = destination  # a file or a folder, which the report names
        self.journal: Journal | None = None  # while there is one to read or write

    @classmethod
    def reason_left_out(cls, path: Path) -> tuple[str, bool]:
        """Say why a file of a folder is no input of this task, by its suffix.

        Args:
            path: The file.

        Returns:
            The reason in words, and whether it is an input all the same that cannot be read.
        """
        return f"no {' or '.join(sorted(cls.suffixes))} file", False

    @classmethod
    def takes_as_target(cls, suffix: str) -> bool:
        """Whether a result may be written to one file that is named with a suffix.

        Args:
            suffix: In small letters, such as `".png"`.
        """
        return suffix in cls.suffixes

    def matter(self) -> list:
        """Return what results depend on beside their input, as values that `json` can write.

        Where it changes, everything is converted again.
        """
        options = {name: getattr(self.options, name) for name in _THAT_MATTER}
        return [self.artifact.key, options, self.options.tile]

    def journal_key(self) -> str:
        """Return `matter` as a short text."""
        text = json.dumps(self.matter(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def plan(self, items: list[Item]) -> None:  # noqa: B027 (nothing by default)
        """Look at all files before anything is written.

        Args:
            items: All of them.

        Raises:
            ConversionError: They cannot be converted together.
        """

    @contextlib.contextmanager
    def writing(self, journal: Journal) -> Iterator[None]:
        """Be the context in which results are kept; an exception drops what is not whole.

        Args:
            journal: The `Journal` of the conversion.
        """
        self.journal = journal
        yield

    @abc.abstractmethod
    def is_done(self, item: Item, records: list[dict]) -> bool:
        """Whether what the journal says of a file still holds.

        Args:
            item: The `Item`.
            records: What `keep` noted, one record a frame.
        """

    def check_free(self, item: Item) -> None:  # noqa: B027 (nothing by default)
        """Look whether the result can be written.

        Args:
            item: The `Item`.

        Raises:
            ItemError: Something is in the way.
        """

    @abc.abstractmethod
    def load(
        self,
        item: Item,
        data: bytes,
        content: str = "",
        suffix: str | None = None,
        before: Callable[[int], None] = lambda numbers: None,
    ) -> Iterator[Loaded]:
        """Yield what goes into the model of a file, one `Loaded` for each frame.

        Args:
            item: The `Item`.
            data: The bytes of its file.
            content: SHA-256 of these.
            suffix: Of the file that the result is for, where it is not the one of a folder.
            before: Called with how many pixels, or other things of about eight bytes, come next.

        Raises:
            ItemError: It cannot be read.
        """

    @abc.abstractmethod
    def model(self) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
        """Return a function from a batch of `Loaded.pixels` to the outputs by name.

        It raises `ArtifactError` or `MemoryError` where it fails.
        """

    @abc.abstractmethod
    def make(self, loaded: Loaded, outputs: dict[str, np.ndarray]) -> typing.Any:
        """Return what is kept of the outputs for one file, or one frame; it can be pickled.

        Args:
            loaded: What went into the model.
            outputs: Arrays by name, without the batch axis.

        Raises:
            ItemError: They are no result.
        """

    def make_each(self, batch: list[Loaded], outputs: dict[str, np.ndarray]) -> list:
        """Return what `make` returns of each of a batch, or the error that it raised.

        Args:
            batch: What went into the model.
            outputs: Arrays by name, with the batch axis.
        """
        made = []
        for place, loaded in enumerate(batch):
            try:
                row = {name: array[place] for name, array in outputs.items()}
                made.append(self.make(loaded, row))
            except (ItemError, MemoryError) as error:
                made.append(error)
        return made

    @abc.abstractmethod
    def keep(self, loaded: Loaded, made: typing.Any) -> None:
        """Note and write a result.

        Args:
            loaded: What went into the model; its arrays may be left out.
            made: What `make` returned.

        Raises:
            ItemError: It cannot be written.
            DiskFull: Nothing can be written any more.
        """

    def keep_each(self, batch: list[Loaded], made: list) -> list[Exception | None]:
        """Note and write results; return what hindered each of them, or `None`.

        Args:
            batch: What went into the model; its arrays may be left out.
            made: What `make_each` returned of them, without errors.
        """
        errors = []
        for loaded, one in zip(batch, made, strict=True):
            try:
                self.keep(loaded, one)
            except (ItemError, MemoryError, DiskFull) as error:
                errors.append(error)
            else:
                errors.append(None)
        return errors

    def leave_out(self, item: Item) -> None:  # noqa: B027 (nothing by default)
        """Do without a file that failed.

        Args:
            item: The `Item`.
        """

    def check_single(self) -> None:  # noqa: B027 (nothing by default)
        """Look whether one file can be converted to one file of another name.

        Raises:
            ConversionError: Results of this task are no files of their own.
        """

    @abc.abstractmethod
    def encode(self, loaded: Loaded, outputs: dict[str, np.ndarray], suffix: str) -> bytes:
        """Return the result of one file as the bytes of a file.

        Args:
            loaded: What went into the model.
            outputs: Arrays by name, without the batch axis.
            suffix: Of the format, where there are several.

        Raises:
            ItemError: They are no result, or one that a file of this kind cannot hold.
        """

    @abc.abstractmethod
    def result(self, item: Item) -> Path | str | None:
        """Return the file that shows what became of an item, or words, or `None`.

        Args:
            item: The `Item`.
        """

    @abc.abstractmethod
    def picture(self, path: Path) -> Image.Image:
        """Return a small picture of an input or of a result.

        Args:
            path: The file.

        Raises:
            ImageError: It cannot be read.
        """

    def preview(self, item: Item) -> Preview | None:
        """Return what the gallery shows of a file, or `None` where there is no result.

        Args:
            item: The `Item`.
        """
        result = self.result(item)
        if result is None:
            return None
        before = self.picture(item.path)
        if isinstance(result, str):
            return Preview(before, result)
        return Preview(before, self.picture(result), result)
