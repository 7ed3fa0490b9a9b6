package carriertest

import (
	"regexp"
	"strings"
	"time"
)

// The inputs that make the pretend carrier behave otherwise; see the package comment.
const (
	IMEIBlocked             = "350000000000014"
	IMEINotESIMCapable      = "350000000000022"
	IMEINotSupported        = "350000000000030"
	IMEIUnknown             = "350000000000048"
	IMEIBlockedAtActivation = "350000000000055"
	IMEIComesUpLater        = "350000000000113"
	IMEIComesUpSilently     = "350000000000121"
	IMEIFailsLater          = "350000000000139"

	ZIPNotServed             = "89049"
	ZIPNotServedAtActivation = "59001"

	PlanUnknown = "NO_SUCH_PLAN"

	// ICCIDPrefixNotLoaded begins the ICCIDs that the carrier does not accept.
	ICCIDPrefixNotLoaded = "8900000"
)

// deviceRefusals has what the device check says of an IMEI.
var deviceRefusals = map[string]string{
	IMEIBlocked:        "DEVICE_BLOCKED",
	IMEINotESIMCapable: "DEVICE_NOT_ESIM_CAPABLE",
	IMEINotSupported:   "DEVICE_NOT_SUPPORTED",
	IMEIUnknown:        "DEVICE_UNKNOWN",
}

// checkIMEI says why a device is refused, or "".
func checkIMEI(imei string) string {
	if code := deviceRefusals[imei]; code != "" {
		return code
	}
	if !luhn(imei) {
		return "DEVICE_UNKNOWN"
	}
	return ""
}

// checkDevice says why a device or a ZIP is refused, or "".
func checkDevice(imei, zip string) string {
	if code := checkIMEI(imei); code != "" {
		return code
	}
	if zip[:5] == ZIPNotServed {
		return "ZIP_NOT_SERVED"
	}
	return ""
}

// checkOrder says why an order is refused, or "".
func checkOrder(o order) string {
	if code := checkDevice(o.IMEI, o.ZIPCode); code != "" {
		return code
	}
	switch {
	case o.IMEI == IMEIBlockedAtActivation:
		return "DEVICE_BLOCKED"
	case o.ZIPCode[:5] == ZIPNotServedAtActivation:
		return "ZIP_NOT_SERVED"
	case o.Plan == PlanUnknown:
		return "PLAN_UNKNOWN"
	default:
		return ""
	}
}

// loaded says whether the carrier knows the ICCID's range.
func loaded(iccid string) bool { return !strings.HasPrefix(iccid, ICCIDPrefixNotLoaded) }

// fate is what becomes of a line that is not live at once.
type fate struct {
	Due    time.Time `json:"due"`
	Fails  string    `json:"fails,omitempty"` // the code
	Silent bool      `json:"silent,omitempty"`
}

// fateOf says what becomes of an order that was not refused; nil means live at once.
func fateOf(imei string, due time.Time) *fate {
	switch imei {
	case IMEIComesUpLater:
		return &fate{Due: due}
	case IMEIComesUpSilently:
		return &fate{Due: due, Silent: true}
	case IMEIFailsLater:
		return &fate{Due: due, Fails: "DEVICE_NOT_SUPPORTED"}
	default:
		return nil
	}
}

var (
	externalIDForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$`)
	imeiForm       = regexp.MustCompile(`^[0-9]{15}$`)
	iccidForm      = regexp.MustCompile(`^[0-9]{18,20}$`)
	zipForm        = regexp.MustCompile(`^[0-9]{5}(-[0-9]{4})?$`)
	planForm       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

const customerNameMax = 120

func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}
