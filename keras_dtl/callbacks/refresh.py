import keras


class Refresh(keras.callbacks.Callback):
    """Has a model look at all target images again before each epoch, as `SHOT` needs.

    Args:
        images: What its `refresh` takes: uint8 array `(examples, height, width, channels)`.
    """

    def __init__(self, images):
        super().__init__()
        self.images = images

    def on_epoch_begin(self, epoch, logs=None):
        self.model.refresh(self.images)
