"""Layers made of layers."""

import inspect
from contextlib import contextmanager

from ..arrays import as_tuple, get_array_module, one_or_all
from .base import Container, Layer, evaluating, run_backward
from .joining import Concat


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

    def forward(self, *xs):
        """Return the output of the last layer; what a layer returns, the next takes, all of it."""
        before = None
        for layer in self.layers:
            out = {"out": xs[0]} if may_overwrite(before, layer) else {}
            if len(xs) > 1 and not takes(layer, xs):
                raise TypeError(
                    f"{layer} does not take {len(xs)} inputs, which is what stands "
                    "before it; a Concat or an Add makes one array of them"
                )
            xs = as_tuple(layer.forward(*xs, **out))
            before = layer
        return one_or_all(xs)

    def backward(self, *dys, need_dx=True):
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
                return run_backward(layer, *dys, need_dx=False)
            out = {"out": dys[0]} if may_overwrite(before, layer) else {}
            dys = as_tuple(layer.backward(*dys, **out))
            before = layer
        return one_or_all(dys) if need_dx else None

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
            raise ValueError(
                "a Residual adds its body's output to its shortcut's, so their shapes "
                f"must be equal, got {y.shape} and {short.shape} for x of shape "
                f"{x.shape}"
            )
        return self._add(y, short)

    def backward(self, dy, need_dx=True):
        """Return dx, the sum of what body and shortcut hand back, or None if it is not needed."""
        if need_dx:
            return self._add(self.body.backward(dy), self.shortcut.backward(dy))
        for child in self.children.values():
            run_backward(child, dy, need_dx=False)
        return None

    def _add(self, of_body, of_shortcut):
        """Return the sum, in the body's array if the body looks at it no more."""
        if not self.body.hands_over:
            return of_body + of_shortcut
        of_body += of_shortcut
        return of_body

    def __repr__(self):
        return listing(self)


class Branches(Container):
    """Several layers side by side, which all see x; what they make of it is returned as a tuple.

    A `Concat` or an `Add` behind it makes one array of them, as in the Inception blocks of Szegedy
    et al., "Going deeper with convolutions", CVPR 2015. On a `Tape`, each may go its own way.
    """

    def __init__(self, *branches):
        super().__init__({str(i): branch for i, branch in enumerate(branches)})
        self.branches = branches

    def forward(self, *xs):
        """Return the outputs of all branches, in order."""
        outputs = [as_tuple(branch.forward(*xs)) for branch in self.branches]
        self._counts = [len(ys) for ys in outputs]
        return self._output(*(y for ys in outputs for y in ys))

    def backward(self, *dys, need_dx=True):
        """Return the gradient of x, the sum over all branches, or None if it is not needed."""
        dys = iter(as_tuple(self._gradient(*dys)))
        dxs = [
            as_tuple(run_backward(branch, *(next(dys) for _ in range(count)), need_dx=need_dx))
            for branch, count in zip(self.branches, self._counts)
        ]
        return one_or_all([total(of_one_input) for of_one_input in zip(*dxs)]) if need_dx else None

    def __repr__(self):
        return listing(self)


class Skip(Container):
    """x, and beside it, as further channels, what the body makes of it: y = [x, body(x)].

    What the body loses of x goes past it; so the halves of a U-Net are joined (Ronneberger et al.,
    MICCAI 2015), and the layers of a DenseNet (Huang et al., CVPR 2017).

    Parameters
    ----------
    body : Layer
        Keeps N, H and W: from (N, C, H, W) to (N, D, H, W), so that y is (N, C + D, H, W).
    """

    hands_over = True

    def __init__(self, body):
        super().__init__({"body": body, "join": Concat()})
        self.body, self.join = self.children.values()

    def forward(self, x):
        """Return x and body(x), one after the other along the channels."""
        y = self.body.forward(x)
        shape = getattr(x, "shape", y.shape)  # a list's shape is looked at by `Concat`
        if len(shape) == y.ndim == 4 and shape[2:] != y.shape[2:]:
            (h, w), (oh, ow) = shape[2:], y.shape[2:]
            raise ValueError(
                "a Skip lays its body's output beside x, so both must have the same height and "
                f"width, got {oh} × {ow} beside {h} × {w}. If the body halves and doubles, an odd "
                "size was rounded on the way: height and width of the images must be multiples "
                "of 2^depth, 8 for a U-Net of depth 3; pad them (convbook.models.unet."
                "pad_to_multiple), and cut the scores back"
            )
        return self.join.forward(x, y)

    def backward(self, dy, need_dx=True):
        """Return dx, the sum of what comes past the body and through it; None if not needed."""
        past, dbody = self.join.backward(dy)
        dx = run_backward(self.body, dbody, need_dx=need_dx)
        return past + dx if need_dx else None

    def __repr__(self):
        return listing(self)


