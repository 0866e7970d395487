package main

/*
#include <stddef.h>
#include <stdint.h>
*/
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// interopSign is what ownership-voucher calls for a signature: Go's cryptography signs, as a TPM or
// an HSM would.
//
//export interopSign
func interopSign(handle C.uintptr_t, algorithm C.int32_t, message *C.uint8_t, length C.size_t, out *C.uint8_t, capacity C.size_t, outLen *C.size_t) C.int32_t {
	key := cgo.Handle(handle).Value().(signer)
	signature, err := signMessage(key, int64(algorithm), C.GoBytes(unsafe.Pointer(message), C.int(length)))
	if err != nil || len(signature) > int(capacity) {
		return 1
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(out)), len(signature)), signature)
	*outLen = C.size_t(len(signature))
	return 0
}
