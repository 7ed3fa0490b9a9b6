package mobile

import "time"

// Tenant is a provider that uses this installation. Every mail and page names it.
type Tenant struct {
	ID          TenantID
	DisplayName string
	MailFrom    string
	MailReplyTo string
	// SupportPhone and SupportHours are shown to customers as they are.
	SupportPhone string
	SupportHours string
	// PortalURLTemplate holds "{token}", which is replaced by the customer's token.
	PortalURLTemplate string
	// TimeZone is an IANA name, as in "America/New_York".
	TimeZone string
	Plans    []Plan
	Created  time.Time
	Updated  time.Time
}

// PlanKind tells what a plan sells.
type PlanKind string

// The kinds of plan.
const (
	PlanMobile   PlanKind = "MOBILE"
	PlanInternet PlanKind = "INTERNET"
	PlanOther    PlanKind = "OTHER"
)

// Plan maps a plan of the billing system to what partners call it.
type Plan struct {
	Name string
	Kind PlanKind
	// CarrierPlan is the carrier's name of the plan; for mobile plans.
	CarrierPlan string
	// ProfileType is the SM-DP+'s name of the eSIM profile; for mobile plans.
	ProfileType string
}

// SubscriptionStatus is billing's own four states.
type SubscriptionStatus string

// The statuses of a subscription.
const (
	SubscriptionPending   SubscriptionStatus = "PENDING"
	SubscriptionActive    SubscriptionStatus = "ACTIVE"
	SubscriptionSuspended SubscriptionStatus = "SUSPENDED"
	SubscriptionCancelled SubscriptionStatus = "CANCELLED"
)

// Subscription is what billing sold.
type Subscription struct {
	ID            SubscriptionID
	Tenant        TenantID
	AccountID     string
	CustomerName  string
	CustomerEmail string
	Plan          string
	Status        SubscriptionStatus
	PhoneNumber   string
	Created       time.Time
	Updated       time.Time
	// Activated is when the line went live; zero before.
	Activated time.Time
	Cancelled time.Time
	// Activation is the newest one; empty when it was never launched.
	Activation ActivationID
	// PlanKind is what the tenant's table says of the plan; empty when it has no such plan.
	// It is read, never written.
	PlanKind PlanKind
}

// ProfileState is where an eSIM profile stands with us.
type ProfileState string

// The states of a profile.
const (
	// ProfileAvailable is in the stock: the SM-DP+ assigned it to us, and nobody holds it.
	ProfileAvailable ProfileState = "AVAILABLE"
	// ProfileReserved is ordered: its ICCID is known.
	ProfileReserved ProfileState = "RESERVED"
	// ProfileReleased can be downloaded: its activation code works.
	ProfileReleased ProfileState = "RELEASED"
	// ProfileReturned was given back unused, and another order may get it.
	ProfileReturned ProfileState = "RETURNED"
	// ProfileRetired was given back after somebody outside knew it: never used again.
	ProfileRetired ProfileState = "RETIRED"
	// ProfileLeaked is an order whose answer was lost and which was written off: if there is a
	// profile, nobody here knows its ICCID.
	ProfileLeaked ProfileState = "LEAKED"
)

// ProfileStates lists every state of a profile, in the order of its life.
func ProfileStates() []ProfileState {
	return []ProfileState{
		ProfileAvailable, ProfileReserved, ProfileReleased, ProfileReturned, ProfileRetired, ProfileLeaked,
	}
}

