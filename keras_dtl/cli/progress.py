"""The bar that verbs show on a terminal."""

import sys
import time


class ProgressBar:
    """A bar with figures behind it, drawn on a terminal and gone at the end; nowhere else drawn.

    Used as a context:

        with ProgressBar() as bar:
            bar.move(3, 10, "4 images/s")
    """

    def __init__(self):
        self.is_drawn = sys.stdout.isatty()
        self._bar = None

    def __enter__(self) -> "ProgressBar":
        self._begun = time.monotonic()
        return self

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.refresh()  # a quick end must not hide what was reached
            self._bar.stop()

    @property
    def elapsed(self) -> float:
        """Seconds since the bar began, above 0."""
        return time.monotonic() - self._begun or 1e-9

    def move(self, done: int, total: int | None, figures: str = ""):
        """Show that so much is done.

        Args:
            done: Items that are done.
            total: Of how many; None while that is unknown.
            figures: What stands behind the bar.
        """
        if not self.is_drawn:
            return
        if self._bar is None:
            if done == total:  # the first step was the last: there is nothing to wait for
                return
            self._draw()
        self._bar.update(self._task, completed=done, total=total, figures=figures)

    def _draw(self):
        from rich import console, progress  # what is quick, or no terminal, does without

        self._bar = progress.Progress(
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[figures]}"),
            progress.TimeRemainingColumn(),
            console=console.Console(),  # one of its own: that of the process may be set otherwise
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task("", total=None, figures="")
