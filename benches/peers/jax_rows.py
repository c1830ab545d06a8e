"""JAX (jit, CPU) as a peer; see README.md."""

import functools
import itertools
import math
import os

import common

args = common.arguments()
# XLA takes as many threads as the process may use cores.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
os.environ["JAX_PLATFORMS"] = "cpu"
try:
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax import lax
except ImportError:
    common.missing("JAX", 'pip install "jax[cpu]"')

FUNCTIONS = {
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "add": jnp.add,
    "mul": jnp.multiply,
}


def array(seed, shape, scale=1.0):
    return jnp.asarray(common.fill(seed, math.prod(shape), scale).reshape(shape))


def compiled(f, *inputs):
    """A step that runs `f` on `inputs` and waits for its results."""
    f = jax.jit(f)
    return lambda: jax.block_until_ready(f(*inputs))


def gemm(m, k, n):
    step = compiled(jnp.matmul, array(common.INPUT, (m, k)), array(common.INPUT + 1, (k, n)))
    return step, 0, common.summary(step())


def operation(f, inputs, backward):
    """The step y = f(inputs), and with `backward` the gradients of all inputs from dy."""

    def both(dy, *inputs):
        y, gradients = jax.vjp(f, *inputs)
        return (y, *gradients(dy))

    if backward:
        dy = array(common.GRADIENT, jax.eval_shape(f, *inputs).shape)
        step = compiled(both, dy, *inputs)
    else:
        step = compiled(lambda *x: (f(*x),), *inputs)
    return step, 0, [v for y in step() for v in common.summary(y)]


def elementwise(name, backward):
    inputs = [array(common.INPUT + i, (common.ELEMENTS,), 4.0) for i in range(common.ELEMENTWISE[name])]
    return operation(FUNCTIONS[name], inputs, backward)


AXES = ("NCHW", "OIHW", "NCHW")


