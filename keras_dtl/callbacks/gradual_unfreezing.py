import keras


class GradualUnfreezing(keras.callbacks.Callback):
    """Thaws an encoder from its last layer downwards while training goes on.

    The first epoch trains the classifier alone; then evenly more layers join, until at the share
    `until` of the training all learn that may. What is thawed depends on the epoch alone, so a
    resumed training goes on as if it had never stopped. Whenever layers join the step is traced
    again, which takes as long as the first step of a training.

    Reference: Howard & Ruder, "Universal Language Model Fine-tuning for Text Classification",
    ACL 2018.

    Args:
        until: Share of the epochs, in (0, 1], after which all layers learn.

    Raises:
        ValueError: When `until` is out of range, or the model has no `unfreeze`.
    """

    def __init__(self, until=0.5):
        super().__init__()
        if not 0 < until <= 1:
            raise ValueError(f"`until` must lie in (0, 1]. Received: {until}")
        self.until = until
        self.unfrozen = None

    def on_train_begin(self, logs=None):
        if not hasattr(self.model, "unfreeze"):
            raise ValueError(
                f"Gradual unfreezing needs a model with `unfreeze`, such as FineTuning. Received: "
                f"{type(self.model).__name__}"
            )
        self.unfrozen = None

    def on_epoch_begin(self, epoch, logs=None):
        share = min(1.0, epoch / (self.until * self.params["epochs"]))
        count = int(share * self.model.num_tuned + 1e-9)
        if count != self.unfrozen:
            self.model.unfreeze(count)
            self.unfrozen = count

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["unfrozen_layers"] = self.unfrozen
