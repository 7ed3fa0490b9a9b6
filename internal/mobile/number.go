package mobile

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// ParsePortNumber accepts a US telephone number that could be ported, in E.164 or in usual
// punctuation, and gives it as E.164. The area code decides whose it is and what it is for;
// whether the very number can be ported is the carrier's to say. The territories' numbers are
// the US's. Fictional numbers (555-01xx) are accepted: tests and demonstrations live on them.
func ParsePortNumber(s string) (string, *Refusal) {
	if v := oneLine(s); v != nil {
		return "", v
	}
	number, err := phonenumbers.Parse(s, "US")
	if err != nil {
		return "", &Refusal{"NUMBER_NOT_VALID", "This is not a telephone number such as (212) 555-0123."}
	}
	if number.GetCountryCode() != 1 {
		return "", &Refusal{"NUMBER_NOT_US", "Only US numbers can be ported."}
	}
	national := phonenumbers.GetNationalSignificantNumber(number)
	if v := judgeUSNumber(national); v != nil {
		return "", v
	}
	return "+1" + national, nil
}

// judgeUSNumber judges the digits after +1 (NANPA, NPA and central office code formats: both
// start with 2 to 9).
func judgeUSNumber(national string) *Refusal {
	if len(national) != 10 || national[0] < '2' || national[3] < '2' {
		return &Refusal{"NUMBER_NOT_VALID", "A US number has ten digits; area code and exchange start with 2 to 9."}
	}
	switch useOf(national[:3]) {
	case areaCodeForeign:
		return &Refusal{"NUMBER_NOT_US", "Only US numbers can be ported."}
	case areaCodeTollFree:
		return &Refusal{"NUMBER_TOLL_FREE", "Toll-free numbers cannot be ported to a mobile line."}
	case areaCodeService:
		return errNumberNotGeographic
	case areaCodeUnused:
		return &Refusal{"NUMBER_NOT_VALID", "No US number has this area code. Check the first three digits."}
	case areaCodeUS:
	}
	if strings.HasSuffix(national[3:6], "11") {
		return errNumberNotGeographic
	}
	return nil
}

var errNumberNotGeographic = &Refusal{
	"NUMBER_NOT_GEOGRAPHIC", "Premium-rate, service and personal numbers cannot be ported. Give a geographic number.",
}

// NationalNumber writes a US number in E.164 as people do: "(212) 736-5000". Any other stays
// as it is.
func NationalNumber(e164 string) string {
	digits, us := strings.CutPrefix(e164, "+1")
	if !us || len(digits) != 10 {
		return e164
	}
	return "(" + digits[:3] + ") " + digits[3:6] + "-" + digits[6:]
}
