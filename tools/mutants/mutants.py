#!/usr/bin/env python3
"""Changes the checks of the library one by one, and asks for each change which test notices.

    .ci/mutants [FILE…]                calls this
    mutants.py --list [FILE…]          only prints the mutants
    mutants.py --survivors [FILE…]     tries again what survived the last time
    mutants.py --resume [FILE…]        goes on with the build and the results that are there
    mutants.py --bounds                the arithmetic in bounds.toml, which the proofs of bounds have to notice
    mutants.py --sdo                   the checks of crates/sdo, which its own tests have to notice

A copy of the repository under target/mutants/copy is built once with all mutants in it; OV_MUTANT says
which of them is on. Ends with 1 where one survives that does not stand in equivalent.txt with a reason, or
where equivalent.txt names one that is not there or that a test notices. The results are in
target/mutants/results.tsv. Needs Python 3.11 and what cargo needs.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import tomllib

import switch
from rust import Source

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
WORK = ROOT / "target/mutants"
COPY, BUILT = WORK / "copy", WORK / "built.json"
FILES = [
    f"src/{name}.rs"
    for name in (
        "verify verify/sink verify/order verify/deviations verify/signatures verify/verified verify/links verify/facts verify/origin verify/chains policy limits voucher/parse "
        "voucher/rendezvous voucher/rendezvous/variable algorithm cose cbor digest hmac key "
        "key/parse key/der key/public key/private extend extend/options extend/owner audit certificate certificate/chain certificate/info "
        "certificate/name certificate/order certificate/path certificate/read certificate/revocation certificate/signature"
    ).split()
]
# The tests in the order in which a mutant meets them: what catches most in a second comes first.
STAGES = [
    ("vectors", []),
    ("suite", ["rules::"]),
    ("suite", ["keys::"]),
    ("suite", ["verdicts::"]),
    ("suite", ["hostile::"]),
    ("suite", ["limits::"]),
    ("suite", ["manufacturer_roots::"]),
    ("suite", ["revocation::"]),
    ("lib", [f"--skip={name}" for name in ("backend::", "batch::", "onetime::", "flipped_bits")]),
    ("message_vectors", []),
    ("fdo20_vectors", []),
    ("suite", ["privacy::"]),
    ("privacy_vectors", []),
    ("suite", ["signers::"]),
    ("suite", ["two_lives::"]),
    ("suite", ["batch::"]),
]


# The same of the crate for SDO. What it says of findings and of disclosures are checks as well.
SDO_FILES = [
    f"crates/sdo/src/{name}.rs"
    for name in (
        "audit check credential disclosure item lists parse read records rendezvous state string token voucher"
    ).split()
]
SDO_STAGES = [("report", []), ("records", []), ("vectors", []), ("hostile", []), ("lib", [])]
# The proofs of bounds, which see the arithmetic.
PROOFS = [("lib", ["::bounds::", "::bounds64::"])]


def tracked():
    """The files of the repository, those that are not committed yet included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--"]
    listed = subprocess.run(
        [*command, ":!fuzz", ":!benches/peers"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def make(files, crate):
    """{path: text} of the changed sources of the crate in this folder, and the mutants by number."""
    sources = {path: path.read_text() for path in sorted(crate.glob("src/**/*.rs"))}
    rust = [*sources.values(), *(path.read_text() for path in crate.glob("tests/**/*.rs"))]
    frozen, unit_calls = switch.frozen_names(rust), switch.unit_calls(sources.values())
    mutants, seen, changed = [None], collections.Counter(), {}
    for path, text in sources.items():
        name = str(path.relative_to(ROOT))
        # The back ends make tables at compile time.
        if name.startswith("src/backend"):
            continue
        body, tests = switch.split_tests(switch.thaw(Source(text), frozen))
        if name in files:
            source = Source(body)

            def number(place, what, source=source, name=name):
                before = " ".join(source.piece(place.first, place.end).split()) or "body"
                line = source.text.count("\n", 0, source.starts[place.first]) + 1
                seen[name, place.function, before, what] += 1
                copy = seen[name, place.function, before, what]
                mutants.append(switch.Mutant(name, place.function, before, what, line, copy))
                return len(mutants) - 1

            places = switch.Finder(source, frozen, unit_calls).run()
            body = switch.render(source, places, number)
        changed[path] = body + tests
    changed[crate / "src/lib.rs"] += switch.SWITCH
    return changed, mutants


def make_bounds():
    """The same of the list in bounds.toml."""
    mutants, places = [None], collections.defaultdict(list)
    for entry in tomllib.loads((HERE / "bounds.toml").read_text())["mutant"]:
        path, before, copy = ROOT / entry["file"], entry["before"], entry.get("copy", 1)
        pieces = path.read_text().split(before)
        if copy >= len(pieces) or ("copy" not in entry and len(pieces) != 2):
            sys.exit(f"bounds.toml: {entry['file']} has {len(pieces) - 1} times: {before}")
        start = len(before.join(pieces[:copy]))
        line = before.join(pieces[:copy]).count("\n") + 1
        after = " ".join(entry["after"].split()) or "left out"
        mutants.append(switch.Mutant(entry["file"], "bounds", before, after, line, copy))
        either = f"if crate::mutant({len(mutants) - 1}) {{ {entry['after']} }} else {{ {before} }}"
        places[path].append((start, before, either if before.endswith(";") else f"({either})"))
    changed = {ROOT / "src/lib.rs": (ROOT / "src/lib.rs").read_text() + switch.SWITCH}
    for path, found in places.items():
        text = path.read_text()
        for start, before, either in sorted(found, reverse=True):
            text = text[:start] + either + text[start + len(before) :]
        changed[path] = text
    return changed, mutants


def build(changed, mutants, stages, package):
    """Builds the tests of a package, in a copy with `changed` in it; gives {name: program}."""
    shutil.rmtree(COPY, ignore_errors=True)
    for path in tracked():
        target = COPY / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path in changed:
            target.write_text(changed[path])
        else:
            shutil.copy2(path, target)
    command = ["cargo", "test", "--locked", *package]
    command += ["--no-run", "--message-format=json", "--lib"]
    for name in dict.fromkeys(name for name, _ in stages):
        command += [] if name == "lib" else ["--test", name]
    # One back end is enough: whether the others say the same is what tests/suite/batch.rs is for.
    environment = os.environ | {
        "CARGO_TARGET_DIR": str(WORK / "build"),
        "RUSTFLAGS": '--cfg ov_backend="portable"',
        "CARGO_PROFILE_TEST_OPT_LEVEL": "1",
        "CARGO_INCREMENTAL": "0",
    }
    done = subprocess.run(command, cwd=COPY, env=environment, stdout=subprocess.PIPE, text=True)
    programs = {}
    for message in map(json.loads, done.stdout.splitlines()):
        if (message.get("message") or {}).get("level") == "error":
            print(message["message"]["rendered"])
        if message.get("executable") and message["profile"]["test"]:
            name = "lib" if "lib" in message["target"]["kind"] else message["target"]["name"]
            programs[name] = message["executable"]
    if done.returncode:
        sys.exit("the copy does not build")
    BUILT.write_text(json.dumps({"programs": programs, "mutants": names(mutants)}))
    return programs


def built(mutants):
    """The programs of the last build, if it had the same mutants."""
    last = json.loads(BUILT.read_text())
    if last["mutants"] != names(mutants):
        sys.exit("the source has changed since the copy was built; leave --resume out")
    return last["programs"]


def names(mutants):
    return [mutant.name for mutant in mutants[1:]]


class Tests:
    """The stages, each with the time that it may take."""

    def __init__(self, programs, stages):
        self.programs, self.stages, self.limits = programs, stages, {}

    def run(self, name, arguments, number):
        """`passed`, `failed` at the first test that fails, or `time` where it takes too long."""
        command = [self.programs[name], "--test-threads=1", *arguments]
        environment = os.environ | {"OV_MUTANT": str(number)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        with subprocess.Popen(command, cwd=COPY, env=environment, **pipes) as tests:
            late = threading.Event()
            timer = threading.Timer(self.limits.get((name, *arguments), 600), lambda: (late.set(), tests.kill()))
            timer.start()
            try:
                if any(line.endswith("FAILED\n") for line in tests.stdout):
                    tests.kill()
            finally:
                timer.cancel()
        return "passed" if tests.returncode == 0 else "time" if late.is_set() else "failed"

    def measure(self):
        """Runs everything without a mutant: it has to pass, and tells how long is too long."""
        for name, arguments in self.stages:
            start = time.monotonic()
            if self.run(name, arguments, 0) != "passed":
                sys.exit(f"{name} fails without any mutant")
            seconds = time.monotonic() - start
            self.limits[name, *arguments] = 20 * seconds + 60
            print(f"{name}: {seconds:.1f} s without a mutant", flush=True)

    def catch(self, number, file):
        """The stage that notices the mutant, `time` where one does not end, or `survived`."""
        # The tests of certificates stand beside their code.
        near = file.startswith("src/certificate")
        for name, arguments in sorted(self.stages, key=lambda stage: near and stage[0] != "lib"):
            if (outcome := self.run(name, arguments, number)) != "passed":
                return name if outcome == "failed" else outcome
        return "survived"


def equivalents():
    """{name of a mutant: reason} of equivalent.txt: names stand at the margin, reasons indented below."""
    reasons, names = {}, []
    for line in (HERE / "equivalent.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            names = []
        elif not line[0].isspace():
            names = [*(name for name in names if not reasons[name]), line]
            reasons[line] = ""
        else:
            for name in names:
                reasons[name] += line.strip() + " "
    return reasons


def report(files, mutants, results, reasons):
    """Prints the table and what is wrong; says whether all is well."""
    columns = ("file", "mutants", "vectors", "other tests", "no end", "left, with a reason", "left")
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    total = collections.Counter()
    for file in files:
        count = collections.Counter()
        for mutant in mutants[1:]:
            if mutant.file == file and mutant.name in results:
                verdict = results[mutant.name]
                left = "reason" if mutant.name in reasons else "left"
                count[{"vectors": "vectors", "time": "time", "survived": left}.get(verdict, "other")] += 1
        total += count
        print(f"| `{file}` | {row(count)} |")
    print(f"| all | {row(total)} |\n")
    for mutant in mutants[1:]:
        if results.get(mutant.name) == "survived" and mutant.name not in reasons:
            print(f"survived, line {mutant.line}: {mutant.name}")
    known = set(names(mutants))
    stale = [name for name in reasons if name.split(":")[0] in files and name not in known]
    noticed = [name for name in reasons if results.get(name, "survived") != "survived"]
    empty = [name for name, reason in reasons.items() if not reason]
    for what, found in (("is no mutant", stale), ("is noticed", noticed), ("has no reason", empty)):
        for name in found:
            print(f"equivalent.txt: {what}: {name}")
    return not (total["left"] or stale or noticed or empty)


def row(count):
    parts = [count[name] for name in ("vectors", "other", "time", "reason", "left")]
    return " | ".join(map(str, [sum(parts), *parts]))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for option in ("--list", "--survivors", "--resume", "--bounds", "--sdo"):
        parser.add_argument(option, action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*", metavar="FILE")
    arguments = parser.parse_args()
    package = ["-p", "ownership-voucher", "--features", "privacy,parallel"]
    if arguments.bounds:
        changed, mutants = make_bounds()
        files, stages, log = list(dict.fromkeys(mutant.file for mutant in mutants[1:])), PROOFS, "bounds.tsv"
    elif arguments.sdo:
        files, stages, log = arguments.files or SDO_FILES, SDO_STAGES, "sdo.tsv"
        changed, mutants = make(files, ROOT / "crates/sdo")
        package = ["-p", "ownership-voucher-sdo"]
    else:
        files, stages, log = list(dict.fromkeys(arguments.files)) or FILES, STAGES, "results.tsv"
        changed, mutants = make(files, ROOT)
    if arguments.list:
        for mutant in mutants[1:]:
            print(f"{mutant.line}\t{mutant.name}")
        return
    WORK.mkdir(parents=True, exist_ok=True)
    log, results = WORK / log, {}
    if (arguments.survivors or arguments.resume) and log.exists():
        results = dict(line.split("\t") for line in log.read_text().splitlines())
    if arguments.survivors:
        results = {name: stage for name, stage in results.items() if stage != "survived"}
    programs = built(mutants) if arguments.resume else build(changed, mutants, stages, package)
    tests = Tests(programs, stages)
    tests.measure()
    log.write_text("".join(f"{name}\t{stage}\n" for name, stage in results.items()))
    open_ones = [number for number, mutant in enumerate(mutants) if mutant and mutant.name not in results]
    print(f"{len(mutants) - 1} mutants, {len(open_ones)} to try", flush=True)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool, log.open("a") as out:
        places = [mutants[number].file for number in open_ones]
        for number, stage in zip(open_ones, pool.map(tests.catch, open_ones, places), strict=True):
            results[mutants[number].name] = stage
            out.write(f"{mutants[number].name}\t{stage}\n")
            out.flush()
    sys.exit(not report(files, mutants, results, equivalents()))


if __name__ == "__main__":
    main()
