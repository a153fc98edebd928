"""Run an artifact over a folder of images. Needs no TensorFlow.

keras-dtl convert exported/dann photos/ out/
"""

import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from keras_dtl.convert import Options, convert_folder, load_artifact
from keras_dtl.images import readable_name
from keras_dtl.scripts.command import run


@dataclass(frozen=True)
class Convert:
    """Run an artifact over an image or a folder of images.

    Classifiers write one table, predictions.csv or predictions.jsonl; generators write an image
    for each image, in the same tree of folders. The exit status is 0 when all images were
    converted, 1 when some could not be read or converted, 2 when nothing could be done.
    """

    artifact: Positional[Annotated[Path, arg(metavar="ARTIFACT")]]
    """Folder that `keras-dtl export` or `keras-dtl train` wrote."""
    input: Positional[Annotated[Path, arg(metavar="INPUT")]]
    """Image, or folder of images."""
    output: Positional[Annotated[Path, arg(metavar="OUTPUT")]]
    """Folder to write to."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """What to compute on; auto takes CUDA where it works. cuda never falls back to the CPU."""
    conversion: OmitArgPrefixes[Options] = field(default_factory=Options)


def main(arguments):
    artifact = load_artifact(arguments.artifact, arguments.device)
    print(f"{artifact.manifest.name}: {artifact.task} on {artifact.device} ({artifact.provider})")
    with _ProgressBar() as progress:
        report = convert_folder(
            artifact,
            arguments.input,
            arguments.output,
            progress=progress,
            **asdict(arguments.conversion),
        )
    for failure in report.failed:
        print(f"failed: {readable_name(failure.path)}: {failure.reason}", file=sys.stderr)
    print(_summary(report))
    return report.exit_status


class _ProgressBar:
    """A bar with images a second, which `convert_folder` moves on."""

    def __enter__(self):
        from rich import progress

        self.bar = progress.Progress(
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[rate]}"),
            progress.TimeRemainingColumn(),
            transient=True,
            disable=not sys.stdout.isatty(),
        )
        self.bar.start()
        self.task = self.bar.add_task("", total=None, rate="")
        return self._advance

    def __exit__(self, *error):
        self.bar.stop()

    def _advance(self, done, total):
        elapsed = self.bar.tasks[0].elapsed or 1e-9
        rate = f"{done / elapsed:.0f} images/s"
        self.bar.update(self.task, completed=done, total=total, rate=rate)


def _summary(report):
    rate = report.converted / max(report.seconds, 1e-9)
    words = [f"{report.converted} converted ({rate:.0f} images/s)"]
    words += [f"{report.skipped} skipped: already there"] if report.skipped else []
    words += [f"{len(report.failed)} failed"] if report.failed else []
    return f"{', '.join(words)}. Output: {readable_name(report.output)}"


if __name__ == "__main__":
    sys.exit(run(Convert, main))
