//! Values and gradients of PyTorch, in one binary: the operations are compiled once for all of these tests.

mod elementary;
mod init;
mod layers;
mod layout;
mod losses;
mod mlp;
mod optim;
mod reductions;
mod schedules;
mod special;
