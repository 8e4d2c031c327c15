"""Layers made of layers."""

from .base import Container, Layer


class Sequential(Container):
    """Layers one after the other: the output of each is the input of the next.

    ``model[i]`` is the i-th layer, and its parameters are called "i.f", "i.b" and so on.
    """

    def __init__(self, *layers):
        super().__init__({str(i): layer for i, layer in enumerate(layers)})
        self.layers = layers

    def __len__(self):
        return len(self.layers)

    def __getitem__(self, index):
        return self.layers[index]

    def forward(self, x):
        """Return the output of the last layer."""
        before = None
        for layer in self.layers:
            x = layer.forward(x, out=x) if may_overwrite(before, layer) else layer.forward(x)
            before = layer
        return x

    def backward(self, dy, need_dx=True):
        """Return the gradient of the first layer's input, or None if it is not needed.

        Without it, which is what training needs, the first layer with parameters is the last one
        that anything is computed for.
        """
        first = 0
        if not need_dx:
            first = next((i for i, layer in enumerate(self.layers) if layer.params), len(self))
        before = None
        for i in reversed(range(first, len(self))):
            layer = self.layers[i]
            if i == first and not need_dx:
                return layer.backward(dy, need_dx=False)
            dy = layer.backward(dy, out=dy) if may_overwrite(before, layer) else layer.backward(dy)
            before = layer
        return dy if need_dx else None

    @property
    def hands_over(self):
        """Whether the layers at both ends do; see `Layer`."""
        return len(self) > 0 and self[0].hands_over and self[-1].hands_over

    def __repr__(self):
        return listing(self)


class Residual(Container):
    """What the body makes of x, added to x itself: y = body(x) + shortcut(x).

    The body has to learn only what to change, and the gradient reaches x along two ways, one of
    them short. He et al., "Deep residual learning for image recognition", CVPR 2016.

    Parameters
    ----------
    body : Layer
    shortcut : Layer, optional
        x itself if not given. Where the body changes the shape, a layer that changes it likewise,
        such as a convolution of 1×1 with the same stride.
    """

    hands_over = True

    def __init__(self, body, shortcut=None):
        super().__init__({"body": body, "shortcut": Layer() if shortcut is None else shortcut})
        self.body, self.shortcut = self.children.values()

    def forward(self, x):
        """Return body(x) + shortcut(x)."""
        y, short = self.body.forward(x), self.shortcut.forward(x)
        if y.shape != short.shape:
            raise ValueError("a Residual adds its body's output to its shortcut's, so their shapes "
                             f"must be equal, got {y.shape} and {short.shape} for x of shape "
                             f"{x.shape}")
        return self._add(y, short)

    def backward(self, dy, need_dx=True):
        """Return dx, the sum of what body and shortcut hand back, or None if it is not needed."""
        if need_dx:
            return self._add(self.body.backward(dy), self.shortcut.backward(dy))
        for child in self.children.values():
            if child.params:
                child.backward(dy, need_dx=False)
        return None

    def _add(self, of_body, of_shortcut):
        """Return the sum, in the body's array if the body looks at it no more."""
        if not self.body.hands_over:
            return of_body + of_shortcut
        of_body += of_shortcut
        return of_body

    def __repr__(self):
        return listing(self)


def may_overwrite(giver, taker):
    """Whether `taker` may write over the array that `giver` has just returned."""
    return giver is not None and giver.hands_over and taker.elementwise


def listing(container):
    """Return the container with its layers, each by its name and on a line of its own."""
    lines = [f"  {name}: {layer!r}".replace("\n", "\n  ")
             for name, layer in container.children.items()]
    return "\n".join([f"{type(container).__name__}(", *lines, ")"])
