//! The models of the course's third section: perceptron, logistic regression, multi-layer perceptron.

pub mod logistic;
pub mod mlp;
pub mod perceptron;
