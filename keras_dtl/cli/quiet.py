"""TensorFlow is imported without the lines that it writes about itself, and in less time."""

import contextlib
import gc
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator

from keras_dtl.interrupts import stop_at_once

NOISE = re.compile(
    r"All log messages before absl|oneDNN custom operations|cudart_stub|Could not find cuda|"
    r"cpu_feature_guard|To enable the following instructions|computation_placer|"
    r"Unable to register cu|cuda_diagnostics|TF-TRT Warning|kernel driver does not appear|"
    r"failed call to cuInit.*UNKNOWN ERROR \(303\)|oneDNN supports DT_UINT8 only"
)
"""Lines that every machine without a GPU, or with one that works, says at each start. Why a GPU
that is there cannot be used, such as a missing library, is not among them."""


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back what libraries write to standard error; afterwards pass on all but `NOISE`.

    The lines come from C++ before any setting is read, hence the file in place of the stream.
    """
    sys.stderr.flush()
    try:
        stream = os.dup(2)
    except OSError:  # closed: nothing is seen anyway
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stream, 2)
            os.close(stream)
            held.seek(0)
            text = held.read().decode(errors="replace")
            sys.stderr.write("".join(kept_lines(text)))


def kept_lines(text: str) -> list[str]:
    """Return the lines, ends of line included, that are worth reading."""
    return [line for line in text.splitlines(keepends=True) if not NOISE.search(line)]


def import_tensorflow(onednn: bool = False) -> None:
    """Import TensorFlow and Keras, and let them look for GPUs, without their lines.

    What a verb imports afterwards may import them again; what it imported before was not quiet.
    Later on, too, its C++ tells warnings and errors alone, unless TF_CPP_MIN_LOG_LEVEL says
    otherwise: it is read once, here.

    Args:
        onednn: Whether operations shall be oneDNN's on x86 processors where TensorFlow leaves them
            out, which are those without instructions for neural networks, unless
            TF_ENABLE_ONEDNN_OPTS says otherwise. See `Recipe.onednn`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    if onednn and platform.machine().lower() in ("x86_64", "amd64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with stop_at_once(), quiet_start(), _without_collections():
        import keras  # noqa: F401
        import tensorflow as tf

        tf.config.list_physical_devices("GPU")


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """Look for no garbage, and never again in what is made meanwhile.

    Imports make none, and each search goes through millions of TensorFlow's objects: that slows
    down the start, and then tracing and exporting, which make many objects themselves.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def hear_onednn_out() -> None:
    """Let oneDNN say now, unseen, what it says once where it turns no uint8 images.

    Devices are fixed from here on.
    """
    import tensorflow as tf

    with quiet_start():
        tf.transpose(tf.zeros((2, 2), "uint8"))
