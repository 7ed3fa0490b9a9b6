package activities

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// DecisionInput names an operator's command that a run has taken.
type DecisionInput struct {
	Ref
	Command string `json:"command"`
	// RunID is the run that carries it out.
	RunID string    `json:"run_id"`
	At    time.Time `json:"at"`
}

// Decided is what came of a command.
type Decided struct {
	// Resolution is empty when what was to be settled has settled itself: then nothing was
	// done.
	Resolution mobile.Resolution `json:"resolution,omitempty"`
}

// TakeDecision carries an operator's decision out in the record: the ledger then says what the
// operator said. Whether it is still offered is asked again under the activation's lock,
// because the partner may have answered meanwhile, or the line may have come up. Twice is
// once.
func (r *Record) TakeDecision(ctx context.Context, in DecisionInput) (decided Decided, err error) {
	err = r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		decided = Decided{} // a transaction that Postgres gave up is run again
		command, err := s.Command(ctx, in.Tenant, in.Command)
		switch {
		case err != nil:
			return err
		case command.Outcome == store.OutcomeDone:
			decided.Resolution = command.Choice
			return nil
		case command.Outcome != "":
			return nil
		}
		d := decision{s: s, in: in, command: command}
		offered, err := d.offered(ctx)
		if err != nil {
			return err
		}
		if !offered {
			return s.CommandTaken(ctx, command, store.OutcomeOvertaken)
		}
		if err := d.carryOut(ctx); err != nil {
			return err
		}
		decided.Resolution = command.Choice
		return s.CommandTaken(ctx, command, store.OutcomeDone)
	})
	if errors.Is(err, store.ErrICCIDTaken) {
		return Decided{}, r.refuse(ctx, in)
	}
	return decided, err
}

// refuse notes that what an operator said cannot be so; the question stays open.
func (r *Record) refuse(ctx context.Context, in DecisionInput) error {
	return r.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		command, err := s.Command(ctx, in.Tenant, in.Command)
		if err != nil {
			return err
		}
		return s.CommandTaken(ctx, command, store.OutcomeRefused)
	})
}

// decision is one command at work.
type decision struct {
	s       *store.Store
	in      DecisionInput
	command store.Command
	item    mobile.Item
	// effect is the act that it is about, in its latest generation; zero when about none.
	effect mobile.Effect
}

// offered reads what the command is about and tells whether it still is a choice. The effect's
// row is locked before the activation's, as where acts are done.
func (d *decision) offered(ctx context.Context) (_ bool, err error) {
	if d.item, err = d.s.Item(ctx, d.in.Activation, d.command.ItemID); err != nil {
		return false, err
	}
	if d.item.Act != "" {
		d.effect, err = d.s.LockEffect(ctx, mobile.Effect{
			Tenant: d.in.Tenant, Activation: d.in.Activation, FollowUp: d.item.FollowUp, Act: d.item.Act,
		})
		if err != nil {
			return false, err
		}
	}
	a, err := d.s.LockedActivation(ctx, d.in.Tenant, d.in.Activation)
	if err != nil {
		return false, err
	}
	if d.item, err = d.s.Item(ctx, d.in.Activation, d.command.ItemID); err != nil {
		return false, err
	}
	forward, err := d.s.GoesForward(ctx, a)
	if err != nil {
		return false, err
	}
	question := d.item.Question(forward)
	if !d.item.Closed.IsZero() || !slices.Contains(question.Offers(), d.command.Choice) {
		return false, nil
	}
	// While the rows were not locked, another act may have become the one that it is about.
	return d.item.Act == d.effect.Act, nil
}

func (d *decision) carryOut(ctx context.Context) error {
	if err := d.settle(ctx); err != nil {
		return err
	}
	to := store.Move{
		Tenant: d.in.Tenant, Activation: d.in.Activation, To: mobile.StateRunning, Next: d.item.Step.Title(), At: d.in.At,
	}
	if d.item.Undoing {
		to.To, to.Next = mobile.StateUndoing, "Giving back what was taken"
	}
	if _, err := d.s.Resolve(ctx, d.item, d.command, to); err != nil {
		return err
	}
	if d.item.Kind == mobile.ItemRunLost {
		return d.s.ClaimRun(ctx, d.in.Activation, d.item.FollowUp, d.in.RunID)
	}
	return nil
}

