//! One test in a process of its own, since the pool is the process's.

use striate_compute::Buffer;
use striate_compute::pool::{fresh, kept, release, set_limit};

#[test]
fn warm_buffers_are_reused_within_the_limit() {
    let address = {
        let buffer = Buffer::<f32>::filled(1 << 20, 1.5);
        assert_eq!(buffer.as_ptr() as usize % 64, 0);
        buffer.as_ptr()
    };
    let fresh_before = fresh();
    let again = Buffer::<f64>::scratch((1 << 19) - 3);
    assert_eq!(again.as_ptr().cast(), address);
    assert_eq!(fresh(), fresh_before);
    drop(again);
    assert_eq!(kept(), 4 << 20);
    release();
    assert_eq!(kept(), 0);
    set_limit(1 << 20);
    drop(Buffer::<f32>::scratch(1 << 20));
    assert_eq!(kept(), 0);
    set_limit(2 << 30);
}