// Profile is an eSIM: in the stock, or held for an activation.
type Profile struct {
	ID string
	// Activation holds it, or held it last; for LEAKED, the one it was ordered for. Empty
	// when none did.
	Activation ActivationID
	// FollowUp is the replacement that it was taken for; empty for the first one.
	FollowUp FollowUpID
	// ICCID is empty for LEAKED.
	ICCID        ICCID
	ProfileType  string
	State        ProfileState
	InstallState InstallState
	// InstallMoved is when the install state last moved; zero before the first word.
	InstallMoved time.Time
	// InstallDetail is the SM-DP+'s code for why an installation failed.
	InstallDetail string
	// Adopted is when it became the activation's own; zero while a replacement is not yet on
	// the line.
	Adopted time.Time
	// Imported is when it came into the stock; zero for one that was ordered by type.
	Imported time.Time
	// Source is where it came from, as was said at the import.
	Source string
	// Detail says why it is RETIRED or LEAKED.
	Detail string
	// OrderReference is the call identifier of its order at the SM-DP+.
	OrderReference string
	// Generation is 0 for an activation's first profile, one more for each replacement.
	Generation int
	Created    time.Time
	Updated    time.Time
}

// NoticeKind names a mail to the customer.
type NoticeKind string

// The kinds of notice.
const (
	// NoticeDetailsNeeded asks for what the donor wants to know.
	NoticeDetailsNeeded NoticeKind = "DETAILS_NEEDED"
	// NoticeActionRequired says that something must be corrected, done or decided.
	NoticeActionRequired NoticeKind = "ACTION_REQUIRED"
	// NoticeReminder reminds of a question that is still open.
	NoticeReminder NoticeKind = "REMINDER"
	// NoticeActivation is the mail with the QR code.
	NoticeActivation NoticeKind = "MOBILE_ACTIVATION"
	// NoticeDidNotWorkOut says that the number does not come, and that the old line still works.
	NoticeDidNotWorkOut NoticeKind = "DID_NOT_WORK_OUT"
	// NoticePortalLink carries a new link for one that has lapsed.
	NoticePortalLink NoticeKind = "PORTAL_LINK"
	// NoticeNumberMoved says that the number has moved although a cancel was asked for.
	NoticeNumberMoved NoticeKind = "NUMBER_MOVED"
)

// NoticeState is how far a mail has come.
type NoticeState string

// The states of a notice.
const (
	NoticePrepared  NoticeState = "PREPARED"
	NoticeSent      NoticeState = "SENT"
	NoticeDelivered NoticeState = "DELIVERED"
	NoticeBounced   NoticeState = "BOUNCED"
	// NoticeNoWord was sent a day ago, and nothing was heard of it since.
	NoticeNoWord NoticeState = "NO_WORD"
)

// Notice is one mail to the customer, as screens show it.
type Notice struct {
	ID   string
	Kind NoticeKind
	// Generation is 0 for the first of its kind, one more for each deliberate repeat.
	Generation int
	FollowUp   FollowUpID
	// InstallState is what was known of the installation when it was decided to send the mail
	// again; else empty.
	InstallState  InstallState
	State         NoticeState
	MaskedAddress string
	Reason        string
	Prepared      time.Time
	Sent          time.Time
	Settled       time.Time
}

// ItemKind names what waits for an operator.
type ItemKind string

// The kinds of item.
const (
	// ItemStepStuck is a step whose patience is over; it goes on by itself.
	ItemStepStuck ItemKind = "STEP_STUCK"
	// ItemOutcomeUnknown is an act outside that may or may not have happened.
	ItemOutcomeUnknown ItemKind = "OUTCOME_UNKNOWN"
	// ItemStepRefused is a step that a partner refused for good after the line went live.
	ItemStepRefused ItemKind = "STEP_REFUSED"
	// ItemNumberAtRisk is a live line that somebody wanted to cancel.
	ItemNumberAtRisk ItemKind = "NUMBER_AT_RISK"
	// ItemRunLost is an activation whose run is gone.
	ItemRunLost ItemKind = "RUN_LOST"
	// ItemMailNotDelivered is a mail that bounced, or of which nothing was heard.
	ItemMailNotDelivered ItemKind = "MAIL_NOT_DELIVERED"
	// ItemInstallFailed is an eSIM that will not be installed.
	ItemInstallFailed ItemKind = "INSTALL_FAILED"
	// ItemCarrierSilent is a port that the carrier or the donor does not answer; it is asked on.
	ItemCarrierSilent ItemKind = "CARRIER_SILENT"
	// ItemTooManyRefusals is a port that was refused too often to ask the customer alone.
	ItemTooManyRefusals ItemKind = "TOO_MANY_REFUSALS"
	// ItemPortRefused is a port that was refused for a reason which an operator must look at.
	ItemPortRefused ItemKind = "PORT_REFUSED"
	// ItemOddEvent is an event of the carrier that does not fit its port.
	ItemOddEvent ItemKind = "ODD_EVENT"
	// ItemDoesNotWork is a customer who says that the installed line does not work.
	ItemDoesNotWork ItemKind = "DOES_NOT_WORK"
)

