//! Mutations of valid files from a seed, so that a fuzz target runs with every test.

/// A small generator (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// What a field for a size may lie.
const SIZES: [u64; 10] =
    [0, 1, 0x7fff, 0xffff, 1 << 31, u32::MAX as u64, 1 << 40, i64::MAX as u64, 1 << 63, u64::MAX];

/// The same in text.
const NUMBERS: [&str; 8] = [
    "-1",
    "0",
    "65536",
    "4294967295",
    "9223372036854775807",
    "-9223372036854775808",
    "1e999",
    "99999999999999999999",
];

/// How often each target runs: as often as the environment says, or `default` times.
fn executions(default: usize) -> usize {
    let said = std::env::var("STRIATE_FUZZ_EXECUTIONS").ok();
    said.map_or(default, |text| text.parse().expect("STRIATE_FUZZ_EXECUTIONS: a whole number"))
}

/// Runs a target on its seeds, which must be valid, and on mutations of them, most of which must not be.
pub(crate) fn attack(default: usize, seeds: &[Vec<u8>], check: impl Fn(&[u8]) -> bool) {
    for (number, seed) in seeds.iter().enumerate() {
        assert!(check(seed), "seed {number} is a valid file");
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let count = executions(default);
    let mut refused = 0;
    for execution in 0..count {
        let mut bytes = seeds[dice.below(seeds.len())].clone();
        for _ in 0..1 + dice.below(4) {
            mutate(&mut bytes, seeds, &mut dice);
        }
        let check = std::panic::AssertUnwindSafe(|| check(&bytes));
        match std::panic::catch_unwind(check) {
            Ok(valid) => refused += usize::from(!valid),
            Err(_) => panic!("execution {execution} panicked on {}", bytes.escape_ascii()),
        }
    }
    eprintln!("{count} executions, {refused} refused");
    assert!(refused * 10 > count, "only {refused} of {count} refused");
}

/// One change; half of them hit the start, where headers stand.
fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let reach = if dice.below(2) == 0 { bytes.len().min(64) } else { bytes.len() };
    let at = dice.below(reach);
    let end = bytes.len().min(at + 1 + dice.below(16));
    match dice.below(10) {
        0 | 1 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        2 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..end)),
        5 => bytes.extend_from_within(at..end),
        6 => {
            let more: Vec<u8> = (0..1 + dice.below(16)).map(|_| dice.below(256) as u8).collect();
            drop(bytes.splice(at..at, more));
        }
        7 => {
            let other = &seeds[dice.below(seeds.len())];
            let from = dice.below(other.len());
            let to = other.len().min(from + 1 + dice.below(64));
            drop(bytes.splice(at..end, other[from..to].iter().copied()));
        }
        8 => {
            let (size, width) = (dice.of(&SIZES), dice.of(&[2, 4, 8]));
            let lie = if dice.below(2) == 0 { size.to_le_bytes() } else { size.to_be_bytes() };
            let lie = if lie[0] == 0 { &lie[8 - width..] } else { &lie[..width] };
            bytes.iter_mut().skip(at).zip(lie).for_each(|(byte, lie)| *byte = *lie);
        }
        _ => {
            let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let numbers: Vec<usize> = (0..bytes.len())
                .filter(|&i| bytes[i].is_ascii_digit() && (i == 0 || !bytes[i - 1].is_ascii_digit()))
                .collect();
            if !numbers.is_empty() {
                let at = dice.of(&numbers);
                let end = at + digits(at);
                drop(bytes.splice(at..end, dice.of(&NUMBERS).bytes()));
            }
        }
    }
}
