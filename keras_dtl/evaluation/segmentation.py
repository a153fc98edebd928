"""The FCN-score: whether a segmenter that learnt on real photos understands generated ones."""

import keras
import numpy as np
from keras import layers

from keras_dtl.confusion import confusion_counts, intersection_over_union
from keras_dtl.evaluation.features import signed_pixels
from keras_dtl.prediction import predict


def palette_classes(label_maps: np.ndarray, palette: np.ndarray) -> np.ndarray:
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


def segmenter(
    size: tuple[int, int], classes: int, filters: int = 32, name: str = "segmenter"
) -> keras.Model:
    """Return a small fully convolutional network from uint8 photos to logits of each pixel.

    Args:
        size: `(height, width)`, multiples of 8.
        classes: How many there are.
        filters: Channels of the first map.
        name: Of the model.
    """
    image = keras.Input((*size, 3), dtype="uint8", name="image")
    x = signed_pixels(image)
    skips = []
    for level in range(4):
        x = _convolution(x, filters * 2 ** min(level, 2), strides=2 if level else 1)
        skips.append(x)
    for level in reversed(range(3)):
        x = layers.UpSampling2D()(x)
        x = layers.Concatenate()([x, skips[level]])
        x = _convolution(x, filters * 2 ** min(level, 2))
    return keras.Model(image, layers.Conv2D(classes, 1, dtype="float32")(x), name=name)


def _convolution(x, filters, strides=1):
    x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def fit_segmenter(
    photos: np.ndarray,
    classes: np.ndarray,
    count: int,
    epochs: int = 30,
    batch_size: int = 16,
    filters: int = 32,
    seed: int = 0,
) -> keras.Model:
    """Train a segmenter on real photos.

    Args:
        photos: uint8 array `(n, height, width, 3)`.
        classes: Integer array `(n, height, width)` in 0..count-1.
        count: How many classes there are.
        epochs: Passes over the photos, over which the learning rate falls from 2e-3 along a cosine.
        batch_size: Photos in a step.
        filters: Channels of the first map.
        seed: Of the weights and of the order of the photos.

    Returns:
        The trained Keras model.
    """
    keras.utils.set_random_seed(seed)
    model = segmenter(photos.shape[1:3], count, filters)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * -(-len(photos) // batch_size))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss)
    model.optimizer.build(model.trainable_variables)  # else the step is traced twice
    model.fit(photos, classes, batch_size=batch_size, epochs=epochs, verbose=0)
    return model


def fcn_score(model: keras.Model, photos: np.ndarray, classes: np.ndarray) -> dict:
    """Return how well a segmenter finds, in photos, the classes they were generated from.

    Reference: Isola et al., CVPR 2017, section 4.1.

    Args:
        model: Such as `fit_segmenter` returns.
        photos: uint8 array `(n, height, width, 3)`.
        classes: Integer array `(n, height, width)`.

    Returns:
        `{"pixel_accuracy": ..., "class_accuracy": ..., "class_iou": ...}`, each in 0..1.
    """
    logits = predict(model, photos, batch_size=16)
    return segmentation_scores(logits.argmax(-1), classes, logits.shape[-1])


def segmentation_scores(predicted: np.ndarray, classes: np.ndarray, count: int) -> dict:
    """Return pixel accuracy, and accuracy and intersection over union averaged over classes.

    Accuracy is averaged over the classes that truly occur, intersection over union over those
    that occur or are predicted, as in the evaluation of FCN.

    Reference: Long, Shelhamer & Darrell, "Fully Convolutional Networks for Semantic Segmentation",
    CVPR 2015.

    Args:
        predicted, classes: Integer arrays of one shape in 0..count-1, predicted and true.
        count: How many classes there are.

    Returns:
        `{"pixel_accuracy": ..., "class_accuracy": ..., "class_iou": ...}`, each in 0..1.
    """
    confusion = confusion_counts(classes, predicted, count)
    right, true = np.diag(confusion), confusion.sum(1)
    present = true > 0
    return {
        "pixel_accuracy": float(right.sum() / confusion.sum()),
        "class_accuracy": float((right[present] / true[present]).mean()),
        "class_iou": float(np.nanmean(intersection_over_union(confusion))),
    }
