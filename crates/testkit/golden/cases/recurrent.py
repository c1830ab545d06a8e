"""Recurrent cells over several steps: hidden states, the last memory, gradients of inputs, first state and parameters.

PyTorch's own cells where it has them; the others as their equations read, gate by gate.
"""

import torch
from safetensors.torch import save_file
from torch import nn
from torch.func import functional_call

from .record import FOLDER, Golden, normal, weights

N, I, H, P, STEPS = 3, 5, 7, 2, 4


def run(g, case, parameters, unroll, *state):
    """`unroll` maps parameters, inputs and the first state to the list of h and the last state."""
    xs = [normal(N, I) for _ in range(STEPS)]
    tensors = {f"before.{name}": value for name, value in parameters.items()}
    tensors |= {f"x{t}": x for t, x in enumerate(xs)} | {f"state{i}": s for i, s in enumerate(state)}
    leaves = {}
    for name, value in tensors.items():
        g.keep(f"{case}:{name}", value)
        leaves[name] = value.double().requires_grad_()

    def under(prefix):
        return {name.removeprefix(prefix): leaf for name, leaf in leaves.items() if name.startswith(prefix)}

    hidden, last = unroll(under("before."), list(under("x").values()), tuple(under("state").values()))
    for t, h in enumerate(hidden):
        g.keep(f"{case}:h{t}", h)
    for i, s in enumerate(last):
        g.keep(f"{case}:last{i}", s)
    sum((weights(y) * y).sum() for y in (*hidden, *last)).backward()
    for name, leaf in leaves.items():
        if leaf.grad is not None:
            g.keep(f"{case}:grad.{name.removeprefix('before.')}", leaf.grad)


def steps(step):
    def unroll(p, xs, state):
        hidden = []
        for x in xs:
            state = step(p, x, state)
            hidden.append(state[0])
        return hidden, state

    return unroll


def of_module(module):
    module = module.double()

    def step(p, x, state):
        after = functional_call(module, p, (x, state if len(state) > 1 else state[0]))
        return after if isinstance(after, tuple) else (after,)

    return step


def projected(module):
    module = module.double()

    def unroll(p, xs, state):
        p = {f"{name}_l0": value for name, value in p.items()}
        y, last = functional_call(module, p, (torch.stack(xs), tuple(s[None] for s in state)))
        return list(y), tuple(s[0] for s in last)

    return unroll


def drawn(gates, bias=True, recurrent=H, **others):
    rows = gates * H
    shapes = {"weight_ih": (rows, I), "weight_hh": (rows, recurrent)}
    if bias:
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
    return {name: 0.5 * normal(*shape) for name, shape in (shapes | others).items()}


def rows(p, name, k):
    """Gate k of W or b; 0 for a bias that is not there."""
    return p[name][k * H : (k + 1) * H] if name in p else 0.0


def of_x(p, x, k):
    return x @ rows(p, "weight_ih", k).T + rows(p, "bias_ih", k)


def of_h(p, h, k):
    return h @ rows(p, "weight_hh", k).T + rows(p, "bias_hh", k)


def normalised(a, gain):
    mean = a.mean(1, keepdim=True)
    variance = ((a - mean) ** 2).mean(1, keepdim=True)
    return gain * (a - mean) / (variance + 1e-5).sqrt()


def naive_lstm(p, g, state):
    c = of_h(p, state[1], 0) + of_x(p, g, 0)
    return torch.tanh(c), c


def stacked_lstm(p, x, state):
    h, c = state
    below_and_before = torch.cat([x, h], 1)
    i, f, o, g = (below_and_before @ rows(p, "weight", k).T + rows(p, "bias", k) for k in range(4))
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def peephole_lstm(p, x, state):
    h, c = state
    a_i, a_f, a_g, a_o = (of_x(p, x, k) + of_h(p, h, k) for k in range(4))
    i = torch.sigmoid(a_i + p["weight_ci"] * c)
    f = torch.sigmoid(a_f + p["weight_cf"] * c)
    c = f * c + i * torch.tanh(a_g)
    o = torch.sigmoid(a_o + p["weight_co"] * c)
    return o * torch.tanh(c), c


def original_gru(p, x, state):
    (h,) = state
    r = torch.sigmoid(of_x(p, x, 0) + of_h(p, h, 0))
    z = torch.sigmoid(of_x(p, x, 1) + of_h(p, h, 1))
    n = torch.tanh(of_x(p, x, 2) + of_h(p, r * h, 2))
    return ((1 - z) * n + z * h,)


