//! Two ways to measure contenders: in turn, so that noise of the machine hits all alike (the table),
//! or one after the other with criterion, for its statistics.

use std::time::Instant;

use criterion::{Criterion, SamplingMode, Throughput};

/// One way to verify a set of signatures.
pub struct Contender<'a> {
    /// What the table calls it.
    pub name: &'static str,
    /// Signatures that one call verifies.
    pub count: usize,
    /// One call.
    pub run: Box<dyn FnMut() + 'a>,
}

/// Without rounds, the contenders become a criterion group. Otherwise they run in turn for `rounds`
/// rounds, and this prints for each the median and minimum in
/// microseconds per signature, and the median over rounds of the first one's time over its own.
pub fn compare(title: &str, rounds: usize, mut contenders: Vec<Contender>) {
    if rounds == 0 {
        return with_criterion(title, contenders);
    }
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    for contender in &mut contenders {
        (contender.run)();
    }
    for _ in 0..rounds {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let start = Instant::now();
            (contender.run)();
            times.push(start.elapsed().as_secs_f64() * 1e6 / contender.count as f64);
        }
    }
    let names: Vec<_> = contenders.iter().map(|contender| contender.name).collect();
    print(title, &names, &times);
}

/// Prints a table of times, in microseconds.
pub fn print(title: &str, names: &[&str], times: &[Vec<f64>]) {
    println!("{title}");
    for (name, own) in names.iter().zip(times) {
        let ratios = times[0]
            .iter()
            .zip(own)
            .map(|(first, own)| first / own)
            .collect();
        println!(
            "  {:<44} {:>9.3} us (min {:>8.3})   {:>6.2} x",
            name,
            median(own.clone()),
            own.iter().copied().fold(f64::MAX, f64::min),
            median(ratios)
        );
    }
}

fn with_criterion(title: &str, contenders: Vec<Contender>) {
    let mut criterion = Criterion::default().sample_size(20);
    let mut group = criterion.benchmark_group(title);
    group.sampling_mode(SamplingMode::Flat);
    for mut contender in contenders {
        group.throughput(Throughput::Elements(contender.count as u64));
        group.bench_function(contender.name, |bencher| bencher.iter(&mut contender.run));
    }
    group.finish();
}

/// The middle value.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
