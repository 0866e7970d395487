// Verifies the vouchers of a folder through the C library, by cgo.
//
//	CGO_LDFLAGS=-lownership_voucher go run verify_folder.go FOLDER MANUFACTURERS.pem
//
// Exits with 1 where a voucher was rejected.
package main

// #include <stdlib.h>
// #include <ownership_voucher.h>
import "C"

import (
	"fmt"
	"os"
	"path/filepath"
)

// must ends the program: what fails here is no voucher.
func must(status C.ov_status) {
	if status != C.OV_OK {
		panic(C.GoString(C.ov_status_name(status)))
	}
}

func read(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err == nil && len(data) == 0 {
		err = fmt.Errorf("%s: empty", path)
	}
	return data, err
}

// anchored is a policy with the manufacturers of a PEM file.
func anchored(path string) (policy *C.ov_policy) {
	pem, err := read(path)
	if err != nil {
		panic(err)
	}
	var keys [100]*C.ov_public_key
	var count C.size_t
	must(C.ov_policy_new(&policy))
	must(C.ov_public_keys_from_pem((*C.uint8_t)(&pem[0]), C.size_t(len(pem)), &keys[0], 100, &count, nil))
	for i := range count {
		must(C.ov_policy_add_manufacturer(policy, keys[i]))
		must(C.ov_public_key_free(&keys[i]))
	}
	return policy
}

// verify says how many vouchers are in a file, and how many of them were rejected.
func verify(path string, policy *C.ov_policy, fault *C.ov_error) (vouchers, rejected int) {
	file, err := read(path)
	if err != nil {
		return 0, 0
	}
	// The iterator reads the file as long as it lives, so that it needs memory of C.
	data := C.CBytes(file)
	defer C.free(data)
	var steps *C.ov_vouchers
	must(C.ov_vouchers_new((*C.uint8_t)(data), C.size_t(len(file)), &steps))
	defer C.ov_vouchers_free(&steps)
	for {
		var item C.ov_slice
		var verified *C.ov_verified
		status := C.ov_vouchers_next(steps, &item, fault)
		if status == C.OV_ERR_INDEX {
			return vouchers, rejected
		}
		if status == C.OV_OK {
			status = C.ov_policy_verify(policy, item.data, item.len, &verified, fault)
		}
		vouchers++
		if status != C.OV_OK {
			rejected++
			fmt.Printf("%s: %s\n", filepath.Base(path), C.GoString(C.ov_error_message(fault)))
		}
		must(C.ov_verified_free(&verified))
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: verify_folder FOLDER MANUFACTURERS.pem")
		os.Exit(2)
	}
	policy := anchored(os.Args[2])
	defer C.ov_policy_free(&policy)
	var fault *C.ov_error
	must(C.ov_error_new(&fault))
	defer C.ov_error_free(&fault)
	entries, err := os.ReadDir(os.Args[1])
	if err != nil {
		panic(err)
	}
	vouchers, rejected := 0, 0
	for _, entry := range entries {
		more, bad := verify(filepath.Join(os.Args[1], entry.Name()), policy, fault)
		vouchers, rejected = vouchers+more, rejected+bad
	}
	fmt.Printf("%d vouchers, %d rejected\n", vouchers, rejected)
	if rejected > 0 {
		os.Exit(1)
	}
}
