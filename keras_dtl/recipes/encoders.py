"""What a training starts from: a new encoder, or the networks of a run or a file."""

from pathlib import Path

from keras_dtl.recipes.rates import SMALL_BACKBONES, backbone_of
from keras_dtl.recipes.runs import run_model


def new_encoder(backbone: str, image_shape: tuple, weights: str | None = None):
    """Return an encoder by name.

    Args:
        backbone: auto, lenet, stage_net, or an architecture of `keras.applications`; auto is
            lenet for images up to 32 pixels, else stage_net.
        image_shape: `(height, width, channels)` of uint8 images.
        weights: Weights of the architecture: "imagenet", a file, or None for random ones.

    Raises:
        ValueError: When weights are given without an architecture.
    """
    from keras_dtl import backbones

    backbone = backbone_of(backbone, image_shape)
    if backbone not in SMALL_BACKBONES:
        return backbones.pretrained(backbone, image_shape, weights, name="encoder")
    if weights is not None:
        raise ValueError(
            f"--weights {weights} belongs to an architecture of keras.applications, but the "
            f"backbone is {backbone}, which would start at random. Name the architecture, such as "
            "--backbone MobileNetV2, or leave --weights out."
        )
    return getattr(backbones, backbone)(image_shape, name="encoder")


def networks_of(run: str | Path, batch_norm: str | None = None) -> tuple:
    """Return the encoder and the classifier that a run trained, of which all may learn again.

    Args:
        run: Its folder.
        batch_norm: What batch normalisation shall do, see `DomainAdaptation`; by default what was
            frozen in that run stays so.

    Raises:
        FileNotFoundError: When the folder holds no finished run.
        ValueError: When the run trained something else.
    """
    model = run_model(Path(run))
    if not (hasattr(model, "encoder") and hasattr(model, "classifier")):
        raise ValueError(
            f"{run} holds a {type(model).__name__}, without an encoder and a classifier. Give a "
            "run of domain adaptation or fine-tuning."
        )
    networks = model.encoder, model.classifier
    _thaw(networks, batch_norm)
    return networks


def _thaw(networks, batch_norm):
    """Let layers learn that a run kept, as its method asked for; the next method says its own."""
    from keras_dtl.layers.nesting import nested_layers
    from keras_dtl.methods.networks import batch_norm_layers

    layers = batch_norm_layers(*networks) if batch_norm is None else []
    before = [layer.trainable for layer in layers]
    for network in networks:
        # Keras leaves layers as they are where the network itself is trainable already.
        for layer in (network, *nested_layers(network)):
            layer.trainable = True
    for layer, trainable in zip(layers, before, strict=True):
        layer.trainable = trainable


def encoder_from(start: str, backbone: str, image_shape: tuple):
    """Return an encoder with the weights that a training starts from.

    Args:
        start: "random" or "imagenet"; the folder of a finished run; a `.keras` file of an encoder
            of uint8 images; or a file of weights of the architecture `backbone`.
        backbone: As for `new_encoder`.
        image_shape: `(height, width, channels)` of uint8 images.

    Raises:
        OSError: When there is no such file or folder.
        ValueError: When what is in it does not fit the images.
    """
    if start == "random":
        return new_encoder(backbone, image_shape)
    path = Path(start)
    if start != "imagenet" and not path.exists():
        raise FileNotFoundError(
            f"There is no file or folder {path} to start from. Expected random, imagenet, the "
            "folder of a finished run, a .keras file, or a file of weights."
        )
    if path.is_dir() or path.suffix == ".keras":
        return _check_encoder(_saved_encoder(path), path, image_shape)
    if backbone in ("auto", *SMALL_BACKBONES):
        raise ValueError(
            f"`--start {start}` gives weights of an architecture of keras.applications. Name it, "
            "such as `--backbone MobileNetV2`, or start from the folder of a run."
        )
    return new_encoder(backbone, image_shape, start)


def _saved_encoder(path):
    if path.is_dir():
        return networks_of(path)[0]
    from keras_dtl.keras_models import read_model

    return read_model(path, compile=False)


def _check_encoder(encoder, path, image_shape):
    takes = getattr(encoder, "input_shape", None) or ()
    gives = getattr(encoder, "output_shape", None) or ()
    wanted = (None, *image_shape)
    fits = len(takes) == 4 and len(gives) == 2
    if not fits or any(a not in (None, b) for a, b in zip(takes, wanted, strict=True)):
        raise ValueError(
            f"{path} holds a network from {takes} to {gives}. Expected one from images of "
            f"{wanted} to features (None, n). Pass --image-size and --channels to fit it."
        )
    return encoder


def hasten_statistics(encoder) -> None:
    """Let batch normalisation forget what it saw some ten steps ago.

    Architectures of `keras.applications` average over as many as a thousand, which is longer
    than a training on few images lasts: the deployed model would normalise by its first guess.

    Args:
        encoder: Keras model, whose layers are changed.
    """
    from keras_dtl.methods.networks import batch_norm_layers

    for layer in batch_norm_layers(encoder):
        layer.momentum = min(layer.momentum, 0.9)