// ItemKinds lists every kind of item.
func ItemKinds() []ItemKind {
	return []ItemKind{
		ItemStepStuck, ItemOutcomeUnknown, ItemStepRefused, ItemNumberAtRisk, ItemRunLost, ItemMailNotDelivered,
		ItemInstallFailed, ItemCarrierSilent, ItemTooManyRefusals, ItemPortRefused, ItemOddEvent, ItemDoesNotWork,
	}
}

// Severity says how much hangs on an item.
type Severity string

// The severities.
const (
	// SeverityStranded means that a customer has no telephone now.
	SeverityStranded Severity = "STRANDED"
	// SeverityAtRisk means that a customer may lose something.
	SeverityAtRisk Severity = "AT_RISK"
	// SeverityRoutine means that somebody must look, today.
	SeverityRoutine Severity = "ROUTINE"
)

// Severity is how much hangs on an item of this kind.
func (k ItemKind) Severity() Severity {
	switch k {
	case ItemNumberAtRisk:
		return SeverityAtRisk
	case ItemInstallFailed, ItemDoesNotWork:
		// A customer holds a phone that does not telephone.
		return SeverityStranded
	case ItemStepStuck, ItemOutcomeUnknown, ItemStepRefused, ItemRunLost, ItemMailNotDelivered, ItemCarrierSilent,
		ItemTooManyRefusals, ItemPortRefused, ItemOddEvent:
		return SeverityRoutine
	}
	return SeverityRoutine
}

// Item is something that waits for an operator.
type Item struct {
	ID         string
	Activation ActivationID
	Kind       ItemKind
	Severity   Severity
	// FollowUp is whose question it is; empty: the activation's own run, or nobody's.
	FollowUp FollowUpID
	Step     StepName
	// Act is the act outside that it is about; empty when about none.
	Act Act
	// Undoing tells that what was taken is being given back.
	Undoing bool
	// Reason is the underlying one.
	Reason string
	Detail string
	Opened time.Time
	// Due is when an answer is overdue; nothing ends by itself then.
	Due    time.Time
	Closed time.Time
	// Resolution and Actor say how a person settled it, and who; empty when it closed by
	// itself.
	Resolution Resolution
	Actor      string
}

// Question is what the item asks, given whether its activation's line is live.
func (i Item) Question(live bool) Question {
	q := Question{Kind: i.Kind, Act: i.Act.Base(), Phase: PhaseComingUp}
	switch {
	case i.FollowUp != "" && (i.Step == StepResendActivationEmail || i.Step == StepSendPortalLink):
		q.Phase = PhaseResending
	case i.FollowUp != "":
		q.Phase = PhaseReplacing
	case i.Undoing:
		q.Phase = PhaseUndoing
	case live:
		q.Phase = PhaseLive
	}
	return q
}

// EventType names an event of the feed.
type EventType string

