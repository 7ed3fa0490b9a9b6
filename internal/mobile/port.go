package mobile

import "time"

// PortID is the identity of one port-in of one number: a UUIDv7. An activation has one, and
// another each time that the customer brings another number instead.
type PortID string

// PortState is where a port stands.
type PortState string

// The states, in the order in which a calm port meets them.
const (
	// PortAwaitingInfo: nothing is at the carrier.
	PortAwaitingInfo PortState = "AWAITING_INFO"
	// PortSubmitted: the order is at the carrier, and the donor has not answered.
	PortSubmitted PortState = "SUBMITTED"
	// PortDelayed: the donor has said that it will answer later.
	PortDelayed PortState = "DELAYED"
	// PortConfirmed: the donor has agreed, and the number moves at the due time.
	PortConfirmed PortState = "CONFIRMED"
	// PortCompleted: the number has moved.
	PortCompleted PortState = "COMPLETED"
	// PortRefused: the donor has said no, for a reason that somebody can mend.
	PortRefused PortState = "REFUSED"
	// PortCancelling: a cancel is at the carrier, and the number may still move.
	PortCancelling PortState = "CANCELLING"
	// PortCancelled: withdrawn before the number moved.
	PortCancelled PortState = "CANCELLED"
	// PortExpired: the customer never gave what was asked.
	PortExpired PortState = "EXPIRED"
)

// PortStates lists every state of a port, in the order of the constants.
func PortStates() []PortState {
	return []PortState{
		PortAwaitingInfo, PortSubmitted, PortDelayed, PortConfirmed, PortCompleted, PortRefused, PortCancelling,
		PortCancelled, PortExpired,
	}
}

// Closed tells whether a port in this state has ended. A completion reopens nothing, but it is
// kept also then.
func (s PortState) Closed() bool {
	switch s {
	case PortCompleted, PortCancelled, PortExpired:
		return true
	case PortAwaitingInfo, PortSubmitted, PortDelayed, PortConfirmed, PortRefused, PortCancelling:
		return false
	}
	panic("mobile: no such port state: " + string(s)) //nolint:forbidigo // The database allows no other: a state was added without a case here.
}

// NumberType is the kind of service that a number has at the donor. It decides how long its
// port takes and what the donor asks for.
type NumberType string

// The types of number; the empty one is not known yet.
const (
	NumberWireless NumberType = "WIRELESS"
	NumberLandline NumberType = "LANDLINE"
	NumberVoIP     NumberType = "VOIP"
)

// PortReason says why a port does not go on: a closed set. What a donor or a carrier says is
// mapped to one of these, and its own code and words are kept beside it for operators.
type PortReason string

// The reasons. Those of which the carrier has no code are found by us.
const (
	PortAccountNumberInvalid PortReason = "ACCOUNT_NUMBER_INVALID"
	PortPINInvalid           PortReason = "PIN_INVALID"
	// PortPINExpired is found by us, from the PIN's age and the donor's rule.
	PortPINExpired       PortReason = "PIN_EXPIRED"
	PortZIPInvalid       PortReason = "ZIP_INVALID"
	PortAddressInvalid   PortReason = "ADDRESS_INVALID"
	PortNameInvalid      PortReason = "NAME_INVALID"
	PortIdentityMismatch PortReason = "IDENTITY_MISMATCH"
	PortNumberLocked     PortReason = "NUMBER_LOCKED"
	PortNumberInactive   PortReason = "NUMBER_INACTIVE"
	PortNumberUnknown    PortReason = "NUMBER_UNKNOWN"
	PortNotPortable      PortReason = "NOT_PORTABLE"
	PortDuplicate        PortReason = "DUPLICATE_PORT"
	PortSameNetwork      PortReason = "SAME_NETWORK"
	PortDonorDelay       PortReason = "DONOR_DELAY"
	PortSchedule         PortReason = "SCHEDULE"
	PortOther            PortReason = "OTHER"
)

// PortReasons lists every reason, in the order of the constants.
func PortReasons() []PortReason {
	return []PortReason{
		PortAccountNumberInvalid, PortPINInvalid, PortPINExpired, PortZIPInvalid, PortAddressInvalid, PortNameInvalid,
		PortIdentityMismatch, PortNumberLocked, PortNumberInactive, PortNumberUnknown, PortNotPortable, PortDuplicate,
		PortSameNetwork, PortDonorDelay, PortSchedule, PortOther,
	}
}

