"""Verifies the vouchers of a folder through the C library, with nothing but ctypes.

    python3 verify_folder.py LIBRARY FOLDER MANUFACTURERS.pem

Exits with 1 where a voucher was rejected.
"""

import ctypes as c
import pathlib
import sys


class Slice(c.Structure):
    _fields_ = [("data", c.POINTER(c.c_uint8)), ("len", c.c_size_t)]


ov = c.CDLL(sys.argv[1])
ov.ov_error_message.restype = c.c_char_p
ov.ov_error_message.argtypes = [c.c_void_p]


def must(status, error=None):
    if status != 0:
        raise OSError(f"{status}: {ov.ov_error_message(error).decode()}")


def handle(make, *arguments):
    made = c.c_void_p()
    must(make(*arguments, c.byref(made)))
    return made


error = handle(ov.ov_error_new)
policy = handle(ov.ov_policy_new)
pem = pathlib.Path(sys.argv[3]).read_bytes()
keys, count = (c.c_void_p * 100)(), c.c_size_t()
must(ov.ov_public_keys_from_pem(pem, c.c_size_t(len(pem)), keys, c.c_size_t(100), c.byref(count), error), error)
for key in keys[: count.value]:
    must(ov.ov_policy_add_manufacturer(policy, c.c_void_p(key)))
    must(ov.ov_public_key_free(c.byref(c.c_void_p(key))))

verified = rejected = 0
for path in sorted(pathlib.Path(sys.argv[2]).iterdir()):
    data, item = path.read_bytes(), Slice()
    steps = handle(ov.ov_vouchers_new, data, c.c_size_t(len(data)))
    while (status := ov.ov_vouchers_next(steps, c.byref(item), error)) != 804:  # OV_ERR_INDEX: the end
        proof = c.c_void_p()
        if status == 0:
            status = ov.ov_policy_verify(policy, item.data, c.c_size_t(item.len), c.byref(proof), error)
        if status != 0:
            print(f"{path.name}: {ov.ov_error_message(error).decode()}")
        verified, rejected = verified + (status == 0), rejected + (status != 0)
        must(ov.ov_verified_free(c.byref(proof)))
    must(ov.ov_vouchers_free(c.byref(steps)))
must(ov.ov_policy_free(c.byref(policy)))
must(ov.ov_error_free(c.byref(error)))
print(f"{verified + rejected} vouchers, {rejected} rejected")
sys.exit(rejected > 0)
