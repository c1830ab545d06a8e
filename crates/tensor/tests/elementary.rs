//! Values, kinks and edges of functions of one number and of two.

use striate_tensor::ops::CloseOptions;
use striate_tensor::{Real, Tensor};

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let near = (found - expected).abs() <= 1e-12 * (1.0 + expected.abs());
        assert!(
            near || found == expected || (found.is_nan() && expected.is_nan()),
            "{found} is not {expected}"
        );
    }
}

fn slope<E: Real>(x: &[E], f: impl Fn(&Tensor<E>) -> Tensor<E>) -> Vec<E> {
    let x = Tensor::from_slice(x).requires_grad();
    f(&x).sum().backward().get(&x).expect("x is used").to_vec()
}

/// PyTorch 2.15 in float64 at −1.5, −0.2, 0.7 and 3.
#[test]
fn values_are_pytorchs() {
    let x = Tensor::from_slice(&[-1.5f64, -0.2, 0.7, 3.0]);
    type Function = fn(&Tensor<f64>) -> Tensor<f64>;
    let table: &[(Function, [f64; 4])] = &[
        (|x| x.exp(), [0.22313016014842982, 0.8187307530779818, 2.0137527074704766, 20.085536923187668]),
        (|x| x.expm1(), [-0.7768698398515702, -0.18126924692201815, 1.0137527074704764, 19.085536923187668]),
        (|x| x.log(), [f64::NAN, f64::NAN, -0.35667494393873245, 1.0986122886681098]),
        (|x| x.log1p(), [f64::NAN, -0.22314355131420976, 0.5306282510621704, 1.3862943611198906]),
        (|x| x.erf(), [-0.9661051464753108, -0.22270258921047847, 0.6778011938374184, 0.9999779095030014]),
        (|x| x.sin(), [-0.9974949866040544, -0.19866933079506122, 0.644217687237691, 0.1411200080598672]),
        (|x| x.cos(), [0.0707372016677029, 0.9800665778412416, 0.7648421872844885, -0.9899924966004454]),
        (|x| x.square(), [2.25, 0.04000000000000001, 0.48999999999999994, 9.0]),
        (|x| x.sqrt(), [f64::NAN, f64::NAN, 0.8366600265340756, 1.7320508075688772]),
        (|x| x.rsqrt(), [f64::NAN, f64::NAN, 1.1952286093343936, 0.5773502691896258]),
        (|x| x.reciprocal(), [-0.6666666666666666, -5.0, 1.4285714285714286, 0.3333333333333333]),
        (|x| x.powf(3.0), [-3.375, -0.008000000000000002, 0.3429999999999999, 27.0]),
        (|x| x.powf(1.0), [-1.5, -0.2, 0.7, 3.0]),
        (|x| x.abs(), [1.5, 0.2, 0.7, 3.0]),
        (|x| x.sign(), [-1.0, -1.0, 1.0, 1.0]),
        (|x| x.tanh(), [-0.9051482536448664, -0.197375320224904, 0.6043677771171635, 0.9950547536867305]),
        (|x| x.sigmoid(), [0.18242552380635635, 0.45016600268752216, 0.6681877721681662, 0.9525741268224334]),
        (
            |x| x.log_sigmoid(),
            [-1.7014132779827524, -0.7981388693815918, -0.4031860488854579, -0.04858735157374206],
        ),
        (|x| x.softplus(), [0.2014132779827524, 0.5981388693815918, 1.103186048885458, 3.048587351573742]),
        (|x| x.hard_sigmoid(), [0.25, 0.4666666666666666, 0.6166666666666667, 1.0]),
        (|x| x.relu(), [0.0, 0.0, 0.7, 3.0]),
        (|x| (x * 3.0).relu6(), [0.0, 0.0, 2.0999999999999996, 6.0]),
        (|x| x.leaky_relu(0.01), [-0.015, -0.002, 0.7, 3.0]),
        (|x| x.elu(1.5), [-1.1653047597773554, -0.2719038703830272, 0.7, 3.0]),
        (|x| x.gelu(), [-0.10021080190328704, -0.0841480581121794, 0.5306254434438489, 2.99595030590511]),
        (
            |x| x.gelu_tanh(),
            [-0.10042842301976707, -0.08414857021789374, 0.5305701347051167, 2.996362607918227],
        ),
        (|x| x.silu(), [-0.2736382857095345, -0.09003320053750444, 0.46773144051771626, 2.8577223804672998]),
    ];
    for (f, expected) in table {
        close(&f(&x).to_vec(), expected);
    }
}

