package mobile

import (
	"slices"

	"github.com/dialtone/dialtone/internal/fault"
)

// Known tells whether it is one of the closed set.
func (r PortReason) Known() bool { return slices.Contains(PortReasons(), r) }

// WaitsFor is who must act next.
func (r PortReason) WaitsFor() Party { return r.row().waits }

// Prompt is the question that follows; PromptNone where the customer is asked nothing.
func (r PortReason) Prompt() PromptKind { return r.row().prompt }

// Fields are those that the reason is about, in the order of a form; none where it is about
// none.
func (r PortReason) Fields() []PortingField { return slices.Clone(r.row().fields) }

// Action is what the customer must do at the donor; empty for nothing.
func (r PortReason) Action() DonorAction { return r.row().action }

// IsPIN tells whether it is about the PIN, of which three refusals are one too many.
func (r PortReason) IsPIN() bool { return r == PortPINInvalid || r == PortPINExpired }

// ForCustomer says in words, for the customer, what is wrong and what to do, without naming
// the donor; a PortQuestion names it.
func (r PortReason) ForCustomer() string { return wordsFor(PortFacts{}).fill(r.row().customer) }

// ForOperators says the same for staff: what the donor means, who acts, what Dialtone does.
func (r PortReason) ForOperators() string { return r.row().operators }

// Refusal is the named refusal of a port for this reason.
func (r PortReason) Refusal() *fault.Error {
	return fault.New(fault.Conflict, string(r), r.ForOperators())
}

// portRefusals are the named refusals of all reasons.
func portRefusals() []*fault.Error {
	var refusals []*fault.Error
	for _, reason := range PortReasons() {
		refusals = append(refusals, reason.Refusal())
	}
	return refusals
}

// row is what follows from the reason. One that the set does not have is read as OTHER: an
// operator looks at it.
func (r PortReason) row() portReasonRow {
	if row, ok := portReasonRows[r]; ok {
		return row
	}
	return portReasonRows[PortOther]
}

// portReasonRow is all that follows from a reason. The words in braces are filled in by
// donorWords.
type portReasonRow struct {
	waits     Party
	prompt    PromptKind
	fields    []PortingField
	action    DonorAction
	customer  string
	operators string
}

