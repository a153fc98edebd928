import keras
from keras import layers


def mlp(input_shape, hidden, outputs, name="mlp"):
    """Return fully connected layers with ReLU, ending in logits: a classifier or discriminator.

    Args:
        input_shape: Shape of one example's features, such as `(768,)`.
        hidden: Sizes of the hidden layers, possibly none.
        outputs: How many logits.
        name: Name of the model.

    Returns:
        A functional Keras model from features to logits `(batch, outputs)`; its layers are
        called `hidden_1`, `hidden_2` ... and `logits`.
    """
    features = keras.Input(input_shape, name="features")
    x = features
    for index, units in enumerate(hidden, 1):
        x = layers.Dense(units, activation="relu", name=f"hidden_{index}")(x)
    return keras.Model(features, layers.Dense(outputs, name="logits")(x), name=name)