def layer_norm_rnn(nonlinearity):
    def step(p, x, state):
        a = x @ p["weight_ih"].T + state[0] @ p["weight_hh"].T
        return (nonlinearity(normalised(a, p["norm.weight"]) + p.get("norm.bias", 0.0)),)

    return step


def layer_norm_lstm(p, x, state):
    h, c = state
    a = normalised(x @ p["weight_ih"].T, p["norm_ih.weight"]) + p.get("bias_ih", 0.0)
    a = a + normalised(h @ p["weight_hh"].T, p["norm_hh.weight"]) + p.get("bias_hh", 0.0)
    i, f, g, o = a.split(H, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    shown = normalised(c, p["norm_c.weight"]) + p.get("norm_c.bias", 0.0)
    return torch.sigmoid(o) * torch.tanh(shown), c


def layer_norm_gru(p, x, state):
    (h,) = state

    def gates(v, which):
        a = normalised(v @ p[f"weight_{which}"][: 2 * H].T, p[f"norm_{which}.weight"])
        return a + p[f"bias_{which}"][: 2 * H] if f"bias_{which}" in p else a

    r, z = torch.sigmoid(gates(x, "ih") + gates(h, "hh")).split(H, 1)
    n_x = normalised(x @ rows(p, "weight_ih", 2).T, p["norm_in.weight"]) + rows(p, "bias_ih", 2)
    n_h = normalised(h @ rows(p, "weight_hh", 2).T, p["norm_hn.weight"]) + rows(p, "bias_hh", 2)
    n = torch.tanh(n_x + r * n_h)
    return ((1 - z) * n + z * h,)


def write():
    g = Golden("recurrent_cells")
    h = c = lambda: normal(N, H)
    for bias in (True, False):
        suffix = "" if bias else ", no bias"
        for kind in ("tanh", "relu"):
            step = of_module(nn.RNNCell(I, H, bias, kind))
            run(g, f"rnn, {kind}{suffix}", drawn(1, bias), steps(step), h())
        run(g, f"lstm{suffix}", drawn(4, bias), steps(of_module(nn.LSTMCell(I, H, bias))), h(), c())
        run(g, f"gru{suffix}", drawn(3, bias), steps(of_module(nn.GRUCell(I, H, bias))), h())

        lstm = nn.LSTM(I, H, bias=bias, proj_size=P)
        run(g, f"projection lstm{suffix}", drawn(4, bias, P, weight_hr=(P, H)), projected(lstm), normal(N, P), c())

        run(g, f"naive lstm{suffix}", drawn(1, bias), steps(naive_lstm), h(), c())
        one = {"weight": 0.5 * normal(4 * H, I + H)} | ({"bias": normal(4 * H)} if bias else {})
        run(g, f"stacked lstm{suffix}", one, steps(stacked_lstm), h(), c())
        peepholes = {name: (H,) for name in ("weight_ci", "weight_cf", "weight_co")}
        run(g, f"peephole lstm{suffix}", drawn(4, bias, **peepholes), steps(peephole_lstm), h(), c())
        run(g, f"original gru{suffix}", drawn(3, bias), steps(original_gru), h())

        shift = {"norm.bias": (H,)} if bias else {}
        for kind, f in (("tanh", torch.tanh), ("relu", torch.relu)):
            parameters = drawn(1, False, **{"norm.weight": (H,)}, **shift)
            run(g, f"layer-norm rnn, {kind}{suffix}", parameters, steps(layer_norm_rnn(f)), h())
        gains = {"norm_ih.weight": (4 * H,), "norm_hh.weight": (4 * H,), "norm_c.weight": (H,)}
        shift = {"norm_c.bias": (H,)} if bias else {}
        run(g, f"layer-norm lstm{suffix}", drawn(4, bias, **gains, **shift), steps(layer_norm_lstm), h(), c())
        gains = {"norm_ih.weight": (2 * H,), "norm_hh.weight": (2 * H,), "norm_in.weight": (H,), "norm_hn.weight": (H,)}
        run(g, f"layer-norm gru{suffix}", drawn(3, bias, **gains), steps(layer_norm_gru), h())

    saved = nn.LSTMCell(I, H)
    save_file(saved.state_dict(), FOLDER / "lstm_cell.safetensors")
    parameters = {name: value.clone() for name, value in saved.state_dict().items()}
    run(g, "lstm, saved", parameters, steps(of_module(nn.LSTMCell(I, H))), h(), c())
    g.write()
