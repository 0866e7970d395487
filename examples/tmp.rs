use ownership_voucher::*;
fn main() {
    for p in std::env::args().skip(1) {
        let b = std::fs::read(&p).unwrap();
        match Voucher::parse(&b) {
            Ok(v) => {
                println!(
                    "{p} ok {:?} {:?} {:?}",
                    v,
                    v.findings()
                        .iter()
                        .map(|f| format!("{}@{:?}", f.kind.name(), f.entry))
                        .collect::<Vec<_>>(),
                    v.owner_key().public_key()
                )
            }
            Err(e) => println!("{p} {e:?}"),
        }
    }
}
