package activities

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// Record keeps the books of an activation: what its run decided, and what the outside said.
type Record struct{ DB *store.DB }

// OpenInput asks for an activation on behalf of a run.
type OpenInput struct {
	Ref
	RunID string `json:"run_id"`
}

// Opened is what a run must know of its activation. It holds nothing personal.
type Opened struct {
	Subscription mobile.SubscriptionID `json:"subscription"`
	Type         mobile.Type           `json:"type"`
	// Ended tells that the activation ended before: there is nothing to do.
	Ended mobile.State `json:"ended,omitempty"`
	// Lost tells that another run held the activation: this one must not act before an
	// operator has looked.
	Lost bool `json:"lost,omitempty"`
	// Live tells that the line is live: nothing is given back any more.
	Live bool `json:"live,omitempty"`
	// Undoing tells that a lost run was giving back what was taken.
	Undoing bool `json:"undoing,omitempty"`
	// Done are the steps that need not be taken again.
	Done  []mobile.StepName `json:"done,omitempty"`
	Facts Facts             `json:"facts,omitzero"`
	// Zone is the customer's time zone, an IANA name, for a port. Launched is when all began.
	Zone     string    `json:"zone,omitempty"`
	Launched time.Time `json:"launched,omitzero"`
}

// Facts are what the outside has said since the run last looked.
type Facts struct {
	Cancelled  bool `json:"cancelled,omitempty"`
	LineEvents bool `json:"line_events,omitempty"`
	// Settled tells that no outcome is in doubt which a person would have to find out.
	Settled bool `json:"settled,omitempty"`
	// Port is where the port is that the run deals with; nil for a new line.
	Port *PortFacts `json:"port,omitempty"`
}

// OpenActivation claims an activation for a run.
func (r *Record) OpenActivation(ctx context.Context, in OpenInput) (opened Opened, err error) {
	err = r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		a, err := s.OpenRun(ctx, in.Tenant, in.Activation, in.RunID)
		opened.Lost = errors.Is(err, store.ErrNotThisRun)
		if err != nil && !opened.Lost {
			return err
		}
		opened.Subscription, opened.Type = a.Subscription, a.Type
		if opened.Lost {
			opened.Undoing, opened.Done = undoing(a), done(a)
		}
		opened.Facts.Cancelled, opened.Live = !a.CancelRequested.IsZero(), !a.Live.IsZero()
		if a.State.Final() {
			opened.Ended = a.State
		}
		if a.Type != mobile.TypePortIn {
			return nil
		}
		opened.Zone, opened.Launched = mobile.ZoneOfZIP(a.ZIP).String(), a.Created
		opened.Facts.Port, err = portOf(ctx, s, a)
		return err
	})
	return opened, err
}

// done are the steps of an activation that are done.
func done(a mobile.Activation) (names []mobile.StepName) {
	for _, step := range a.Steps {
		if step.State == mobile.StepDone {
			names = append(names, step.Name)
		}
	}
	return names
}

// undoing tells whether an activation was giving back what it took, also while it asked an
// operator about that.
func undoing(a mobile.Activation) bool {
	asks := slices.ContainsFunc(a.OpenItems(), func(i mobile.Item) bool { return i.Undoing })
	return asks || a.State == mobile.StateUndoing
}

// TakeFacts reads what the outside has said since the run last looked.
func (r *Record) TakeFacts(ctx context.Context, in Ref) (facts Facts, err error) {
	err = r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		f, err := s.TakeFacts(ctx, in.Tenant, in.Activation, in.FollowUp)
		facts = Facts{Cancelled: f.Cancelled, LineEvents: f.LineEvents > 0, Settled: f.Settled}
		if err != nil || f.Type != mobile.TypePortIn || in.FollowUp != "" {
			return err
		}
		port, err := portFacts(ctx, s, in.Activation)
		facts.Port = &port
		return err
	})
	return facts, err
}

// AskInput says why an operator is asked.
type AskInput struct {
	Ref
	Kind mobile.ItemKind `json:"kind"`
	// About is the step that the operator is asked about; empty for the whole activation.
	// (Ref.Step is empty: asking is book-keeping, no attempt at the step.)
	About  mobile.StepName `json:"about,omitempty"`
	Reason string          `json:"reason"`
	// Next says in words what happens next.
	Next string    `json:"next"`
	At   time.Time `json:"at"`
	// Due is when the operator's answer is overdue.
	Due time.Time `json:"due"`
}

