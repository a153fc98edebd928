"""Studies: many small trainings that together answer a question.

keras-dtl study layer-transfer
keras-dtl study layer-transfer --source mnist --shots 100 --splits 4 --seeds 3
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from keras_dtl.cli.command import INTERRUPTED, SUCCESS


@dataclass(frozen=True)
class Study:
    """Ask which layers of a network transfer to another task (Yosinski et al. 2014).

    The classes are divided in two tasks A and B. A network learns each; then, for every n, new
    networks learn B whose lowest n layers come from B (BnB), from A (AnB) or are random, frozen
    or, with a plus, tuned. The embedded default is 74 trainings of a few
    seconds. A study that was stopped, even killed, goes on with the same command.
    """

    study: Positional[Annotated[Literal["layer-transfer"], arg(metavar="STUDY")]]
    """Which study: layer-transfer."""
    source: str = "digits"
    """Labelled images: digits, mnist, any TFDS name, or folder:PATH."""
    network: str = "conv_net"
    """Encoder: conv_net, of 7 layers, lenet, an architecture of keras.applications, or a .keras
    file of an encoder of uint8 images, which starts from random weights."""
    first_half: tuple[str, ...] | None = None
    """Classes of task A; all others are task B. Default: a random half, another for each split."""
    splits: int = 1
    """How many random halves."""
    seeds: int = 2
    """How many times each is repeated with other initial weights."""
    layers: tuple[int, ...] | None = None
    """Layers n at which networks are cut. Default: every one."""
    epochs: int = 10
    """Passes over a task, for every network."""
    min_steps: int = 120
    """Least number of steps in a training."""
    batch_size: int = 32
    """Images in a step."""
    learning_rate: float = 1e-3
    """Initial rate of Adam; it falls along a cosine to 0."""
    shots: int = 20
    """Labelled images of each class that are learnt from; 0: all."""
    image_size: int | None = None
    """Side in pixels to which images are resized. Default: that of the data."""
    minutes: float | None = None
    """Begin no training after so many minutes; the same command goes on."""
    output: Path | None = None
    """Folder of the study. Default: runs/layer-transfer."""
    data_dir: Path | None = None
    """Folder of TFDS data sets. Default: TFDS_DATA_DIR, as everywhere."""
    manual_dir: Path | None = None
    """Folder of files fetched by hand, for data sets that need them."""

    @property
    def folder(self) -> Path:
        """Where the study is kept."""
        return self.output or Path("runs") / self.study


def main(arguments: Study) -> int:
    """Run what is missing of the study, publish it, print its effects; return the exit status."""
    from keras_dtl.cli.session import start_session
    from keras_dtl.recipes.layer_transfer import LayerTransfer

    print(start_session(onednn=True))
    study = LayerTransfer(arguments)
    try:
        study.run()
    except KeyboardInterrupt:
        print(f"\nStopped. {study.path} keeps what is done; the same command goes on.")
        return INTERRUPTED
    study.publish()
    for name, effect in study.effects().items():
        seen = "seen" if effect["seen"] else "not seen"
        error = effect["standard_error"]
        doubt = "one run says nothing sure" if error is None else f"+- {error:.1%}"
        print(f"{name}: {seen} ({effect['difference']:+.1%} {doubt}): {effect['what']}")
    print(f"Study: {study.path}, report.html and figure.png beside it.")
    return SUCCESS
