package carrier

import (
	"encoding/json"
	"regexp"
	"strings"
)

// The bodies at the wire. Their fields are those of api/carrier/v1/openapi.yaml.
type (
	deviceCheckJSON struct {
		IMEI    string `json:"imei"`
		ZIPCode string `json:"zip_code"`
	}
	deviceResultJSON struct {
		Eligible bool `json:"eligible"`
	}
	lineOrderJSON struct {
		ExternalID   string `json:"external_id"`
		ICCID        string `json:"iccid"`
		IMEI         string `json:"imei"`
		ZIPCode      string `json:"zip_code"`
		Plan         string `json:"plan"`
		CustomerName string `json:"customer_name"`
	}
	simChangeJSON struct {
		ICCID string `json:"iccid"`
		IMEI  string `json:"imei"`
	}
	lineJSON struct {
		ExternalID string `json:"external_id"`
		LineID     string `json:"line_id"`
		State      State  `json:"state"`
		Number     string `json:"number"`
		ICCID      string `json:"iccid"`
		Failure    *struct {
			Code string `json:"code"`
		} `json:"failure"`
	}
	// refusalJSON is the body of a reply that is not a 2xx.
	refusalJSON struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
		Line json.RawMessage `json:"line"`
		Port json.RawMessage `json:"port"`
	}
)

var (
	referenceForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$`)
	numberForm    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	iccidForm     = regexp.MustCompile(`^[0-9]{18,20}$`)
)

// line checks what the carrier says about a line, as one checks any input from outside. It
// returns what is wrong with it, or "".
func (j lineJSON) line() (Line, string) {
	line := Line{
		ExternalID: j.ExternalID, Reference: j.LineID, State: j.State,
		Number: j.Number, ICCID: unpadded(j.ICCID),
	}
	switch {
	case !externalIDForm.MatchString(line.ExternalID), !referenceForm.MatchString(line.Reference):
		return Line{}, "reply names no line"
	case !iccidForm.MatchString(line.ICCID):
		return Line{}, "reply has no ICCID"
	case line.Number != "" && !numberForm.MatchString(line.Number):
		return Line{}, "reply has a number that is not E.164"
	}
	switch line.State {
	case StateActive:
		if line.Number == "" {
			return Line{}, "reply has an active line without a number"
		}
	case StateFailed:
		line.Reason = reasonOf("")
		if j.Failure != nil {
			line.Reason = reasonOf(j.Failure.Code)
		}
	case StatePending, StateDeactivated:
	default:
		return Line{}, "reply has a state that we do not know"
	}
	return line, ""
}

// unpadded takes off the F that fills an ICCID of 19 digits up to ten bytes.
func unpadded(iccid string) string { return strings.TrimRight(iccid, "Ff") }
