"""Networks of a few weights for tests of methods, recipes and export."""

import keras
from keras import layers

SHAPE = (8, 8, 3)
CLASSES = 3


def encoder(batch_norm=False, dropout=0.0, features=6):
    image = keras.Input(SHAPE, dtype="uint8", name="image")
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(4, 3, strides=2, activation="relu")(x)
    if batch_norm:
        x = layers.BatchNormalization(momentum=0.5)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(features, activation="relu", bias_initializer="ones")(x)
    return keras.Model(image, layers.Dropout(dropout)(x) if dropout else x, name="encoder")


def dense(outputs, features=6, activation=None, name=None):
    x = keras.Input((features,))
    return keras.Model(x, layers.Dense(outputs, activation=activation)(x), name=name)


def compiled(model, optimizer=None, **kwargs):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer or keras.optimizers.SGD(0.05), loss, metrics=["accuracy"], **kwargs)
    return model


def features(channels=4):
    """Return a network of features in two layers, `low` and, at half the size, `high`."""
    image = keras.Input((None, None, 3), name="image")
    x = layers.Rescaling(1 / 64, offset=-2)(image)
    low = layers.Conv2D(channels, 3, padding="same", activation="relu", bias_initializer="ones")(x)
    x = layers.AveragePooling2D(2)(low)
    high = layers.Conv2D(2 * channels, 3, padding="same", activation="relu")(x)
    return keras.Model(image, {"low": low, "high": high}, name="features")
