"""The FCN-score: whether a segmenter that learnt on real photos understands generated ones."""

import keras
import numpy as np
from keras import layers


def palette_classes(label_maps, palette):
    """Return the class of each pixel of coloured label maps: the nearest colour of the palette.

    Args:
        label_maps: uint8 array `(n, height, width, 3)`; colours may be a little off, as JPEG
            leaves them.
        palette: uint8 array `(classes, 3)`.

    Returns:
        int32 array `(n, height, width)`.
    """
    palette = np.asarray(palette, "int32")
    classes = np.empty(label_maps.shape[:3], "int32")
    for index, label_map in enumerate(label_maps.astype("int32")):
        distance = ((label_map[:, :, None] - palette) ** 2).sum(-1)
        classes[index] = distance.argmin(-1)
    return classes


def segmenter(size, classes, filters=32, name="segmenter"):
    """Return a small fully convolutional network from uint8 photos to logits of each pixel.

    Args:
        size: `(height, width)`, multiples of 8.
        classes: How many.
        filters: Channels of the first map.
    """
    image = keras.Input((*size, 3), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 127.5, -1.0)(image)
    skips = []
    for level in range(4):
        x = _convolved(x, filters * 2 ** min(level, 2), strides=2 if level else 1)
        skips.append(x)
    for level in reversed(range(3)):
        x = layers.UpSampling2D()(x)
        x = layers.Concatenate()([x, skips[level]])
        x = _convolved(x, filters * 2 ** min(level, 2))
    return keras.Model(image, layers.Conv2D(classes, 1, dtype="float32")(x), name=name)


def _convolved(x, filters, strides=1):
    x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def fit_segmenter(photos, classes, count, epochs=30, batch_size=16, filters=32, seed=0):
    """Train a segmenter on real photos.

    Args:
        photos: uint8 array `(n, height, width, 3)`.
        classes: Integer array `(n, height, width)` in 0..count-1.
        count: How many classes there are.
        epochs, batch_size, filters, seed: As their names say.

    Returns:
        The trained Keras model.
    """
    keras.utils.set_random_seed(seed)
    model = segmenter(photos.shape[1:3], count, filters)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * -(-len(photos) // batch_size))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(photos, classes, batch_size=batch_size, epochs=epochs, verbose=0)
    return model


def fcn_score(model, photos, classes):
    """Return how well a segmenter finds, in photos, the classes they were generated from.

    Reference: Isola et al., CVPR 2017, section 4.1.

    Args:
        model: Such as `fit_segmenter` returns.
        photos: uint8 array `(n, height, width, 3)`.
        classes: Integer array `(n, height, width)`.

    Returns:
        `{"pixel_accuracy": ..., "class_accuracy": ..., "class_iou": ...}`, each in 0..1.
    """
    logits = model.predict(photos, batch_size=16, verbose=0)
    return segmentation_scores(logits.argmax(-1), classes, logits.shape[-1])


def segmentation_scores(predicted, classes, count):
    """Return pixel accuracy, and accuracy and intersection over union averaged over classes.

    Classes that occur in neither are left out of the averages.
    """
    index = classes.reshape(-1).astype("int64") * count + predicted.reshape(-1)
    confusion = np.bincount(index, minlength=count**2).reshape(count, count)
    right, true, found = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    present, seen = true > 0, true + found > 0
    return {
        "pixel_accuracy": float(right.sum() / confusion.sum()),
        "class_accuracy": float((right[present] / true[present]).mean()),
        "class_iou": float((right[seen] / (true + found - right)[seen]).mean()),
    }
