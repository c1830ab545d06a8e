"""Makes the golden files with numpy, Python's safetensors and PyTorch: python make.py

The same values as in tests/golden.rs. Needs numpy, ml_dtypes, safetensors, torch.
"""
import pathlib

import ml_dtypes
import numpy as np
import safetensors.numpy
import torch

here = pathlib.Path(__file__).parent
ramp = np.arange(6).reshape(2, 3) - 1

arrays = {
    "f64": ramp / 3,
    "f32": (ramp / 3).astype(np.float32),
    "f16": (ramp / 4).astype(np.float16),
    "i64": ramp.astype(np.int64) << 40,
    "i32": ramp.astype(np.int32),
    "i16": ramp.astype(np.int16),
    "i8": ramp.astype(np.int8),
    "u64": np.full((2, 3), 2**64 - 1, np.uint64),
    "u32": np.full((2, 3), 2**32 - 1, np.uint32),
    "u16": np.full((2, 3), 2**16 - 1, np.uint16),
    "u8": np.full((2, 3), 2**8 - 1, np.uint8),
    "bool": ramp > 1,
    "scalar": np.array(2.5, np.float32),
    "empty": np.zeros((0, 3), np.float32),
}
layouts = {
    "fortran": np.asfortranarray(arrays["f32"]),
    "big_f32": arrays["f32"].astype(">f4"),
    "big_i64": arrays["i64"].astype(">i8"),
    "big_fortran": np.asfortranarray(arrays["i16"].astype(">i2")),
    "long_shape": np.arange(6, dtype=np.uint8).reshape((1,) * 20 + (2, 3)),
}
np.savez(here / "stored.npz", **arrays, **layouts)
np.savez_compressed(here / "deflated.npz", **arrays)
np.savez(here / "pickle.npz", objects=np.array([{"a": 1}, None], dtype=object))
with open(here / "version2.npy", "wb") as file:
    np.lib.format.write_array(file, arrays["f32"], version=(2, 0))
with open(here / "version3.npy", "wb") as file:
    np.lib.format.write_array(file, arrays["f32"], version=(3, 0))
safetensors.numpy.save_file(
    {**arrays, "bf16": (ramp / 4).astype(ml_dtypes.bfloat16)},
    here / "all.safetensors",
    metadata={"format": "np", "note": "ä \"quoted\""},
)

tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items() if array.dtype.kind != "u" or array.dtype == np.uint8}
tensors["bf16"] = torch.from_numpy((ramp / 4).astype(np.float32)).bfloat16()
torch.save(tensors, here / "tensors.pth")
module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
with torch.no_grad():
    for i, parameter in enumerate(module.parameters()):
        parameter.copy_(torch.arange(parameter.numel()).reshape(parameter.shape) + 10.0 * i)
optimizer = torch.optim.Adam(module.parameters())
module(torch.ones(4, 3)).sum().backward()
whole = torch.arange(12, dtype=torch.float32).reshape(3, 4)
checkpoint = {
    "model": module.state_dict(),
    "optimizer": optimizer.state_dict(),
    "epoch": 3,
    "note": "text",
    "views": [whole.t(), whole[1:, 2], whole[::2], torch.ones(1).expand(2, 3)],
    "parameter": torch.nn.Parameter(whole),
    5: torch.zeros(0, 3),
}
torch.save(checkpoint, here / "checkpoint.pt")
torch.save(checkpoint, here / "protocol4.pt", pickle_protocol=4)
torch.save(module, here / "module.pt")
torch.save(module.state_dict(), here / "old.pth", _use_new_zipfile_serialization=False)
