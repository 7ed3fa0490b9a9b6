package workflows_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

// decide lets an operator settle the only open item, as the front does: the command is kept,
// and the run is told.
func (b *bundle) decide(t *testing.T, choice mobile.Resolution, reference string) {
	t.Helper()
	open := b.now(t).OpenItems()
	if len(open) != 1 {
		t.Errorf("%d items are open: %+v", len(open), open)
		return
	}
	item := open[0]
	command := store.Command{
		ID: uuid.NewString(), Tenant: b.activation.Tenant, Activation: b.activation.ID, ItemID: item.ID, Choice: choice, Said: reference,
		By: mobile.Doer{Principal: mobile.PrincipalOperator, Actor: "olga", RequestID: uuid.NewString()},
	}
	b.tenant(t, command.Tenant, func(s *store.Store) error {
		ctx := context.WithoutCancel(t.Context())
		if err := s.Audit(ctx, store.Deed{ID: command.ID, Tenant: command.Tenant, Principal: command.By.Principal}); err != nil {
			return err
		}
		return s.FileCommand(ctx, command)
	})
	answer := &updated{}
	b.env.UpdateWorkflow("resolve_action", command.By.RequestID, answer, workflows.ResolveAction{
		Command: command.ID, Choice: choice, Kind: item.Kind, Step: item.Step, Until: b.env.Now().Add(time.Minute),
	})
	t.Cleanup(func() {
		if answer.err != nil {
			t.Errorf("the run did not take %s: %v", choice, answer.err)
		}
	})
}

// updated is what came of an update.
type updated struct{ err error }

func (u *updated) Accept()                   {}
func (u *updated) Reject(err error)          { u.err = err }
func (u *updated) Complete(_ any, err error) { u.err = errors.Join(u.err, err) }

// iccid is the one that the SM-DP+ gave, by its journal.
func (b *bundle) iccid(t *testing.T) string {
	t.Helper()
	entries, err := partnertest.ReadJournal(b.smdp.journal.Path())
	fatal(t, err)
	for _, e := range slices.Backward(entries) {
		if e.Act == "download_order" {
			return e.Reference
		}
	}
	t.Error("no profile was ordered")
	return ""
}

// leaked counts the orders that were written off.
func (b *bundle) leaked(t *testing.T) (n int) {
	t.Helper()
	b.tenant(t, b.activation.Tenant, func(s *store.Store) error {
		list, err := s.ListProfiles(context.WithoutCancel(t.Context()), b.activation.Tenant,
			store.ProfileFilter{States: []mobile.ProfileState{mobile.ProfileLeaked}}, store.Cursor{}, 10)
		n = len(list)
		return err
	})
	return n
}

// An order by type whose answer was lost, and what an operator makes of it.
func TestDecide_LostOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault    partnertest.Kind
		choice   mobile.Resolution
		named    bool
		want     workflows.ActivationResult
		orders   int
		lines    int
		leaked   int
		profiles mobile.ProfileState
	}{
		"Done/ItHadHappened":        {partnertest.DropAfter, mobile.ResolutionDone, true, succeeded, 1, 1, 0, mobile.ProfileReleased},
		"SendAgain/ItHadNot":        {partnertest.Hang, mobile.ResolutionSendAgain, false, succeeded, 1, 1, 1, mobile.ProfileReleased},
		"SendAgain/ItHadAfterAll":   {partnertest.DropAfter, mobile.ResolutionSendAgain, false, succeeded, 2, 1, 1, mobile.ProfileReleased},
		"GiveUp/NothingElseIsTaken": {partnertest.DropAfter, mobile.ResolutionGiveUp, false, givenUp, 1, 0, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, order{})
			b.smdp.breaks(t, partnertest.Fault{Match: "POST /gsma/rsp2/es2plus/downloadOrder", Kind: c.fault, Times: 1})
			b.after(time.Hour, func() {
				reference := ""
				if c.named {
					reference = b.iccid(t)
				}
				b.decide(t, c.choice, reference)
			})

			result := b.run(t, workflows.Policies{})

			if diff := cmp.Diff(c.want, result); diff != "" {
				t.Error(diff)
			}
			if got := b.leaked(t); got != c.leaked {
				t.Errorf("%d orders are listed as leaked, want %d", got, c.leaked)
			}
			if got := b.smdp.count(t, "download_order"); got != c.orders {
				t.Errorf("%d profiles were ordered, want %d", got, c.orders)
			}
			if got := b.carrier.count(t, "activate_line"); got != c.lines {
				t.Errorf("%d lines, want %d", got, c.lines)
			}
			a := b.now(t)
			if len(a.OpenItems()) != 0 || a.Items[0].Resolution != c.choice || a.Items[0].Actor != "olga" {
				t.Errorf("the items say %+v", a.Items)
			}
			if c.profiles != "" && (a.Profile == nil || a.Profile.State != c.profiles) {
				t.Errorf("the profile is %+v", a.Profile)
			}
		})
	}
}

