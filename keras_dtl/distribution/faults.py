"""Workers that are lost or out of reach: an error that says so, never a training that hangs."""

import contextlib
import os
import socket
import sys
import time

LOST_SECONDS = 30
"""Within this time the loss of a worker ends the others: at once where its process ended, after
the missed heartbeats of TensorFlow (10 s) where its machine was cut off or it was stopped."""


class WorkerLost(ConnectionError):
    """Another worker has ended, or does not answer."""


@contextlib.contextmanager
def worker_faults():
    """Turn what TensorFlow raises when it cannot reach another worker into `WorkerLost`."""
    import tensorflow as tf

    lost = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError)
    try:
        yield
    except tf.errors.OpError as error:
        if not (isinstance(error, lost) or "ollective ops is aborted" in str(error)):
            raise
        reason = next((x for x in str(error).splitlines() if "aborted by" in x), error.message)
        raise WorkerLost(
            "Another worker was lost, or failed: see what it says. The checkpoint of the last "
            "whole epoch is kept; start all workers again with --resume. TensorFlow says: "
            f"{reason.strip()}"
        ) from error


def wait_for_others(cluster, seconds):
    """Wait until every other worker can be reached.

    TensorFlow waits, too, but deaf to Ctrl-C and to any limit: it lets no line of Python run
    meanwhile. So workers look for each other before they hand over to it.

    Args:
        cluster: The `Cluster`.
        seconds: How long it may take.

    Raises:
        TimeoutError: Some did not answer in time; they are named.
    """
    silent = [address for i, address in enumerate(cluster.addresses) if i != cluster.index]
    end = time.monotonic() + seconds
    with _listening(cluster.addresses[cluster.index]):
        while silent := [address for address in silent if not _answers(address)]:
            if time.monotonic() > end:
                raise TimeoutError(
                    f"after {seconds:g} seconds worker {cluster.index} of "
                    f"{len(cluster.addresses)} still waits for the others. These do not answer: "
                    f"{', '.join(silent)}. Start the same command on every machine, with the same "
                    "--workers, and let no firewall close their ports; --worker-timeout waits "
                    "longer."
                )
            time.sleep(0.1)


@contextlib.contextmanager
def _listening(address):
    """Let the others find this worker, where its address is one of this machine."""
    host, _, port = address.rpartition(":")
    try:
        listener = socket.create_server((host, int(port)), backlog=128)
    except OSError:  # another name of it, behind a router: TensorFlow listens later
        yield
        return
    with listener:
        yield


def _answers(address):
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError:
        return False
    return True


def leave(status):
    """End a worker at once, without TensorFlow's wait for the others, of which one may be lost."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