// The events. Billing branches on them: they are only ever added to.
const (
	EventSubscriptionCreated   EventType = "subscription.created"
	EventSubscriptionActivated EventType = "subscription.activated"
	EventSubscriptionCancelled EventType = "subscription.cancelled"
	EventWorkflowStateChanged  EventType = "workflow.state_changed"
	EventCancelAccepted        EventType = "workflow.cancel_accepted"
	EventCancelTooLate         EventType = "workflow.cancel_too_late"
	EventPortStateChanged      EventType = "port.state_changed"
	EventPromptOpened          EventType = "port.prompt_opened"
	EventItemOpened            EventType = "item.opened"
	EventItemClosed            EventType = "item.closed"
	EventNoticeSent            EventType = "notice.sent"
	EventNoticeDelivered       EventType = "notice.delivered"
	EventNoticeBounced         EventType = "notice.bounced"
	EventNoticeNoWord          EventType = "notice.no_word"
	EventProfileInstalled      EventType = "profile.installed"
	EventProfileStateChanged   EventType = "profile.install_state_changed"
)

// Event is one entry of a tenant's feed. Fields that do not apply are empty.
type Event struct {
	ID string
	// Sequence orders the feed; 0 until the relay has numbered the event.
	Sequence     int64
	Tenant       TenantID
	Type         EventType
	Activation   ActivationID
	Subscription SubscriptionID
	Data         EventData
	Created      time.Time
}

// EventData is what an event tells, by type. It is stored as JSON: fields are only added.
type EventData struct {
	AccountID            string             `json:"account_id,omitempty"`
	WorkflowType         Type               `json:"workflow_type,omitempty"`
	Revision             int64              `json:"revision,omitempty"`
	Deadline             *time.Time         `json:"deadline,omitempty"`
	State                State              `json:"state,omitempty"`
	PreviousState        State              `json:"previous_state,omitempty"`
	Reason               string             `json:"reason,omitempty"`
	Status               SubscriptionStatus `json:"status,omitempty"`
	PreviousStatus       SubscriptionStatus `json:"previous_status,omitempty"`
	Plan                 string             `json:"plan,omitempty"`
	PhoneNumber          string             `json:"phone_number,omitempty"`
	LiveTime             *time.Time         `json:"live_time,omitempty"`
	ItemID               string             `json:"item_id,omitempty"`
	ItemKind             ItemKind           `json:"item_kind,omitempty"`
	Severity             Severity           `json:"severity,omitempty"`
	NoticeID             string             `json:"notice_id,omitempty"`
	Notice               NoticeKind         `json:"notice,omitempty"`
	NoticeState          NoticeState        `json:"notice_state,omitempty"`
	ICCIDLast4           string             `json:"iccid_last4,omitempty"`
	ProfileState         ProfileState       `json:"profile_state,omitempty"`
	InstallState         InstallState       `json:"install_state,omitempty"`
	PreviousInstallState InstallState       `json:"previous_install_state,omitempty"`
	Donor                DonorCode          `json:"donor,omitempty"`
	PortState            PortState          `json:"port_state,omitempty"`
	PreviousPortState    PortState          `json:"previous_port_state,omitempty"`
	DueTime              *time.Time         `json:"due_time,omitempty"`
	PromptKind           PromptKind         `json:"prompt_kind,omitempty"`
	PromptRevision       int64              `json:"prompt_revision,omitempty"`
}

// Principal is a kind of caller.
type Principal string

// The principals. ADMIN has the installation; BILLING, OPERATOR, CONSOLE and PORTAL_BACKEND
// one tenant each; PORTAL one activation.
const (
	PrincipalAdmin         Principal = "ADMIN"
	PrincipalBilling       Principal = "BILLING"
	PrincipalOperator      Principal = "OPERATOR"
	PrincipalConsole       Principal = "CONSOLE"
	PrincipalPortalBackend Principal = "PORTAL_BACKEND"
	PrincipalPortal        Principal = "PORTAL"
)

// Token is a credential as it is remembered: never the token itself, only its hash.
type Token struct {
	ID         string
	Principal  Principal
	Tenant     TenantID
	Activation ActivationID
	Name       string
	Created    time.Time
	Expires    time.Time
	Revoked    time.Time
	// Used is when it was last used, to the hour; zero when never.
	Used time.Time
}
