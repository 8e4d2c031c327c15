"""What a training was like, epoch by epoch; it plots itself."""

import math
import re


class History:
    """The numbers of a training: ``history["loss"]`` is a list with one for each finished epoch.

    "loss" and the metrics ("accuracy") are averages over the mini-batches of an epoch, taken while
    the model changed; "val_loss", "val_accuracy" and so on are of the held-out data after the
    epoch; "lr" is the learning rate that the epoch began with ("lr_0", "lr_1" of several
    optimizers); "seconds" is the time its training took, without the held-out data. A number that
    was not measured in an epoch is NaN there. `len(history)` counts the epochs.

    Attributes
    ----------
    stopped : str
        Why the training ended: "finished", "early" or "interrupted".
    """

    def __init__(self):
        self.stopped = "finished"
        self._lists = {}

    def append(self, epoch):
        """Add the numbers of one epoch, a dict name -> number."""
        count = len(self)
        for name in {**self._lists, **epoch}:
            self._lists.setdefault(name, [math.nan] * count).append(epoch.get(name, math.nan))

    def keys(self):
        """Return the names of the lists."""
        return self._lists.keys()

    def __contains__(self, name):
        return name in self._lists

    def __getitem__(self, name):
        if name not in self._lists:
            raise KeyError(
                f"there is no {name!r} in this history, only "
                + (", ".join(map(repr, self._lists)) or "no epoch at all")
            )
        return self._lists[name]

    def __len__(self):
        return max(map(len, self._lists.values()), default=0)

    @property
    def best_epoch(self):
        """The epoch, counted from 1, of the least loss on the held-out data (else in training).

        0 if no epoch was finished. Raises KeyError if there is neither "val_loss" nor "loss".
        """
        if len(self) == 0:
            return 0
        watched = self["val_loss" if "val_loss" in self else "loss"]
        return 1 + min(range(len(watched)), key=lambda i: (math.isnan(watched[i]), watched[i]))

    def last(self):
        """Return the losses and metrics of the last epoch in a line of text."""
        return ", ".join(
            f"{name} {values[-1]:.2f}" for name, values in self._lists.items() if is_measured(name)
        )

    def __repr__(self):
        epochs = "1 epoch" if len(self) == 1 else f"{len(self)} epochs"
        return f"History of {epochs}" + (f"; the last: {self.last()}" if len(self) else "")

    def plot(self):
        """Draw the loss and every metric over the epochs, in training and on held-out data.

        The figure is Matplotlib's current one afterwards. Raises ValueError if there is nothing to
        draw.
        """
        import matplotlib.pyplot as plt  # takes a second: only for those who plot

        if len(self) == 0:
            raise ValueError("no epoch was finished, so there is nothing to plot")
        names = list(
            dict.fromkeys(name.removeprefix("val_") for name in self._lists if is_measured(name))
        )
        figure, axes = plt.subplots(
            1, len(names), figsize=(3.6 * len(names), 2.8), squeeze=False, layout="constrained"
        )
        epochs = range(1, len(self) + 1)
        for ax, name in zip(axes[0], names):
            if name in self:
                ax.plot(epochs, self[name], "o-", ms=4, label="training")
            if f"val_{name}" in self:
                ax.plot(epochs, self[f"val_{name}"], "s--", ms=4, label="held out")
            ax.set(title=name, xlabel="epoch")
            ax.xaxis.get_major_locator().set_params(integer=True)
            ax.grid(color="0.9")
            ax.legend()


def is_measured(name):
    """Whether this is a loss or a metric: neither a learning rate nor a time."""
    return re.fullmatch(r"lr(_\d+)?|seconds", name) is None
