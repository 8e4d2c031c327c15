"""The machinery inside `convbook.functional`, which checks what it hands down here.

`blocks` cuts a batch into parts that fit into the cache, `convolution` multiplies their windows
with the filters, `winograd` does so with fewer multiplications for filters of 3×3, `layouts` knows
how arrays lie in memory, `pooling` and `entropy` are what their names say, and `memory` asks the
system to keep what was freed.
"""
