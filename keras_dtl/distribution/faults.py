"""Workers that are lost or out of reach: an error that says so, never a training that hangs."""

import contextlib
import os
import socket
import sys
import threading

LOST_SECONDS = 30
"""Within this time the loss of a worker ends the others: at once where its process ended, after
the missed heartbeats of TensorFlow (10 s) where its machine was cut off or it was stopped."""
UNREACHABLE = 2
"""Exit status of a worker that could not reach the others."""


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


@contextlib.contextmanager
def deadline(seconds, cluster):
    """End this process with an error when the body takes longer, as it cannot be interrupted.

    Args:
        seconds: How long it may take.
        cluster: The `Cluster` that the body waits for.
    """
    timer = threading.Timer(seconds, _give_up, (seconds, cluster))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _give_up(seconds, cluster):
    others = [address for i, address in enumerate(cluster.addresses) if i != cluster.index]
    silent = [address for address in others if not _answers(address)]
    print(
        f"error: after {seconds:g} seconds worker {cluster.index} of {len(cluster.addresses)} "
        f"still waits for the others. These do not answer: {', '.join(silent) or 'none'}. Start "
        "the same command on every machine, with the same --workers, and let no firewall close "
        "their ports; --worker-timeout waits longer.",
        file=sys.stderr,
        flush=True,
    )
    os._exit(UNREACHABLE)


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