// Asked is what a run must know of its question.
type Asked struct {
	// Settled tells that the outcome has become known meanwhile, so that nobody was asked.
	Settled bool `json:"settled,omitempty"`
	// Act is the act outside that it is about; empty when about none.
	Act mobile.Act `json:"act,omitempty"`
	// Offers are what the operator may decide.
	Offers []mobile.Resolution `json:"offers,omitempty"`
}

// AskOperator opens an item and lets the activation wait for an operator. A follow-up's
// question holds nothing up but the follow-up.
func (r *Record) AskOperator(ctx context.Context, in AskInput) (asked Asked, err error) {
	err = r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		a, err := s.LockedActivation(ctx, in.Tenant, in.Activation)
		if err != nil {
			return err
		}
		item := mobile.Item{
			Activation: in.Activation, FollowUp: in.FollowUp, Kind: in.Kind, Step: in.About,
			Undoing: in.Part == PartUndo, Reason: in.Reason, Due: in.Due,
		}
		about, err := s.AboutWhat(ctx, item)
		if err != nil {
			return err
		}
		item.Act = about.Act
		if asked.Settled = in.Kind == mobile.ItemOutcomeUnknown && item.Act == ""; asked.Settled {
			return nil
		}
		forward, err := s.GoesForward(ctx, a)
		if err != nil {
			return err
		}
		asked.Act, asked.Offers = item.Act.Base(), item.Question(forward).Offers()
		if err := s.OpenItem(ctx, in.Tenant, item); err != nil || in.FollowUp != "" {
			return err
		}
		return s.Move(ctx, store.Move{
			Tenant: in.Tenant, Activation: in.Activation, To: mobile.StateWaitingForOperator,
			Reason: in.Reason, Next: in.Next, Deadline: in.Due, At: in.At,
		})
	})
	return asked, err
}

// MoveInput says where an activation goes.
type MoveInput struct {
	Ref
	To     mobile.State `json:"to"`
	Reason string       `json:"reason,omitempty"`
	Next   string       `json:"next,omitempty"`
	At     time.Time    `json:"at"`
	Due    time.Time    `json:"due,omitzero"`
}

func (in MoveInput) move() store.Move {
	return store.Move{
		Tenant: in.Tenant, Activation: in.Activation, To: in.To, Reason: in.Reason,
		Next: in.Next, Deadline: in.Due, At: in.At,
	}
}

// MoveActivation changes the state of an activation that goes on.
func (r *Record) MoveActivation(ctx context.Context, in MoveInput) error {
	return r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error { return s.Move(ctx, in.move()) })
}

// EndActivation ends an activation in a final state and gives the one that it ended in: a
// refusal that meets an accepted cancel ends as CANCELLED.
func (r *Record) EndActivation(ctx context.Context, in MoveInput) (ended mobile.State, err error) {
	err = r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		ended, err = s.End(ctx, in.move())
		return err
	})
	return ended, err
}

// AnsweredInput says what an operator need no longer be asked about.
type AnsweredInput struct {
	MoveInput
	About mobile.StepName `json:"about,omitempty"`
}

// TakeBackQuestion says that a step which an operator was asked about got through by itself.
func (r *Record) TakeBackQuestion(ctx context.Context, in AnsweredInput) error {
	return r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		if in.FollowUp != "" {
			return s.AnsweredFollowUp(ctx, in.Tenant, in.Activation, in.FollowUp)
		}
		return s.Answered(ctx, in.move(), in.About)
	})
}

// FileCancelInput says who wants an activation cancelled.
type FileCancelInput struct {
	Ref
	By mobile.Doer `json:"by"`
}

// FileCancel files a cancel that was asked for in the Temporal UI, under the rules of any
// other. It refuses store.ErrTooLateToCancel and store.ErrActivationEnded.
func (r *Record) FileCancel(ctx context.Context, in FileCancelInput) error {
	return r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		return s.CancelActivation(ctx, store.Cancel{Tenant: in.Tenant, Activation: in.Activation, By: in.By})
	})
}
