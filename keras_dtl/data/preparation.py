"""TFDS data sets made ready for reading, with short errors where files are missing."""

import contextlib
import queue
import re
import socket
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

import tensorflow_datasets as tfds

from keras_dtl.files import FilePath

PATIENCE = 5.0
"""Seconds that a host has to answer in."""


class MissingDataError(FileNotFoundError):
    """Files of a data set that are neither here nor to be had; the message says what to do."""


def prepare(builder: tfds.core.DatasetBuilder, manual_dir: FilePath | None = None) -> None:
    """Download and prepare a TFDS data set, unless that has been done.

    Without a connection it fails at once instead of after minutes of retries.

    Args:
        builder: `tfds.core.DatasetBuilder`.
        manual_dir: Where files lie that were downloaded by hand; by default
            `downloads/manual` below the builder's data folder.

    Raises:
        MissingDataError: If files are missing that cannot be downloaded; the message names
            them, and the folder where they belong.
        OSError: If the data set cannot be prepared for another reason.
    """
    if builder.is_prepared():
        return
    manual_dir = Path(manual_dir or data_root(builder) / "downloads" / "manual")
    _check_manual_files(builder, manual_dir)
    _check_reachable(builder, manual_dir)
    config = tfds.download.DownloadConfig(manual_dir=str(manual_dir))
    with _short_errors(builder, manual_dir):
        builder.download_and_prepare(download_config=config)


def data_root(builder: tfds.core.DatasetBuilder) -> Path:
    """Return the folder that holds all prepared data sets, the `data_dir` of TFDS.

    Args:
        builder: `tfds.core.DatasetBuilder`.
    """
    # data_dir of a builder is ROOT/name[/config]/version, and full_name its end.
    depth = builder.info.full_name.count("/") + 1
    return Path(builder.data_dir).parents[depth - 1]


def _check_manual_files(builder: tfds.core.DatasetBuilder, manual_dir: Path) -> None:
    wanted = builder.MANUAL_DOWNLOAD_INSTRUCTIONS
    if wanted and not (manual_dir.is_dir() and any(manual_dir.iterdir())):
        raise MissingDataError(
            f"The data set {builder.name} is not in {data_root(builder)}, and is made from files "
            f"that must be downloaded by hand. {_manual_advice(builder, manual_dir)}"
        )


def _check_reachable(builder: tfds.core.DatasetBuilder, manual_dir: Path) -> None:
    missing = {
        url: name for url, name in _file_names(builder).items() if not (manual_dir / name).exists()
    }
    if missing and not _is_reachable(missing):
        files = "\n".join(f"  {name} from {url}" for url, name in missing.items())
        raise MissingDataError(
            f"The data set {builder.name} is not in {data_root(builder)}, and there is no "
            f"connection to download it. Put these files into {manual_dir} (or pass another "
            f"manual_dir):\n{files}\n{_copy_advice(builder)}"
        )


def _file_names(builder: tfds.core.DatasetBuilder) -> dict[str, str]:
    """Return `{url: file name}` of what is downloaded, of the named configuration alone."""
    names = {
        url: info.filename or url.rpartition("/")[2]
        for url, info in (builder.url_infos or {}).items()
    }
    config = builder.builder_config.name if builder.builder_config else ""
    # Data sets note the files of all their configurations in one list.
    own = {url: name for url, name in names.items() if config in re.split(r"[/.?=&]", url)}
    return own or names


def _is_reachable(urls: Iterable[str]) -> bool:
    """Whether one of the hosts answers, or the proxy that asks them, within seconds."""
    proxies = urllib.request.getproxies()
    if proxies:
        # Names are resolved by the proxy, not here.
        urls = [proxies.get("https") or proxies.get("http") or next(iter(proxies.values()))]
    places = {_place(url) for url in urls}
    answers = queue.SimpleQueue()
    for place in places:
        # Looking up a name knows no time limit: it is left behind in a thread.
        threading.Thread(target=lambda p=place: answers.put(_connects(p)), daemon=True).start()
    deadline = time.monotonic() + PATIENCE
    for _ in places:
        try:
            if answers.get(timeout=max(0.0, deadline - time.monotonic())):
                return True
        except queue.Empty:
            return False
    return False


def _place(url: str) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(url if "//" in url else f"//{url}")
    port = {"http": 80, "ftp": 21}.get(parts.scheme, 443)
    return parts.hostname or "", parts.port or port


def _connects(place: tuple[str, int]) -> bool:
    try:
        socket.create_connection(place, timeout=PATIENCE).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _short_errors(builder: tfds.core.DatasetBuilder, manual_dir: Path) -> Iterator[None]:
    try:
        yield
    except MissingDataError:
        raise
    # TFDS checks for some missing files by assertions.
    except (AssertionError, OSError, tfds.download.DownloadError) as error:
        raise OSError(
            f"The data set {builder.name} could not be prepared: {error} "
            f"{_manual_advice(builder, manual_dir)}"
        ) from error


def _manual_advice(builder: tfds.core.DatasetBuilder, manual_dir: Path) -> str:
    instructions = " ".join((builder.MANUAL_DOWNLOAD_INSTRUCTIONS or "").split())
    return (
        f"Files downloaded by hand belong into the manual folder {manual_dir} (or pass another "
        f"manual_dir). {instructions} {_copy_advice(builder)}"
    )


def _copy_advice(builder: tfds.core.DatasetBuilder) -> str:
    return (
        f"Or copy the prepared folder {builder.info.full_name} into {data_root(builder)}, "
        "or set TFDS_DATA_DIR (or pass data_dir) to the folder that holds it."
    )
