//! The fuzz target's check on bytes from a seed, so that it runs with every test.

#[path = "../fuzz/check.rs"]
mod check;

#[test]
fn arbitrary_shapes_and_options() {
    let mut state = 1u64;
    for _ in 0..60_000 {
        let bytes: Vec<u8> = (0..40)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .collect();
        check::run(&bytes);
    }
}
