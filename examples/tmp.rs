use ownership_voucher::*;
fn main() {
    for p in std::env::args().skip(1) {
        let b = std::fs::read(&p).unwrap();
        let r = Voucher::parse(&b).and_then(|v| v.verify(&Policy::new()));
        println!("{p} {r:?}");
        let a = audit(&b, &Policy::new());
        println!(
            "   {:?} {:?}",
            a.errors,
            a.findings.iter().map(|f| f.kind.name()).collect::<Vec<_>>()
        )
    }
}
