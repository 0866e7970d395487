#!/usr/bin/env python3
"""Verifies vouchers, or checks vectors, without any code of the crate.

    verifier.py FILE…                  vouchers (CBOR, PEM, base64): prints verdict, kind and entry of each
    verifier.py --vectors DIRECTORY…   vectors: prints those whose expectation does not hold
    verifier.py --sdo FILE…            vouchers of SDO: prints the verdict of each

--allow NAME may be given several times, --strict once; both hold for voucher files only.
"""

import argparse
import json
import pathlib
import sys

from checker import pem, sdo
from checker.cbor import Reject
from checker.sdo_privacy import disclosures
from checker.verdict import check


def difference(vector):
    """What is wrong with a vector, or None."""
    found = check(bytes.fromhex(vector["voucher"]), vector["options"])
    wanted = dict(vector["expect"])
    if "hash_table" not in wanted:
        found.pop("hash_table", None)
    return None if found == wanted else f"wanted {wanted}, found {found}"


def sdo_text(vector):
    """The bytes of a vector about SDO."""
    if "repeated" in vector:
        return "".join(part * times for part, times in vector["repeated"]).encode()
    return bytes.fromhex(vector["hex"]) if "hex" in vector else vector["text"].encode()


def sdo_difference(vector, flips=True):
    """What is wrong with a vector about SDO, or None. The generator counts flips with the same function."""
    text, wanted = sdo_text(vector), dict(vector["expect"])
    found = sdo.check(text, vector["options"])
    if "flips" in wanted:
        found["flips"] = sdo.unnoticed(text) if flips else wanted["flips"]
    if "disclosures" in wanted:
        found["disclosures"] = disclosures(text)
    return None if found == wanted else f"wanted {wanted}, found {found}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    parser.add_argument("--vectors", action="store_true")
    parser.add_argument("--allow", action="append", default=[])
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--sdo", action="store_true")
    arguments = parser.parse_args()
    bad = total = 0
    if arguments.sdo:
        for path in arguments.paths:
            found = sdo.check(path.read_bytes(), {})
            bad += found["verdict"] != "verified"
            print(f"{path.name}: {json.dumps(found)}")
        sys.exit(bad > 0)
    if arguments.vectors:
        for path in sorted(file for place in arguments.paths for file in place.rglob("*.json")):
            total += 1
            vector = json.loads(path.read_text())
            differs = difference if "voucher" in vector else sdo_difference
            if problem := differs(vector):
                bad += 1
                print(f"{path}: {problem}")
        print(f"{total - bad} of {total} vectors as expected")
        sys.exit(bad > 0)
    options = {"allow": arguments.allow, "strict": arguments.strict}
    for path in arguments.paths:
        try:
            vouchers = pem.vouchers(path.read_bytes())
        except Reject as error:
            vouchers = []
            print(f"{path.name}: {error.kind}")
            bad += 1
        for number, voucher in enumerate(vouchers):
            found = check(voucher, options)
            bad += found["verdict"] != "verified"
            print(f"{path.name} #{number}: {json.dumps(found)}")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
