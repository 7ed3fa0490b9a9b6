package activities

import (
	"context"
	"errors"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// AskCustomerInput says what the customer is asked.
type AskCustomerInput struct {
	Ref
	Port mobile.PortID `json:"port"`
	// About is the step that waits for the answer. (Ref.Step is empty: asking is book-keeping.)
	About mobile.StepName   `json:"about"`
	Kind  mobile.PromptKind `json:"kind"`
	// Reason is a port's or a device's; empty for the first question.
	Reason string `json:"reason,omitempty"`
	// After is the revision of the last question that the run knows: asked again, it is the
	// same question.
	After        int64     `json:"after"`
	At           time.Time `json:"at"`
	Deadline     time.Time `json:"deadline"`
	NextReminder time.Time `json:"next_reminder,omitzero"`
}

// nextForCustomer says what an activation waits for.
const nextForCustomer = "The customer answers in the portal"

// AskCustomer opens a question to the customer and lets the activation wait for the answer.
func (r *Record) AskCustomer(ctx context.Context, in AskCustomerInput) (facts PortFacts, err error) {
	err = r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		port, err := s.PortInWork(ctx, in.Activation)
		if err != nil {
			return err
		}
		held, _, err := s.PortingInfo(ctx, port)
		if err != nil && !errors.Is(err, store.ErrNoPortingInfo) {
			return err
		}
		if in.Reason == string(mobile.PortPINExpired) {
			if err := s.RefuseHeld(ctx, port, in.At); err != nil {
				return err
			}
		}
		_, err = s.OpenPrompt(ctx, in.prompt(question(port, in.Kind, in.Reason, held)), in.After, store.Move{
			Tenant: in.Tenant, Activation: in.Activation, To: mobile.StateWaitingForCustomer, Reason: in.Reason,
			Next: nextForCustomer, Deadline: in.Deadline, At: in.At,
		}, in.About)
		if err != nil {
			return err
		}
		facts, err = portFacts(ctx, s, in.Activation)
		return err
	})
	return facts, err
}

// question is what a customer is asked about a port, in fields and words.
func question(port mobile.Port, kind mobile.PromptKind, reason string, held mobile.PortingInfo) mobile.PortQuestion {
	donor, _ := mobile.DonorByCode(port.Donor)
	return mobile.NewPortQuestion(mobile.PortFacts{
		Reason: reason, Kind: kind, Donor: donor, Number: port.Number, NumberType: port.NumberType, Required: port.Required,
		Held: held.Masks(),
	})
}

func (in AskCustomerInput) prompt(q mobile.PortQuestion) mobile.Prompt {
	return mobile.Prompt{
		Activation: in.Activation, Port: in.Port, Kind: in.Kind, Reason: in.Reason, Fields: q.Fields, Refused: q.Refused,
		Action: q.Action, Opened: in.At, Deadline: in.Deadline, NextReminder: in.NextReminder,
	}
}

// AnswerInput names what the customer has said, and what comes of it for the steps.
type AnswerInput struct {
	Ref
	Submission string `json:"submission"`
	// Done is the step that is done with it; empty: none.
	Done mobile.StepName `json:"done,omitempty"`
	// Reopen are the steps that are to be taken again.
	Reopen []mobile.StepName `json:"reopen,omitempty"`
	Next   string            `json:"next"`
	At     time.Time         `json:"at"`
}

// TakeAnswer takes up what the customer has said.
func (r *Record) TakeAnswer(ctx context.Context, in AnswerInput) (facts PortFacts, err error) {
	err = r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		if err := s.TakeAnswer(ctx, in.Tenant, in.Activation, in.Submission); err != nil {
			return err
		}
		if in.Done != "" {
			if err := s.FinishStep(ctx, in.Activation, in.Done, in.At); err != nil {
				return err
			}
		}
		if len(in.Reopen) > 0 {
			if err := s.ReopenSteps(ctx, in.Tenant, in.Activation, in.Reopen); err != nil {
				return err
			}
		}
		if err := s.GoOn(ctx, in.Tenant, in.Activation, in.Next, in.At); err != nil {
			return err
		}
		facts, err = portFacts(ctx, s, in.Activation)
		return err
	})
	return facts, err
}

// PromptInput names a question to the customer.
type PromptInput struct {
	Ref
	Revision int64 `json:"revision"`
	// Nth counts its reminders, and Next is when the one after is due.
	Nth  int       `json:"nth,omitempty"`
	Next time.Time `json:"next,omitzero"`
}

// LapsePrompt ends a question whose time is over. What was answered meanwhile stands, as the
// facts say.
func (r *Record) LapsePrompt(ctx context.Context, in PromptInput) (facts PortFacts, err error) {
	err = r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		if _, err := s.LapsePrompt(ctx, in.Tenant, in.Activation, in.Revision); err != nil {
			return err
		}
		facts, err = portFacts(ctx, s, in.Activation)
		return err
	})
	return facts, err
}

// CountReminder says that a reminder of a question is due, and when the next one is.
func (r *Record) CountReminder(ctx context.Context, in PromptInput) (facts PortFacts, err error) {
	err = r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		if _, err := s.Reminded(ctx, in.Tenant, in.Activation, in.Revision, in.Nth, in.Next); err != nil {
			return err
		}
		facts, err = portFacts(ctx, s, in.Activation)
		return err
	})
	return facts, err
}

// ClosePortInput says how a port ends of which no order is at the carrier.
type ClosePortInput struct {
	Ref
	Port mobile.PortID    `json:"port"`
	To   mobile.PortState `json:"to"`
	// Anew tells that it is ordered anew: its carrier takes no corrections.
	Anew bool `json:"anew,omitempty"`
	// Line tells that a new line comes in its place.
	Line bool      `json:"line,omitempty"`
	At   time.Time `json:"at"`
}

// ClosePort ends a port, or lets it be ordered anew.
func (r *Record) ClosePort(ctx context.Context, in ClosePortInput) (facts PortFacts, err error) {
	err = r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		if in.Anew {
			err = s.ReorderPort(ctx, in.Tenant, in.Activation, in.Port)
		} else {
			err = s.ClosePort(ctx, in.Tenant, in.Activation, in.Port, in.To)
		}
		if err != nil {
			return err
		}
		if in.Line {
			if err := s.LineInstead(ctx, in.Tenant, in.Activation, in.At); err != nil {
				return err
			}
		}
		facts, err = portFacts(ctx, s, in.Activation)
		return err
	})
	return facts, err
}
