"""Run an artifact over images. Needs no TensorFlow.

keras-dtl convert exported/dann photos/ out/
keras-dtl convert starry-night photos/ out/
"""

import contextlib
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from keras_dtl.cli.command import SUCCESS, stop_at_once
from keras_dtl.cli.progress import ProgressBar
from keras_dtl.convert import ConversionError, Options, convert_folder, load_artifact
from keras_dtl.convert.report import NOT_BEGUN, left_out_lines
from keras_dtl.files import readable_name
from keras_dtl.manifest import Precision

_PIPE = "-"


@dataclass(frozen=True)
class Convert:
    """Run an artifact over images.

    Classifiers write one table, predictions.csv or predictions.jsonl; generators write an image
    for each image, in the same tree of folders; models of motion do so with BVH files. Beside them
    are report.json and gallery.html. A conversion that was stopped goes on where it was when the
    same command is given again.

    INPUT is an image, a folder, a pattern in quotes such as "photos/**/*.jpg", or - for a list of
    file names on standard input, one a line or ended by zero bytes. With OUTPUT - one image goes
    through a pipe: INPUT, or the bytes on standard input, to standard output.

    The exit status is 0 when all images were converted, 1 when some could not be read or
    converted or are of formats that are not read, 2 when nothing could be done.
    """

    artifact: Positional[Annotated[str, arg(metavar="ARTIFACT")]]
    """Folder that `keras-dtl train` or `export` wrote; a name in exported/ or one that comes with
    the package, starry-night; or hf://OWNER/NAME[@REVISION]."""
    input: Positional[Annotated[str, arg(metavar="INPUT")]]
    """Image, folder, pattern, or - for standard input."""
    output: Positional[Annotated[str, arg(metavar="OUTPUT")]]
    """Folder to write to; for a single image also a file; or - for standard output."""
    device: Literal["auto", "cpu", "cuda", "openvino", "openvino-provider", "tensorrt"] = "auto"
    """What to compute on: cpu, cuda and tensorrt are onnxruntime's, openvino is the package of that
    name, openvino-provider that of onnxruntime-openvino. A named one never falls back. auto takes a
    GPU that works, else what a short trial on the first images finds fastest; it says what and
    why, and remembers it."""
    precision: Precision = "auto"
    """Which graph of the artifact; bfloat16 is OpenVINO's. auto takes float16 on a GPU where it is
    there, else float32, or with --device auto what --least-quality allows."""
    least_quality: float | None = None
    """What --device auto may lose beside float32: decibels of PSNR for images (40 opens bfloat16),
    share of equal answers for classifiers, mean IoU for segmenters. Default: within 1/255."""
    unmeasured: bool = False
    """Take a graph also in a runtime in which its quality was never measured."""
    threads: int | None = None
    """CPU threads that work on one operation; all by default."""
    gpu_memory: float | None = None
    """Gigabytes of GPU memory that may be taken; all by default."""
    watch: bool = False
    """Go on converting what comes into the folder, until Ctrl-C."""
    conversion: OmitArgPrefixes[Options] = field(default_factory=Options)


def main(arguments: Convert) -> int:
    """Run the command.

    Args:
        arguments: What was typed.

    Returns:
        The exit status, as the docstring of `Convert` says.
    """
    piped = arguments.output == _PIPE
    # What goes into a pipe must be alone in it.
    say = sys.stderr if piped else sys.stdout
    memory = arguments.gpu_memory and int(arguments.gpu_memory * 2**30)
    source = arguments.input
    if source == _PIPE and not piped:
        from keras_dtl.convert.inputs import parse_paths

        source = parse_paths(sys.stdin.buffer.read())
    with stop_at_once():
        choice = _choice(arguments, source, piped)
        if choice is not None:
            print(f"device auto takes {choice.words}", file=say)
        artifact = load_artifact(
            arguments.artifact,
            choice.device if choice else arguments.device,
            precision=choice.precision if choice else arguments.precision,
            threads=arguments.threads,
            gpu_memory=memory,
            unmeasured=arguments.unmeasured or choice is not None,
        )
    print(
        f"{readable_name(artifact.manifest.name)}: {readable_name(artifact.task)} in "
        f"{artifact.precision} on {artifact.device} ({artifact.provider})",
        file=say,
    )
    if piped:
        return _through_pipe(artifact, arguments)
    from keras_dtl.convert.single import convert_file, is_one_file

    if arguments.watch:
        return _watch(artifact, arguments)
    if is_one_file(artifact, arguments.input, arguments.output):
        convert_file(artifact, arguments.input, arguments.output, arguments.conversion)
        would = "1 would be converted. " if arguments.conversion.dry_run else ""
        print(f"{would}Output: {readable_name(arguments.output)}")
        return SUCCESS
    return tell_report(_convert(artifact, source, arguments))


