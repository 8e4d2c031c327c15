"""ChannelExplorer: which filter makes which channel of the output, and what that costs."""

from math import prod

from convbook.functional import output_size

from .base import BookWidget, Whole


class ChannelExplorer(BookWidget, module="channel.js"):
    """See the boxes X, F and Y of a convolution with channels, drawn to scale and counted.

    Parameters
    ----------
    n : int
        Number of examples N, 1 to 4.
    c : int
        Channels C of the input, 1 to 6.
    h, w : int
        Height H and width W of the input, 3 to 16.
    oc : int
        Filters, and so channels OC of the output, 1 to 8.
    fh, fw : int
        Height FH and width FW of the filters, 1 to 5.
    stride : int
        1 to 3, the same along both axes.
    padding : int
        0 to 2, the same on all sides.
    channel : int
        The output channel that is lit up, with its filter. Beyond the last one, the last is.

    Examples
    --------
    >>> w = ChannelExplorer(c=3, h=8, w=8, oc=4)
    >>> w.output_shape, w.parameters, w.multiplications
    ((1, 4, 6, 6), 112, 3888)
    """

    n = Whole(1, 1, 4).tag(sync=True)
    c = Whole(3, 1, 6).tag(sync=True)
    h = Whole(8, 3, 16).tag(sync=True)
    w = Whole(8, 3, 16).tag(sync=True)
    oc = Whole(4, 1, 8).tag(sync=True)
    fh = Whole(3, 1, 5).tag(sync=True)
    fw = Whole(3, 1, 5).tag(sync=True)
    stride = Whole(1, 1, 3).tag(sync=True)
    padding = Whole(0, 0, 2).tag(sync=True)
    channel = Whole(0, 0, 7).tag(sync=True)

    @property
    def output_shape(self):
        """tuple of int : the shape (N, OC, OH, OW) of Y.

        Raises
        ------
        ValueError
            If the filters do not fit into the padded input.
        """
        oh = output_size(self.h, self.fh, self.stride, self.padding)
        ow = output_size(self.w, self.fw, self.stride, self.padding)
        return self.n, self.oc, oh, ow

    @property
    def parameters(self):
        """int : OC·C·FH·FW weights and OC biases."""
        return self.oc * self.c * self.fh * self.fw + self.oc

    @property
    def multiplications(self):
        """int : N·OC·OH·OW sums of C·FH·FW products, those with the padding's zeros included."""
        return prod(self.output_shape) * self.c * self.fh * self.fw

    @property
    def dense_parameters(self):
        """int : weights and biases of a fully connected layer between arrays of the same shapes."""
        outputs = prod(self.output_shape[1:])
        return self.c * self.h * self.w * outputs + outputs

    @property
    def dense_multiplications(self):
        """int : multiplications of a fully connected layer between arrays of the same shapes."""
        return self.n * self.c * self.h * self.w * prod(self.output_shape[1:])

    def plain(self):
        rows = [
            ("Input X (N, C, H, W)", (self.n, self.c, self.h, self.w)),
            ("Filters F (OC, C, FH, FW)", (self.oc, self.c, self.fh, self.fw)),
        ]
        try:
            rows += [
                ("Output Y (N, OC, OH, OW)", self.output_shape),
                ("Parameters", f"{self.parameters:,}"),
                ("Multiplications", f"{self.multiplications:,}"),
                ("Parameters, fully connected", f"{self.dense_parameters:,}"),
                ("Multiplications, fully connected", f"{self.dense_multiplications:,}"),
            ]
        except ValueError as error:
            rows.append(("Output Y", error))
        cells = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in rows)
        return (
            f"<table><tbody>{cells}</tbody></table>"
            f"<p>stride {self.stride}, padding {self.padding}</p>"
        )
