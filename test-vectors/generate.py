#!/usr/bin/env python3
"""Writes every test vector, checks each with the independent verifier, and says what it wrote.

generate.py            writes valid/, invalid/, messages/, fdo20/, onetime/, device/, sdo/, shipment/, shipment-keys/,
                       files/ and keys.json
generate.py --check    writes nothing; fails where a file would change
"""

import argparse
import hashlib
import json
import pathlib
import sys

import cbor2

from checker import pem
from checker.cbor import Reject
from checker.verdict import check
from generator import (
    delegates,
    dialects,
    encodings,
    facts,
    fdo20,
    files,
    invalid_algorithms,
    invalid_cbor,
    invalid_entries,
    invalid_hashes,
    invalid_header,
    invalid_keys,
    invalid_numbers,
    invalid_policy,
    invalid_signatures,
    keys,
    msg_device,
    msg_others,
    msg_proofs,
    onetime,
    privacy,
    sdo_invalid_items,
    sdo_invalid_rules,
    sdo_invalid_text,
    sdo_policy,
    sdo_valid,
    shipment,
    strict,
    valid,
)
from verifier import difference, sdo_difference

HERE = pathlib.Path(__file__).resolve().parent
MODULES = [
    valid,
    facts,
    dialects,
    encodings,
    invalid_cbor,
    invalid_header,
    invalid_keys,
    invalid_numbers,
    invalid_entries,
    invalid_algorithms,
    invalid_hashes,
    invalid_signatures,
    invalid_policy,
    strict,
]


def vectors(verdict):
    """{name: content} of the cases with this verdict."""
    made = {}
    for case in (case for module in MODULES for case in module.suite.cases):
        if case["expect"]["verdict"] == verdict:
            name = f"{case['name']}.json"
            assert name not in made, name
            made[name] = (json.dumps(case, indent=1) + "\n").encode()
    return made


def messages():
    """{name: content} of the cases about messages."""
    made = {}
    for module in (msg_device, msg_proofs, msg_others):
        files_of = module.suite.files()
        assert not made.keys() & files_of.keys(), made.keys() & files_of.keys()
        made |= files_of
    return made


def sdo_vectors():
    """{name: content} of the cases about vouchers of SDO."""
    made = {}
    for module in (sdo_valid, sdo_policy, sdo_invalid_text, sdo_invalid_rules, sdo_invalid_items):
        files_of = module.suite.files()
        assert not made.keys() & files_of.keys(), made.keys() & files_of.keys()
        made |= files_of
    return made


def everything():
    """{directory: {name: content}}."""
    content, manifest = files.build()
    return {
        "valid": vectors("verified"),
        "invalid": vectors("rejected"),
        "messages": messages(),
        "fdo20": delegates.suite.files() | fdo20.suite.files(),
        "onetime": onetime.suite.files(),
        "device": msg_device.files() | msg_proofs.files(),
        "privacy": privacy.files(),
        "sdo": sdo_vectors(),
        "shipment": shipment.files(),
        "shipment-keys": shipment.key_files(),
        "files": content | {"manifest.json": files.manifest_text(manifest).encode()},
    }


def opened(data):
    """What somebody else's decoder reads, without tags and byte strings around it."""
    while isinstance(data, bytes):
        data = cbor2.loads(data)
        while isinstance(data, cbor2.CBORTag):
            data = data.value
    return data


def problems(made):
    """What the independent verifier, and a CBOR decoder of somebody else, do not agree with."""
    for directory in ("valid", "invalid"):
        for name, content in made[directory].items():
            vector = json.loads(content)
            if problem := difference(vector):
                yield f"{directory}/{name}: {problem}"
            if directory == "valid" and len(opened(bytes.fromhex(vector["voucher"]))) != 5:
                yield f"{directory}/{name}: cbor2 reads something else"
    for number, voucher in enumerate(onetime.VOUCHERS):
        if (found := check(voucher, {}))["verdict"] != "verified":
            yield f"onetime: voucher {number}: {found}"
    for name, content in made["privacy"].items():
        vector = json.loads(content)
        for voucher in [vector["voucher"]] if "voucher" in vector else vector["vouchers"]:
            if (found := check(bytes.fromhex(voucher), {}))["verdict"] != "verified":
                yield f"privacy/{name}: {found}"
    for name, content in made["sdo"].items():
        if problem := sdo_difference(json.loads(content), flips=False):
            yield f"sdo/{name}: {problem}"
    owner = keys.get(shipment.BUYER).spki().hex()
    options = {
        "owner": owner,
        "device_ca": [root.hex() for root in shipment.device_cas()],
        "at": shipment.WHEN,
    }
    for name, content in made["shipment"].items():
        maker = keys.get(shipment.MAKERS[name.partition("-")[0]]).spki().hex()
        for voucher in pem.vouchers(content):
            if (found := check(voucher, options | {"manufacturer": maker}))["verdict"] != "verified":
                yield f"shipment/{name}: {found}"
    for line in json.loads(made["files"]["manifest.json"]):
        try:
            found = [hashlib.sha256(one).hexdigest() for one in pem.vouchers(made["files"][line["file"]])]
        except Reject as error:
            found = error.kind
        if found != line.get("error", line.get("sha256")):
            yield f"files/{line['file']}: {found}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    made = everything()
    found = list(problems(made))
    made["."] = {"keys.json": keys.stored().encode()}
    for directory, contents in made.items():
        place = HERE / directory
        old = {path.name for path in place.glob("*") if path.is_file()} if directory != "." else set()
        for name in sorted(old - set(contents)):
            found += [f"{directory}/{name}: no longer made"] if arguments.check else []
            if not arguments.check:
                (place / name).unlink()
        place.mkdir(exist_ok=True)
        for name, content in contents.items():
            if arguments.check:
                if not (place / name).exists() or (place / name).read_bytes() != content:
                    found.append(f"{directory}/{name}: differs")
            else:
                (place / name).write_bytes(content)
        if directory != ".":
            print(f"{directory}: {len(contents)} files, {sum(map(len, contents.values()))} bytes")
    for problem in found:
        print(problem)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