// settle lets the ledger say what the operator said.
func (d *decision) settle(ctx context.Context) error {
	if d.item.Kind == mobile.ItemCarrierSilent && d.command.Choice == mobile.ResolutionDone {
		return d.portCancelled(ctx)
	}
	switch d.command.Choice {
	case mobile.ResolutionDone:
		return d.done(ctx)
	case mobile.ResolutionSendAgain:
		if d.effect.Act == "" {
			return nil // the donor has refused: to send the same once more is another act
		}
		return d.sendAgain(ctx)
	case mobile.ResolutionGiveUp:
		return d.giveUp(ctx)
	case mobile.ResolutionGoOn, mobile.ResolutionEndAsFailed, mobile.ResolutionDismiss:
	}
	return nil
}

// done settles the act as having happened, under the reference that the operator gave.
func (d *decision) done(ctx context.Context) error {
	if d.effect.Verdict == mobile.VerdictRefused {
		// The partner's no stays in the ledger; what was done by hand is the next generation,
		// about the same thing.
		subject := d.effect.Subject
		if err := d.repeat(ctx); err != nil {
			return err
		}
		if subject != "" {
			if err := d.s.AboutEffect(ctx, d.effect, subject); err != nil {
				return err
			}
		}
	}
	yes := d.effect
	yes.Verdict, yes.Reference = mobile.VerdictYes, d.command.Said
	if _, err := d.s.WitnessEffect(ctx, yes, store.WitnessOperator); err != nil {
		return err
	}
	switch d.effect.Act.Base() {
	case mobile.ActOrderProfile:
		return d.reserve(ctx)
	case mobile.ActSendMail:
		return d.sent(ctx)
	case mobile.ActCancelProfile, mobile.ActRetireProfile:
		return d.retire(ctx, "It was given back by hand")
	case mobile.ActCancelPort:
		return d.portCancelled(ctx)
	case mobile.ActConfirmProfile, mobile.ActActivateLine, mobile.ActDeactivateLine, mobile.ActChangeSIM, mobile.ActSendNotice,
		mobile.ActSubmitPort, mobile.ActSupplementPort, mobile.ActReschedulePort:
	}
	return nil
}

// portCancelled closes the port of which the carrier has told an operator that it is cancelled.
func (d *decision) portCancelled(ctx context.Context) error {
	port, err := d.s.PortInWork(ctx, d.in.Activation)
	if err != nil {
		return err
	}
	return d.s.ClosePort(ctx, d.in.Tenant, d.in.Activation, port.ID, mobile.PortCancelled)
}

// reserve keeps the profile whose ICCID the operator has found out.
func (d *decision) reserve(ctx context.Context) error {
	a, err := d.s.Activation(ctx, d.in.Tenant, store.Key{ID: d.in.Activation})
	if err != nil {
		return err
	}
	matchingID, err := esim.NewMatchingID(rand.Reader)
	if err != nil {
		return err
	}
	_, err = d.s.ReserveProfile(ctx, d.in.Tenant, mobile.Profile{
		Activation: d.in.Activation, FollowUp: d.item.FollowUp, ICCID: mobile.ICCID(d.command.Said),
		ProfileType: a.ProfileType, OrderReference: d.effect.Key(),
	}, matchingID)
	return err
}

// sent notes that the mail has gone out.
func (d *decision) sent(ctx context.Context) error {
	a, err := d.s.Activation(ctx, d.in.Tenant, store.Key{ID: d.in.Activation})
	if err != nil {
		return err
	}
	notice, _, err := d.s.Notice(ctx, d.in.Tenant, d.in.Activation, mobile.NoticeActivation, d.item.FollowUp)
	if err != nil {
		return err
	}
	return d.s.NoticeSent(ctx, a, notice, d.command.Said)
}

// sendAgain makes the act's next generation. What the one before may have left behind is
// written off.
func (d *decision) sendAgain(ctx context.Context) error {
	if d.effect.Act == mobile.ActOrderProfile {
		if err := d.writeOff(ctx); err != nil {
			return err
		}
	}
	if d.effect.Act == mobile.ActConfirmProfile {
		if err := d.disown(ctx); err != nil {
			return err
		}
	}
	if d.effect.Act == mobile.ActSendMail && d.effect.Subject != "" {
		if err := d.s.SupersedeNotice(ctx, d.in.Activation, d.effect.Subject); err != nil {
			return err
		}
	}
	return d.repeat(ctx)
}