// PortingField names one thing that a donor may want to know. The names are those of
// UsPortingInfo in the API.
type PortingField string

// The fields, in the order of a form: the PIN, which lapses, comes last.
const (
	FieldNumberInService   PortingField = "number_in_service"
	FieldFirstName         PortingField = "first_name"
	FieldLastName          PortingField = "last_name"
	FieldAddressLine       PortingField = "address_line"
	FieldCity              PortingField = "city"
	FieldRegion            PortingField = "region"
	FieldAccountZIP        PortingField = "account_zip"
	FieldAccountNumber     PortingField = "account_number"
	FieldAcceptsLineLosses PortingField = "accepts_line_losses"
	FieldPIN               PortingField = "pin"
	FieldPINMakeDate       PortingField = "pin_make_date"
)

// PortingFields lists every field, in the order of the constants.
func PortingFields() []PortingField {
	return []PortingField{
		FieldNumberInService, FieldFirstName, FieldLastName, FieldAddressLine, FieldCity, FieldRegion, FieldAccountZIP,
		FieldAccountNumber, FieldAcceptsLineLosses, FieldPIN, FieldPINMakeDate,
	}
}

// PortingInfo is what the customer has said to a donor's questions, in normal form. All of it
// is secret: it is sealed in the record, sent to the carrier, and never leaves either way.
type PortingInfo struct {
	AccountNumber string `json:"account_number,omitempty"`
	PIN           string `json:"pin,omitempty"`
	AccountZIP    ZIP    `json:"account_zip,omitempty"`
	FirstName     string `json:"first_name,omitempty"`
	LastName      string `json:"last_name,omitempty"`
	AddressLine   string `json:"address_line,omitempty"`
	City          string `json:"city,omitempty"`
	// Region is the state's two letters.
	Region string `json:"region,omitempty"`
	// NumberInService is nil when it was not asked.
	NumberInService *bool `json:"number_in_service,omitempty"`
	// PINMakeDate is YYYY-MM-DD, the day on which the donor gave the PIN out; empty: unknown.
	PINMakeDate       string `json:"pin_make_date,omitempty"`
	AcceptsLineLosses bool   `json:"accepts_line_losses,omitempty"`
}

// PromptKind says what the customer is asked.
type PromptKind string

// The kinds of prompt.
const (
	PromptNone          PromptKind = "NONE"
	PromptProvideInfo   PromptKind = "PROVIDE_INFO"
	PromptCorrectInfo   PromptKind = "CORRECT_INFO"
	PromptCorrectDevice PromptKind = "CORRECT_DEVICE"
	PromptActAtDonor    PromptKind = "ACT_AT_DONOR"
	PromptDecide        PromptKind = "DECIDE"
)

// PromptKinds lists every kind of prompt.
func PromptKinds() []PromptKind {
	return []PromptKind{
		PromptNone, PromptProvideInfo, PromptCorrectInfo, PromptCorrectDevice, PromptActAtDonor, PromptDecide,
	}
}

// DonorAction is something that only the customer can do at the donor.
type DonorAction string

// The actions; the empty one is nothing.
const (
	ActionLockTakenOff     DonorAction = "LOCK_TAKEN_OFF"
	ActionLineReactivated  DonorAction = "LINE_REACTIVATED"
	ActionTransferApproved DonorAction = "TRANSFER_APPROVED"
)

// CustomerAct is one of the customer's acts on a prompt. The values are those of PortalAct in
// the API.
type CustomerAct string

// The acts.
const (
	ActSubmitPortingInfo  CustomerAct = "SUBMIT_PORTING_INFO"
	ActConfirmDonorAction CustomerAct = "CONFIRM_DONOR_ACTION"
	ActChangeNumber       CustomerAct = "CHANGE_NUMBER"
	ActChangeDevice       CustomerAct = "CHANGE_DEVICE"
	ActKeepNewNumber      CustomerAct = "KEEP_NEW_NUMBER"
	ActStopPort           CustomerAct = "STOP_PORT"
)

// SubmissionVerdict is what became of an act of the customer.
type SubmissionVerdict string

// The verdicts.
const (
	VerdictAccepted  SubmissionVerdict = "ACCEPTED"
	VerdictDuplicate SubmissionVerdict = "DUPLICATE"
	VerdictUnchanged SubmissionVerdict = "UNCHANGED"
	VerdictStale     SubmissionVerdict = "STALE"
	VerdictTooLate   SubmissionVerdict = "TOO_LATE"
)

