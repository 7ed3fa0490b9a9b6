package carrier

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/dialtone/dialtone/internal/mobile"
)

// The bodies of ports at the wire.
type (
	portabilityCheckJSON struct {
		Number  string `json:"number"`
		ZIPCode string `json:"zip_code"`
	}
	portabilityJSON struct {
		Portable       *bool                 `json:"portable"`
		Reason         *reasonJSON           `json:"reason"`
		NumberType     mobile.NumberType     `json:"number_type"`
		Donor          string                `json:"donor"`
		RequiredFields []mobile.PortingField `json:"required_fields"`
		EarliestAt     time.Time             `json:"earliest_at"`
	}
	portOrderJSON struct {
		ExternalID     string          `json:"external_id"`
		LineExternalID string          `json:"line_external_id"`
		Number         string          `json:"number"`
		Donor          string          `json:"donor"`
		ICCID          string          `json:"iccid"`
		IMEI           string          `json:"imei"`
		ZIPCode        string          `json:"zip_code"`
		Plan           string          `json:"plan"`
		CustomerName   string          `json:"customer_name"`
		Info           portingInfoJSON `json:"info"`
	}
	supplementJSON struct {
		Info  *portingInfoJSON `json:"info,omitempty"`
		DueAt time.Time        `json:"due_at,omitzero"`
	}
	portingInfoJSON struct {
		AccountNumber     string `json:"account_number,omitempty"`
		PIN               string `json:"pin,omitempty"`
		PINMakeDate       string `json:"pin_make_date,omitempty"`
		AccountZIP        string `json:"account_zip,omitempty"`
		FirstName         string `json:"first_name,omitempty"`
		LastName          string `json:"last_name,omitempty"`
		AddressLine       string `json:"address_line,omitempty"`
		City              string `json:"city,omitempty"`
		Region            string `json:"region,omitempty"`
		NumberInService   *bool  `json:"number_in_service,omitempty"`
		AcceptsLineLosses bool   `json:"accepts_line_losses,omitempty"`
	}
	portJSON struct {
		ExternalID     string      `json:"external_id"`
		LineExternalID string      `json:"line_external_id"`
		PortID         string      `json:"port_id"`
		Number         string      `json:"number"`
		ICCID          string      `json:"iccid"`
		State          PortState   `json:"state"`
		StateSince     time.Time   `json:"state_since"`
		DueAt          time.Time   `json:"due_at"`
		Reason         *reasonJSON `json:"reason"`
	}
	reasonJSON struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
)

func portOrderOf(o PortOrder) portOrderJSON {
	return portOrderJSON{
		ExternalID: o.ExternalID, LineExternalID: o.LineExternalID, Number: o.Number, Donor: o.Donor,
		ICCID: o.ICCID, IMEI: o.IMEI, ZIPCode: o.ZIPCode, Plan: o.Plan, CustomerName: o.CustomerName,
		Info: infoOf(o.Info),
	}
}

func supplementOf(s PortSupplement) supplementJSON {
	var body supplementJSON
	if s.Info != (mobile.PortingInfo{}) {
		info := infoOf(s.Info)
		body.Info = &info
	}
	if !s.Due.IsZero() {
		body.DueAt = s.Due.UTC()
	}
	return body
}

func infoOf(info mobile.PortingInfo) portingInfoJSON {
	return portingInfoJSON{
		AccountNumber: info.AccountNumber, PIN: info.PIN, PINMakeDate: info.PINMakeDate,
		AccountZIP: string(info.AccountZIP), FirstName: info.FirstName, LastName: info.LastName,
		AddressLine: info.AddressLine, City: info.City, Region: info.Region,
		NumberInService: info.NumberInService, AcceptsLineLosses: info.AcceptsLineLosses,
	}
}

const (
	reasonCodeMax    = 64
	reasonMessageMax = 500
	donorNameMax     = 64
)

// plain makes text that somebody said freely fit to be kept: one line, of characters that can
// be printed, and not longer than that.
func plain(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, text)
	runes := []rune(strings.TrimSpace(text))
	return string(runes[:min(len(runes), most)])
}

// moment is a time as a database keeps it, so that one that was kept and one that is read
// again are the same.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// read gives what the carrier said, and what we mean by it; without a code it means silent.
func (j *reasonJSON) read(silent mobile.PortReason) (reason mobile.PortReason, code, message string) {
	if j == nil {
		return silent, "", ""
	}
	code, message = plain(j.Code, reasonCodeMax), plain(j.Message, reasonMessageMax)
	if code == "" {
		return silent, "", message
	}
	return portReasonOf(code), code, message
}

// portability checks what the carrier says about a number. It returns what is wrong with it,
// or "".
func (j portabilityJSON) portability() (Portability, string) {
	if j.Portable == nil {
		return Portability{}, "reply does not say whether the number is portable"
	}
	p := Portability{
		Portable: *j.Portable, NumberType: j.NumberType, Donor: plain(j.Donor, donorNameMax), Earliest: moment(j.EarliestAt),
	}
	if !p.Portable {
		p.Reason, p.Code, p.Message = j.Reason.read(mobile.PortNotPortable)
	}
	switch p.NumberType {
	case mobile.NumberWireless, mobile.NumberLandline, mobile.NumberVoIP:
	case "":
		if p.Portable {
			return Portability{}, "reply has a portable number without a type"
		}
	default:
		return Portability{}, "reply has a number type that we do not know"
	}
	for _, field := range mobile.PortingFields() {
		if slices.Contains(j.RequiredFields, field) {
			p.Required = append(p.Required, field)
		}
	}
	for _, field := range j.RequiredFields {
		if !slices.Contains(p.Required, field) {
			return Portability{}, "reply asks for a field that we do not know"
		}
	}
	return p, ""
}

// port checks what the carrier says about a port. It returns what is wrong with it, or "".
func (j portJSON) port() (Port, string) {
	port := Port{
		ExternalID: j.ExternalID, LineExternalID: j.LineExternalID, Reference: j.PortID,
		Number: j.Number, ICCID: unpadded(j.ICCID), State: j.State, At: moment(j.StateSince), Due: moment(j.DueAt),
	}
	switch {
	case !externalIDForm.MatchString(port.ExternalID), !referenceForm.MatchString(port.Reference):
		return Port{}, "reply names no port"
	case !externalIDForm.MatchString(port.LineExternalID):
		return Port{}, "reply has a port without a line"
	case !numberForm.MatchString(port.Number):
		return Port{}, "reply has a number that is not E.164"
	case !iccidForm.MatchString(port.ICCID):
		return Port{}, "reply has no ICCID"
	case port.At.IsZero():
		return Port{}, "reply does not say since when"
	}
	switch port.State {
	case PortConfirmed:
		if port.Due.IsZero() {
			return Port{}, "reply has a confirmed port without a time"
		}
	case PortRefused:
		port.Reason, port.Code, port.Message = j.Reason.read(mobile.PortOther)
	case PortDelayed:
		port.Reason, port.Code, port.Message = j.Reason.read(mobile.PortDonorDelay)
	case PortCancelled:
		port.Reason, port.Code, port.Message = j.Reason.read("")
	case PortSubmitted, PortCompleted, PortCancelling:
	default:
		return Port{}, "reply has a state that we do not know"
	}
	return port, ""
}

// fills says whether the port is the one that was ordered.
func (p Port) fills(order PortOrder) bool {
	return p.Number == order.Number && p.ICCID == unpadded(order.ICCID) && p.LineExternalID == order.LineExternalID
}
