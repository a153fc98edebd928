import json
import math
from pathlib import Path

import keras

from keras_dtl.files import atomic_path, write_json

SUMMARY = "selection.json"


class KeepBest(keras.callbacks.Callback):
    """Keeps the weights that are best by each of several scores, such as label-free validators.

    Scores appear in the logs as `validator_NAME`. The weights lie in `best_NAME.weights.h5`,
    beside `selection.json`, which says of which epoch they are; a resumed training goes on from
    both. Put it before a `Checkpoint`.

    Args:
        folder: Where the files are kept.
        score: Function from the model to `{name: number}`; higher is better. A number that is
            not finite is never the best.
        every: Epochs from one scoring to the next; the last epoch is always scored.
    """

    def __init__(self, folder, score, every=1):
        super().__init__()
        self.folder = Path(folder)
        self.score = score
        self.every = every

    @property
    def best(self):
        """`{name: {"epoch": number from 1, "value": score}}`."""
        path = self.folder / SUMMARY
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def path(self, name):
        """Where the best weights by a score lie."""
        return self.folder / f"best_{name}.weights.h5"

    def on_epoch_end(self, epoch, logs=None):
        last = epoch + 1 == self.params["epochs"]
        if (epoch + 1) % self.every and not last:
            return
        best = self.best
        for name, value in self.score(self.model).items():
            if logs is not None:
                logs[f"validator_{name}"] = value
            highest = best[name]["value"] if name in best else -math.inf
            if math.isfinite(value) and value > highest:
                with atomic_path(self.path(name)) as temporary:
                    self.model.save_weights(temporary)
                best[name] = {"epoch": epoch + 1, "value": float(value)}
        write_json(self.folder / SUMMARY, best)
