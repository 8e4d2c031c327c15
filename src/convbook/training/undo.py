"""What a training can go back to: the state before an epoch."""

import copy


class Before:
    """The state of a training at this moment: parameters, buffers, averages, learning rates.

    Parameters
    ----------
    model : Layer
    helpers : sequence of Optimizer and Schedule
    """

    def __init__(self, model, helpers):
        self.model, self.state = model, model.state()
        # Models, optimizers and schedules themselves are not copied: they refer to each other.
        shared = {
            id(thing): thing
            for helper in helpers
            for thing in (
                helper,
                *(
                    value
                    for value in vars(helper).values()
                    if hasattr(value, "walk") or hasattr(value, "step")
                ),
            )
        }
        self.helpers = [
            (helper, {name: copied(value, shared) for name, value in vars(helper).items()})
            for helper in helpers
        ]

    def restore(self):
        """Take everything back."""
        self.model.load_state(self.state)
        for helper, attributes in self.helpers:
            vars(helper).clear()
            vars(helper).update(attributes)


def copied(value, shared):
    """Return a deep copy of a value, but for the objects in `shared` and what cannot be copied."""
    try:
        return copy.deepcopy(value, dict(shared))
    except (TypeError, AttributeError, NotImplementedError):  # a file, a lock, a generator
        return value
