"""What `keras-dtl stylize` has to do: which contents, to which outputs, begun or not."""

from pathlib import Path

from keras_dtl.files import readable_name, resolved
from keras_dtl.images import find_images, writable_suffixes


def find_jobs(arguments) -> list[tuple[Path, Path]]:
    """Return `[(content, output), ...]` that are to be done.

    Args:
        arguments: Those of `keras-dtl stylize`, here and below.

    Raises:
        ValueError: When an output cannot be written to, or is in the way.
    """
    content = arguments.content
    return folder_jobs(arguments) if content.is_dir() else [image_job(arguments)]


def image_job(arguments) -> tuple[Path, Path]:
    """Return the one content and its output."""
    output = arguments.output
    suffixes = writable_suffixes()
    if output.suffix.lower() not in suffixes:
        raise ValueError(
            f"{readable_name(output)} must end in one of {', '.join(sorted(suffixes))}."
        )
    require_no_folder(output)
    given = (arguments.content, arguments.style_image, *arguments.style, *arguments.mask)
    if resolved(output) in map(resolved, given):
        raise ValueError(f"{readable_name(output)} is an image to work from. Name another output.")
    if output.exists() and not arguments.overwrite:
        raise FileExistsError(f"{readable_name(output)} exists. Replace it with --overwrite.")
    check_state(arguments, output)
    return arguments.content, output


def folder_jobs(arguments) -> list[tuple[Path, Path]]:
    """Return each image of a folder and its output, but for those that are there already."""
    content, output = arguments.content, arguments.output
    if resolved(output).is_relative_to(resolved(content)):
        raise ValueError(
            f"{readable_name(output)} lies in the folder of contents, whose next run would take "
            "the results for contents. Choose another."
        )
    found = find_images(content)
    if not found:
        raise ValueError(f"{readable_name(content)} holds no images.")
    jobs = [(path, writable_path(output / path.relative_to(content))) for path in found]
    for _, target in jobs:
        require_no_folder(target)
        check_state(arguments, target)
    return [job for job in jobs if arguments.overwrite or not job[1].exists()]


def require_no_folder(output: Path):
    """Refuse a folder where a file is to be written."""
    if output.is_dir():
        raise IsADirectoryError(
            f"{readable_name(output)} is a folder, and a file is to be written there. Name "
            "another place, or move that away."
        )


def writable_path(output: Path) -> Path:
    """Return an output's path, which ends in .png where its format is read but not written."""
    if output.suffix.lower() in writable_suffixes():
        return output
    return output.with_name(output.name + ".png")


def state_path(output: Path) -> Path:
    """Return where the state of a transfer that is not finished lies, beside its output."""
    return output.with_name(f".{output.name}.state.npz")


def check_state(arguments, output: Path):
    """Refuse to begin again what was begun.

    Raises:
        FileExistsError: There is a state, and --resume was not given.
    """
    if state_path(output).exists() and not arguments.resume:
        raise FileExistsError(
            f"{readable_name(output)} was begun and not finished. Go on with --resume, or delete "
            f"{readable_name(state_path(output))} to begin again."
        )
