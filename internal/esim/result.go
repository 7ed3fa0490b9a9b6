package esim

import (
	"encoding/base64"
	"slices"
)

// The error reasons of an eUICC after which the same profile can be tried again: its memory
// was full, or the installation was interrupted (SGP.22 §2.5.6.1). All others are for good.
const (
	reasonMemory      = 10
	reasonInterrupted = 11
)

// The way to the error reason in a ProfileInstallationResult (SGP.22 §2.5.6.1): result BF37,
// its data BF27, finalResult A2, errorResult A1, errorReason 81.
var reasonPath = []uint32{0xBF37, 0xBF27, 0xA2, 0xA1, 0x81}

// errorReason finds why the eUICC could not install the profile. The resultData is base64
// of the whole ProfileInstallationResult or of its inner part; whatever cannot be read, or
// tells of a success, is no answer.
func errorReason(resultData string) (int, bool) {
	der, err := base64.StdEncoding.DecodeString(resultData)
	if err != nil {
		return 0, false
	}
	tag, _, _, ok := next(der)
	from := slices.Index(reasonPath, tag)
	if !ok || from < 0 {
		return 0, false
	}
	for _, tag := range reasonPath[from:] {
		if der, ok = child(der, tag); !ok {
			return 0, false
		}
	}
	if len(der) != 1 {
		return 0, false
	}
	return int(der[0]), true
}

// child finds the value of the element with this tag among siblings.
func child(der []byte, want uint32) ([]byte, bool) {
	for len(der) > 0 {
		tag, value, rest, ok := next(der)
		if !ok {
			return nil, false
		}
		if tag == want {
			return value, true
		}
		der = rest
	}
	return nil, false
}

// next reads one element in DER: a tag of one or two bytes, a length of up to three, and
// that many bytes. (encoding/asn1 wants the whole type and refuses what eUICCs leave out.)
func next(der []byte) (tag uint32, value, rest []byte, ok bool) {
	if len(der) < 2 {
		return 0, nil, nil, false
	}
	tag, der = uint32(der[0]), der[1:]
	if tag&0x1F == 0x1F {
		tag, der = tag<<8|uint32(der[0]), der[1:]
	}
	if len(der) == 0 {
		return 0, nil, nil, false
	}
	length := int(der[0])
	der = der[1:]
	if length >= 0x80 {
		bytes := length - 0x80
		if bytes == 0 || bytes > 2 || len(der) < bytes {
			return 0, nil, nil, false
		}
		length = 0
		for _, b := range der[:bytes] {
			length = length<<8 | int(b)
		}
		der = der[bytes:]
	}
	if length > len(der) {
		return 0, nil, nil, false
	}
	return tag, der[:length], der[length:], true
}
