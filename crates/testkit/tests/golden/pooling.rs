//! Pooling, unpooling and upsampling against PyTorch.

use ndarray::ArrayD;
use striate_conv::*;
use striate_tensor::{Real, Tensor};
use testkit::golden::{Row, check, places, row};

/// A row for the values and one for the indices.
fn both<E: Real>(case: &str, options: PoolOptions<2>) -> [Row<E>; 2] {
    [
        row(format!("max_pool2d, {case}"), move |x, _| max_pool2d(&x[0], options)),
        row(format!("max_pool2d indices, {case}"), move |x, _| {
            places(max_pool2d_with_indices(&x[0], options).1)
        }),
    ]
}

fn sliding(kernel: usize, stride: usize, padding: usize) -> PoolOptions<2> {
    PoolOptions { stride: Some([stride; 2]), padding: [padding; 2], ..kernel.into() }
}

fn maxima<E: Real>() -> Vec<Row<E>> {
    let overlapping = sliding(3, 2, 1);
    let uneven = PoolOptions { stride: Some([1, 3]), padding: [1, 0], ..[3, 2].into() };
    let apart = PoolOptions { stride: Some([3, 4]), ..2.into() };
    let dilated = PoolOptions { stride: Some([2, 1]), padding: [1, 1], dilation: [3, 2], ..[2, 3].into() };
    let dilated_ceil = PoolOptions { dilation: [2, 2], ceil_mode: true, ..sliding(2, 3, 1) };
    let line = PoolOptions { stride: Some([2]), padding: [1], ..3.into() };
    let volume = PoolOptions { stride: Some([2, 1, 3]), padding: [1, 1, 0], ..[2, 3, 2].into() };
    let mut rows: Vec<Row<E>> = [
        both("halving", 2.into()),
        both("halving, ceil", PoolOptions { ceil_mode: true, ..2.into() }),
        both("overlapping, padded", overlapping),
        both("overlapping, padded, ceil", PoolOptions { ceil_mode: true, ..overlapping }),
        both("uneven", uneven),
        both("apart", apart),
        both("dilated", dilated),
        both("dilated, ceil", dilated_ceil),
        both("special, halving", 2.into()),
        both("special, overlapping", sliding(3, 1, 1)),
    ]
    .into_iter()
    .flatten()
    .collect();
    rows.extend([
        row("max_pool2d, wide halving", |x, _| max_pool2d(&x[0], 2)),
        row("max_pool2d, wide overlapping", move |x, _| max_pool2d(&x[0], overlapping)),
        row("max_pool2d, wide, stride 1", |x, _| max_pool2d(&x[0], sliding(3, 1, 1))),
        row("max_pool2d, wide, stride 3", |x, _| max_pool2d(&x[0], sliding(3, 3, 1))),
        row("max_pool2d, wide, stride 4", |x, _| max_pool2d(&x[0], sliding(5, 4, 2))),
        row("max_pool1d", move |x, _| max_pool1d(&x[0], line)),
        row("max_pool1d indices", move |x, _| places(max_pool1d_with_indices(&x[0], line).1)),
        row("max_pool3d", move |x, _| max_pool3d(&x[0], volume)),
        row("max_pool3d indices", move |x, _| places(max_pool3d_with_indices(&x[0], volume).1)),
        row("adaptive_max_pool1d 4", |x, _| adaptive_max_pool1d(&x[0], 4)),
        row("adaptive_max_pool2d 3", |x, _| adaptive_max_pool2d(&x[0], [3, 4])),
        row("adaptive_max_pool2d 8", |x, _| adaptive_max_pool2d(&x[0], [8, 2])),
        row("adaptive_max_pool3d 2", |x, _| adaptive_max_pool3d(&x[0], [2, 4, 3])),
        row("adaptive_max_pool2d indices", |x, _| places(adaptive_max_pool2d_with_indices(&x[0], [3, 4]).1)),
        row("adaptive_max_pool2d indices, special", |x, _| {
            places(adaptive_max_pool2d_with_indices(&x[0], [2, 5]).1)
        }),
        row("global_max_pool", |x, _| global_max_pool(&x[0])),
    ]);
    rows
}

