"""Right answers to the exercises, written as a learner would, and how the tests hand one in."""

import numpy as np

from convbook.exercises import EXERCISES
from convbook.exercises.checking import judge


def answer_to(key, answer):
    """Return the message in one line, so that a test need not care where it was broken."""
    return " ".join(judge(key, EXERCISES[key], answer).split())


# ---- chapter 3-1 ----------------------------------------------------------------------------


def correlate(x, f):
    (H, W), (FH, FW) = x.shape, f.shape
    y = np.zeros((H - FH + 1, W - FW + 1))
    for oh in range(H - FH + 1):
        for ow in range(W - FW + 1):
            y[oh, ow] = np.sum(x[oh:oh + FH, ow:ow + FW] * f)
    return y


def output_length(size, kernel_size, stride, padding):
    return (size + 2 * padding - kernel_size) // stride + 1


def correlate_strided(x, f, b, stride, padding):
    xp = np.pad(x, padding)
    return correlate(xp, f)[::stride, ::stride] + b


def conv_batch(x, f, b):
    return np.stack([[sum(correlate(xc, fc) for xc, fc in zip(image, filters)) + bias
                      for filters, bias in zip(f, b)] for image in x])


def windows(x, FH, FW):
    OH, OW = x.shape[0] - FH + 1, x.shape[1] - FW + 1
    xh = np.zeros((FH, FW, OH, OW))
    for fh in range(FH):
        for fw in range(FW):
            xh[fh, fw] = x[fh:fh + OH, fw:fw + OW]
    return xh.transpose(2, 3, 0, 1)


# ---- chapter 3-2 ----------------------------------------------------------------------------


def max_pool(x, size, stride):
    OH, OW = (x.shape[0] - size) // stride + 1, (x.shape[1] - size) // stride + 1
    y = np.zeros((OH, OW))
    for oh in range(OH):
        for ow in range(OW):
            y[oh, ow] = x[oh * stride:oh * stride + size, ow * stride:ow * stride + size].max()
    return y


def max_pool_batch(x, size):
    return np.array([[max_pool(channel, size, size) for channel in image] for image in x])


def average_filter(channels, size):
    f = np.zeros((channels, channels, size, size))
    for c in range(channels):
        f[c, c] = 1 / size**2
    return f


def shift_agreement(x, size):
    return np.mean(max_pool(x, size, size) == max_pool(np.roll(x, 1, axis=1), size, size))


# ---- chapter 3-3 ----------------------------------------------------------------------------


def grad_filter(dy, x):
    df = np.zeros((x.shape[0] - dy.shape[0] + 1, x.shape[1] - dy.shape[1] + 1))
    for oh, ow in np.ndindex(dy.shape):
        df += dy[oh, ow] * x[oh:oh + df.shape[0], ow:ow + df.shape[1]]
    return df


def grad_input(dy, f):
    (OH, OW), (FH, FW) = dy.shape, f.shape
    dx = np.zeros((OH + FH - 1, OW + FW - 1))
    for fh in range(FH):
        for fw in range(FW):
            dx[fh:fh + OH, fw:fw + OW] += f[fh, fw] * dy
    return dx


def grad_input_strided(dy, f, x_shape, stride, padding):
    H, W = x_shape
    spread = np.zeros((H + 2 * padding - f.shape[0] + 1, W + 2 * padding - f.shape[1] + 1))
    spread[::stride, ::stride][:dy.shape[0], :dy.shape[1]] = dy
    return grad_input(spread, f)[padding:padding + H, padding:padding + W]


def grad_bias(dy):
    return np.array([dy[:, o].sum() for o in range(dy.shape[1])])


def grad_filters(dy, x, FH, FW):
    return np.array([[sum(grad_filter(dy_n[o], x_n[c]) for dy_n, x_n in zip(dy, x))
                      for c in range(x.shape[1])] for o in range(dy.shape[1])])


def grad_images(dy, f, x_shape, stride, padding):
    return np.array([[sum(grad_input_strided(dy_n[o], f[o, c], x_shape[2:], stride, padding)
                          for o in range(len(f)))
                      for c in range(x_shape[1])] for dy_n in dy])


# ---- chapter 3-4 ----------------------------------------------------------------------------


def max_pool_grad(dy, x, size):
    return max_pool_grad_overlap(dy, x, size, size)


def avg_pool_grad(dy, x_shape, size):
    dx = np.zeros(x_shape)
    for oh, ow in np.ndindex(dy.shape[2:]):
        window = np.s_[:, :, size * oh:size * oh + size, size * ow:size * ow + size]
        dx[window] = dy[:, :, oh, ow, None, None] / size**2
    return dx


def max_pool_grad_overlap(dy, x, size, stride):
    dx = np.zeros(x.shape)
    for oh, ow in np.ndindex(dy.shape):
        top, left = stride * oh, stride * ow
        row, column = divmod(np.argmax(x[top:top + size, left:left + size]), size)
        dx[top + row, left + column] += dy[oh, ow]
    return dx


ANSWERS = {
    "3-1.1": [[4, -1, 2], [6, 3, 0]],
    "3-1.2": correlate,
    "3-1.3": 448,
    "3-1.4": output_length,
    "3-1.5": correlate_strided,
    "3-1.6": 3,
    "3-1.7": conv_batch,
    "3-1.8": windows,
    "3-1.9": [[0, 0, 0], [1, 0, 0], [0, 0, 0]],
    "3-2.1": [[9, 6], [9, 9]],
    "3-2.2": max_pool,
    "3-2.3": max_pool_batch,
    "3-2.4": average_filter,
    "3-2.5": 16448,
    "3-2.6": shift_agreement,
    "3-3.1": [[2, 5, 2], [-3, 7, 11], [1, -7, 12]],
    "3-3.2": grad_filter,
    "3-3.3": grad_input,
    "3-3.4": grad_input_strided,
    "3-3.5": grad_bias,
    "3-3.6": grad_filters,
    "3-3.7": grad_images,
    "3-4.1": [[0, 3, -1, 0], [0, 0, 0, 0], [0, 0, 0, 0], [2, 0, 0, 5]],
    "3-4.2": max_pool_grad,
    "3-4.3": avg_pool_grad,
    "3-4.4": max_pool_grad_overlap,
    "3-4.5": 25088,
    "3-4.6": [[3, 3], [3, 0]],
}
