#!/bin/bash -eu
# Builds the targets of .ci/fuzz with cargo-fuzz. Not tried yet.
cd "$SRC/ownership-voucher"
targets=(parse file verify batch extend forge roundtrip engines capi onboard sdo fdo20)

cargo fuzz build -O --debug-assertions
for target in "${targets[@]}"; do
    cp "fuzz/target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    if [ -d "fuzz/seeds/$target" ]; then
        zip -qjr "$OUT/${target}_seed_corpus.zip" "fuzz/seeds/$target"
    fi
done
# Some targets read the vectors; a fuzzing machine has only $OUT.
cp -r test-vectors "$OUT/"
