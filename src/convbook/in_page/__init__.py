"""Python on a page: runs cells in a browser, and sends the page what they print, draw and make.

The page and Python talk by messages, dicts that JSON can write. From Python to the page:

    {"stream": "stdout", "text": …}        printed text; "stderr" for warnings
    {"mime": "image/png", "data": …}       a picture in base64; or "image/svg+xml", "text/…"
    {"progress": {"id", "done", "total", "text"}}    a bar that moves
    {"module": …, "esm": …, "css": …}      the script of a kind of widget, before its first use
    {"widget": id, "module": …, "state": …, "html": …}      a widget that is shown
    {"widget": id, "set": {name: value}}   its state, changed by Python
    {"error": {"text", "cell", "line", "kind", "name", "advice"}}     an exception

With "from" (a widget's id) and "move" (a number), what functions show that watch its state.

The page calls `Session.run` with a cell's code, and `Session.set_state` when its reader moves
a widget.
"""
