"""The machinery inside `convbook.functional`, which checks what it hands down here.

`geometry` says how windows lie on an image, and `convolution` chooses the way to compute: as a
matrix product of `columns`, by `winograd` with fewer multiplications, or number by number if the
filters are `depthwise`; `input_gradient` turns a convolution round. `blocks` cuts a batch into
parts that fit into the cache, `layouts` knows how arrays lie in memory, `masks` drops numbers,
`pooling` and `entropy` are what their names say, and `memory` asks the system to keep what was
freed.
"""
