"""A small network's state dict in three precisions, with its logits, loss and gradients."""

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from .record import FOLDER, Golden, normal


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(7, 11)
        self.fc2 = nn.Linear(11, 5)
        self.fc3 = nn.Linear(5, 3)

    def forward(self, x):
        return self.fc3(torch.tanh(self.fc2(torch.relu(self.fc1(x)))))


def write():
    net, x, labels = Mlp(), normal(6, 7), torch.tensor([2, 0, 1, 1, 0, 2])
    g = Golden("mlp")
    g.keep("x", x)
    g.keep("labels", labels)
    for name, dtype in [("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)]:
        rounded = {key: value.to(dtype) for key, value in net.state_dict().items()}
        save_file(rounded, FOLDER / f"mlp_{name}.safetensors")
        wide = Mlp()
        wide.load_state_dict(rounded)
        logits = wide(x)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        g.keep(f"{name}:logits", logits)
        g.keep(f"{name}:loss", loss)
        for key, parameter in wide.named_parameters():
            g.keep(f"{name}:grad.{key}", parameter.grad)
    g.write()
