//! Depths, numbers of parameters, and what 1×1 convolutions save.

use striate_nn::ParamStore;
use striate_vision::{
    ClassifierSize, GoogLeNet, GoogLeNetOptions, classifier_names, classifier_size, inception_costs,
};

#[test]
fn the_revolution_of_depth() {
    let network = |name, weight_layers, parameters, auxiliary| {
        let size = ClassifierSize { weight_layers, parameters, auxiliary };
        assert_eq!(classifier_size(name, 1000), Ok(size), "{name}");
    };
    network("alexnet", 8, 61_100_840, 0);
    network("vgg19", 19, 143_667_240, 0);
    network("googlenet", 22, 13_004_888, 13_004_888 - 6_624_904);
    network("resnet152", 152, 60_192_808, 0);
    assert!(classifier_size("resnet19", 10).is_err());
}

#[test]
fn networks_are_as_deep_as_their_names_say() {
    let numbered = classifier_names().filter(|name| !name.starts_with("vgg") && *name != "alexnet");
    for name in numbered.filter(|name| *name != "googlenet") {
        let layers: usize = name.trim_matches(char::is_alphabetic).parse().unwrap();
        assert_eq!(classifier_size(name, 2).unwrap().weight_layers, layers, "{name}");
    }
}

#[test]
fn one_by_one_convolutions_save_what_the_formula_says() {
    let (paper, here) = (inception_costs(5), inception_costs(3));
    let sum =
        |costs: &[_], of: fn(&striate_vision::InceptionCost) -> usize| costs.iter().map(of).sum::<usize>();
    let store = ParamStore::<f32>::seeded(0);
    GoogLeNet::<f32>::with(&store.root(), 2, &GoogLeNetOptions { aux_heads: false, ..Default::default() });
    let inception = store.select("inception");
    let weights =
        inception.iter().filter(|(_, value)| value.shape().len() == 4).map(|(_, value)| value.len());
    assert_eq!(sum(&here, |cost| cost.weights), weights.sum::<usize>(), "as many as the network has");
    assert_eq!(paper.iter().map(|cost| cost.features).collect::<Vec<_>>()[..2], [256, 480]);
    for pair in paper.windows(2) {
        assert_eq!(pair[0].features, pair[1].channels, "{}", pair[1].module);
    }
    assert_eq!(
        [sum(&paper, |cost| cost.weights), sum(&paper, |cost| cost.weights_without)],
        [5_842_176, 24_151_040]
    );
}