func (d *decision) repeat(ctx context.Context) error {
	if err := d.s.RepeatEffect(ctx, d.effect); err != nil {
		return err
	}
	next, err := d.s.LockEffect(ctx, d.effect)
	d.effect = next
	return err
}

// giveUp lets go of what may be outside and cannot be named, and ends the activation's own run
// by a cancel: the same lock decides whether the line came up first. A follow-up ends by
// itself.
func (d *decision) giveUp(ctx context.Context) error {
	if d.effect.Act == mobile.ActOrderProfile && d.item.Kind == mobile.ItemOutcomeUnknown {
		if err := d.writeOff(ctx); err != nil {
			return err
		}
	}
	if d.effect.Act == mobile.ActConfirmProfile && d.item.Kind == mobile.ItemStepRefused {
		if err := d.disown(ctx); err != nil {
			return err
		}
	}
	if d.item.FollowUp != "" || d.item.Undoing && d.item.Kind != mobile.ItemRunLost {
		return nil // it ends by itself, as it was to end anyway
	}
	return d.s.CancelActivation(ctx, store.Cancel{Tenant: d.in.Tenant, Activation: d.in.Activation, By: d.command.By})
}

// disown writes an order off whose ICCID an operator had named and the SM-DP+ does not give us:
// it was another, which nobody here knows. It does nothing about any other confirmation.
func (d *decision) disown(ctx context.Context) error {
	order, found, err := d.s.Effect(ctx, mobile.Effect{
		Tenant: d.in.Tenant, Activation: d.in.Activation, FollowUp: d.item.FollowUp, Act: mobile.ActOrderProfile,
	})
	if err != nil || !found || !order.Witnessed || order.Verdict != mobile.VerdictYes {
		return err
	}
	if err := d.retire(ctx, "An operator named it, and the SM-DP+ does not give it to us"); err != nil {
		return err
	}
	if err := d.leak(ctx, order); err != nil {
		return err
	}
	return d.s.DisownEffect(ctx, order)
}

// reasonWrittenOff stands in the ledger beside an act that an operator wrote off.
const reasonWrittenOff = "WRITTEN_OFF"

// writeOff settles an order as not ours. One whose answer was lost is listed as LEAKED; one of
// our stock that was refused is never tried again.
func (d *decision) writeOff(ctx context.Context) error {
	switch {
	case d.effect.Verdict == mobile.VerdictRefused && d.effect.Subject == "":
		return nil // it was ordered by type, and nothing was taken
	case d.effect.Verdict == mobile.VerdictRefused:
		return d.retire(ctx, "The SM-DP+ refused its order: "+d.effect.Code)
	}
	off := d.effect
	off.Verdict, off.Reason = mobile.VerdictRefused, reasonWrittenOff
	if _, err := d.s.WitnessEffect(ctx, off, store.WitnessOperator); err != nil {
		return err
	}
	return d.leak(ctx, d.effect)
}

// leak lists an order of which nobody knows what profile came of it.
func (d *decision) leak(ctx context.Context, order mobile.Effect) error {
	a, err := d.s.Activation(ctx, d.in.Tenant, store.Key{ID: d.in.Activation})
	if err != nil {
		return err
	}
	return d.s.LeakProfile(ctx, d.in.Tenant, mobile.Profile{
		Activation: d.in.Activation, FollowUp: d.item.FollowUp, ProfileType: a.ProfileType, OrderReference: order.Key(),
		Detail: "The answer to its order was lost, and an operator wrote it off",
	})
}

// retire says that a profile is never to be used again.
func (d *decision) retire(ctx context.Context, why string) error {
	profile, err := d.profile(ctx)
	if err != nil {
		return err
	}
	return d.s.GiveBackProfile(ctx, profile, mobile.ProfileRetired, why)
}

// profile is the one that the act is about.
func (d *decision) profile(ctx context.Context) (mobile.Profile, error) {
	if d.effect.Act == mobile.ActOrderProfile {
		return d.s.ProfileByID(ctx, d.effect.Subject)
	}
	if d.effect.Act == mobile.ActRetireProfile {
		return d.s.ReplacedProfile(ctx, d.in.Activation, d.item.FollowUp)
	}
	return d.s.HeldProfile(ctx, d.in.Activation, d.item.FollowUp)
}
