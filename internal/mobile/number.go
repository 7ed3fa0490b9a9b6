package mobile

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// ParsePortNumber accepts a US telephone number that could be ported, in E.164 or in usual
// punctuation, and gives it as E.164. Whether it can be ported is the carrier's to say.
func ParsePortNumber(s string) (string, *Refusal) {
	if v := oneLine(s); v != nil {
		return "", v
	}
	number, err := phonenumbers.Parse(s, "US")
	if err != nil {
		return "", &Refusal{"NUMBER_NOT_VALID", "This is not a telephone number such as (212) 555-0123."}
	}
	national := phonenumbers.GetNationalSignificantNumber(number)
	switch {
	case number.GetCountryCode() != 1:
		return "", &Refusal{"NUMBER_NOT_US", "Only US numbers can be ported."}
	case len(national) != 10 || national[0] < '2' || national[3] < '2':
		return "", &Refusal{"NUMBER_NOT_VALID", "A US number has ten digits; area code and exchange start with 2 to 9."}
	case strings.HasSuffix(national[:3], "11") || strings.HasSuffix(national[3:6], "11") || national[:3] == "900" || national[:3] == "700" || national[0] == '5' && national[1] == national[2] && national[1] != '5':
		return "", &Refusal{"NUMBER_NOT_GEOGRAPHIC", "Premium-rate, service and personal numbers cannot be ported. Give a geographic number."}
	}
	switch phonenumbers.GetNumberType(number) {
	case phonenumbers.TOLL_FREE:
		return "", &Refusal{"NUMBER_TOLL_FREE", "Toll-free numbers cannot be ported to a mobile line."}
	case phonenumbers.PREMIUM_RATE, phonenumbers.PERSONAL_NUMBER, phonenumbers.SHARED_COST, phonenumbers.UAN, phonenumbers.VOICEMAIL, phonenumbers.PAGER:
		return "", &Refusal{"NUMBER_NOT_GEOGRAPHIC", "Premium-rate, service and personal numbers cannot be ported. Give a geographic number."}
	case phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.VOIP, phonenumbers.UNKNOWN:
	}
	if region := phonenumbers.GetRegionCodeForNumber(number); region != "" && region != "US" && region != "PR" {
		return "", &Refusal{"NUMBER_NOT_US", "Only US numbers can be ported."}
	}
	return phonenumbers.Format(number, phonenumbers.E164), nil
}
