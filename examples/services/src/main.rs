//! `services N` makes N devices, sells them to an owner, and onboards each over HTTP on this machine.

use services::Failure;

fn main() -> Result<(), Failure> {
    let count = std::env::args()
        .nth(1)
        .map_or(Ok(3), |count| count.parse())?;
    let world = services::world::World::new()?;
    for number in 0..count {
        let made = world.factory.make(&format!("Model 7, {number:06}"))?;
        println!("{}", world.sell(&made.voucher)?);
        let onboarded = services::device::onboard(&world.url, &made.credential)?;
        println!(
            "onboarded by {}, sold {} times",
            hex::encode(onboarded.owner),
            onboarded.entries
        );
    }
    Ok(())
}
