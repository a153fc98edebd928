"""The bar that verbs show on a terminal."""

import sys


class ProgressBar:
    """A bar with figures behind it, drawn on a terminal and gone at the end; nowhere else drawn.

    Used as a context:

        with ProgressBar() as bar:
            bar.move(3, 10, "4 images/s")
    """

    def __init__(self):
        self.is_drawn = sys.stdout.isatty()

    def __enter__(self) -> "ProgressBar":
        from rich import console, progress  # the quick verbs do without

        self._bar = progress.Progress(
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[figures]}"),
            progress.TimeRemainingColumn(),
            console=console.Console(),  # one of its own: that of the process may be set otherwise
            transient=True,
            disable=not self.is_drawn,
        )
        self._bar.start()
        self._task = self._bar.add_task("", total=None, figures="")
        return self

    def __exit__(self, *error):
        self._bar.refresh()  # a quick end must not hide what was reached
        self._bar.stop()

    @property
    def elapsed(self) -> float:
        """Seconds since the bar began, above 0."""
        return self._bar.tasks[0].elapsed or 1e-9

    def move(self, done: int, total: int | None, figures: str = ""):
        """Show that so much is done.

        Args:
            done: Items that are done.
            total: Of how many; None while that is unknown.
            figures: What stands behind the bar.
        """
        self._bar.update(self._task, completed=done, total=total, figures=figures)