def _choice(arguments, source, piped):
    """Return what a trial on the first images finds fastest, or None where there is none."""
    if arguments.device != "auto":
        if arguments.least_quality is not None:
            raise ConversionError(
                f"--least-quality is for --device auto, which tries what reaches it; received "
                f"--device {arguments.device}. Choose a precision with it instead."
            )
        return None
    if piped:
        return None
    from keras_dtl.convert.trial import choose

    return choose(
        arguments.artifact,
        source,
        arguments.conversion,
        precision=arguments.precision,
        least_quality=arguments.least_quality,
        threads=arguments.threads,
    )


def _convert(artifact, source, arguments):
    options = asdict(arguments.conversion)
    with ProgressBar() as bar:
        return convert_folder(
            artifact, source, arguments.output, progress=_progress(bar), **options
        )


def _through_pipe(artifact, arguments):
    from keras_dtl.convert.image_files.reading import read_file
    from keras_dtl.convert.items import ItemError
    from keras_dtl.convert.single import convert_bytes, read_limited

    from_pipe = arguments.input == _PIPE
    _check_pipe(arguments)
    data = read_limited(sys.stdin.buffer) if from_pipe else read_file(arguments.input)
    chosen = arguments.conversion.format
    suffix = f".{chosen}" if chosen in ("png", "jpg", "webp", "avif", "tif") else ".png"
    name = _PIPE if from_pipe else arguments.input
    try:
        result = convert_bytes(artifact, data, arguments.conversion, suffix, name)
    except ItemError as error:
        raise ConversionError(f"{readable_name(name)}: {error}") from error
    with open(sys.stdout.fileno(), "wb", closefd=False) as file:
        file.write(result)
    return SUCCESS


def _check_pipe(arguments):
    """Refuse what a pipe cannot do."""
    if arguments.watch or arguments.conversion.dry_run:
        raise ConversionError("--watch and --dry-run are for folders and files, not for a pipe.")
    if Path(arguments.input).is_dir():
        raise ConversionError(
            f"Through a pipe goes one file; {readable_name(arguments.input)} is a folder. Name a "
            "file, or a folder as output."
        )
    if arguments.conversion.format == "same":
        raise ConversionError(
            "--format same is for files that are written; through a pipe name one, such as png."
        )


def _watch(artifact, arguments):
    from keras_dtl.convert.watch import watch_folder

    print(f"Watching {readable_name(arguments.input)}; Ctrl-C ends it.", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        watch_folder(
            artifact,
            arguments.input,
            arguments.output,
            on_report=lambda report: tell_report(report) and None,
            **asdict(arguments.conversion),
        )
    return SUCCESS


def tell_report(report):
    """Print what became of a conversion; return the exit status.

    Args:
        report: A `ConversionReport`.
    """
    for path in report.planned:
        print(f"would convert: {readable_name(path)}")
    for failure in report.failed:
        if not (report.full and failure.reason.startswith(NOT_BEGUN)):
            reason = readable_name(failure.reason)
            print(f"failed: {readable_name(failure.path)}: {reason}", file=sys.stderr)
    if report.full:
        print(f"error: {_no_room(report)}", file=sys.stderr)
    for line in left_out_lines(report.left_out):
        print(line, file=sys.stderr)
    print(_summary(report), flush=True)
    return report.exit_status


def _no_room(report):
    left = sum(failure.reason.startswith(NOT_BEGUN) for failure in report.failed)
    return (
        f"{report.full}: {report.converted + report.skipped} whole results are kept for "
        f"{readable_name(report.output)}, {left} are missing. Make room and give the same command "
        "again."
    )


def _progress(bar):
    """Return what moves a bar on, with images a second; None where it is not drawn."""
    if not bar.is_drawn:
        return None
    return lambda done, total: bar.move(done, total, f"{done / bar.elapsed:.0f} files/s")


def _summary(report):
    if report.planned:
        words = [f"{len(report.planned)} would be converted"]
    else:
        words = [f"{report.converted} converted ({report.images_per_second:.1f} files/s)"]
    words += [f"{report.skipped} skipped: already done"] if report.skipped else []
    words += [f"{report.left} left for another run"] if report.left else []
    words += [f"{len(report.failed)} failed"] if report.failed else []
    words += [f"{len(report.left_out)} left out"] if report.left_out else []
    return f"{', '.join(words)}. Output: {readable_name(report.output)}"