def conv_call(layer):
    strides, dilation = (layer.stride,) * 2, (layer.dilation,) * 2

    def conv(x, w, b):
        y = lax.conv_general_dilated(
            x,
            w,
            strides,
            [(layer.padding,) * 2] * 2,
            rhs_dilation=dilation,
            dimension_numbers=AXES,
            feature_group_count=layer.groups,
        )
        return y + b[:, None, None]

    def conv_transpose(x, w, b):
        # The padding of x spread by the stride, which leaves out what PyTorch cuts off the result.
        padding = [(layer.dilation * (layer.kernel - 1) - layer.padding,) * 2] * 2
        y = lax.conv_transpose(x, w, strides, padding, dilation, dimension_numbers=AXES, transpose_kernel=True)
        return y + b[:, None, None]

    def max_pool2(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def upsample2(x):
        n, c, h, w = x.shape
        return jnp.broadcast_to(x[:, :, :, None, :, None], (n, c, h, 2, w, 2)).reshape(n, c, 2 * h, 2 * w)

    return {f.__name__: f for f in (conv, conv_transpose, max_pool2, upsample2)}[layer.operation]


def conv(layer, backward):
    return operation(conv_call(layer), [jnp.asarray(x) for x in layer.inputs()], backward)


def lstm_cell(gates, c):
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def lstm(x, w_ih, w_hh, b_ih, b_hh):
    def step(state, from_x):
        h, c = state
        h, c = lstm_cell(from_x + h @ w_hh.T, c)
        return (h, c), h

    zeros = jnp.zeros((x.shape[1], w_hh.shape[1]), x.dtype)
    return lax.scan(step, (zeros, zeros), x @ w_ih.T + (b_ih + b_hh))[1]


def gru(x, w_ih, w_hh, b_ih, b_hh):
    def step(h, from_x):
        from_r, from_z, from_n = jnp.split(from_x, 3, axis=-1)
        r, z, n = jnp.split(h @ w_hh.T + b_hh, 3, axis=-1)
        r, z = jax.nn.sigmoid(from_r + r), jax.nn.sigmoid(from_z + z)
        h = (1 - z) * jnp.tanh(from_n + r * n) + z * h
        return h, h

    zeros = jnp.zeros((x.shape[1], w_hh.shape[1]), x.dtype)
    return lax.scan(step, zeros, x @ w_ih.T + b_ih)[1]


def tanh(x, w_ih, w_hh, b_ih, b_hh):
    def step(h, from_x):
        h = jnp.tanh(from_x + h @ w_hh.T)
        return h, h

    zeros = jnp.zeros((x.shape[1], w_hh.shape[1]), x.dtype)
    return lax.scan(step, zeros, x @ w_ih.T + (b_ih + b_hh))[1]


def recurrent(layer, backward):
    f = {"lstm": lstm, "gru": gru, "tanh": tanh}[layer.kind]
    return operation(f, [jnp.asarray(x) for x in [layer.x(), *layer.parameters()]], backward)


def cell():
    x, *parameters = [jnp.asarray(x) for x in [common.CELL.x()[0], *common.CELL.parameters()]]
    state = [jnp.zeros((1, common.CELL.hidden), jnp.float32)] * 2

    @jax.jit
    def f(x, h, c, w_ih, w_hh, b_ih, b_hh):
        return lstm_cell(x @ w_ih.T + h @ w_hh.T + (b_ih + b_hh), c)

    def step():
        state[:] = jax.block_until_ready(f(x, *state, *parameters))
        return state[0]

    return step, 0, [v for _ in range(2) for v in common.summary(step())]


def cross_entropy(logits, labels):
    picked = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    return jnp.mean(jax.nn.logsumexp(logits, axis=1) - picked)


def softmax_cross_entropy():
    rows, classes = common.SOFTMAX
    labels = jnp.asarray(common.labels(rows, classes))
    step = compiled(jax.value_and_grad(cross_entropy), array(common.INPUT, (rows, classes), 4.0), labels)
    loss, dx = step()
    return step, 0, [loss, *common.summary(dx)]


def mlp_loss(parameters, x, labels):
    w1, b1, w2, b2, w3, b3 = parameters
    x = jax.nn.relu(x @ w1.T + b1)
    x = jax.nn.relu(x @ w2.T + b2)
    return cross_entropy(x @ w3.T + b3, labels)


def character_loss(parameters, x, labels):
    embedding, *stack, w, b = parameters
    y = embedding[x]
    for i in range(0, len(stack), 4):
        y = lstm(y, *stack[i : i + 4])
    return cross_entropy((y @ w.T + b).reshape(labels.size, -1), labels)


def adam_step(loss_of, parameters, first, second, t, x, labels):
    """One training step: loss, gradients, Adam; the state is donated, so it is updated in place."""
    lr, beta1, beta2, eps = 1e-3, 0.9, 0.999, 1e-8
    loss, gradients = jax.value_and_grad(loss_of)(parameters, x, labels)
    t = t + 1
    first = [beta1 * m + (1 - beta1) * g for m, g in zip(first, gradients)]
    second = [beta2 * v + (1 - beta2) * g * g for v, g in zip(second, gradients)]
    rate = lr / (1 - beta1**t)
    correction = jnp.sqrt(1 - beta2**t)
    parameters = [
        p - rate * m / (jnp.sqrt(v) / correction + eps) for p, m, v in zip(parameters, first, second)
    ]
    return parameters, first, second, t, loss


LENET = {"conv1": (16, 1, 5, 5), "conv2": (32, 16, 5, 5), "fc1": (128, 1568), "fc2": (10, 128)}
VAE = {
    "encoder.fc1": (400, 784),
    "encoder.mean": (20, 400),
    "encoder.log_variance": (20, 400),
    "decoder.fc1": (400, 20),
    "decoder.fc2": (784, 400),
}


def start(layers):
    """The biases and weights that every peer starts with, by their sorted names, from the weights' shapes."""
    shapes = {f"{name}.weight": shape for name, shape in layers.items()}
    shapes |= {f"{name}.bias": shape[:1] for name, shape in layers.items()}
    return common.model_parameters(shapes).values()


def lenet_loss(parameters, x, labels):
    b1, w1, b2, w2, b3, w3, b4, w4 = parameters
    conv = conv_call(common.Layer((1, 1, 1, 1), 5, padding=2))
    pool = conv_call(common.Layer((1, 1, 1, 1), 2, operation="max_pool2"))
    x = pool(jax.nn.relu(conv(x, w1, b1)))
    x = pool(jax.nn.relu(conv(x, w2, b2)))
    x = jax.nn.relu(x.reshape(len(x), -1) @ w3.T + b3)
    return cross_entropy(x @ w4.T + b4, labels)


def vae_loss(parameters, x, noise):
    """−ELBO, summed over pixels and averaged over the batch. `noise` is an array, or a number to draw it by."""
    b4, w4, b5, w5, b1, w1, b3, w3, b2, w2 = parameters
    features = jax.nn.relu(x @ w1.T + b1)
    mean, log_variance = features @ w2.T + b2, features @ w3.T + b3
    if noise.ndim == 0:
        noise = jax.random.normal(jax.random.key(noise), mean.shape)
    z = mean + jnp.exp(0.5 * log_variance) * noise
    logits = jax.nn.relu(z @ w4.T + b4) @ w5.T + b5
    reconstruction = jnp.sum(jax.nn.softplus(logits) - x * logits)
    divergence = -0.5 * jnp.sum(1 + log_variance - mean**2 - jnp.exp(log_variance))
    return (reconstruction + divergence) / len(x)


def training(loss_of, parameters, x, targets):
    """Training steps with Adam, each with the next one of the iterator `targets`."""
    parameters = [jnp.asarray(p) for p in parameters]
    count = sum(p.size for p in parameters)
    zeros = lambda: [jnp.zeros_like(p) for p in parameters]
    state = [parameters, zeros(), zeros(), jnp.float32(0)]
    x = jnp.asarray(x)
    f = jax.jit(functools.partial(adam_step, loss_of), donate_argnums=(0, 1, 2, 3))

    def step():
        *state[:], loss = f(*state, x, next(targets))
        jax.block_until_ready((state, loss))
        return loss

    return step, count, [step(), step()]


def supervised(loss_of, parameters, x, labels):
    return training(loss_of, parameters, x, itertools.repeat(jnp.asarray(labels)))


def mlp(batch):
    x = array(common.INPUT, (batch, common.MLP[0]))
    return supervised(mlp_loss, common.mlp_parameters(), x, common.labels(batch, common.MLP[-1]))


def character_model():
    return supervised(character_loss, common.character_parameters(), *common.characters())


def lenet(row):
    return common.lowered(*supervised(lenet_loss, start(LENET), *common.pictures(row)))


def vae(row):
    x, noise = common.vae_inputs(row)
    return training(vae_loss, start(VAE), x, itertools.chain(noise, map(np.uint32, itertools.count())))


rows = {f"mlp-784-512-256-10-b{b}": lambda b=b: mlp(b) for b in common.BATCHES}
for name, shape in common.GEMM.items():
    rows[name] = lambda shape=shape: gemm(*shape)
for name in common.ELEMENTWISE:
    rows[f"{name}-4m/fwd"] = lambda name=name: elementwise(name, backward=False)
    rows[f"{name}-4m/fb"] = lambda name=name: elementwise(name, backward=True)
for name, layer in common.LAYERS.items():
    rows[f"{name}/fwd"] = lambda layer=layer: conv(layer, backward=False)
    rows[f"{name}/fb"] = lambda layer=layer: conv(layer, backward=True)
for layer in common.RECURRENT:
    rows[f"{layer.name}/fwd"] = lambda layer=layer: recurrent(layer, backward=False)
    rows[f"{layer.name}/fb"] = lambda layer=layer: recurrent(layer, backward=True)
rows[common.CHARACTERS_ROW] = character_model
for name in common.LENETS:
    rows[name] = lambda name=name: lenet(name)
rows["train/vae-b128"] = lambda: vae("train/vae-b128")
rows[common.CELL_ROW] = cell
rows["softmax-ce-4096x1000/fb"] = softmax_cross_entropy

common.serve(args.name or "jax", jax.__version__, rows)
