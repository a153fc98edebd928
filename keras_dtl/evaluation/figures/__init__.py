"""Figures of a training and its model; most functions return a `matplotlib.figure.Figure`.

No function goes through `pyplot`: nothing is kept, no window opens, threads do not meet. Save a
figure with `figure.savefig(path)`, or add it to a `Report`. Grids and walks of codes are uint8
pictures `(height, width, 3)`, a moving picture the bytes of a GIF, the player HTML.
"""

from keras_dtl.evaluation.figures.code_grids import (
    code_grid,
    grid_picture,
    stack_rows,
    swap_grid,
    walks,
)
from keras_dtl.evaluation.figures.comparison import bars
from keras_dtl.evaluation.figures.confusion import confusion_matrix
from keras_dtl.evaluation.figures.curves import curves
from keras_dtl.evaluation.figures.images import color_legend, image_grid
from keras_dtl.evaluation.figures.learning import learning_curves
from keras_dtl.evaluation.figures.motion_player import motion_player
from keras_dtl.evaluation.figures.scatter import embedding_scatter
from keras_dtl.evaluation.figures.stick_figures import stick_figure_gif, stick_figures
from keras_dtl.evaluation.figures.transfer import transfer_curves

__all__ = [
    "bars",
    "code_grid",
    "color_legend",
    "confusion_matrix",
    "curves",
    "embedding_scatter",
    "grid_picture",
    "image_grid",
    "learning_curves",
    "motion_player",
    "stack_rows",
    "stick_figure_gif",
    "stick_figures",
    "swap_grid",
    "transfer_curves",
    "walks",
]