// portReasonRows is who acts and how, by reason (port.proto; the classes are those of
// domain.md §2.5).
var portReasonRows = map[PortReason]portReasonRow{
	PortAccountNumberInvalid: {
		waits: PartyCustomer, prompt: PromptCorrectInfo, fields: []PortingField{FieldAccountNumber},
		customer:  "{Donor} does not accept the account number. Please look it up once more and enter it exactly as it stands there.",
		operators: "The donor does not accept the account number. The customer is asked to correct it.",
	},
	PortPINInvalid: {
		waits: PartyCustomer, prompt: PromptCorrectInfo, fields: []PortingField{FieldPIN, FieldPINMakeDate},
		customer:  "{Donor} does not accept the {pin}. {new pin}",
		operators: "The donor does not accept the PIN. The customer is asked for a new one; after three of them an operator takes over.",
	},
	PortPINExpired: {
		waits: PartyCustomer, prompt: PromptCorrectInfo, fields: []PortingField{FieldPIN, FieldPINMakeDate},
		customer:  "The {pin} that you gave is too old by now{lifetime}. {new pin}",
		operators: "The PIN is older than the donor takes it, by our table of donors, so that it was not sent. The customer is asked for a new one.",
	},
	PortZIPInvalid: {
		waits: PartyCustomer, prompt: PromptCorrectInfo, fields: []PortingField{FieldAccountZIP},
		customer:  "{Donor} has another ZIP code on your account. Please enter the one that stands {on record}; it may not be that of the place where you live now.",
		operators: "The donor has another ZIP code on the account. The customer is asked to correct it.",
	},
	PortAddressInvalid: {
		waits: PartyCustomer, prompt: PromptCorrectInfo, fields: []PortingField{FieldAddressLine, FieldCity, FieldRegion},
		customer:  "{Donor} has another address on your account. Please enter street, city and state exactly as they stand {on record}.",
		operators: "The donor has another address on the account. The customer is asked to correct it.",
	},
	PortNameInvalid: {
		waits: PartyCustomer, prompt: PromptCorrectInfo, fields: []PortingField{FieldFirstName, FieldLastName},
		customer:  "{Donor} has another name on your account. Please enter the account holder's name exactly as it stands {on record}. If somebody else in your family holds the account, it is their name.",
		operators: "The donor has another name on the account. The customer is asked to correct it.",
	},
	PortIdentityMismatch: {
		waits: PartyCustomer, prompt: PromptCorrectInfo, fields: identityFields,
		customer:  "{Donor} cannot match these details to one of its accounts. Please compare each of them with what stands {on record}, and correct what differs.",
		operators: "The donor cannot match the details to an account and does not say which is wrong. The customer is asked to compare and correct them.",
	},
	PortNumberLocked: {
		waits: PartyCustomer, prompt: PromptActAtDonor, action: ActionLockTakenOff,
		customer:  "{Donor} keeps your number locked{lock}, so it cannot be moved yet. Please take the lock off, then tell us here that you have done it. You need not enter your details again.",
		operators: "The number is locked at the donor. The customer is asked to take the lock off and to say so; then the same details are sent again.",
	},
	PortNumberInactive: {
		waits: PartyCustomer, prompt: PromptActAtDonor, action: ActionLineReactivated,
		customer:  "Your number is not in service at {donor} at the moment, and only a number that is in service can be moved. Please have {donor} turn it on again, then tell us here that it works. If that cannot be done, you can bring another number or take a new one.",
		operators: "The number is not in service at the donor. The customer is asked to have it reactivated and to say so, or to decide otherwise.",
	},
	PortNumberUnknown: {
		waits: PartyCustomer, prompt: PromptDecide,
		customer:  "{Donor} does not know {number}. Please check the number and the name of the provider, and correct what is wrong; or take a new number.",
		operators: "The donor does not know the number. The customer is asked to correct the number or the donor, or to decide otherwise.",
	},
	PortNotPortable: {
		waits: PartyCustomer, prompt: PromptDecide,
		customer:  "We are sorry: {number} cannot be moved to us from {donor}. Your old line keeps working as it is. You can bring another number, take a new one, or stop here.",
		operators: "The number cannot be ported. The customer is asked to decide: another number, a new one, or stop.",
	},
	PortDuplicate: {
		waits: PartyOperator, prompt: PromptNone,
		customer:  "Another request to move your number is open somewhere. We are clearing this up and will write to you. If you have asked another company to move it, please tell them to withdraw that request.",
		operators: "Another port of this number is open elsewhere. Find out with the customer and the carrier whose it is, and have it withdrawn; then send it again.",
	},
	PortSameNetwork: {
		waits: PartyOperator, prompt: PromptNone,
		customer:  "Your number is on our network already, so it need not be brought over from another provider. Please call us: we move it to this line. Or you can take a new number.",
		operators: "The number is on our carrier already, so that it cannot be ported. Have the carrier move it to this line, then say that it is done.",
	},
	PortDonorDelay: {
		waits: PartyDonor, prompt: PromptNone,
		customer:  "{Donor} needs more time to answer. There is nothing that you need to do; please keep your old line on.",
		operators: "The donor will answer later. Nothing is to be done but wait; Dialtone keeps asking, and an operator is called when it takes too long.",
	},
	PortSchedule: {
		waits: PartyDialtone, prompt: PromptNone,
		customer:  "{Donor} asks for another date. We are arranging it; there is nothing that you need to do.",
		operators: "The time that was asked for does not suit the donor. Dialtone asks for another by itself, once.",
	},
	PortOther: {
		waits: PartyOperator, prompt: PromptNone,
		customer:  "{Donor} has not agreed to move your number yet. We are finding out why and will write to you; there is nothing that you need to do.",
		operators: "The donor refuses for a reason that Dialtone does not know. Read its code and words beside this, and decide.",
	},
}

// identityFields are all by which a donor knows its customer.
var identityFields = []PortingField{
	FieldFirstName, FieldLastName, FieldAddressLine, FieldCity, FieldRegion, FieldAccountZIP, FieldAccountNumber, FieldPIN,
}
