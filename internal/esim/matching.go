package esim

import (
	"encoding/base32"
	"fmt"
	"io"
)

// matchingIDBytes makes 128 bits: nobody guesses one, and no two are ever alike.
const matchingIDBytes = 16

// NewMatchingID draws a matching id from random, which must be crypto/rand.Reader outside
// of tests: 26 characters of SGP.22's alphabet (§4.1: digits, capitals, hyphen). Of those
// it uses A-Z and 2-7 only, because customers type it in by hand and 0 looks like O.
func NewMatchingID(random io.Reader) (string, error) {
	var bits [matchingIDBytes]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", fmt.Errorf("draw a matching id: %w", err)
	}
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(bits[:]), nil
}
