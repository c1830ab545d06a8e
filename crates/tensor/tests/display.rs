//! What a printed tensor looks like.

use striate_tensor::Tensor;

fn printed(values: &[f32]) -> String {
    Tensor::from_slice(values).to_string()
}

#[test]
fn numbers_are_written_as_pytorch_writes_them() {
    assert_eq!(printed(&[1.0, -20.0, 300.0]), "[  1, -20, 300]");
    assert_eq!(printed(&[0.5, -1.25, 3.0]), "[ 0.5000, -1.2500,  3.0000]");
    assert_eq!(printed(&[0.5, 1e-6]), "[ 5.0000e-1,  1.0000e-6]");
    assert_eq!(printed(&[1.5e9, -1.0]), "[ 1.5000e9, -1.0000e0]");
    assert_eq!(printed(&[f32::NAN, 1.5, f32::NEG_INFINITY]), "[   NaN, 1.5000,   -inf]");
    assert_eq!(printed(&[f32::NAN, f32::INFINITY]), "[NaN, inf]");
    assert_eq!(printed(&[0.0, 0.0]), "[0, 0]");
    assert_eq!(printed(&[]), "[]");
    assert_eq!(format!("{:.1}", Tensor::from_slice(&[0.25f32, 2.0])), "[0.2, 2.0]");
}

#[test]
fn scalars_matrices_and_views_print() {
    assert_eq!(Tensor::<f64>::scalar(0.1).to_string(), "0.1000");
    assert_eq!(Tensor::<f32>::arange(0.0, 4).reshape(&[2, 2]).t().to_string(), "[[0, 2],\n [1, 3]]");
    assert_eq!(Tensor::<f32>::zeros(&[2, 0]).to_string(), "[[]]");
}

#[test]
fn large_tensors_are_shortened() {
    let text = Tensor::<f32>::ones(&[1000, 1000]).to_string();
    assert!(text.contains("...") && text.len() < 2000, "{text}");
}

#[test]
fn debug_names_shape_element_and_tracking() {
    let x = Tensor::from_slice(&[1.0f32]);
    assert_eq!(format!("{x:?}"), "Tensor [1] f32\n[1]");
    assert_eq!(format!("{:?}", x.requires_grad()), "Tensor [1] f32, tracked\n[1]");
}
