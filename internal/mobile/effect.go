package mobile

import (
	"strconv"
	"strings"
	"time"
)

// Act names an act that changes something outside.
type Act string

// The acts. With tenant, activation and generation they are the key of an effect.
const (
	ActOrderProfile   Act = "order_profile"
	ActConfirmProfile Act = "confirm_profile"
	ActCancelProfile  Act = "cancel_profile"
	ActActivateLine   Act = "activate_line"
	ActDeactivateLine Act = "deactivate_line"
	ActChangeSIM      Act = "change_sim"
	ActRetireProfile  Act = "retire_profile"
	ActSendMail       Act = "send_mail"
	// ActSendNotice is any other mail: one act for each notice.
	ActSendNotice Act = "send_notice"
	// ActSubmitPort is an order of a port, ActSupplementPort its correction: one act for each
	// accepted submission. ActReschedulePort asks for another time; ActCancelPort withdraws an
	// order.
	ActSubmitPort     Act = "submit_port"
	ActSupplementPort Act = "supplement_port"
	ActReschedulePort Act = "reschedule_port"
	ActCancelPort     Act = "cancel_port"
)

// Acts lists them all.
func Acts() []Act {
	return []Act{
		ActOrderProfile, ActConfirmProfile, ActCancelProfile, ActActivateLine, ActDeactivateLine, ActChangeSIM,
		ActRetireProfile, ActSendMail, ActSendNotice, ActSubmitPort, ActSupplementPort, ActReschedulePort, ActCancelPort,
	}
}

// Of is the act about one thing of several: each is an act of its own, with its own key.
func (a Act) Of(thing string) Act { return a + ":" + Act(thing) }

// Base is the act without the thing that it is about.
func (a Act) Base() Act {
	base, _, _ := strings.Cut(string(a), ":")
	return Act(base)
}

// Settle says how an effect's unknown outcome comes to be known.
type Settle string

// The ways, from the best to the worst.
const (
	// SettleKeyed: the same key again is the same act, so it is simply repeated.
	SettleKeyed Settle = "keyed"
	// SettleReadable: it can be looked up by our reference.
	SettleReadable Settle = "readable"
	// SettleEvidenced: the partner sends an event about it.
	SettleEvidenced Settle = "evidenced"
	// SettleBlind: only a person can find out.
	SettleBlind Settle = "blind"
)

// Repeatable tells whether an attempt whose outcome is unknown may be sent again as it is.
func (s Settle) Repeatable() bool { return s == SettleKeyed }

// Effect is the ledger's row of one act outside. Its key is never a run or an attempt.
type Effect struct {
	ID         string
	Tenant     TenantID
	Activation ActivationID
	Act        Act
	// FollowUp is whose act it is; empty: the activation's own run.
	FollowUp FollowUpID
	// Witnessed tells that a person or an event told its outcome, not the call.
	Witnessed bool
	// Subject is what it is about: a notice or a profile. May be empty.
	Subject string
	// Generation counts deliberate repeats, from 0, over all whose act it is.
	Generation int
	Partner    Partner
	Settle     Settle
	// Verdict is empty while an attempt is under way, and after one that died.
	Verdict Verdict
	// Fence numbers the attempts; only the latest may write the verdict.
	Fence int
	// Reference is the partner's name for what came of it.
	Reference string
	// Reason and Code say why not: our reason and the partner's own code.
	Reason string
	Code   string
	// Sent is when the latest attempt began.
	Sent    time.Time
	Settled time.Time
	// Doubted is when an attempt last ended in doubt, and zero once that is cleared up.
	Doubted time.Time
}

// Key is the idempotency key that goes to the partner: the same for every attempt.
func (e Effect) Key() string {
	return string(e.Activation) + "/" + string(e.Act) + "/" + strconv.Itoa(e.Generation)
}

// Settled outcomes stand for ever: nothing is sent again.
func (e Effect) settled() bool { return e.Verdict == VerdictYes || e.Verdict == VerdictRefused }

// Next is what may be done with an effect now.
type Next uint8

// What may be done with an effect.
const (
	// NextSend: send it, for the first time or again.
	NextSend Next = iota
	// NextTell: it is settled; tell the outcome again.
	NextTell
	// NextLook: its outcome is unknown; look it up at the partner.
	NextLook
	// NextAsk: its outcome is unknown and sending again could do it twice; ask an operator.
	NextAsk
)

// Next decides by the row alone, whoever asks and however often.
func (e Effect) Next() Next {
	switch {
	case e.settled():
		return NextTell
	case e.Fence == 0:
		return NextSend
	case e.Settle.Repeatable():
		return NextSend
	case e.Verdict == VerdictNotNow && e.Doubted.IsZero():
		return NextSend
	case e.Settle == SettleReadable:
		return NextLook
	}
	return NextAsk
}

// MayHaveHappened tells whether something outside may have come of it, so that giving back
// must look after it.
func (e Effect) MayHaveHappened() bool {
	return e.Verdict == VerdictYes || !e.Doubted.IsZero() || e.Fence > 0 && (e.Verdict == "" || e.Verdict == VerdictUnknown)
}
