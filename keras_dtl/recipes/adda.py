"""Adversarial discriminative domain adaptation (Tzeng et al. 2017).

keras-dtl train adda --source digits --target digits_m
keras-dtl train adda --source mnist --target usps --start runs/source-only

Without --start the first stage is trained too, into RUN/first-stage, resumable by itself.
"""

import dataclasses
import shutil
from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe, networks_of
from keras_dtl.recipes.source_only import SourceOnlyRecipe
from keras_dtl.recipes.standing import check_settings


@dataclass(frozen=True)
class ADDARecipe(DomainAdaptationRecipe):
    """An encoder of the target's own, mapped onto the source's features (Tzeng et al. 2017)."""

    name: ClassVar[str] = "adda"
    suits: ClassVar[str] = "for a second encoder upon a finished run; digits and other small images"

    learning_rate: float = 2e-4
    """Learning rate of both players' Adam, constant as in the paper."""
    discriminated: Literal["features", "logits"] = "logits"
    """What the discriminator sees; logits in the authors' digit code."""
    source_epochs: int = 20
    """Epochs of the first stage, where it is trained here."""
    source_learning_rate: float | None = None
    """Learning rate of the first stage. Default: as of source-only."""

    def networks(self, data) -> tuple:
        return networks_of(self.start or self.first_stage(data), self.batch_norm)

    def prepare(self, data, strategy):
        if self.start is None:
            self.first_stage(data, strategy)

    def first_stage(self, data, strategy=None):
        """Train the source's encoder and classifier, unless that is done; return its folder.

        Raises:
            ValueError: When the folder holds one of other settings, and is not to be overwritten,
                or label shift is asked for.
        """
        from keras_dtl.recipes.replicas import receive
        from keras_dtl.recipes.training import train

        self.refuse_label_shift()  # before the first stage, which takes minutes
        shared = {field.name for field in dataclasses.fields(SourceOnlyRecipe)}
        values = {name: getattr(self, name) for name in shared.intersection(vars(self))}
        folder = self.run_folder / "first-stage"
        values |= {"epochs": self.source_epochs, "learning_rate": self.source_learning_rate}
        values |= {"output": folder, "resume": True, "select": "last", "validators": False}
        values |= {"artifact": None, "shots": 0, "adapt_statistics": False}
        recipe = SourceOnlyRecipe(**values)
        self._require_own(recipe)

        def learn():
            print(f"First stage: {recipe.name}, {recipe.length} (--source-epochs), in {folder}.")
            train(recipe, data, strategy)

        receive(folder / "model.keras", learn, strategy)
        return folder

    def _require_own(self, recipe):
        """Refuse a first stage of other settings, or remove it where all is overwritten."""
        if not (recipe.run_folder / "settings.json").exists():
            return
        try:
            check_settings(recipe)
        except ValueError:
            if not self.overwrite:
                raise
            shutil.rmtree(recipe.run_folder)

    def method(self, encoder, classifier):
        from keras_dtl.backbones import mlp
        from keras_dtl.methods import ADDA

        ends = {"features": encoder, "logits": classifier}
        width = ends[self.discriminated].output_shape[1:]
        return ADDA(
            encoder,
            classifier,
            mlp(width, (500, 500), 1, name="discriminator"),
            discriminated=self.discriminated,
            batch_norm=self.normalization,
        )

    def optimizers(self) -> dict:
        import keras

        clip = self.training.global_clipnorm

        def adam():
            return keras.optimizers.Adam(self.learning_rate, beta_1=0.5, global_clipnorm=clip)

        return {"optimizer": adam(), "discriminator_optimizer": adam()}

    def schedules(self) -> dict:
        return {}
