"""A queue between threads, bounded by the memory of what waits in it."""

import collections
import threading


class Closed(Exception):
    """Nothing goes through the channel any more."""


class Channel:
    """A first-in, first-out queue whose entries have a weight.

    Args:
        limit: How much all that waits may weigh together. A single entry may weigh more.
    """

    def __init__(self, limit):
        self.limit = limit
        self.weight = 0
        self.entries = collections.deque()
        self.closed = False
        self.changed = threading.Condition()

    def reserve(self, weight):
        """Wait until `weight` more may wait, and count it from now on.

        Raises:
            Closed: The channel was closed meanwhile.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.closed or self._has_room(weight))
            self._reserve(weight)

    def reserve_at_once(self, weight):
        """Do the same where nothing has to be waited for; return whether that was so."""
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

    def release(self, weight):
        """Take back what was reserved and will not come."""
        with self.changed:
            self.weight -= weight
            self.changed.notify_all()

    def put(self, entry, reserved=0):
        """Add an entry, at once, for which `reserved` was reserved."""
        with self.changed:
            self.entries.append((entry, reserved))
            self.changed.notify_all()

    def get(self):
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

    def close(self):
        """Refuse reservations, and let `get` end once the channel is empty."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def clear(self):
        """Drop all that waits."""
        with self.changed:
            self.entries.clear()
            self.weight = 0
            self.changed.notify_all()
