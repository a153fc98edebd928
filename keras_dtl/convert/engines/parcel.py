"""What a reader sends to the session: many small images at a time, so that threads seldom wake."""

import functools
import time
from collections.abc import Callable

from keras_dtl.convert.engines.channel import Channel

WAITING = 2**28  # bytes of images between two stages
_BYTES_A_PIXEL = 8  # of a decoded image and its copy as an array
_MOST = 64  # messages
_SECONDS = 0.01  # after which what there is goes on its way


class Parcel:
    """Messages to the inbox of a conversion, each with the place that was reserved for it.

    Args:
        inbox: The `Channel`.
        batch_size: Of the session; about four batches may wait.
    """

    def __init__(self, inbox: Channel, batch_size: int):
        self.inbox = inbox
        self.least = WAITING // (4 * batch_size + 16)  # small images are few as well
        self.messages = []
        self.weight = 0  # of them
        self.reserved = 0  # for the next one
        self.begun = time.perf_counter()
        self.waited = 0.0

    def reserve(self, pixels: int) -> None:
        """Wait for the place of an image before it is decoded.

        Args:
            pixels: Of the image, height times width.
        """
        self.reserve_bytes(pixels * _BYTES_A_PIXEL)

    def reserve_bytes(self, weight: int) -> None:
        """Wait for a place of so many bytes.

        Args:
            weight: Their number.
        """
        weight = max(self.least, weight)
        if not self.inbox.reserve_at_once(weight):
            started = time.perf_counter()
            self.send()  # what waits here would keep its place for ever
            self.inbox.reserve(weight)
            self.waited += time.perf_counter() - started
        self.reserved = weight

    def give_back(self) -> None:
        """Take back the place of an image that will not come."""
        if self.reserved:
            self.inbox.release(self.reserved)
            self.reserved = 0

    def add(self, message: Callable[[], None]) -> None:
        """Add a message, for which that place may be reserved.

        Args:
            message: A function without arguments, which the thread of the session calls.
        """
        self.messages.append(message)
        self.weight += self.reserved
        self.reserved = 0
        if len(self.messages) >= _MOST or time.perf_counter() - self.begun > _SECONDS:
            self.send()

    def send(self) -> None:
        """Send what there is."""
        if self.messages:
            self.inbox.put(functools.partial(_call_each, self.messages), self.weight)
        self.messages, self.weight = [], 0
        self.begun = time.perf_counter()


def _call_each(messages):
    for message in messages:
        message()
