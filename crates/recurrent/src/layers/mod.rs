//! Sequence layers with PyTorch's parameter names.
