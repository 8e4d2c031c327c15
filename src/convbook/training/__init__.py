"""Training a model on images and labels, and using it afterwards.

    history = fit(model, x_train, y_train, epochs=5, validation=(x_test, y_test))
    history.plot()
    evaluate(model, x_test, y_test)            # {"loss": …, "accuracy": …}
    predict(model, x_test).argmax(axis=1)      # the class of each image

`run` is the loop inside, for steps of your own: two networks, several losses (see its module).

The model decides where the computing is done: after ``model.to_gpu()`` every mini-batch is moved to
the GPU, unless the data are there already.
"""

from .batches import MiniBatches
from .history import History
from .loop import run
from .metrics import (
    accuracy,
    area_iou,
    balanced_weights,
    class_ious,
    confusion_matrix,
    dice,
)
from .supervised import fit
from .use import evaluate, predict

__all__ = [
    "History",
    "MiniBatches",
    "accuracy",
    "area_iou",
    "balanced_weights",
    "class_ious",
    "confusion_matrix",
    "dice",
    "evaluate",
    "fit",
    "predict",
    "run",
]
