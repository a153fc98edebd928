"""Encoders for segmentation: from images of any size to a map of features."""

import keras
from keras import layers

from keras_dtl.backbones.pretrained import pretrained
from keras_dtl.layers import ResizeLike, from_pixels


def unet_encoder(input_shape=(None, None, 3), filters=16, depth=3, name="unet"):
    """Return a U-Net up to its last map, which has the size of the image.

    Each level halves the map and doubles its channels; on the way back every map is brought to
    the exact size of the one it joins, so that images of any size will do.

    Reference: Ronneberger, Fischer & Brox, "U-Net: Convolutional Networks for Biomedical Image
    Segmentation", MICCAI 2015.

    Differs from the paper: convolutions keep the size and are followed by batch normalisation;
    maps are doubled by bilinear interpolation.

    Args:
        input_shape: `(height, width, channels)` of uint8 images; sizes may be None.
        filters: Channels of the first and of the last map.
        depth: How many times the image is halved.
        name: Name of the model.

    Returns:
        A functional Keras model from images to maps `(batch, height, width, filters)`.
    """
    image = keras.Input(input_shape, dtype="uint8", name="image")
    x = from_pixels(image)
    skips = []
    for level in range(depth):
        x = _twice(x, filters * 2**level)
        skips.append(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = _twice(x, filters * 2**depth)
    for level, skip in reversed(list(enumerate(skips))):
        x = layers.Concatenate()([ResizeLike()(x, skip), skip])
        x = _twice(x, filters * 2**level)
    return keras.Model(image, x, name=name)


def mobilenet_aspp(
    input_shape=(None, None, 3), weights=None, filters=128, rates=(3, 6), skip=24, name="aspp"
):
    """Return MobileNetV2 at a sixteenth of the size, read at several scales, at a quarter of it.

    The head of DeepLab: side by side a 1x1 convolution, dilated 3x3 ones and the mean of the
    whole image; then, as in its third version, joined with early maps of a finer grid.

    Reference: Chen et al., "Encoder-Decoder with Atrous Separable Convolution for Semantic
    Image Segmentation", ECCV 2018; Sandler et al., "MobileNetV2", CVPR 2018.

    Differs from the papers: MobileNetV2 ends before its last halving (block 13, as in MobileNetV2
    with SSDLite); dilated convolutions are few, for small images.

    Args:
        input_shape: `(height, width, 3)` of uint8 images; sizes may be None.
        weights: As for `pretrained`: "imagenet", a file, or None.
        filters: Channels of each branch and of the result.
        rates: Dilation of each 3x3 branch.
        skip: Channels kept of the finer maps.
        name: Name of the model.

    Returns:
        A functional Keras model from images to maps of a quarter of their height and width.
    """
    whole = pretrained("MobileNetV2", (*_fixed_size(input_shape[:2]), 3), weights)
    body = whole.layers[-1]
    ends = ("block_3_expand_relu", "block_13_expand_relu")  # 1/4 and 1/16
    maps = keras.Model(body.inputs, [body.get_layer(end).output for end in ends], name="mobilenet")
    if input_shape[:2] != maps.input_shape[1:3]:
        maps = _of_any_size(maps, input_shape)
    image = keras.Input(input_shape, dtype="uint8", name="image")
    fine, coarse = maps(from_pixels(image))
    branches = [_convolve(coarse, filters, 1)]
    branches += [_convolve(coarse, filters, 3, rate) for rate in rates]
    mean = _convolve(layers.GlobalAveragePooling2D(keepdims=True)(coarse), filters, 1)
    x = layers.Concatenate()([*branches, ResizeLike()(mean, coarse)])
    x = ResizeLike()(_convolve(x, filters, 1), fine)
    x = layers.Concatenate()([x, _convolve(fine, skip, 1)])
    return keras.Model(image, _convolve(x, filters, 3), name=name)


def pixel_classifier(features, classes, name="classifier"):
    """Return a 1x1 convolution from feature maps to logits of each position.

    Args:
        features: Shape of one example's map, `(height, width, channels)`; sizes may be None.
        classes: How many.
        name: Name of the model.
    """
    maps = keras.Input(features, name="features")
    return keras.Model(maps, layers.Conv2D(classes, 1, name="logits")(maps), name=name)


def pixel_discriminator(features, filters=(32, 64), name="discriminator"):
    """Return a fully convolutional discriminator: one logit for each patch of a map.

    4x4 convolutions with stride 2 and leaky ReLU of slope 0.2, as in Tsai et al. (2018), fewer
    of them for smaller images.

    Args:
        features: Shape of one example's map, `(height, width, channels)`; sizes may be None.
        filters: Channels of each convolution.
        name: Name of the model.
    """
    maps = x = keras.Input(features, name="features")
    for count in filters:
        x = layers.Conv2D(count, 4, 2, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    return keras.Model(maps, layers.Conv2D(1, 4, 2, padding="same", name="logits")(x), name=name)


def _fixed_size(size):
    return tuple(side or 224 for side in size)


def _of_any_size(model, input_shape):
    config = model.get_config()
    config["layers"][0]["config"]["batch_shape"] = (None, *input_shape)
    free = keras.Model.from_config(config)
    free.set_weights(model.get_weights())
    return free


def _twice(x, filters):
    return _convolve(_convolve(x, filters, 3), filters, 3)


def _convolve(x, filters, size, rate=1):
    x = layers.Conv2D(filters, size, padding="same", dilation_rate=rate, use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
