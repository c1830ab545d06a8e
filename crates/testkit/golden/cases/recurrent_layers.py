"""Sequence layers: their parameters by name, outputs, last states, and gradients of all that goes in."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .record import Golden, normal, weights


def sequence(g, case, module, x, batch, lengths=None):
    """The loss is the sum of Σ c·y over y and the last states; x0 is x, x1 and x2 are the initial states."""
    module = module.double()
    with torch.no_grad():
        for name, value in module.state_dict().items():
            value.copy_(0.5 * normal(*value.shape))
            g.keep(f"{case}:before.{name}", value.float())
    directions = 2 if module.bidirectional else 1
    shape = (module.num_layers * directions, batch, module.hidden_size)
    inputs = [x] + [normal(*shape) for _ in range(2 if isinstance(module, nn.LSTM) else 1)]
    for i, value in enumerate(inputs):
        g.keep(f"{case}:x{i}", value)
    leaves = [value.double().requires_grad_() for value in inputs]
    state = tuple(leaves[1:]) if len(leaves) > 2 else leaves[1]
    if lengths is None:
        y, state = module(leaves[0], state)
    else:
        g.keep(f"{case}:i0", torch.tensor(lengths))
        packed = pack_padded_sequence(leaves[0], lengths, batch_first=module.batch_first, enforce_sorted=False)
        y, state = module(packed, state)
        steps = x.shape[1 if module.batch_first else 0]
        y, _ = pad_packed_sequence(y, batch_first=module.batch_first, total_length=steps)
    outputs = [y, *(state if isinstance(state, tuple) else [state])]
    for i, value in enumerate(outputs):
        g.keep(f"{case}:y{i}", value)
    sum((weights(value) * value).sum() for value in outputs).backward()
    for i, leaf in enumerate(leaves):
        g.keep(f"{case}:dx{i}", leaf.grad)
    for name, parameter in module.named_parameters():
        g.keep(f"{case}:grad.{name}", parameter.grad)


def write():
    g = Golden("recurrent_layers")
    x = normal(5, 3, 4)
    for name, make in [
        ("rnn", nn.RNN),
        ("relu", lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options)),
        ("lstm", nn.LSTM),
        ("gru", nn.GRU),
    ]:
        sequence(g, f"{name}, plain", make(4, 7), x, 3)
        sequence(g, f"{name}, no bias", make(4, 5, bias=False, bidirectional=True), x, 3)
        sequence(g, f"{name}, deep", make(4, 6, num_layers=3, batch_first=True), normal(3, 5, 4), 3)
        both = make(4, 5, num_layers=2, bidirectional=True)
        sequence(g, f"{name}, ragged", both, x, 3, lengths=[2, 5, 3])
        both = make(4, 3, num_layers=2, bidirectional=True, batch_first=True)
        sequence(g, f"{name}, ragged, batch first", both, normal(4, 6, 4), 4, lengths=[4, 1, 5, 4])
    g.write()
