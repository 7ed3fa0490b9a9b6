package mobile

import (
	"strings"

	"github.com/dialtone/dialtone/internal/fault"
)

// ICCID is the identity of an eSIM profile (ITU-T E.118): 18 to 20 digits, always without
// the padding F, so that two of them can be compared as they are.
type ICCID string

// ErrICCID refuses what is not an ICCID. It never repeats it.
var ErrICCID = fault.New(fault.Invalid, "ICCID_NOT_VALID",
	"An ICCID has 18 to 20 digits, and of 19 digits the last is a check digit.")

// ParseICCID reads an ICCID with or without its padding: SGP.22 writes 19 digits, or those
// and an F that fills the tenth byte. The last of 19 digits must be the Luhn check digit;
// 18 and 20 digits are taken as they are, because issuers differ on theirs.
func ParseICCID(s string) (ICCID, error) {
	digits := strings.TrimRight(s, "Ff")
	padded := len(digits) < len(s)
	switch {
	case len(digits) < 18 || len(digits) > 20 || !allDigits(digits):
		return "", ErrICCID
	case padded && len(s) != 20:
		return "", ErrICCID // padding fills ten bytes, no more and no less
	case len(digits) == 19 && !luhn(digits):
		return "", ErrICCID
	}
	return ICCID(digits), nil
}

// Last4 is what screens and logs show of an ICCID.
func (i ICCID) Last4() string { return string(i[max(0, len(i)-4):]) }