fn averages<E: Real>() -> Vec<Row<E>> {
    fn average<E: Real>(case: &str, options: AvgPoolOptions<2>) -> Row<E> {
        row(format!("avg_pool2d, {case}"), move |x, _| avg_pool2d(&x[0], options))
    }
    let padded = AvgPoolOptions { stride: Some([2, 2]), padding: [1, 1], ..3.into() };
    let ceil = AvgPoolOptions { ceil_mode: true, ..padded };
    let uneven =
        AvgPoolOptions { stride: Some([1, 3]), padding: [1, 1], count_include_pad: false, ..[3, 2].into() };
    vec![
        average("halving", 2.into()),
        average("halving, ceil", AvgPoolOptions { ceil_mode: true, ..2.into() }),
        average("padded", padded),
        average("padded, ceil", ceil),
        average("padded, ceil, inside", AvgPoolOptions { count_include_pad: false, ..ceil }),
        average("uneven, inside", uneven),
        average("apart", AvgPoolOptions { stride: Some([3, 4]), ..2.into() }),
        average("divisor", AvgPoolOptions { divisor_override: Some(5), ..ceil }),
        row("avg_pool1d", |x, _| {
            avg_pool1d(&x[0], AvgPoolOptions { stride: Some([3]), padding: [2], ..4.into() })
        }),
        row("avg_pool3d", |x, _| {
            let options = AvgPoolOptions {
                stride: Some([2, 1, 3]),
                padding: [1, 1, 0],
                ceil_mode: true,
                count_include_pad: false,
                ..[2, 3, 2].into()
            };
            avg_pool3d(&x[0], options)
        }),
        row("adaptive_avg_pool1d 4", |x, _| adaptive_avg_pool1d(&x[0], 4)),
        row("adaptive_avg_pool2d 3", |x, _| adaptive_avg_pool2d(&x[0], [3, 4])),
        row("adaptive_avg_pool2d 8", |x, _| adaptive_avg_pool2d(&x[0], [8, 2])),
        row("adaptive_avg_pool3d 2", |x, _| adaptive_avg_pool3d(&x[0], [2, 4, 3])),
        row("global_avg_pool", |x, _| global_avg_pool(&x[0])),
        row("lp_pool2d 2", |x, _| lp_pool2d(&x[0], 2.0, 2)).f32_within(4e-6),
        row("lp_pool2d 3, ceil", |x, _| {
            let options = LpPoolOptions { kernel: [3, 2], stride: Some([2, 2]), ceil_mode: true };
            lp_pool2d(&x[0], 3.0, options)
        })
        .f32_within(4e-6),
        row("lp_pool2d, zeros", |x, _| lp_pool2d(&x[0], 2.0, 2)),
        row("lp_pool1d 1.5", |x, _| lp_pool1d(&x[0], 1.5, LpPoolOptions { stride: Some([2]), ..3.into() }))
            .f32_within(4e-6),
        row("lp_pool3d 2", |x, _| lp_pool3d(&x[0], 2.0, LpPoolOptions { stride: Some([1; 3]), ..2.into() }))
            .f32_within(4e-6),
    ]
}

fn unpooled<E: Real>() -> Vec<Row<E>> {
    vec![
        row("max_unpool2d", |x, i| max_unpool2d(&x[0], &i[0], 2, None)),
        row("max_unpool2d, sized", |x, i| max_unpool2d(&x[0], &i[0], 2, Some([7, 9]))),
        row("max_unpool2d, overlapping", |x, i| max_unpool2d(&x[0], &i[0], sliding(3, 2, 1), None)),
        row("max_unpool1d", |x, i| {
            max_unpool1d(&x[0], &i[0], PoolOptions { stride: Some([2]), ..3.into() }, None)
        }),
        row("max_unpool3d", |x, i| max_unpool3d(&x[0], &i[0], [2, 2, 3], Some([5, 4, 7]))),
    ]
}

/// Calls `interpolate` over as many axes as x has.
fn resize<E: Real>(x: &Tensor<E>, to: Resize<3>, mode: Interpolation) -> Tensor<E> {
    fn first<const D: usize>(to: Resize<3>) -> Resize<D> {
        match to {
            Resize::Factor(factors) => Resize::Factor(std::array::from_fn(|axis| factors[axis])),
            Resize::Size(sizes) => Resize::Size(std::array::from_fn(|axis| sizes[axis])),
        }
    }
    match x.rank() {
        3 => interpolate::<_, 1>(x, first(to), mode),
        4 => interpolate::<_, 2>(x, first(to), mode),
        _ => interpolate(x, to, mode),
    }
}

fn upsampled<E: Real>() -> Vec<Row<E>> {
    let mut rows = vec![
        row("bed_of_nails 1d", |x, _| bed_of_nails1d(&x[0], [3])),
        row("bed_of_nails 2d", |x, _| bed_of_nails2d(&x[0], [3, 3])),
        row("bed_of_nails 3d", |x, _| bed_of_nails3d(&x[0], [3, 3, 3])),
    ];
    for axes in [1, 2, 3] {
        for (case, to) in [
            ("factor 2", 2.into()),
            ("factor 3", 3.into()),
            ("larger", Resize::Size([7, 8, 3])),
            ("smaller", Resize::Size([[3, 1, 1], [2, 3, 1], [1, 2, 1]][axes - 1])),
        ] {
            rows.push(row(format!("nearest {axes}d, {case}"), move |x, _| {
                resize(&x[0], to, Interpolation::Nearest)
            }));
            for align_corners in [false, true] {
                rows.push(row(format!("linear {axes}d, {case}, {align_corners}"), move |x, _| {
                    resize(&x[0], to, Interpolation::Linear { align_corners })
                }));
            }
        }
    }
    for factor in [2, 3] {
        rows.push(row(format!("pixel_shuffle {factor}"), move |x, _| pixel_shuffle(&x[0], factor)));
        rows.push(row(format!("pixel_unshuffle {factor}"), move |x, _| pixel_unshuffle(&x[0], factor)));
    }
    rows
}

fn all<E: Real>() -> Vec<Row<E>> {
    [maxima(), averages(), unpooled(), upsampled()].into_iter().flatten().collect()
}

#[test]
fn pooling() {
    check::<f64>("pooling", &all());
    check::<f32>("pooling", &all());
}

/// The indices that unpooling takes are those that pooling gives.
#[test]
fn unpooling_takes_what_pooling_gives() {
    let x = Tensor::<f64>::arange(0.0, 4 * 6 * 6).reshape(&[2, 2, 6, 6]);
    let (y, indices): (_, ArrayD<usize>) = max_pool2d_with_indices(&x, 3);
    let back = max_unpool2d(&y, &indices, 3, None);
    assert_eq!(max_pool2d(&back, 3).to_vec(), y.to_vec());
}
