"""Give an image, or a folder of images, the style of another by optimisation (Gatys et al. 2016).

keras-dtl stylize content.jpg style.jpg out.jpg
keras-dtl stylize photos/ style.jpg out/ --style second.jpg --weight 2 1

About ten minutes for 512 pixels on two CPU cores. For many photos in one style train a network:
`keras-dtl train fast-style`.
"""

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from tyro.conf import Positional, arg

from keras_dtl.cli.command import FAILED, INTERRUPTED, PARTLY, SUCCESS
from keras_dtl.cli.progress import ProgressBar
from keras_dtl.cli.stylize_jobs import find_jobs, require_no_folder, state_path
from keras_dtl.convert.disk import DiskFull, no_room_is_fatal
from keras_dtl.files import readable_name
from keras_dtl.folders import require_output_folder
from keras_dtl.images import (
    ImageError,
    find_images,
    has_alpha,
    read_image,
    read_profile,
    resize_image,
    write_image,
)
from keras_dtl.turns import turn

SIDE_OF_PHOTOS = 256
"""Longer side in pixels at which photos are looked at to normalize by."""


@dataclass(frozen=True)
class Stylize:
    """Give an image or a folder of images the style of another, by optimisation.

    The alpha channel and the colour profile of the content are kept. The exit status is 0 when
    all images are done, 1 when some failed, 2 when nothing could be done, 130 after Ctrl-C.
    """

    content: Positional[Annotated[Path, arg(metavar="CONTENT")]]
    """Image, or folder of images."""
    style_image: Positional[Annotated[Path, arg(metavar="STYLE")]]
    """Image of the style."""
    output: Positional[Annotated[Path, arg(metavar="OUTPUT")]]
    """Image to write; a folder where CONTENT is one."""
    style: tuple[Path, ...] = ()
    """Further styles, to be blended with the first."""
    weight: tuple[float, ...] = ()
    """How much each style counts, STYLE first. Default: equally."""
    mask: tuple[Path, ...] = ()
    """For each style a grey image, white where in the content it acts. Default: everywhere."""
    weights: str = "imagenet"
    """Weights of VGG19: imagenet (downloaded once), or a file of keras.applications.VGG19."""
    normalize: Path | None = None
    """Folder of natural photos, some hundred: every filter of VGG19 is rescaled to a mean
    activation of 1 over them, as the paper does."""
    save_weights: Path | None = None
    """Keep the weights so rescaled in this .npz, which --weights takes the next time."""
    size: tuple[int, ...] = (512,)
    """Longer side of the result; several, such as 256 512, work from small to large."""
    iterations: int = 300
    """Iterations at each size."""
    optimizer: Literal["lbfgs", "adam"] = "lbfgs"
    """What minimises the loss."""
    loss_scale: Literal["paper", "gatys_torch", "johnson", "relative"] = "relative"
    """What the losses are divided by; the default of the next three goes with it."""
    content_weight: float | None = None
    """Weight of the content loss."""
    style_weight: float | None = None
    """Weight of the style loss."""
    variation_weight: float | None = None
    """Weight of the total variation: the higher, the smoother."""
    style_scale: float = 1.0
    """Size of the style beside the content's: 0.5 makes strokes half as large."""
    pooling: Literal["average", "max"] = "average"
    """How VGG19 halves its maps."""
    colors: Literal["style", "luminance", "histogram"] = "style"
    """luminance and histogram keep the colours of the content."""
    init: str = "content"
    """What to start from: content, noise, or the path of an image."""
    seed: int = 0
    """Choice of the noise."""
    tile_size: Literal["auto"] | int | None = "auto"
    """Side of the tiles in which a large image is looked at; None takes it whole."""
    snapshots: int = 0
    """Write the image every so many iterations, as OUTPUT-0050.png; 0 for never."""
    resume: bool = False
    """Go on where a transfer was stopped."""
    overwrite: bool = False
    """Replace outputs that are already there."""
    quality: int = 95
    """Of JPEG and WebP, from 1 to 100."""


def main(arguments: Stylize) -> int:
    """Stylize each content, unless another process does; return the exit status."""
    content, output = arguments.content, arguments.output
    if not content.exists():
        raise FileNotFoundError(f"There is no image or folder {readable_name(content)}.")
    if content.is_dir():
        require_output_folder(output)
    else:
        require_output_folder(output.parent, f"What {readable_name(output.name)} is written to")
    if arguments.save_weights is not None:
        require_output_folder(arguments.save_weights.parent, "What --save-weights is written to")
        require_no_folder(arguments.save_weights)
    with turn(output, "style transfer", waits=False):
        return stylize_all(arguments)


def stylize_all(arguments: Stylize) -> int:
    """Do what `main` does, in a place that no other process writes to."""
    jobs = find_jobs(arguments)
    options = read_options(arguments)
    from keras_dtl.cli.session import start_session

    print(start_session(arguments.seed))
    model = build_model(arguments)
    left_out = tell_left_out(arguments.content)
    failures = done = 0
    for content, output in jobs:
        try:
            with no_room_is_fatal(), image_turn(arguments, output):
                stylize_file(arguments, model, content, output, options)
        except DiskFull as error:
            raise OSError(
                f"{error.strerror}: {readable_name(output)} cannot be written; {done} of "
                f"{len(jobs)} are done. Make room and give the same command with --resume."
            ) from error
        except KeyboardInterrupt:
            print(f"\nStopped at {readable_name(content)}; --resume goes on.")
            return INTERRUPTED
        except (ImageError, ValueError, ArithmeticError, OSError) as error:
            print(f"failed: {readable_name(content)}: {error}", file=sys.stderr)
            failures += 1
        else:
            done += 1
            print(f"{readable_name(content)} -> {readable_name(output)}")
    if not failures:
        return PARTLY if left_out else SUCCESS
    return FAILED if failures == len(jobs) else PARTLY


