"""What a training was like, epoch by epoch; it plots itself."""

NEITHER_LOSS_NOR_METRIC = ("lr", "seconds")


class History:
    """The numbers of a training: ``history["loss"]`` is a list with one for each finished epoch.

    "loss" and the metrics ("accuracy") are averages over the mini-batches of an epoch, taken while
    the model changed; "val_loss", "val_accuracy" and so on are of the held-out data after the
    epoch; "lr" is the learning rate that the epoch began with; "seconds" is the time its training
    took, without the held-out data. `len(history)` counts the epochs.

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
        for name, value in epoch.items():
            self._lists.setdefault(name, []).append(value)

    def keys(self):
        """Return the names of the lists."""
        return self._lists.keys()

    def __contains__(self, name):
        return name in self._lists

    def __getitem__(self, name):
        if name not in self._lists:
            raise KeyError(f"there is no {name!r} in this history, only "
                           + (", ".join(map(repr, self._lists)) or "no epoch at all"))
        return self._lists[name]

    def __len__(self):
        return len(self._lists.get("loss", ()))

    @property
    def best_epoch(self):
        """The epoch, counted from 1, of the least loss on the held-out data (else in training).

        0 if no epoch was finished.
        """
        watched = self._lists.get("val_loss") or self._lists.get("loss")
        return 1 + watched.index(min(watched)) if watched else 0

    def last(self):
        """Return the losses and metrics of the last epoch in a line of text."""
        return ", ".join(f"{name} {values[-1]:.2f}" for name, values in self._lists.items()
                         if name not in NEITHER_LOSS_NOR_METRIC)

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
        names = [name for name in self._lists
                 if name not in NEITHER_LOSS_NOR_METRIC and not name.startswith("val_")]
        figure, axes = plt.subplots(1, len(names), figsize=(3.6 * len(names), 2.8), squeeze=False,
                                    layout="constrained")
        epochs = range(1, len(self) + 1)
        for ax, name in zip(axes[0], names):
            ax.plot(epochs, self[name], "o-", ms=4, label="training")
            if f"val_{name}" in self:
                ax.plot(epochs, self[f"val_{name}"], "s--", ms=4, label="held out")
            ax.set(title=name, xlabel="epoch")
            ax.xaxis.get_major_locator().set_params(integer=True)
            ax.grid(color="0.9")
            ax.legend()
