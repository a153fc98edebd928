"""Settings of a training that follow from its network: what diverges at one size learns at another.

What users do not choose themselves is answered here, for classifiers. `--preset paper` takes the
published settings instead, which were made for images of 28 pixels and, with pretrained weights,
for batches of a task that the first steps cannot throw off.
"""

from typing import Literal, NamedTuple

LENET_SIZE = 32
"""Largest side of images that `lenet` was made for; above, its features grow with the area."""
SMALL_BACKBONES = ("lenet", "stage_net")
"""Encoders of our own, which are always trained from random weights."""
CLIPPING = 10.0
"""Gradients of a training of digits that goes well are 2 to 8 long; those of one that diverges
pass a hundred within a few steps."""
CAREFUL_CLIPPING = 1.0
"""The same where no label leads back: SHOT, whose first steps may end in one class for all. Where
labels are learnt it takes from short trainings, of some hundred steps, most of what they learn."""
WARM_UP = 0.05
"""Share of a training over which the learning rate rises."""
Preset = Literal["robust", "paper"]


class Training(NamedTuple):
    """How the weights of a classifier are moved."""

    learning_rate: float
    """Initial learning rate of the new layers."""
    encoder_rate: float
    """That of the encoder as a multiple of it."""
    global_clipnorm: float | None
    """Length above which a step's whole gradient is shortened to it."""
    warm_up: float
    """Share of the training over which the rate rises to its initial value."""

    def schedule(self, curve):
        """Return the learning rate over progress: `curve` from the initial rate, warmed up."""
        from keras_dtl.callbacks import warm_up

        decay = curve(self.learning_rate)
        return warm_up(decay, self.warm_up) if self.warm_up else decay


def backbone_of(name, image_shape, preset="robust"):
    """Return the encoder's name, where `auto` lets the size of the images decide.

    Args:
        name: auto, lenet, stage_net, or an architecture of keras.applications.
        image_shape: `(height, width, channels)`.
        preset: paper: `auto` is lenet for every size.
    """
    if name != "auto":
        return name
    return "lenet" if preset == "paper" or max(image_shape[:2]) <= LENET_SIZE else "stage_net"


def training_of(recipe, backbone, pretrained):
    """Return the `Training` of a recipe, where flags that were given win.

    Args:
        recipe: With the fields `preset`, `learning_rate` and `encoder_rate`.
        backbone: Name of the encoder, not `auto`.
        pretrained: Whether its weights were learnt from other images.
    """
    base = (
        _published_training(pretrained)
        if recipe.preset == "paper"
        else _robust_training(backbone, pretrained)
    )
    given = {name: getattr(recipe, name) for name in ("learning_rate", "encoder_rate")}
    return base._replace(**{name: rate for name, rate in given.items() if rate is not None})


def _published_training(pretrained):
    return Training(0.01, 0.1 if pretrained else 1.0, None, 0.0)


def _robust_training(backbone, pretrained):
    if pretrained:
        # The new layers start at random and need the larger rate; what comes with weights must
        # not be thrown off by their first gradients.
        return Training(0.01, 0.1, CLIPPING, WARM_UP)
    rate = 0.01 if backbone in ("auto", *SMALL_BACKBONES) else 0.02
    return Training(rate, 1.0, CLIPPING, WARM_UP)
