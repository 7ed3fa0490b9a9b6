package mobile

import "github.com/dialtone/dialtone/internal/fault"

// ReasonText says in words, for staff, what a reason of an activation or a step means and
// what to do; empty for a reason that has no words.
func ReasonText(reason string) string {
	if text, ok := reasonTexts[reason]; ok {
		return text
	}
	for _, refusal := range partnerRefusals {
		if refusal.Reason == reason {
			return refusal.Public
		}
	}
	return ""
}

// partnerRefusals carry their words with them: those of partners and, by a donor, of a port.
var partnerRefusals = append([]*fault.Error{
	ErrDeviceBlocked, ErrDeviceNotESIMCapable, ErrDeviceNotSupported, ErrDeviceUnknown, ErrZIPNotServed,
	ErrPlanNotKnownToCarrier, ErrProfileTypeUnknown, ErrProfileNotAvailable, ErrStockRefused, ErrProfileInUse, ErrICCIDNotAccepted,
	ErrMailAddressRefused, ErrPartnerRefused, ErrSMDPAddressNotOurs, ErrMatchingIDNotOurs,
}, portRefusals()...)

var reasonTexts = map[string]string{
	"SUBSCRIPTION_NOT_PENDING": "The subscription is no longer pending, so there is nothing to activate.",
	"SUBSCRIPTION_NOT_MOBILE":  "The subscription's plan is not a mobile one in the tenant's table of plans.",

	"PARTNER_UNREACHABLE":      "The partner does not answer. Dialtone keeps trying.",
	"PARTNER_BUSY":             "The partner is busy. Dialtone keeps trying.",
	"PARTNER_DENIED_US":        "The partner refuses our credentials. Renew them; Dialtone keeps trying.",
	"PARTNER_REPLY_UNREADABLE": "The partner's reply cannot be read. Dialtone keeps trying; tell the partner if it stays so.",
	"PARTNER_HELD":             "An operator holds this partner. It goes on once the hold ends.",
	"NO_PROFILES_LEFT":         "No eSIM profile is left in the stock. Import more; Dialtone keeps trying.",

	"LOOK_LATER": "The partner's answer was lost. It is asked what became of it once nothing can be on its way.",

	"STEP_STUCK":         "The step takes longer than it should. Dialtone keeps trying; look at the reason beside it.",
	"OUTCOME_UNKNOWN":    "An act may or may not have happened at the partner. Find out there and say which.",
	"STEP_REFUSED":       "The partner refused it for good. Mend what the reason names, then decide.",
	"LINE_MISMATCH":      "The line at the carrier is not what was ordered. Ask the carrier.",
	"CARRIER_SILENT":     "The carrier has not answered in time. Ask the carrier.",
	"TOO_MANY_REFUSALS":  "It was refused too often. Talk to the customer before it is tried again.",
	"UNDO_REFUSED":       "Something cannot be given back. Settle it with the partner.",
	"NUMBER_AT_RISK":     "A cancel was asked for while the line is live, or a number moved although that was called off. Nothing was taken down: decide with billing and the customer.",
	"RUN_LOST":           "The engine's run of this activation is gone. Decide whether to go on or to give up.",
	"MAIL_NOT_DELIVERED": "An e-mail to the customer came back, or nothing was heard of it. Correct the address if need be, and send it again.",
	"INSTALL_FAILED":     "The phone could not install the eSIM. Give the customer another profile.",
	"PORT_REFUSED":       "The donor has refused the port for a reason that the customer cannot mend. Ask the carrier, then decide.",
	"ODD_EVENT":          "An event of the carrier does not fit its port, and was not heeded. Compare with the carrier.",
	"DOES_NOT_WORK":      "The customer says that it does not work. Call the customer.",
	"NOT_INSTALLED":      "The customer says that the phone does not take the code. Call the customer.",
	"NO_SERVICE":         "The customer says that the eSIM is installed and has no service. Look at the line, and call the customer.",
	"DELETED":            "The customer says that the eSIM was deleted after it was installed. Give another one: replace-profile.",
	"INTERNAL":           "Something of ours broke. The logs hold the cause.",

	"CANCELLED_BY_BILLING":  "Billing cancelled it.",
	"CANCELLED_BY_OPERATOR": "An operator cancelled it.",
	"CANCELLED_BY_CUSTOMER": "The customer stopped it.",
	"CUSTOMER_SILENT":       "The customer did not answer in time.",
	"GIVEN_UP":              "An operator gave it up; what was taken was given back.",
	"BEYOND_REPAIR":         "An operator ended it as beyond repair. Things may be left outside: see the notes.",
}