class SharedBody(Container):
    """One body whose features several heads read; their outputs stand side by side.

    Caruana, "Multitask learning", Machine Learning 28, 1997.

    Parameters
    ----------
    body : Layer
        From x to features (N, L).
    *heads : Layer
        Each from features (N, L) to its own (N, K).
    """

    def __init__(self, body, *heads):
        super().__init__({"body": body, **{f"head{i}": head for i, head in enumerate(heads)}})
        self.body, self.heads = body, heads

    def forward(self, *xs):
        """Return the heads' outputs, (N, K of all heads together)."""
        features = self.body.forward(*xs)
        outputs = [head.forward(features) for head in self.heads]
        self._widths = [y.shape[1] for y in outputs]
        return self._output(get_array_module(features).concatenate(outputs, axis=1))

    def backward(self, dy, need_dx=True):
        """Return the gradient of x, or None if it is not needed; fill grads.

        The features feed every head, so their gradient is the sum over all heads.
        """
        dy, parts, end = self._gradient(dy), [], 0
        for width in self._widths:
            parts.append(dy[:, end : end + width])
            end += width
        need_features = need_dx or bool(self.body.params)
        of_heads = [
            run_backward(head, part, need_dx=need_features) for head, part in zip(self.heads, parts)
        ]
        if not need_features:
            return None
        return run_backward(self.body, total(of_heads), need_dx=need_dx)


class Frozen(Container):
    """A layer that computes but does not learn.

    It has no `params`, so no optimizer changes it, and ``Sequential.backward(dy, need_dx=False)``
    ends behind it. Its arrays count as `buffers`: they are stored and moved to the GPU with the
    model. It always works as after ``eval()``, so that running statistics rest too; the mode and
    the gradients that the body has for others are left alone.

    Parameters
    ----------
    body : Layer
        Is kept, not copied: what trains it elsewhere changes it here.
    """

    params = grads = property(lambda self: {})
    buffers = property(lambda self: {**self._collect("params"), **self._collect("buffers")})

    def __init__(self, body):
        super().__init__({"body": body})
        self.body = body

    def train(self, training=True):
        """Change nothing in the body, which always works as after ``eval()``."""
        self.training = training
        return self

    def clear_grads(self):
        """Leave the body's gradients to those who train it."""
        return self

    def forward(self, *xs):
        """Return the body's output."""
        with evaluating(self.body):
            return self.body.forward(*xs)

    def backward(self, *dys, need_dx=True):
        """Return the gradient of x, which passes through; without need of it, do nothing."""
        if not need_dx:
            return None
        with only_handing_on(self.body):
            return self.body.backward(*dys)

    def __repr__(self):
        return listing(self)


@contextmanager
def only_handing_on(model):
    """Let backward hand gradients on, and leave those that the model's parameters have."""
    before = [(layer, layer.learning, vars(layer).get("grads")) for layer in model.walk()]
    for layer, _, grads in before:
        layer.learning = False
        if grads is not None:  # a frozen layer has none of its own
            layer.grads = {}
    try:
        yield
    finally:
        for layer, learning, grads in before:
            layer.learning = learning
            if grads is not None:
                layer.grads = grads


def total(gradients):
    """Return the sum of gradients of one array; None, if no gradient belongs to it.

    With a + b, never +=: they may be one and the same array.
    """
    result = None
    for gradient in gradients:
        if gradient is not None:
            result = gradient if result is None else result + gradient
    return result


def may_overwrite(giver, taker):
    """Whether `taker` may write over the array that `giver` has just returned."""
    return giver is not None and giver.hands_over and taker.elementwise


def takes(layer, inputs):
    """Whether a layer can be called with so many inputs."""
    try:
        inspect.signature(layer.forward).bind(*inputs)
    except TypeError:
        return False
    return True


def listing(container):
    """Return the container with its layers, each by its name and on a line of its own."""
    lines = [
        f"  {name}: {layer!r}".replace("\n", "\n  ") for name, layer in container.children.items()
    ]
    return "\n".join([f"{type(container).__name__}(", *lines, ")"])
