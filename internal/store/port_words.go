package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// What the carrier says of a port, and what we do there.

// Portability is what the carrier says about bringing a number.
type Portability struct {
	// Reason says why it cannot be brought; empty when it can.
	Reason     mobile.PortReason
	Code       string
	Message    string
	NumberType mobile.NumberType
	// LookedUp is the donor as the carrier sees it; empty when it cannot tell.
	LookedUp mobile.DonorCode
	Required []mobile.PortingField
	Earliest time.Time
	At       time.Time
}

// RecordPortability keeps what the carrier says about bringing a number.
func (s *Store) RecordPortability(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, port mobile.PortID, said Portability) error {
	a, before, err := s.lockPort(ctx, tenant, id, port)
	if err != nil {
		return err
	}
	after := before
	after.Reason, after.Code, after.Message = said.Reason, said.Code, said.Message
	after.NumberType, after.LookedUp, after.Required = said.NumberType, said.LookedUp, said.Required
	after.Earliest, after.Checked = said.Earliest, said.At
	return s.savePort(ctx, a, before, after)
}

// OrderPort says, before the first byte leaves, that an order for the number may be at the
// carrier, under this name of ours. It refuses ErrNumberOrderedElsewhere: of all tenants only
// one has an order for a number.
func (s *Store) OrderPort(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, port mobile.PortID) (mobile.Port, error) {
	a, before, err := s.lockPort(ctx, tenant, id, port)
	if err != nil || before.Ordered {
		return before, err
	}
	after := before
	after.Ordered = true
	after.Orders++
	after.ExternalID = externalIDOf(port, after.Orders)
	after.Reference, after.Word = "", time.Time{}
	return after, s.savePort(ctx, a, before, after)
}

// externalIDOf is our name of a port's nth order at the carrier.
func externalIDOf(port mobile.PortID, n int) string {
	if n == 1 {
		return string(port)
	}
	return fmt.Sprintf("%s.%d", port, n)
}

// PortSent says that the carrier has taken an order, its correction, or the wish for another
// time: the donor has yet to answer.
func (s *Store) PortSent(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, port mobile.PortID, reference string, at, word time.Time) error {
	a, before, err := s.lockPort(ctx, tenant, id, port)
	if err != nil || before.State.Closed() {
		return err
	}
	after := before
	after.State, after.Submitted, after.Reference = mobile.PortSubmitted, at, reference
	after.Reason, after.Code, after.Message, after.Due = "", "", "", time.Time{}
	if word.After(after.Word) {
		after.Word = word
	}
	return s.savePort(ctx, a, before, after)
}

// Rescheduled says that another time was asked for: that is done once.
func (s *Store) Rescheduled(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, port mobile.PortID) error {
	a, before, err := s.lockPort(ctx, tenant, id, port)
	if err != nil || before.Rescheduled {
		return err
	}
	after := before
	after.Rescheduled = true
	return s.savePort(ctx, a, before, after)
}

// PortWord is what the carrier says of a port now.
type PortWord struct {
	Tenant     mobile.TenantID
	Activation mobile.ActivationID
	Port       mobile.PortID
	// ExternalID is our name of the order that it is about.
	ExternalID string
	Word       mobile.PortWord
	Reason     mobile.PortReason
	Code       string
	Message    string
	Reference  string
	Due        time.Time
	// At is when the carrier says that it became so: of two words the later one counts.
	At time.Time
}

// HearOfPort takes the carrier's word by the table of mobile.PortState.After, and gives the
// port as it is then. A word that is older than the last one, or about an order that was
// withdrawn, changes nothing; but a number that has moved has moved.
func (s *Store) HearOfPort(ctx context.Context, w PortWord) (mobile.Port, error) {
	a, before, err := s.lockPort(ctx, w.Tenant, w.Activation, w.Port)
	if err != nil {
		return before, err
	}
	if w.Message, err = s.redacted(ctx, before, w.Message); err != nil {
		return before, err
	}
	after, heard := w.apply(before)
	if !heard {
		return before, nil
	}
	if after.State == mobile.PortRefused && before.State != mobile.PortRefused {
		if err := s.insertRefusal(ctx, before, w); err != nil {
			return before, err
		}
	}
	if err := s.savePort(ctx, a, before, after); err != nil {
		return before, err
	}
	if before.State == mobile.PortRefused {
		// The donor has changed its mind: there is nothing to mend.
		if err := s.closePrompt(ctx, before.ID); err != nil {
			return before, err
		}
	}
	if after.State == mobile.PortCompleted {
		return after, s.completed(ctx, a, before)
	}
	return after, nil
}