var givenUp = workflows.ActivationResult{State: mobile.StateCancelled, Reason: "GIVEN_UP"}

// A mail whose answer was lost: SendGrid's events settle it by themselves, and only without
// them a person is asked.
func TestLostMail(t *testing.T) {
	t.Parallel()

	t.Run("EvidenceComesInTime", func(t *testing.T) {
		t.Parallel()
		b := setup(t, order{})
		b.sendgrid.breaks(t, partnertest.Fault{Kind: partnertest.DropAfter, Times: 1})
		b.after(5*time.Minute, func() { b.hear(t) })

		result := b.run(t, workflows.Policies{})

		if diff := cmp.Diff(succeeded, result); diff != "" {
			t.Error(diff)
		}
		if a := b.now(t); len(a.Items) != 0 || a.Notices[0].State != mobile.NoticeDelivered {
			t.Errorf("items %+v, notices %+v", a.Items, a.Notices)
		}
		b.wantOnce(t, 1, 1, 1)
	})

	t.Run("EvidenceComesWhileAnOperatorIsAsked", func(t *testing.T) {
		t.Parallel()
		b := setup(t, order{})
		b.sendgrid.breaks(t, partnertest.Fault{Kind: partnertest.DropAfter, Times: 1})
		var during mobile.Activation
		b.after(time.Hour, func() {
			during = b.now(t)
			b.hear(t)
		})

		result := b.run(t, workflows.Policies{})

		if diff := cmp.Diff(succeeded, result); diff != "" {
			t.Error(diff)
		}
		if during.State != mobile.StateWaitingForOperator || during.Reason != "OUTCOME_UNKNOWN" {
			t.Errorf("after an hour the record said %s %s", during.State, during.Reason)
		}
		if a := b.now(t); len(a.OpenItems()) != 0 || a.Items[0].Resolution != "" {
			t.Errorf("the items say %+v", a.Items)
		}
		b.wantOnce(t, 1, 1, 1)
	})

	for choice, mails := range map[mobile.Resolution]int{mobile.ResolutionDone: 1, mobile.ResolutionSendAgain: 2} {
		t.Run(string(choice), func(t *testing.T) {
			t.Parallel()
			b := setup(t, order{})
			b.sendgrid.breaks(t, partnertest.Fault{Kind: partnertest.DropAfter, Times: 1})
			b.after(time.Hour, func() {
				b.decide(t, choice, "")
			})

			result := b.run(t, workflows.Policies{})

			if diff := cmp.Diff(succeeded, result); diff != "" {
				t.Error(diff)
			}
			b.wantOnce(t, 1, 1, mails)
			if a := b.now(t); len(a.Notices) != mails || a.Notices[mails-1].State != mobile.NoticeSent {
				t.Errorf("the notices say %+v", a.Notices)
			}
		})
	}

	t.Run("GivingUpIsNotOffered", func(t *testing.T) {
		t.Parallel()
		b := setup(t, order{})
		b.sendgrid.breaks(t, partnertest.Fault{Kind: partnertest.DropAfter, Times: 1})
		b.after(time.Hour, func() {
			b.decide(t, mobile.ResolutionGiveUp, "")
		})
		b.after(2*time.Hour, func() {
			if got := b.now(t); got.State != mobile.StateWaitingForOperator || !got.CancelRequested.IsZero() {
				t.Errorf("the record says %s, a cancel at %s", got.State, got.CancelRequested)
			}
			b.decide(t, mobile.ResolutionDone, "")
		})

		result := b.run(t, workflows.Policies{})

		if diff := cmp.Diff(succeeded, result); diff != "" {
			t.Error(diff)
		}
	})
}

