"""Small data sets in the original formats, and a server on this machine that hands them out."""

import gzip
import hashlib
import io
import struct
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from convbook.datasets.files import File

SHAPES = {"x_train": (20, 28, 28), "y_train": (20,), "x_test": (10, 28, 28), "y_test": (10,)}
BATCHES = {**{f"data_batch_{k}.bin": 4 for k in range(1, 6)}, "test_batch.bin": 6}
FOLDER = "cifar-10-batches-bin"


def idx(array, magic=None, sizes=None):
    """Return an array as IDX bytes; a wrong magic number or wrong sizes if asked for."""
    sizes = array.shape if sizes is None else sizes
    magic = 0x0800 + array.ndim if magic is None else magic
    return struct.pack(f">{1 + len(sizes)}I", magic, *sizes) + array.tobytes()


def small_mnist():
    """Return the arrays of a small data set of the kind of MNIST, as `read_mnist` reads them."""
    rng = np.random.default_rng(0)
    return {
        key: rng.integers(0, 10 if key[0] == "y" else 256, shape, np.uint8)
        for key, shape in SHAPES.items()
    }


def small_cifar10():
    """Return the records (count, 3073) of a small data set of the kind of CIFAR-10, by file."""
    rng = np.random.default_rng(1)
    return {
        name: np.column_stack(
            [rng.integers(0, 10, count, np.uint8), rng.integers(0, 256, (count, 3072), np.uint8)]
        )
        for name, count in BATCHES.items()
    }


def archive(contents):
    """Return a .tar.gz archive with these files, name -> bytes, in the folder of CIFAR-10."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w:gz") as tar:
        for name, content in {"batches.meta.txt": b"airplane\n", **contents}.items():
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return output.getvalue()


def described(file, content):
    """Return `file` with the length and the checksum of this content."""
    return File(file.name, file.unpacked, len(content), hashlib.sha256(content).hexdigest())


def packed(array):
    return gzip.compress(idx(array), mtime=0)


class Server:
    """What is served, path -> bytes, how, and what was asked for.

    `trouble` can be "break" (the connection ends half way), "encoded" (the file is labelled as a
    compressed transfer) or "unsized" (its length is not told).
    """

    def __init__(self):
        self.files, self.asked, self.trouble, self.url = {}, [], None, None

    def answer(self, handler):
        self.asked.append(handler.path)
        content = self.files.get(handler.path)
        if content is None:
            handler.send_error(404)
            return
        handler.send_response(200)
        if self.trouble != "unsized":
            handler.send_header("Content-Length", str(len(content)))
        if self.trouble == "encoded":
            handler.send_header("Content-Encoding", "x-gzip")
        handler.end_headers()
        handler.wfile.write(content[: len(content) // 2] if self.trouble == "break" else content)


@contextmanager
def serving():
    """Serve on a free port of this machine."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.answer(self)

        def log_message(self, *arguments):
            """Keep the tests' output clean."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