// Port is the record of one port-in of one number. What the customer has given for it is not
// in it.
type Port struct {
	ID         PortID
	Tenant     TenantID
	Activation ActivationID
	// Number is E.164.
	Number string
	// Donor is a code of the donor table.
	Donor DonorCode
	State PortState
	Since time.Time
	// Version rises with each change, so that of two readings the later one is known.
	Version int64
	// Reason says why it is REFUSED or DELAYED, or cannot be ported; empty otherwise.
	Reason PortReason
	// Code and Message are the carrier's own, with secrets removed; for operators.
	Code    string
	Message string

	// What the carrier said of the number, and when; zero before it was asked.
	NumberType NumberType
	LookedUp   DonorCode
	Required   []PortingField
	Earliest   time.Time
	Checked    time.Time

	// Submitted is when the order last went to the carrier; Due when the number moves;
	// Completed when it moved; Closed when the port ended.
	Submitted time.Time
	Due       time.Time
	Completed time.Time
	Closed    time.Time
	// Refusals counts the donor's, PINRefusals those of the PIN.
	Refusals    int
	PINRefusals int
	// Reference is the carrier's own id of the order, ExternalID ours; empty before the first.
	Reference  string
	ExternalID string
	// Orders counts the orders given to the carrier; a supplement is none.
	Orders int
	// Ordered tells that an order is at the carrier that may still move the number.
	Ordered bool
	// Rescheduled tells that another due time was asked for already.
	Rescheduled bool
	// Word is when the carrier says that what it last said became so.
	Word time.Time

	// InfoPresent tells whether the customer has given what the donor asks for; PINExpires is
	// when the donor no longer takes the PIN, as far as its rules are known.
	InfoPresent bool
	PINExpires  time.Time

	// ReplacedBy is the port of another number that takes this one's place; empty: none.
	ReplacedBy PortID

	// Prompt is the activation's latest question; nil before the first.
	Prompt *Prompt
	// Refused is every refusal, oldest first.
	Refused []PortRefusal

	Created time.Time
	Updated time.Time
}

// Bounds on refusals, after which an operator takes over: donors lock numbers after repeated
// wrong details (design.md §8).
const (
	PortRefusalsMax    = 5
	PortPINRefusalsMax = 3
)

// AttemptsLeft is how many more times the customer may correct before an operator takes over.
func (p Port) AttemptsLeft() int {
	left := PortRefusalsMax - p.Refusals
	if p.Reason.IsPIN() {
		left = min(left, PortPINRefusalsMax-p.PINRefusals)
	}
	return max(left, 0)
}

// Prompt is a question to the customer.
type Prompt struct {
	ID         string
	Activation ActivationID
	Port       PortID
	// Revision grows with each new question of an activation, from 1.
	Revision int64
	Kind     PromptKind
	// Reason is a PortReason, or a device's; empty for the first question.
	Reason string
	// Fields are what is asked for, Refused those of them that the refusal is about.
	Fields  []PortingField
	Refused []PortingField
	// Action is what is to be done at the donor; for ACT_AT_DONOR.
	Action   DonorAction
	Opened   time.Time
	Deadline time.Time
	// Reminders counts those sent; NextReminder is zero when none is left.
	Reminders    int
	NextReminder time.Time
	// Answered is when the customer answered it, or when it fell away.
	Answered time.Time
}

// Open tells whether the customer is to answer it.
func (p *Prompt) Open() bool { return p != nil && p.Answered.IsZero() }

// Submission is one act of the customer on a prompt. What was said for the donor is not in
// it.
type Submission struct {
	ID         string
	Activation ActivationID
	Port       PortID
	// Revision is that of the prompt that was answered.
	Revision int64
	Act      CustomerAct
	Verdict  SubmissionVerdict
	// IMEI is another phone, Other the port of another number.
	IMEI    IMEI
	Other   PortID
	Created time.Time
	// Taken is when the run took it up, Refused when the donor refused it.
	Taken   time.Time
	Refused time.Time
}

// PortRefusal is one "no" to a port.
type PortRefusal struct {
	Time      time.Time
	Reason    PortReason
	Code      string
	Message   string
	Reference string
}
