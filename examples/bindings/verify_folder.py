"""Verifies the vouchers of a folder through the C library, with nothing but ctypes.

    python3 verify_folder.py LIBRARY FOLDER MANUFACTURERS.pem

Exits with 1 where a voucher was rejected, or a file could not be read. Folders in the folder are passed over.
"""

import ctypes as c
import pathlib
import sys


class Slice(c.Structure):
    _fields_ = [("data", c.POINTER(c.c_uint8)), ("len", c.c_size_t)]


def must(status):
    return status == 0 or sys.exit(f"status {status}: {ov.ov_error_message(error).decode()}")


def verdicts(path):
    """What is wrong with each voucher of a file, or None."""
    try:
        data = path.read_bytes() if path.is_file() or not path.exists() else None
    except OSError as why:
        data = why
    if not isinstance(data, bytes):
        return (yield data.strerror if data else "not a file")
    steps, item, proof = c.c_void_p(), Slice(), c.c_void_p()
    must(ov.ov_vouchers_new(data, c.c_size_t(len(data)), c.byref(steps)))
    while (status := ov.ov_vouchers_next(steps, c.byref(item), error)) != 804:  # OV_ERR_INDEX: that was all
        status = status or ov.ov_policy_verify(policy, item.data, c.c_size_t(item.len), c.byref(proof), error)
        yield ov.ov_error_message(error).decode() if status else None
        must(ov.ov_verified_free(c.byref(proof)))
    must(ov.ov_vouchers_free(c.byref(steps)))


len(sys.argv) == 4 or sys.exit(__doc__)
ov, error, policy = c.CDLL(sys.argv[1]), c.c_void_p(), c.c_void_p()
ov.ov_error_message.restype = c.c_char_p
must(ov.ov_error_new(c.byref(error)) or ov.ov_policy_new(c.byref(policy)))
pem = pathlib.Path(sys.argv[3]).read_bytes()
must(ov.ov_policy_add_manufacturers_pem(policy, pem, c.c_size_t(len(pem)), error))
paths = [path for path in sorted(pathlib.Path(sys.argv[2]).iterdir()) if not path.is_dir()]
said = [(path.name, fault) for path in paths for fault in verdicts(path)]
sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be anything
rejected = [f"{name}: {fault}" for name, fault in said if fault is not None]
print(*rejected, f"{len(said)} vouchers, {len(rejected)} rejected", sep="\n")
sys.exit(len(rejected) > 0)
