package mobile

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/dialtone/dialtone/internal/fault"
)

// ActivationCode is an eSIM's activation code (SGP.22 §4.1): the address of the SM-DP+
// that holds the profile, and the matching id under which it gives it out. Whoever has it
// can install the line: it is a bearer secret, sealed at rest and never logged.
type ActivationCode struct {
	address    string
	matchingID string
}

var (
	// fqdn is what SGP.22 allows of an SM-DP+ address that must also fit a QR code.
	fqdn = regexp.MustCompile(`^(?i:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.(?i:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?))+$`)
	// matchingID is SGP.22's alphabet; ours are never empty, so that an order is never open.
	matchingID = regexp.MustCompile(`^[-0-9A-Z]{1,64}$`)
)

// ErrActivationCode refuses what is not an activation code. It never repeats it.
var ErrActivationCode = fault.New(fault.Internal, "ACTIVATION_CODE_INVALID",
	"The SM-DP+ gave an address or matching id that is not allowed in an activation code.")

// NewActivationCode builds a code from its two parts. The address is a host name without
// scheme or port; its case is kept (some LPAs compare it).
func NewActivationCode(address, matching string) (ActivationCode, error) {
	if len(address) > 255 || !fqdn.MatchString(address) || !matchingID.MatchString(matching) {
		return ActivationCode{}, ErrActivationCode
	}
	return ActivationCode{address: address, matchingID: matching}, nil
}

// ParseActivationCode reads "LPA:1$address$matchingID".
func ParseActivationCode(s string) (ActivationCode, error) {
	parts := strings.Split(strings.TrimPrefix(s, "LPA:"), "$")
	if len(parts) != 3 || parts[0] != "1" {
		return ActivationCode{}, ErrActivationCode
	}
	return NewActivationCode(parts[1], parts[2])
}

// LPA is the whole code as the QR code carries it: "LPA:1$address$matchingID".
func (c ActivationCode) LPA() string { return "LPA:1$" + c.address + "$" + c.matchingID }

// Address is the SM-DP+ address, for typing it in by hand.
func (c ActivationCode) Address() string { return c.address }

// MatchingID is what phones call the activation code when it is typed in by hand.
func (c ActivationCode) MatchingID() string { return c.matchingID }

// AppleLink opens the eSIM set-up on iOS 17.4 and later.
func (c ActivationCode) AppleLink() string {
	return "https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=" + url.QueryEscape(c.LPA())
}

// AndroidLink opens the eSIM set-up on Android 10 and later.
func (c ActivationCode) AndroidLink() string {
	return "https://esimsetup.android.com/esim_qrcode_provisioning?carddata=" + url.QueryEscape(c.LPA())
}

// String hides the code: it is a secret.
func (c ActivationCode) String() string { return "[activation code]" }

// GoString hides the code from %#v.
func (c ActivationCode) GoString() string { return "[activation code]" }

// Format hides the code from every verb, %d and %q included.
func (c ActivationCode) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[activation code]")) }
