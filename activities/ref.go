package activities

import (
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
)

// Ref says what an act is about. It is part of every activity's input. Inputs carry ids of
// rows and times, never what a row holds: names, addresses and codes stay in the record.
type Ref struct {
	Tenant     mobile.TenantID     `json:"tenant"`
	Activation mobile.ActivationID `json:"activation"`
	// FollowUp is what the act belongs to when it is done beside the activation's own run.
	FollowUp mobile.FollowUpID `json:"follow_up,omitempty"`
	// Step is the step that the act belongs to; empty for book-keeping.
	Step mobile.StepName `json:"step,omitempty"`
	// Part says which part of the step the act is.
	Part Part `json:"part,omitempty"`
	// Deadline is when an operator is asked, should the act not get through before.
	Deadline time.Time `json:"deadline,omitzero"`
}

// Part is the part that an act has in its step.
type Part string

// The parts.
const (
	// PartWhole is a step's only act: the step is done when it is.
	PartWhole Part = ""
	// PartFirst is an act after which the step goes on.
	PartFirst Part = "first"
	// PartAwait asks again and again whether what the first part began has come about; the
	// step is done when it has. Its attempts do not count as tries.
	PartAwait Part = "await"
	// PartUndo gives back what the step took.
	PartUndo Part = "undo"
)

// about lets the diary read any input.
func (r Ref) about() Ref { return r }

// shown tells whether the act is part of a step that people see. What is done beside an
// activation's own run has no steps there.
func (r Ref) shown() bool { return r.Step != "" && r.FollowUp == "" }

// effect is an act of this activation, or of the follow-up, before anything is known of it.
func (r Ref) effect(act mobile.Act, partner mobile.Partner, settle mobile.Settle) mobile.Effect {
	return mobile.Effect{
		Tenant: r.Tenant, Activation: r.Activation, FollowUp: r.FollowUp, Act: act, Partner: partner, Settle: settle,
	}
}
