package activities

import (
	"context"
	"errors"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// PortFacts is what a run must know of its port. It holds nothing personal: not the number,
// and nothing that the customer gave for the donor. Fields are only ever added.
type PortFacts struct {
	ID mobile.PortID `json:"id"`
	// Version rises with each change: of two readings the later one counts.
	Version    int64             `json:"version"`
	Donor      mobile.DonorCode  `json:"donor"`
	State      mobile.PortState  `json:"state"`
	Reason     mobile.PortReason `json:"reason,omitempty"`
	NumberType mobile.NumberType `json:"number_type,omitempty"`
	// Zone is the IANA name of the number's time zone: business hours are counted in it.
	Zone       string    `json:"zone,omitempty"`
	Checked    time.Time `json:"checked,omitzero"`
	Submitted  time.Time `json:"submitted,omitzero"`
	Due        time.Time `json:"due,omitzero"`
	PINExpires time.Time `json:"pin_expires,omitzero"`
	// Ordered tells that an order is at the carrier that may still move the number.
	Ordered     bool `json:"ordered,omitempty"`
	Rescheduled bool `json:"rescheduled,omitempty"`
	Refusals    int  `json:"refusals,omitempty"`
	PINRefusals int  `json:"pin_refusals,omitempty"`
	// InfoPresent tells that the customer has given what the donor asks for, OutOfService that
	// the number is not in service, by the customer's own word.
	InfoPresent bool `json:"info_present,omitempty"`
	// Unsent tells that the donor has not refused what the customer gave last.
	Unsent bool `json:"unsent,omitempty"`
	// InstallAfterMove tells that the eSIM cannot be had before the number moves.
	InstallAfterMove bool `json:"install_after_move,omitempty"`
	OutOfService     bool `json:"out_of_service,omitempty"`
	// NewNumber tells that a new line takes the place of the port.
	NewNumber bool        `json:"new_number,omitempty"`
	Prompt    PromptFacts `json:"prompt,omitzero"`
	// Answer is what the customer has said and the run has not taken up.
	Answer *AnswerFacts `json:"answer,omitempty"`
}

// PromptFacts is the latest question to the customer.
type PromptFacts struct {
	Revision     int64             `json:"revision"`
	Kind         mobile.PromptKind `json:"kind"`
	Reason       string            `json:"reason,omitempty"`
	Open         bool              `json:"open,omitempty"`
	Opened       time.Time         `json:"opened,omitzero"`
	Deadline     time.Time         `json:"deadline,omitzero"`
	Reminders    int               `json:"reminders,omitempty"`
	NextReminder time.Time         `json:"next_reminder,omitzero"`
}

// AnswerFacts is one act of the customer.
type AnswerFacts struct {
	Submission string             `json:"submission"`
	Act        mobile.CustomerAct `json:"act"`
	Revision   int64              `json:"revision"`
}

// portFacts reads the port that a run deals with.
func portFacts(ctx context.Context, s *store.Store, activation mobile.ActivationID) (PortFacts, error) {
	port, err := s.PortInWork(ctx, activation)
	if err != nil {
		return PortFacts{}, err
	}
	return factsOf(ctx, s, port)
}

// factsOf gives the facts of a port that was read whole.
func factsOf(ctx context.Context, s *store.Store, port mobile.Port) (PortFacts, error) {
	facts := PortFacts{
		ID: port.ID, Version: port.Version, Donor: port.Donor, State: port.State, Reason: port.Reason, NumberType: port.NumberType,
		Zone: mobile.ZoneOfNumber(port.Number).String(), Checked: port.Checked, Submitted: port.Submitted, Due: port.Due,
		PINExpires: port.PINExpires, Ordered: port.Ordered, Rescheduled: port.Rescheduled, Refusals: port.Refusals,
		PINRefusals: port.PINRefusals,
	}
	if p := port.Prompt; p != nil && p.Port == port.ID {
		facts.Prompt = PromptFacts{
			Revision: p.Revision, Kind: p.Kind, Reason: p.Reason, Open: p.Open(), Opened: p.Opened, Deadline: p.Deadline,
			Reminders: p.Reminders, NextReminder: p.NextReminder,
		}
	} else if p != nil {
		facts.Prompt.Revision = p.Revision
	}
	info, _, err := s.PortingInfo(ctx, port)
	switch {
	case err == nil:
		facts.InfoPresent = true
		if facts.Unsent, err = s.Unsent(ctx, port); err != nil {
			return PortFacts{}, err
		}
		facts.OutOfService = info.NumberInService != nil && !*info.NumberInService
	case !errors.Is(err, store.ErrNoPortingInfo):
		return PortFacts{}, err
	}
	if facts.NewNumber, err = s.NewNumber(ctx, port); err != nil {
		return PortFacts{}, err
	}
	answer, err := s.Answer(ctx, port)
	if answer != nil {
		facts.Answer = &AnswerFacts{Submission: answer.ID, Act: answer.Act, Revision: answer.Revision}
	}
	return facts, err
}

// portOf reads the facts of an activation that brings a number.
func portOf(ctx context.Context, s *store.Store, a mobile.Activation) (*PortFacts, error) {
	facts, err := portFacts(ctx, s, a.ID)
	if err != nil {
		return nil, err
	}
	return &facts, nil
}
