//! Learns given names letter by letter and makes up new ones.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

mod data;
#[path = "../common/program.rs"]
mod program;

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use data::{EDGE, NameBatch, Names, PADDING, pair_loss, split};
use program::{Outcome, learning_rate, positive};
use striate::compute::par;
use striate::compute::rng::Rng;
use striate::datasets::{Dataset, Vocabulary};
use striate::nn::optim::{Adam, AdamOptions};
use striate::nn::schedule::Cosine;
use striate::nn::{CrossEntropyOptions, Embedding, Linear, Module, ParamStore, cross_entropy_with};
use striate::recurrent::{Gru, SampleOptions, sample};
use striate::tensor::{Tensor, no_grad};
use striate::train::figures::{Curve, Plot, save_plots};
use striate::train::{
    EpochRecord, Metrics, PlainLines, RunFolder, RunningMean, Step, Stop, TensorBoard, Trainer,
    TrainerOptions,
};

/// Train a GRU on given names, letter by letter, and make up new names.
#[derive(Parser)]
#[command(name = "names_gru")]
struct Arguments {
    /// Passes over the training names
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: u64,
    /// Names per step
    #[arg(long, default_value_t = 128, value_parser = positive)]
    batch: usize,
    /// Learning rate at the start; it falls to zero along half a cosine
    #[arg(long, default_value_t = 5e-3, value_parser = learning_rate)]
    lr: f64,
    /// Seed of initial weights, order of the names, and what is made up
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    threads: Option<usize>,
    /// Folder that checkpoint, weights, names and picture go to
    #[arg(long, value_name = "DIR", default_value = "runs/names_gru")]
    out: PathBuf,
    /// Go on from the last checkpoint in --out
    #[arg(long)]
    resume: bool,
    /// Names to make up
    #[arg(long, default_value_t = 1000, value_parser = positive)]
    count: usize,
    /// 0 for the likeliest letter always, 1 as learned, more for more even choices
    #[arg(long, default_value_t = 1.0)]
    temperature: f64,
    /// Choose among this many of the likeliest letters only [default: all]
    #[arg(long)]
    top_k: Option<usize>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(arguments.threads, || train(&arguments))
}

struct NameGru {
    vocabulary: Vocabulary,
    embedding: Embedding,
    gru: Gru,
    read_out: Linear,
}

impl NameGru {
    fn new(store: &ParamStore, vocabulary: Vocabulary) -> Self {
        const EMBEDDING: usize = 32;
        const HIDDEN: usize = 128;
        let root = store.root();
        NameGru {
            embedding: Embedding::new(&root.sub("embedding"), vocabulary.len(), EMBEDDING),
            gru: Gru::new(&root.sub("gru"), EMBEDDING, HIDDEN),
            read_out: Linear::new(&root.sub("read_out"), HIDDEN, vocabulary.len()),
            vocabulary,
        }
    }

    /// The mean cross-entropy, in nats, of the letters and the ends of names.
    fn loss(&self, NameBatch { letters, next, lengths }: &NameBatch) -> Tensor {
        let start = self.gru.zero_state(lengths.len());
        let (h, _) = self.gru.run_padded(&self.embedding.forward(letters), lengths, &start);
        let options = CrossEntropyOptions { ignore_index: Some(PADDING), ..Default::default() };
        let labels: Vec<usize> = next.iter().copied().collect();
        cross_entropy_with(&self.read_out.forward(&h.flatten(0, 1)), &labels, options)
    }

    fn evaluate(&self, names: &Names) -> Metrics {
        let mut mean = RunningMean::default();
        for batch in names.batches(1024) {
            let loss = no_grad(|| self.loss(&batch)).item();
            mean.add([("loss", loss)], batch.lengths.iter().sum());
        }
        mean.means()
    }

    /// Names made up letter by letter, until the edge or 30 letters.
    fn make_up(&self, count: usize, options: &SampleOptions, rng: &mut Rng) -> Outcome<Vec<String>> {
        const LONGEST: usize = 30;
        let mut stream = self.gru.stream()?;
        let mut name = || {
            stream.reset();
            let (mut letter, mut letters) = (0, Vec::new());
            while letters.len() < LONGEST {
                let h = stream.step(&self.embedding.forward(&[letter]).to_vec())?.to_vec();
                let logits = self.read_out.forward(&Tensor::from_vec(&[1, h.len()], h));
                letter = sample(&logits.to_vec(), options, rng)?;
                if letter == 0 {
                    break;
                }
                letters.push(letter);
            }
            Ok(self.vocabulary.decode(&letters))
        };
        no_grad(|| (0..count).map(|_| name()).collect())
    }
}

