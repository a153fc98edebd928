import keras

from keras_dtl.layers.nesting import copy_weights


class LocalModel(keras.callbacks.Callback):
    """Shows other callbacks a model without replicas that has the weights of the trained one.

    What measures, draws or keeps the best weights of a model calls `predict` and `save` on one
    worker alone, which a model of several replicas cannot.

    Args:
        callbacks: Which look at the model at the beginning and the end of epochs.
        model: The same model, made without a strategy.
    """

    def __init__(self, callbacks, model):
        super().__init__()
        self.callbacks = list(callbacks)
        self.local = model

    def set_params(self, params):
        super().set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)
            callback.set_model(self.local)

    def on_train_begin(self, logs=None):
        for callback in self.callbacks:
            callback.on_train_begin(logs)

    def on_epoch_begin(self, epoch, logs=None):
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs)

    def on_train_batch_end(self, batch, logs=None):
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        copy_weights(self.model, self.local)
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_train_end(self, logs=None):
        for callback in self.callbacks:
            callback.on_train_end(logs)