// redacted is what a carrier said freely, without what the customer gave for the donor.
func (s *Store) redacted(ctx context.Context, port mobile.Port, words string) (string, error) {
	if words == "" {
		return "", nil
	}
	said, err := s.submissionsOf(ctx, port)
	if err != nil {
		return "", err
	}
	for _, u := range said {
		if u.info != nil {
			words = redact(words, *u.info)
		}
	}
	return words, nil
}

func redact(words string, info mobile.PortingInfo) string {
	for _, secret := range []string{info.PIN, info.AccountNumber} {
		if len(secret) > 1 {
			words = strings.ReplaceAll(words, secret, "•••")
		}
	}
	return words
}

// PortNotTaken says that the carrier refused an order, or its correction, at once. It was sent
// after so many refusals: one more than that, and this one is counted already.
func (s *Store) PortNotTaken(ctx context.Context, w PortWord, refusals int) (mobile.Port, error) {
	a, before, err := s.lockPort(ctx, w.Tenant, w.Activation, w.Port)
	if err != nil || before.State.Closed() || before.Refusals > refusals {
		return before, err
	}
	after := before
	after.State, after.Reason, after.Code, after.Message = mobile.PortRefused, w.Reason, w.Code, ""
	if before.Reference == "" {
		after.Ordered = false // the carrier has no order of ours
	}
	countRefusal(&after, w)
	if err := s.insertRefusal(ctx, before, w); err != nil {
		return before, err
	}
	return after, s.savePort(ctx, a, before, after)
}

// apply gives the port as it is after the word; false when the word changes nothing.
func (w PortWord) apply(before mobile.Port) (after mobile.Port, heard bool) {
	to, moves := before.State.After(w.Word)
	switch {
	case !moves:
		return before, false
	case w.Word != mobile.WordCompleted && (w.ExternalID != before.ExternalID || !w.At.After(before.Word)):
		return before, false
	case to == before.State && w.Due.Equal(before.Due):
		return before, false
	}
	after = before
	after.Version++ // as savePort writes it
	after.State, after.Word = to, w.At
	after.Reason, after.Code, after.Message = w.Reason, w.Code, w.Message
	if w.Reference != "" {
		after.Reference = w.Reference
	}
	switch to {
	case mobile.PortConfirmed:
		after.Due = w.Due
	case mobile.PortCompleted:
		after.Completed, after.Ordered = w.At, false
		after.Reason, after.Code, after.Message = "", "", ""
	case mobile.PortRefused:
		countRefusal(&after, w)
	case mobile.PortCancelled:
		after.Ordered = false
	case mobile.PortAwaitingInfo, mobile.PortSubmitted, mobile.PortDelayed, mobile.PortCancelling, mobile.PortExpired:
	}
	return after, true
}

// countRefusal counts a donor's no. An order that is gone without our asking has to be given
// anew.
func countRefusal(p *mobile.Port, w PortWord) {
	p.Due = time.Time{}
	if w.Word == mobile.WordCancelled {
		p.Ordered, p.Reason = false, mobile.PortOther
	}
	p.Refusals++
	if p.Reason == mobile.PortPINInvalid || p.Reason == mobile.PortPINExpired {
		p.PINRefusals++
	}
}

// insertRefusal keeps a donor's no for ever, and says of what was sent that it was refused.
func (s *Store) insertRefusal(ctx context.Context, p mobile.Port, w PortWord) error {
	reason := w.Reason
	if reason == "" {
		reason = mobile.PortOther
	}
	message, err := s.sealOptional(w.Message, "port_refusal.message", p.Tenant, string(p.ID))
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, `
		INSERT INTO port_refusals (tenant_id, port_id, at, reason, code, message_sealed, reference)
		VALUES (@tenant, @port, @at, @reason, @code, @message, @reference)`, pgx.StrictNamedArgs{
		"tenant": p.Tenant, "port": p.ID, "at": w.At, "reason": reason, "code": w.Code, "message": message,
		"reference": w.Reference,
	}); err != nil {
		return fmt.Errorf("keep a refusal of %s: %w", p.ID, err)
	}
	if _, err := s.exec(ctx, `
		UPDATE submissions
		SET refused_at = @at
		WHERE submission_id = (SELECT submission_id FROM submissions
		                       WHERE port_id = @port AND verdict = 'ACCEPTED' AND info_sealed IS NOT NULL AND taken_at IS NOT NULL
		                       ORDER BY created_at DESC, submission_id DESC LIMIT 1)`,
		pgx.StrictNamedArgs{"port": p.ID, "at": w.At}); err != nil {
		return fmt.Errorf("mark what was refused of %s: %w", p.ID, err)
	}
	return nil
}