// hear lets SendGrid's event about the first mail arrive, as the webhook keeps it.
func (b *bundle) hear(t *testing.T) {
	t.Helper()
	notice := b.now(t).Notices[0].ID
	fatal(t, b.db.InSystem(context.WithoutCancel(t.Context()), func(s *store.Store) error {
		_, err := s.HearOfNotice(context.WithoutCancel(t.Context()), store.NoticeWord{
			Notice: notice, MessageID: "m-1", State: mobile.NoticeDelivered, At: b.env.Now(),
		})
		return err
	}))
	b.env.SignalWorkflow("intake", workflows.Intake{ID: uuid.NewString()})
}

// What SendGrid refused goes out again once the address was corrected.
func TestDecide_MailRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.sendgrid.breaks(t, partnertest.Fault{Kind: partnertest.Status, Status: 400, Times: 1})
	b.after(time.Hour, func() {
		b.decide(t, mobile.ResolutionSendAgain, "")
	})

	result := b.run(t, workflows.Policies{})

	if diff := cmp.Diff(succeeded, result); diff != "" {
		t.Error(diff)
	}
	b.wantOnce(t, 1, 1, 1)
}

// A decision that nobody waits for is refused at once.
func TestDecide_NothingAsked(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.carrier.breaks(t, partnertest.Fault{Kind: partnertest.Status, Status: 503, Times: 5})
	answer := &updated{}
	b.after(10*time.Second, func() {
		b.env.UpdateWorkflow("resolve_action", uuid.NewString(), answer, workflows.ResolveAction{Kind: mobile.ItemStepStuck})
	})

	b.run(t, workflows.Policies{})

	if answer.err == nil {
		t.Error("the run took a decision that it did not wait for")
	}
}

// A step that does not get through can be given up while it is tried.
func TestDecide_GiveUpWhatIsStuck(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.carrier.breaks(t, partnertest.Fault{Match: "POST /v1/lines", Kind: partnertest.Status, Status: 503})
	b.after(time.Hour, func() {
		b.decide(t, mobile.ResolutionGiveUp, "")
	})

	result := b.run(t, workflows.Policies{})

	if diff := cmp.Diff(givenUp, result); diff != "" {
		t.Error(diff)
	}
	if back := b.smdp.count(t, "cancel_order"); back != 1 {
		t.Errorf("%d profiles were given back", back)
	}
	b.wantOnce(t, 1, 0, 0)
}

// What cannot be given back because a partner is gone is settled by hand there, or left.
func TestDecide_UndoStuck(t *testing.T) {
	t.Parallel()
	for choice, want := range map[mobile.Resolution]workflows.ActivationResult{
		mobile.ResolutionDone:        cancelled,
		mobile.ResolutionEndAsFailed: {State: mobile.StateFailed, Reason: "BEYOND_REPAIR"},
	} {
		t.Run(string(choice), func(t *testing.T) {
			t.Parallel()
			b := setup(t, order{imei: carriertest.IMEIComesUpSilently, comesUpAfter: time.Hour})
			b.carrier.breaks(t, partnertest.Fault{Match: "POST /v1/lines/*/deactivate", Kind: partnertest.Status, Status: 503})
			b.after(time.Minute, func() { b.cancel(t) })
			b.after(2*time.Hour, func() {
				b.decide(t, choice, "")
			})

			result := b.run(t, workflows.Policies{})

			if diff := cmp.Diff(want, result); diff != "" {
				t.Error(diff)
			}
			if got := b.now(t); got.State != want.State || len(got.OpenItems()) != 0 {
				t.Errorf("the record says %s, items %+v", got.State, got.Items)
			}
		})
	}
}

// A lost run goes on from where it was: what is done is not done again.
func TestDecide_LostRunGoesOn(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.leaveHalfDone(t)
	b.after(time.Hour, func() {
		b.decide(t, mobile.ResolutionGoOn, "")
	})

	result := b.run(t, workflows.Policies{})

	if diff := cmp.Diff(succeeded, result); diff != "" {
		t.Error(diff)
	}
	if a := b.now(t); a.RunID == "another-run" {
		t.Error("the lost run still holds the activation")
	}
	b.wantOnce(t, 1, 1, 1)
}
