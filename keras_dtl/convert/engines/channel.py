"""A queue between threads, bounded by the memory of what waits in it."""

import collections
import threading
import typing


class Closed(Exception):
    """Nothing goes through the channel any more."""


class Channel:
    """A first-in, first-out queue whose entries have a weight.

    Args:
        limit: How much all that waits may weigh together. A single entry may weigh more.
    """

    def __init__(self, limit: int):
        self.limit = limit
        self.weight = 0
        self.entries = collections.deque()
        self.closed = False
        self.changed = threading.Condition()

    def reserve(self, weight: int) -> None:
        """Wait until `weight` more may wait, and count it from now on.

        Args:
            weight: In the unit of the limit.

        Raises:
            Closed: The channel was closed meanwhile.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.closed or self._has_room(weight))
            self._reserve(weight)

    def reserve_at_once(self, weight: int) -> bool:
        """Do the same where nothing has to be waited for; return whether that was so.

        Args:
            weight: In the unit of the limit.
        """
        with self.changed:
            if not self._has_room(weight):
                return False
            self._reserve(weight)
            return True

    def _has_room(self, weight):
        return not self.weight or self.weight + weight <= self.limit

    def _reserve(self, weight):
        if self.closed:
            raise Closed
        self.weight += weight

    def release(self, weight: int) -> None:
        """Take back what was reserved and will not come.

        Args:
            weight: As it was reserved.
        """
        with self.changed:
            self.weight -= weight
            self.changed.notify_all()

    def put(self, entry: typing.Any, reserved: int = 0) -> None:
        """Add an entry, at once, for which `reserved` was reserved.

        Args:
            entry: Anything.
            reserved: Its weight.
        """
        with self.changed:
            self.entries.append((entry, reserved))
            self.changed.notify_all()

    def get(self) -> typing.Any:
        """Wait for the next entry and return it.

        Raises:
            Closed: The channel was closed and is empty.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.closed or self.entries)
            if not self.entries:
                raise Closed
            entry, weight = self.entries.popleft()
            self.weight -= weight
            self.changed.notify_all()
            return entry

    def close(self) -> None:
        """Refuse reservations, and let `get` end once the channel is empty."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def clear(self) -> None:
        """Drop all that waits."""
        with self.changed:
            self.entries.clear()
            self.weight = 0
            self.changed.notify_all()