#[test]
fn nothing_overflows_at_ten_thousand() {
    type Function<E> = fn(&Tensor<E>) -> Tensor<E>;
    fn check<E: Real>() {
        let activations: &[(&str, Function<E>)] = &[
            ("tanh", |x| x.tanh()),
            ("sigmoid", |x| x.sigmoid()),
            ("log_sigmoid", |x| x.log_sigmoid()),
            ("softplus", |x| x.softplus()),
            ("hard_sigmoid", |x| x.hard_sigmoid()),
            ("relu", |x| x.relu()),
            ("relu6", |x| x.relu6()),
            ("leaky_relu", |x| x.leaky_relu(0.01)),
            ("elu", |x| x.elu(1.0)),
            ("gelu", |x| x.gelu()),
            ("gelu_tanh", |x| x.gelu_tanh()),
            ("silu", |x| x.silu()),
            ("erf", |x| x.erf()),
        ];
        let edges = [-1e4, -100.0, -0.0, 0.0, 100.0, 1e4].map(E::of);
        for (name, f) in activations {
            let y = f(&Tensor::from_slice(&edges)).to_vec();
            assert!(y.iter().all(|y| y.abs() <= E::of(1e4)), "{name}: {y:?}");
            let dx = slope(&edges, f);
            assert!(dx.iter().all(|dx| dx.abs() <= E::of(1.2)), "{name}: slopes {dx:?}");
            assert!(f(&Tensor::from_slice(&[E::NAN])).to_vec()[0].is_nan(), "{name} loses NaN");
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn tails_keep_their_digits() {
    let low = Tensor::from_slice(&[-90.0f32]);
    assert!((low.log_sigmoid().item() + 90.0).abs() < 1e-5);
    assert!(low.softplus().item() > 0.0);
    assert_eq!(slope(&[-90.0f32], |x| x.softplus()), low.sigmoid().to_vec());
}

#[test]
fn kinks_have_pytorchs_slopes() {
    assert_eq!(slope(&[-1.0f32, 0.0, 1.0], |x| x.relu()), [0.0, 0.0, 1.0]);
    assert_eq!(slope(&[0.0f32, 3.0, 6.0], |x| x.relu6()), [0.0, 1.0, 0.0]);
    assert_eq!(slope(&[-1.0f32, 0.0, 1.0], |x| x.leaky_relu(0.5)), [0.5, 0.5, 1.0]);
    assert_eq!(slope(&[0.0f32], |x| x.elu(2.0)), [2.0]);
    assert_eq!(slope(&[-2.0f32, 0.0, 2.0], |x| x.abs()), [-1.0, 0.0, 1.0]);
    assert_eq!(slope(&[-2.0f32, -1.0, 0.5, 1.0], |x| x.clamp(-1.0, 1.0)), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(slope(&[-3.0f32, 0.0, 3.0], |x| x.hard_sigmoid() * 6.0), [0.0, 1.0, 0.0]);
    assert_eq!(slope(&[0.0f32, 5.0], |x| x.powf(0.0)), [0.0, 0.0]);
    assert_eq!(slope(&[0.0f32], |x| x.sqrt()), [f32::INFINITY]);
}

#[test]
fn a_closed_gate_stops_an_infinite_gradient() {
    assert_eq!(slope(&[-1.0f32, 2.0], |x| x.relu().log()), [0.0, 0.5]);
    assert_eq!(slope(&[-1.0f32, 2.0], |x| x.clamp(0.0, None).log()), [0.0, 0.5]);
}

#[test]
fn clamp_with_crossed_limits_takes_the_upper_one() {
    assert_eq!(Tensor::from_slice(&[0.0f32, 9.0]).clamp(5.0, 1.0).to_vec(), [1.0, 1.0]);
}

#[test]
fn powers_of_zero_have_finite_gradients_where_pytorchs_are() {
    let a = Tensor::from_slice(&[0.0f64, 0.0, 2.0]).requires_grad();
    let b = Tensor::from_slice(&[0.0f64, 2.0, 0.0]).requires_grad();
    let gradients = a.pow(&b).sum().backward();
    assert_eq!(gradients.get(&a).unwrap().to_vec(), [0.0, 0.0, 0.0]);
    close(&gradients.get(&b).unwrap().to_vec(), &[0.0, 0.0, 2.0f64.ln()]);
}

#[test]
fn equal_operands_of_maximum_and_minimum_share_the_gradient() {
    let a = Tensor::from_slice(&[1.0f32, 2.0, 3.0]).requires_grad();
    let b = Tensor::from_slice(&[2.0f32, 2.0, 2.0]).requires_grad();
    let larger = a.maximum(&b).sum().backward();
    assert_eq!(larger.get(&a).unwrap().to_vec(), [0.0, 0.5, 1.0]);
    assert_eq!(larger.get(&b).unwrap().to_vec(), [1.0, 0.5, 0.0]);
    let smaller = a.minimum(&b).sum().backward();
    assert_eq!(smaller.get(&a).unwrap().to_vec(), [1.0, 0.5, 0.0]);
    assert_eq!(smaller.get(&b).unwrap().to_vec(), [0.0, 0.5, 1.0]);
}

#[test]
fn maximum_and_minimum_pass_nan_on_from_either_side() {
    let (nan, one) = (Tensor::<f32>::scalar(f64::NAN), Tensor::scalar(1.0));
    for y in [nan.maximum(&one), one.maximum(&nan), nan.minimum(&one), one.minimum(&nan)] {
        assert!(y.item().is_nan());
    }
}

#[test]
fn comparisons_broadcast_and_are_untracked() {
    let x = Tensor::from_vec(&[2, 2], vec![1.0f32, 2.0, 3.0, f32::NAN]).requires_grad();
    let row = Tensor::from_slice(&[2.0f32, 2.0]);
    assert_eq!(x.lt(&row).to_vec(), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(x.le(&row).to_vec(), [1.0, 1.0, 0.0, 0.0]);
    assert_eq!(x.gt(&row).to_vec(), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(x.ge(2.0).to_vec(), [0.0, 1.0, 1.0, 0.0]);
    assert_eq!(x.eq(2.0).to_vec(), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(x.ne(2.0).to_vec(), [1.0, 0.0, 1.0, 1.0]);
    assert_eq!(x.is_nan().to_vec(), [0.0, 0.0, 0.0, 1.0]);
    assert_eq!((1.0 / x.sign()).is_finite().to_vec(), [1.0, 1.0, 1.0, 0.0]);
    assert!(!x.gt(&row).is_tracked());
}

#[test]
fn closeness_is_relative_to_the_second() {
    let infinite = Tensor::from_slice(&[f32::INFINITY]);
    let options = CloseOptions::default();
    assert!(infinite.all_close(&infinite, options));
    assert!(!Tensor::from_slice(&[1.0f32]).all_close(&infinite, options));
    assert!(!Tensor::from_slice(&[f32::NAN]).all_close(&Tensor::from_slice(&[f32::NAN]), options));
    assert!(Tensor::<f32>::zeros(&[0]).all_close(&Tensor::zeros(&[0]), options));
}

#[test]
fn empty_tensors_stay_empty() {
    let x = Tensor::<f32>::zeros(&[2, 0]).requires_grad();
    let y = x.gelu().exp().maximum(&Tensor::scalar(1.0)).clamp(0.0, 1.0);
    assert_eq!(y.shape(), [2, 0]);
    assert_eq!(y.sum().backward().get(&x).unwrap().shape(), [2, 0]);
}

#[test]
#[should_panic(expected = "maximum: lengths 2 and 3 do not broadcast")]
fn shapes_that_do_not_broadcast() {
    Tensor::<f32>::zeros(&[2]).maximum(&Tensor::zeros(&[3]));
}

#[test]
#[should_panic(expected = "gt: lengths 2 and 3 do not broadcast")]
fn comparisons_that_do_not_broadcast() {
    Tensor::<f32>::zeros(&[2]).gt(Tensor::zeros(&[3]));
}

#[test]
#[should_panic(expected = "prelu: needs one slope, or one for each of 3 channels (x [2, 3], slope [2])")]
fn prelu_with_a_wrong_number_of_slopes() {
    Tensor::<f32>::zeros(&[2, 3]).prelu(&Tensor::zeros(&[2]));
}
