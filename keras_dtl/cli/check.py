"""Say what a data set would be taken for, without training.

keras-dtl check photos/
keras-dtl check folder:photos
keras-dtl check paired:facades
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from keras_dtl.cli.command import SUCCESS
from keras_dtl.cli.quiet import import_tensorflow


@dataclass(frozen=True)
class Check:
    """Say what a folder, an archive or a named data set would be taken for, without training.

    Splits, classes, counts, sizes, files that are left out, the share of void; of motion the
    skeletons, the axis that is up and the rate. Training tells the same before it begins. The
    exit status is 0 when it can be used, 2 when it cannot.
    """

    data: Positional[Annotated[str, arg(metavar="DATA")]]
    """A path, or a name as for --source and --target: folder:PATH, npz:PATH.npz:LABELS, mnist."""
    kind: Literal["folder", "paired", "segmentation", "npz", "bvh"] | None = None
    """What it is, where its content does not tell."""
    npz_images: str | None = None
    """Array of images in an archive. Default: one of the usual names, such as x."""
    npz_labels: str | None = None
    """Array of classes in an archive. Default: one of the usual names, such as y."""
    data_dir: Path | None = None
    """Folder of TFDS data sets. Default: TFDS_DATA_DIR, as everywhere."""


def main(arguments: Check) -> int:
    """Print what the data set is taken for; return the exit status."""
    import_tensorflow()
    from keras_dtl.data.inspection import describe
    from keras_dtl.data.names import PREFIXES, with_arrays

    name = arguments.data
    if arguments.npz_images or arguments.npz_labels:
        name = f"npz:{name.removeprefix('npz:')}"
        name = with_arrays(name, arguments.npz_images, arguments.npz_labels)
    try:
        lines = describe(name, arguments.kind, thorough=True, data_dir=arguments.data_dir)
    except ValueError as error:
        from keras_dtl.data.tfds_source import UnknownDataSetError

        if not isinstance(error.__cause__, UnknownDataSetError):
            raise
        paths = ", ".join(f"{prefix}:PATH" for prefix in PREFIXES)
        raise ValueError(
            f"{error} Nor is it a file or folder that exists: paths stand alone or as {paths}."
        ) from error
    for line in lines:
        print(line)
    return SUCCESS
