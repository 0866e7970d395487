// Verifies the vouchers of a folder through the C library, by cgo.
//
//	CGO_LDFLAGS=-lownership_voucher go run verify_folder.go FOLDER MANUFACTURERS.pem
//
// Exits with 1 where a voucher was rejected, or a file could not be read, and with 2 where nothing was verified.
// Folders in the folder are passed over.
package main

// #include <stdlib.h>
// #include <ownership_voucher.h>
import "C"

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// end ends the program: what fails here is no voucher.
func end(what ...any) {
	fmt.Fprintln(os.Stderr, what...)
	os.Exit(2)
}

func must(status C.ov_status) {
	if status != C.OV_OK {
		end(C.GoString(C.ov_status_name(status)))
	}
}

// anchored is a policy with the manufacturers of a PEM file.
func anchored(path string, fault *C.ov_error) (policy *C.ov_policy) {
	file, err := os.ReadFile(path)
	if err != nil {
		end(err)
	}
	pem := C.CBytes(file)
	defer C.free(pem)
	must(C.ov_policy_new(&policy))
	if C.ov_policy_add_manufacturers_pem(policy, (*C.uint8_t)(pem), C.size_t(len(file)), fault) != C.OV_OK {
		end(path+":", C.GoString(C.ov_error_message(fault)))
	}
	return policy
}

// read reads a file, and nothing that would wait, such as a pipe.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// verify says how many vouchers are in a file, and how many of them were rejected.
func verify(path string, policy *C.ov_policy, fault *C.ov_error) (vouchers, rejected int) {
	file, err := read(path)
	if err != nil {
		var why *os.PathError
		if errors.As(err, &why) {
			err = why.Err
		}
		fmt.Printf("%s: %s\n", filepath.Base(path), err)
		return 1, 1
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
		end("usage: verify_folder FOLDER MANUFACTURERS.pem")
	}
	var fault *C.ov_error
	must(C.ov_error_new(&fault))
	defer C.ov_error_free(&fault)
	policy := anchored(os.Args[2], fault)
	defer C.ov_policy_free(&policy)
	entries, err := os.ReadDir(os.Args[1])
	if err != nil {
		end(err)
	}
	vouchers, rejected := 0, 0
	for _, entry := range entries {
		path := filepath.Join(os.Args[1], entry.Name())
		// A link to a folder is one too.
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			continue
		}
		more, bad := verify(path, policy, fault)
		vouchers, rejected = vouchers+more, rejected+bad
	}
	fmt.Printf("%d vouchers, %d rejected\n", vouchers, rejected)
	if rejected > 0 {
		os.Exit(1)
	}
}