// completed is what a moved number changes beside its port: nobody is asked any more, a
// cancel has come too late, and where the number was given up a person must look.
func (s *Store) completed(ctx context.Context, a mobile.Activation, before mobile.Port) error {
	if err := s.closePrompt(ctx, before.ID); err != nil {
		return err
	}
	if err := s.dropReplacing(ctx, a, before); err != nil {
		return err
	}
	given, err := s.calledOff(ctx, a, before)
	if err != nil {
		return err
	}
	if !given && before.State != mobile.PortCancelling && a.CancelRequested.IsZero() {
		return nil
	}
	if !a.CancelRequested.IsZero() {
		err := s.emit(ctx, mobile.Event{
			Tenant: a.Tenant, Type: mobile.EventCancelTooLate, Activation: a.ID, Subscription: a.Subscription,
			Data: mobile.EventData{AccountID: a.AccountID, WorkflowType: a.Type, State: a.State, Revision: a.Revision},
		})
		if err != nil {
			return err
		}
	}
	return s.OpenItem(ctx, a.Tenant, mobile.Item{
		Activation: a.ID, Kind: mobile.ItemNumberAtRisk, Reason: "NUMBER_AT_RISK",
		Detail: "The number has moved to us although that was called off. Nothing was taken down.",
	})
}

// calledOff tells whether a port had ended, or the customer had given it up, before its number
// moved.
func (s *Store) calledOff(ctx context.Context, a mobile.Activation, p mobile.Port) (bool, error) {
	if p.State.Closed() || a.State.Final() {
		return true, nil
	}
	said, err := s.submissionsOf(ctx, p)
	return slices.ContainsFunc(said, func(u submission) bool { return exits(u.Act) }), err
}

// dropReplacing closes the port of another number that was to take the place of one which has
// moved after all.
func (s *Store) dropReplacing(ctx context.Context, a mobile.Activation, moved mobile.Port) error {
	if moved.ReplacedBy == "" {
		return nil
	}
	_, other, err := s.lockPort(ctx, a.Tenant, a.ID, moved.ReplacedBy)
	if err != nil || other.State.Closed() || other.Ordered {
		return err
	}
	after := other
	after.State = mobile.PortCancelled
	return s.savePort(ctx, a, other, after)
}

// numberMoved tells whether the number that an activation is to bring has moved.
func (s *Store) numberMoved(ctx context.Context, a mobile.Activation) (moved bool, err error) {
	if a.Type != mobile.TypePortIn {
		return false, nil
	}
	p, err := s.PortInWork(ctx, a.ID)
	return p.State == mobile.PortCompleted, err
}

// GoesForward tells of an activation alone whether nothing is given back any more: its line is
// live, or the number that was to come has moved.
func (s *Store) GoesForward(ctx context.Context, a mobile.Activation) (bool, error) {
	if !a.Live.IsZero() {
		return true, nil
	}
	return s.numberMoved(ctx, a)
}

// RecordPorted says that a read of the line showed the number that has moved, live on our eSIM:
// from here on the activation only goes forward. Unlike a new line's, that is so also when a
// cancel was accepted before. Twice is once.
func (s *Store) RecordPorted(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, at time.Time) error {
	a, err := s.lockActivation(ctx, tenant, id)
	if err != nil || !a.Live.IsZero() {
		return err
	}
	if _, err := s.exec(ctx, `UPDATE activations SET live_at = @at WHERE activation_id = @id`,
		pgx.StrictNamedArgs{"id": id, "at": at}); err != nil {
		return fmt.Errorf("record the ported line of %s: %w", id, err)
	}
	return s.touch(ctx, id, touchRevision)
}