def image_turn(arguments: Stylize, output: Path):
    """Be the only one that writes one image of a folder; of a single image `main` is already."""
    if output == arguments.output:
        return contextlib.nullcontext()
    return turn(output, "style transfer", waits=False)


def tell_left_out(content: Path) -> int:
    """Name the files of a folder that are left out; return how many of them are pictures."""
    from keras_dtl.convert.inputs import find_left_out
    from keras_dtl.convert.report import left_out_lines

    left_out = find_left_out(content)
    for line in left_out_lines(left_out):
        print(line, file=sys.stderr)
    return sum(file.is_input for file in left_out)


def read_options(arguments: Stylize) -> dict:
    """Return the arguments of `StyleTransfer.stylize` that all contents share."""
    styles = [read_image(path) for path in (arguments.style_image, *arguments.style)]
    masks = [read_image(path, channels=1)[:, :, 0] for path in arguments.mask]
    given = arguments.init in ("content", "noise")
    return {
        "styles": styles,
        "style_weights": arguments.weight or None,
        "masks": masks or None,
        "style_scale": arguments.style_scale,
        "colors": arguments.colors,
        "init": arguments.init if given else read_image(arguments.init),
        "sizes": arguments.size,
        "iterations": arguments.iterations,
        "optimizer": arguments.optimizer,
        "seed": arguments.seed,
        "tile_size": arguments.tile_size,
    }


def build_model(arguments: Stylize):
    """Return the `StyleTransfer` with the weights that the arguments name.

    Raises:
        ValueError: Weights are to be saved that nothing rescaled.
    """
    from keras_dtl.backbones import vgg19_features
    from keras_dtl.methods import StyleTransfer

    features = vgg19_features(weights=arguments.weights, pooling=arguments.pooling)
    if arguments.save_weights is not None and arguments.normalize is None:
        raise ValueError("--save-weights keeps what --normalize made. Give a folder to it, too.")
    if arguments.normalize is not None:
        normalize(features, arguments.normalize, arguments.save_weights)
    return StyleTransfer(
        features,
        content_weight=arguments.content_weight,
        style_weight=arguments.style_weight,
        variation_weight=arguments.variation_weight,
        loss_scale=arguments.loss_scale,
    )


def normalize(features, folder: Path, path: Path | None):
    """Rescale the filters of VGG19 by the photos of a folder, and keep them if a path is given.

    Args:
        features: The network; changed in place.
        folder: Natural photos, looked at with `SIDE_OF_PHOTOS` pixels at their longer side.
        path: The .npz to write.

    Raises:
        ValueError: The folder holds no images.
    """
    from keras_dtl.backbones import normalize_activations, save_vgg19
    from keras_dtl.methods.style.images import resize_within

    photos = find_images(folder)
    tell_left_out(folder)
    if not photos:
        raise ValueError(f"{readable_name(folder)} holds no images to normalize by.")
    normalize_activations(features, (resize_within(read_image(x), SIDE_OF_PHOTOS) for x in photos))
    if path is not None:
        save_vgg19(features, path)


def stylize_file(arguments: Stylize, model, content: Path, output: Path, options: dict):
    """Read one content, make its image and write it.

    Args:
        arguments: Those of the command.
        model: A `StyleTransfer`.
        content: Image to read.
        output: Image to write; folders above it are made.
        options: As `read_options` returns them.
    """
    picture = read_image(content, channels=4)
    pixels, alpha = np.ascontiguousarray(picture[..., :3]), picture[..., 3:]
    output.parent.mkdir(parents=True, exist_ok=True)
    with ProgressBar() as bar:
        image = model.stylize(
            # With their alpha kept beside them, pixels are not laid over white first.
            pixels if has_alpha(output.suffix) else read_image(content),
            callback=IterationLog(bar, output, arguments.snapshots),
            checkpoint=state_path(output),
            **options,
        )
    if alpha.min() < 255 and has_alpha(output.suffix):
        image = np.concatenate([image, resize_image(alpha, image.shape[:2])], axis=2)
    write_image(output, image, arguments.quality, read_profile(content))


class IterationLog:
    """Tells of each iteration: moves a bar, or prints a line now and then; writes the snapshots.

    Args:
        bar: The `ProgressBar`; where it is not drawn, every 50th iteration prints a line.
        output: Path of the image, which the snapshots' names begin with.
        snapshots: One every so many iterations; 0 for none.
    """

    def __init__(self, bar: ProgressBar, output: Path, snapshots: int = 0):
        self.bar, self.output, self.snapshots = bar, output, snapshots
        self.done = 0

    def __call__(self, step):
        self.done += 1
        terms = ", ".join(f"{name[:-5]} {value:.3g}" for name, value in step.terms.items())
        self.bar.move(step.iteration, step.iterations, terms)
        if not self.bar.is_drawn and step.iteration % 50 == 0:
            print(f"{step.iteration} of {step.iterations}: {terms}", flush=True)
        if self.snapshots and self.done % self.snapshots == 0:
            self.write_snapshot(step.image)

    def write_snapshot(self, image: np.ndarray):
        """Write an image beside the output, as OUTPUT-0050.png."""
        from keras_dtl.methods.style.images import to_uint8

        name = f"{self.output.stem}-{self.done:04}.png"
        write_image(self.output.with_name(name), to_uint8(image))