fn train(arguments: &Arguments) -> Outcome<()> {
    let (known, held_out_names) = split();
    let vocabulary = Vocabulary::new(&format!("{EDGE}{}", known.concat()));
    let [training, held_out] = [&known, &held_out_names].map(|names| Names::new(names, &vocabulary));
    let pairs = pair_loss(&training, &held_out, vocabulary.len());

    let run = RunFolder::create(&arguments.out)?;
    let store = ParamStore::seeded(arguments.seed);
    let net = NameGru::new(&store, vocabulary);
    println!(
        "{} training and {} held-out names; {} parameters, seed {}, {} threads",
        training.len(),
        held_out.len(),
        store.parameters().count(),
        arguments.seed,
        par::threads(),
    );
    let sampling = SampleOptions { temperature: arguments.temperature, top_k: arguments.top_k };
    let mut rng = Rng::named(arguments.seed, "made-up names");
    println!("a name made up before training: {}", net.make_up(1, &sampling, &mut rng)?[0]);
    let &Arguments { epochs, batch, lr, seed, .. } = arguments;
    let options = TrainerOptions {
        epochs,
        clip_norm: Some(1.0),
        run: Some(run.clone()),
        resume: arguments.resume,
        config: serde_json::json!({ "batch": batch, "lr": lr }).to_string(),
        stop: Stop::on_ctrl_c()?,
        ..Default::default()
    };
    let adam = Adam::new(&store, AdamOptions { lr, ..Default::default() });
    let steps = epochs * training.batches(batch).len() as u64;
    let history = Trainer::new(&store, Box::new(adam), options)
        .schedule(Cosine { lr, steps, ..Default::default() })
        .callback(PlainLines(io::stdout()))
        .callback(TensorBoard::create(run.file("tensorboard"))?)
        .fit(
            |epoch| training.batches(batch).seeded(seed).shuffled(epoch),
            |batch| Step { loss: net.loss(&batch), samples: batch.lengths.iter().sum(), metrics: Vec::new() },
            || net.evaluate(&held_out),
        )?;
    store.save(run.file("model.safetensors"))?;

    let made_up = net.make_up(arguments.count, &sampling, &mut rng)?;
    std::fs::write(run.file("names.txt"), made_up.join("\n") + "\n")?;
    let plots = [loss_curves(&history, pairs), lengths(&known, &made_up)];
    save_plots(run.file("names.png"), &plots)?;
    run.write_report(&history)?;

    println!("\n{}", made_up[..made_up.len().min(20)].join(", "));
    let share = |list: &[&str]| {
        let list: HashSet<&str> = list.iter().copied().collect();
        let found = made_up.iter().filter(|name| list.contains(name.as_str())).count();
        100.0 * found as f64 / made_up.len() as f64
    };
    println!(
        "of {} names made up {:.1} % are not in the training list; {:.1} % are in the held-out list; {} are different",
        made_up.len(),
        100.0 - share(&known),
        share(&held_out_names),
        HashSet::<&String>::from_iter(&made_up).len(),
    );
    println!(
        "held-out loss {:.4} nats per letter, of pairs of letters {pairs:.4}, after {} epochs in {:.1} s of training (seed {seed})",
        history.last().expect("at least one epoch").test["loss"],
        history.len(),
        history.iter().map(|record| record.seconds).sum::<f64>(),
    );
    println!("weights, names and picture are in {}", arguments.out.display());
    Ok(())
}

fn loss_curves(history: &[EpochRecord], pairs: f64) -> Plot {
    let curve = |name: &str, loss: &dyn Fn(&EpochRecord) -> f64| Curve {
        name: name.into(),
        points: history.iter().map(|record| (record.epoch as f64, loss(record))).collect(),
        ..Default::default()
    };
    Plot {
        title: "A GRU learns names".into(),
        x_label: "epoch".into(),
        y_label: "cross-entropy, nats per letter".into(),
        curves: vec![
            curve("training, mean over the epoch", &|record| record.train["loss"]),
            curve("held out, after the epoch", &|record| record.test["loss"]),
            Curve { dashed: true, ..curve("held out, pairs of letters counted", &|_| pairs) },
        ],
        ..Default::default()
    }
}

/// How long the names are that were learned, and those made up.
fn lengths(known: &[&str], made_up: &[String]) -> Plot {
    let curve = |name: &str, lengths: Vec<usize>| {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let share = |length| {
            100.0 * lengths.iter().filter(|&&other| other == length).count() as f64 / lengths.len() as f64
        };
        let points = (0..=longest).map(|length| (length as f64, share(length))).collect();
        Curve { name: name.into(), points, ..Default::default() }
    };
    Plot {
        title: "How long names are".into(),
        x_label: "letters".into(),
        y_label: "share of the names, %".into(),
        curves: vec![
            curve("training", known.iter().map(|name| name.len()).collect()),
            curve("made up", made_up.iter().map(String::len).collect()),
        ],
        dots: true,
        ..Default::default()
    }
}
