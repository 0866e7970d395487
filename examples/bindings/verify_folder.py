"""Verifies the vouchers of a folder through the C library, with nothing but ctypes.

    python3 verify_folder.py LIBRARY FOLDER MANUFACTURERS.pem

Exits with 1 where a voucher was rejected, or a file could not be read, and with 2 where nothing was verified.
Folders in the folder are passed over.
"""

import ctypes as c
import pathlib
import sys


class Slice(c.Structure):
    _fields_ = [("data", c.POINTER(c.c_uint8)), ("len", c.c_size_t)]


END = 804  # OV_ERR_INDEX


def message():
    return ov.ov_error_message(error).decode()


def must(status, path=""):
    if status != 0:
        sys.exit(print(f"{path}: {status}: {message()}", file=sys.stderr) or 2)


def handle(make, *arguments):
    made = c.c_void_p()
    must(make(*arguments, c.byref(made)))
    return made


def anchored(path):
    pem, count = path.read_bytes(), c.c_size_t()
    # The first call only counts.
    must(ov.ov_public_keys_from_pem(pem, c.c_size_t(len(pem)), None, c.c_size_t(0), c.byref(count), error), path)
    keys = (c.c_void_p * count.value)()
    must(ov.ov_public_keys_from_pem(pem, c.c_size_t(len(pem)), keys, count, c.byref(count), error), path)
    policy = handle(ov.ov_policy_new)
    for key in map(c.c_void_p, keys):
        must(ov.ov_policy_add_manufacturer(policy, key))
        must(ov.ov_public_key_free(c.byref(key)))
    return policy


def verdicts(path, policy):
    """What is wrong with each voucher of a file, or None."""
    try:
        if path.exists() and not path.is_file():
            raise OSError(0, "not a file")
        data, item = path.read_bytes(), Slice()
    except OSError as why:
        yield why.strerror
        return
    steps = handle(ov.ov_vouchers_new, data, c.c_size_t(len(data)))
    while (status := ov.ov_vouchers_next(steps, c.byref(item), error)) != END:
        proof = c.c_void_p()
        if status == 0:
            status = ov.ov_policy_verify(policy, item.data, c.c_size_t(item.len), c.byref(proof), error)
        yield message() if status != 0 else None
        must(ov.ov_verified_free(c.byref(proof)))
    must(ov.ov_vouchers_free(c.byref(steps)))


if len(sys.argv) != 4:
    sys.exit(print("usage: verify_folder.py LIBRARY FOLDER MANUFACTURERS.pem", file=sys.stderr) or 2)
sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be anything
ov = c.CDLL(sys.argv[1])
ov.ov_error_message.restype, ov.ov_error_message.argtypes = c.c_char_p, [c.c_void_p]
error = c.c_void_p()
must(ov.ov_error_new(c.byref(error)))
try:
    policy = anchored(pathlib.Path(sys.argv[3]))
    files = sorted(path for path in pathlib.Path(sys.argv[2]).iterdir() if not path.is_dir())
except OSError as why:
    sys.exit(print(why, file=sys.stderr) or 2)
vouchers = rejected = 0
for path in files:
    for fault in verdicts(path, policy):
        vouchers, rejected = vouchers + 1, rejected + (fault is not None)
        if fault is not None:
            print(f"{path.name}: {fault}")
must(ov.ov_policy_free(c.byref(policy)))
must(ov.ov_error_free(c.byref(error)))
print(f"{vouchers} vouchers, {rejected} rejected")
sys.exit(rejected > 0)
