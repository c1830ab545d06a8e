//! Pooling, unpooling and upsampling of `striate-conv`.

use ndarray::ArrayD;
use striate_conv::{
    AvgPoolOptions, PoolOptions, Resize, adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_max_pool2d,
    avg_pool1d, avg_pool2d, avg_pool3d, bed_of_nails2d, bed_of_nails3d, global_avg_pool, global_max_pool,
    lp_pool2d, max_pool1d, max_pool2d, max_pool2d_with_indices, max_pool3d, max_unpool2d, pixel_shuffle,
    pixel_unshuffle, upsample_bilinear2d, upsample_linear1d, upsample_nearest1d, upsample_nearest2d,
    upsample_nearest3d, upsample_trilinear3d,
};

use crate::Case;
use crate::gradcheck::{positive, values};

const OVERLAPPING: PoolOptions<2> =
    PoolOptions { kernel: [3, 2], stride: Some([2, 1]), padding: [1, 1], dilation: [1, 2], ceil_mode: true };

pub(super) fn cases() -> Vec<Case> {
    let case = |op, name, inputs, call| Case { op, name, inputs, call, second_order: true };
    let line = || vec![values(&[2, 2, 7], 1)];
    let image = || vec![values(&[2, 2, 5, 6], 1)];
    let volume = || vec![values(&[1, 2, 3, 4, 3], 1)];
    vec![
        case("max_pool", "halving", image(), |x| max_pool2d(&x[0], 2).square()),
        case("max_pool", "overlapping", image(), |x| max_pool2d(&x[0], OVERLAPPING).square()),
        case("max_pool", "with indices", image(), |x| max_pool2d_with_indices(&x[0], 2).0.square()),
        case("max_pool", "adaptive", image(), |x| adaptive_max_pool2d(&x[0], [3, 4]).square()),
        case("max_pool", "global", image(), |x| global_max_pool(&x[0]).square()),
        case("max_pool", "1d", line(), |x| max_pool1d(&x[0], 3)),
        case("max_pool", "3d", volume(), |x| max_pool3d(&x[0], 2)),
        case("max_pool", "wide", vec![values(&[1, 1, 4, 40], 1)], |x| max_pool2d(&x[0], 2)),
        case("avg_pool", "halving", image(), |x| avg_pool2d(&x[0], 2).square()),
        case("avg_pool", "overlapping", image(), |x| {
            let options = AvgPoolOptions { stride: Some([2, 1]), padding: [1, 1], ..3.into() };
            avg_pool2d(&x[0], AvgPoolOptions { count_include_pad: false, ceil_mode: true, ..options })
                .square()
        }),
        case("avg_pool", "adaptive", image(), |x| adaptive_avg_pool2d(&x[0], [3, 8]).square()),
        case("avg_pool", "global", image(), |x| global_avg_pool(&x[0]).square()),
        case("avg_pool", "1d", line(), |x| avg_pool1d(&x[0], 3)),
        case("avg_pool", "1d, adaptive", line(), |x| adaptive_avg_pool1d(&x[0], 3)),
        case("avg_pool", "3d", volume(), |x| {
            avg_pool3d(&x[0], AvgPoolOptions { divisor_override: Some(3), ..2.into() })
        }),
        case("avg_pool", "of powers", vec![positive(&[2, 2, 5, 6], 1)], |x| lp_pool2d(&x[0], 3.0, 2)),
        case("max_unpool", "2d", vec![values(&[1, 2, 2, 2], 1)], |x| {
            let places = [0usize, 3, 8, 11, 5, 2, 12, 15].to_vec();
            let places = ArrayD::from_shape_vec(vec![1, 2, 2, 2], places).unwrap();
            max_unpool2d(&x[0], &places, 2, None).square()
        }),
        case("upsample_nearest", "factor 2", image(), |x| upsample_nearest2d(&x[0], 2).square()),
        case("upsample_nearest", "to a size", image(), |x| {
            upsample_nearest2d(&x[0], Resize::Size([7, 4])).square()
        }),
        case("upsample_nearest", "1d", line(), |x| upsample_nearest1d(&x[0], 3)),
        case("upsample_nearest", "3d", volume(), |x| upsample_nearest3d(&x[0], 2)),
        case("upsample_linear", "bilinear", image(), |x| upsample_bilinear2d(&x[0], 2, false).square()),
        case("upsample_linear", "bilinear, to a size, corners", image(), |x| {
            upsample_bilinear2d(&x[0], Resize::Size([7, 4]), true).square()
        }),
        case("upsample_linear", "1d", line(), |x| upsample_linear1d(&x[0], Resize::Size([4]), false)),
        case("upsample_linear", "3d", volume(), |x| upsample_trilinear3d(&x[0], 2, true)),
        case("bed_of_nails", "2d", image(), |x| bed_of_nails2d(&x[0], [2, 3]).square()),
        case("bed_of_nails", "3d", volume(), |x| bed_of_nails3d(&x[0], [2, 1, 2])),
        case("pixel_shuffle", "factor 2", vec![values(&[2, 8, 2, 3], 1)], |x| {
            pixel_shuffle(&x[0], 2).square()
        }),
        case("pixel_shuffle", "factor 3", vec![values(&[1, 9, 2, 1], 1)], |x| pixel_shuffle(&x[0], 3)),
        case("pixel_shuffle", "back", vec![values(&[2, 2, 4, 6], 1)], |x| pixel_unshuffle(&x[0], 2).square()),
    ]
}
