"""Views, joins, padding, indexing, masks and diagonals."""

import torch
import torch.nn.functional as F

from .record import Golden, normal


def write():
    g = Golden("layout")
    g("reshape of permuted", lambda x: x.transpose(0, 2).reshape(4, -1), normal(2, 3, 4))
    g("flatten", lambda x: x.flatten(1, -1), normal(2, 3, 4))
    g("unsqueeze, squeeze", lambda x: x.unsqueeze(-1).squeeze(1), normal(2, 1, 3))
    g("permute", lambda x: x.permute(2, 0, 1), normal(2, 3, 4))
    g("t", lambda x: x.t(), normal(2, 3))
    g("expand", lambda x: x.expand(2, 3, 4), normal(3, 1))
    g("repeat", lambda x: x.repeat(2, 1, 3), normal(2, 3))

    g("slice, first axis", lambda x: x[1:4], normal(5, 3))
    g("slice, stepped middle axis", lambda x: x[:, 1::3], normal(2, 7, 3))
    g("slice, stepped last axis, from the end", lambda x: x[:, :-1:2], normal(3, 7))
    g("narrow, overlapping", lambda x: x.narrow(1, 0, 3) * x.narrow(1, 2, 3), normal(2, 5))
    g("select", lambda x: x.select(1, -2), normal(3, 4, 2))
    g("split", lambda x: (lambda a, b, c: a * b + 0.5 * c)(*x.split([2, 1, 2], 1)), normal(2, 5, 3))
    g("chunk", lambda x: (lambda a, _, c: a * c)(*x.chunk(3, 0)), normal(6, 2))
    g("chunks, uneven", lambda x: x.chunk(2, 1)[1] * 2.0, normal(2, 5))
    g("concat", lambda a, b, c: torch.cat([a, b, c], -1), normal(2, 3), normal(2, 1), normal(2, 2))
    g("stack", lambda a, b: torch.stack([a, b], 1), normal(2, 3), normal(2, 3))

    image = normal(2, 3, 4, 5)
    g("pad, constant", lambda x: F.pad(x, (2, 1, 0, 3), value=-1.5), image)
    g("pad, reflect", lambda x: F.pad(x, (3, 1, 2, 0), mode="reflect"), image)
    g("pad, replicate", lambda x: F.pad(x, (3, 1, 2, 6), mode="replicate"), image)
    g("pad, reflect, one axis", lambda x: F.pad(x, (4, 4), mode="reflect"), normal(2, 3, 5))

    g("flip", lambda x: x.flip(0, -1), normal(2, 3, 4))
    g("roll", lambda x: x.roll(2, 1), normal(2, 5, 3))
    g("roll, back", lambda x: x.roll(-7, 0), normal(5, 3))
    g("tril", lambda x: x.tril(1), normal(2, 4, 5))
    g("triu", lambda x: x.triu(-1), normal(2, 4, 5))
    g("diagonal", lambda x: x.diagonal(0, 0, 1), normal(3, 4))
    g("diagonal, batched", lambda x: x.diagonal(0, 1, 2), normal(2, 4, 3))
    g("trace", lambda x: x.trace(), normal(3, 3))

    mask = torch.tensor([[1, 0, 1], [0, 0, 1]])
    g("where", lambda m, a, b: torch.where(m != 0, a, b), mask, normal(2, 3), normal(3))
    g("where, broadcast mask", lambda m, a, b: torch.where(m[:, :1] != 0, a, b), mask, normal(2, 3), normal())
    g("masked_fill", lambda m, x: x.masked_fill(m != 0, -2.5), mask, normal(4, 2, 3))

    index = torch.tensor([[2, 0, 2, 1], [0, 0, 1, 1]])
    g("gather, last axis", lambda x, i: x.gather(1, i), normal(2, 3), index)
    g("gather, first axis", lambda x, i: x.gather(0, i), normal(3, 4), index)
    g("scatter_add, last axis", lambda x, i, s: x.scatter_add(1, i, s), normal(2, 3), index, normal(2, 4))
    g("scatter_add, first axis", lambda x, i, s: x.scatter_add(0, i, s), normal(3, 5), index, normal(2, 4))
    rows = torch.tensor([2, 0, 2, 1, 2])
    g("index_select", lambda x, i: x.index_select(1, i), normal(2, 3, 2), rows)
    g("index_add", lambda x, i, s: x.index_add(1, i, s), normal(2, 3, 2), rows, normal(2, 5, 2))
    g("embedding", lambda x, i: F.embedding(i, x), normal(3, 4), index)
    g("one_hot", lambda i: F.one_hot(i, 4).double(), index)
    g.write()
