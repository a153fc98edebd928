"""Encoders with the architectures, and the weights, of `keras.applications`."""

import difflib
import inspect
import logging
from pathlib import Path

import keras
import numpy as np
from keras import layers

from keras_dtl.files import FilePath

logger = logging.getLogger("keras_dtl")


def pretrained(
    architecture,
    input_shape,
    weights: FilePath | None = "imagenet",
    pooling: str | None = "avg",
    name=None,
):
    """Return an architecture of `keras.applications` as an encoder of uint8 images.

    What the architecture expects of its input (range, order and mean of the channels) is part of
    the returned model, so that it goes with it wherever it is saved or exported.

    Weights that went through a converter for inference may have batch normalisation folded into
    the convolutions. They are good as they are, but not to be normalised by batches again; a
    warning says so.

    Args:
        architecture: Such as `"MobileNetV2"`; see `architectures()`.
        input_shape: `(height, width, 3)` of uint8 images in 0..255.
        weights: `"imagenet"`, which Keras downloads once, a file of weights of the architecture
            without its top, or None for random ones.
        pooling: How maps become a vector, `"avg"` or `"max"`.
        name: Name of the model.

    Returns:
        A functional Keras model from images to features `(batch, features)`.

    Raises:
        ValueError: When there is no such architecture, the images are not in colour or too
            small, or the file does not fit.
        OSError: When the weights cannot be read or downloaded.
    """
    build, preprocess = _find(architecture)
    if input_shape[-1] != 3:
        raise ValueError(f"{architecture} takes 3 channels. Received: input_shape={input_shape}")
    image = keras.Input(input_shape, dtype="uint8", name="image")
    body = _body(build, architecture, input_shape, weights, pooling)
    x = preprocess(layers.Rescaling(1.0)(image))  # uint8 to floating point
    return keras.Model(image, body(x), name=name or architecture.lower())


FOLDED = (
    "%s: batch normalisation is folded into the convolutions, its means are all 0. Train with "
    "--batch-norm frozen: statistics of batches would destroy what the layers have learnt."
)


def is_folded(network):
    """Return whether batch normalisation everywhere has the mean 0 and the scale 1."""
    norms = [layer for layer in network.layers if isinstance(layer, layers.BatchNormalization)]
    return bool(norms) and all(
        not np.any(norm.moving_mean) and (norm.gamma is None or np.all(norm.gamma == 1))
        for norm in norms
    )


def architectures():
    """Return the names that `pretrained` takes."""
    return sorted(_modules())


def _modules():
    """Map each architecture to its public module, which holds its preprocessing too."""
    modules = {
        name: module
        for name, module in inspect.getmembers(keras.applications, inspect.ismodule)
        if hasattr(module, "preprocess_input")
    }
    found = {
        name: module
        for module in modules.values()
        for name, value in vars(module).items()
        if inspect.isfunction(value) and name[0].isupper()
    }
    # MobileNetV3 alone is not in the module that holds its preprocessing.
    for name, _ in inspect.getmembers(keras.applications, inspect.isfunction):
        for module_name, module in modules.items():
            if name not in found and name.lower().startswith(module_name.replace("_", "")):
                found[name] = module
    return found


def _find(architecture):
    modules = _modules()
    if architecture not in modules:
        close = difflib.get_close_matches(architecture, modules, cutoff=0.4)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise ValueError(
            f"keras.applications has no architecture {architecture!r}.{hint} "
            f"There are: {', '.join(sorted(modules))}."
        )
    module = modules[architecture]
    return getattr(keras.applications, architecture), module.preprocess_input


def _body(build, architecture, input_shape, weights, pooling):
    if weights not in (None, "imagenet") and not Path(weights).is_file():
        raise FileNotFoundError(
            f"There is no file of weights {weights}. Expected imagenet or the path of a file."
        )
    try:
        known = "imagenet" if weights == "imagenet" else None
        body = build(include_top=False, weights=known, input_shape=input_shape, pooling=pooling)
        if weights not in (None, "imagenet"):
            body.load_weights(weights)
            if is_folded(body):
                logger.warning(FOLDED, weights)
    except ValueError as error:
        raise ValueError(
            f"{architecture} cannot be had with images of {input_shape} and weights {weights!r}: "
            f"{error}"
        ) from error
    except Exception as error:
        raise OSError(f"The weights of {architecture} could not be had: {error}") from error
    return body
