//! Contenders take turns, so that noise of the machine hits all alike.

use std::time::Instant;

/// One way to verify a set of signatures.
pub struct Contender<'a> {
    /// What the table calls it.
    pub name: &'static str,
    /// Signatures that one call verifies.
    pub count: usize,
    /// One call.
    pub run: Box<dyn FnMut() + 'a>,
}

/// Runs the contenders in turn for `rounds` rounds and prints for each the median and minimum in
/// microseconds per signature, and the median over rounds of the first one's time over its own.
pub fn compare(title: &str, rounds: usize, mut contenders: Vec<Contender>) {
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
    println!("{title}");
    for (contender, own) in contenders.iter().zip(&times) {
        let ratios = times[0]
            .iter()
            .zip(own)
            .map(|(first, own)| first / own)
            .collect();
        println!(
            "  {:<44} {:>9.3} us (min {:>8.3})   {:>6.2} x",
            contender.name,
            median(own.clone()),
            own.iter().copied().fold(f64::MAX, f64::min),
            median(ratios)
        );
    }
}

/// The middle value.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
