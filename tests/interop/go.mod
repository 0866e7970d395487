module ownership-voucher/interop

go 1.25.0

require github.com/fido-device-onboard/go-fdo v0.0.0-20260811222031-d8c4ea85b67b
