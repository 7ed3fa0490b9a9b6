package workflows_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/testsuite"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

// Corners where a question, an act or an address is no longer what it was when it began.

const es2plus = "POST /gsma/rsp2/es2plus/"

// What an operator says was given back by hand is the new eSIM of a replacement that was given
// up, never the one that the customer telephones with.
func TestGivenUpReplacement_GivenBackByHand(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	old := b.succeed(t)
	f := b.file(t, mobile.FollowUpReplace, nil)
	b.smdp.breaks(t, partnertest.Fault{Match: es2plus + "confirmOrder", Kind: partnertest.Status, Status: 503})
	b.smdp.breaks(t, partnertest.Fault{Match: es2plus + "cancelOrder", Kind: partnertest.Status, Status: 503})
	b.after(time.Hour, func() { b.decide(t, mobile.ResolutionGiveUp, "") })
	b.after(2*time.Hour, func() { b.decide(t, mobile.ResolutionDone, "") })

	result := b.runFollowUp(t, f)

	if result.State != mobile.FollowUpGivenUp {
		t.Errorf("it ended %s", result.State)
	}
	if a := b.now(t); a.Profile.ID != old.ID || a.Profile.State != mobile.ProfileReleased {
		t.Errorf("the customer's eSIM is %+v", a.Profile)
	}
}

// Once the line is on the new eSIM, the old one is retired whatever becomes of the mail.
func TestReplacement_CannotBeGivenUpAtItsMail(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	old := b.succeed(t)
	f := b.file(t, mobile.FollowUpReplace, nil)
	b.sendgrid.breaks(t, partnertest.Fault{Kind: partnertest.DropAfter, Times: 1})
	b.after(time.Hour, func() {
		if offers := b.now(t).OpenItems()[0].Question(true).Offers(); slices.Contains(offers, mobile.ResolutionGiveUp) {
			t.Errorf("offered: %v", offers)
		}
		b.decide(t, mobile.ResolutionDone, "")
	})

	b.runFollowUp(t, f)

	if p := b.profile(t, old.ID); p.State != mobile.ProfileRetired {
		t.Errorf("the old eSIM is %s", p.State)
	}
}

// A step of several acts is stuck at one after the other: what may be decided is about the one
// that it is at.
func TestStuck_AtOneActAfterTheOther(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	order := b.smdp.breaks(t, partnertest.Fault{Match: es2plus + "downloadOrder", Kind: partnertest.Status, Status: 503})
	b.smdp.breaks(t, partnertest.Fault{Match: es2plus + "confirmOrder", Kind: partnertest.Status, Status: 503})
	b.after(30*time.Minute, func() { b.smdp.faults.Clear(order.ID) })
	b.after(2*time.Hour, func() { b.decide(t, mobile.ResolutionGiveUp, "") })
	b.after(3*time.Hour, func() {
		for _, fault := range b.smdp.faults.List() {
			b.smdp.faults.Clear(fault.ID)
		}
	})

	if diff := cmp.Diff(givenUp, b.run(t, workflows.Policies{})); diff != "" {
		t.Error(diff)
	}
}

// What was asked on the way is another question once everything is given back.
func TestCancel_OfWhatIsStuck_AsksAnew(t *testing.T) {
	t.Parallel()
	b := setup(t, order{imei: carriertest.IMEIComesUpSilently, comesUpAfter: time.Hour})
	b.carrier.breaks(t, partnertest.Fault{Match: "GET /v1/lines/*", Kind: partnertest.Status, Status: 503})
	b.carrier.breaks(t, partnertest.Fault{Match: "POST /v1/lines/*/deactivate", Kind: partnertest.Status, Status: 503})
	b.after(time.Hour, func() { b.cancel(t) })
	b.after(3*time.Hour, func() {
		want := []mobile.Resolution{mobile.ResolutionDone, mobile.ResolutionEndAsFailed}
		if diff := cmp.Diff(want, b.now(t).OpenItems()[0].Question(false).Offers()); diff != "" {
			t.Error(diff)
		}
		b.decide(t, mobile.ResolutionDone, "")
	})

	if diff := cmp.Diff(cancelled, b.run(t, workflows.Policies{})); diff != "" {
		t.Error(diff)
	}
}

// A corrected address holds for a mail that has certainly not gone out.
func TestCorrectContact_WhileTheMailWaits(t *testing.T) {
	t.Parallel()
	b := setup(t, order{email: "wrong@example.com"})
	down := b.sendgrid.breaks(t, partnertest.Fault{Kind: partnertest.Status, Status: 503})
	b.after(30*time.Minute, func() {
		b.tenant(t, b.activation.Tenant, func(s *store.Store) error {
			return s.CorrectContact(context.WithoutCancel(t.Context()), b.activation.Tenant, b.activation.ID, "", "right@elsewhere.example")
		})
	})
	b.after(time.Hour, func() { b.sendgrid.faults.Clear(down.ID) })

	b.succeed(t)

	if a := b.now(t); len(a.Notices) != 1 || a.Notices[0].MaskedAddress != mobile.MaskEmail("right@elsewhere.example") {
		t.Errorf("the notices are %+v", a.Notices)
	}
	mails := b.mails.Mails()
	if len(mails) != 1 || mails[0].To != "right@elsewhere.example" {
		t.Errorf("%d mails, the first to %s", len(mails), mails[0].To)
	}
}

// An attempt that was held up until everything was given back does nothing any more.
func TestLateAttempt_AfterTheEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.tenant(t, b.activation.Tenant, func(s *store.Store) error {
		return s.CancelActivation(t.Context(), store.Cancel{Tenant: b.activation.Tenant, Activation: b.activation.ID})
	})
	b.run(t, workflows.Policies{})
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	activities.Register(env, b.collaborators(t))
	ref := activities.Ref{Tenant: b.activation.Tenant, Activation: b.activation.ID}

	if _, err := env.ExecuteActivity((*activities.Profiles)(nil).ReserveProfile, ref); err == nil {
		t.Error("an eSIM was reserved after the end")
	}

	b.wantOnce(t, 0, 0, 0)
}

// A refused mail that an operator has settled by hand is one notice, not two.
func TestMailRefused_SettledByHand(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.sendgrid.breaks(t, partnertest.Fault{Kind: partnertest.Status, Status: 400, Times: 1})
	b.after(time.Hour, func() { b.decide(t, mobile.ResolutionDone, "") })

	b.succeed(t)

	if a := b.now(t); len(a.Notices) != 1 || a.Notices[0].State != mobile.NoticeSent {
		t.Errorf("the notices are %+v", a.Notices)
	}
}

// An ICCID that an operator has named wrongly is refused when it is confirmed: that is asked
// again, and the order of which nobody knows the profile is listed.
func TestNamedWrongly(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.smdp.breaks(t, partnertest.Fault{Match: es2plus + "downloadOrder", Kind: partnertest.DropAfter, Times: 1})
	b.after(time.Hour, func() { b.decide(t, mobile.ResolutionDone, "89440000000000000000") })
	b.after(2*time.Hour, func() { b.decide(t, mobile.ResolutionSendAgain, "") })

	got := b.succeed(t)

	if got.ICCID == "89440000000000000000" || got.State != mobile.ProfileReleased {
		t.Errorf("the profile is %+v", got)
	}
	if n := b.leaked(t); n != 1 {
		t.Errorf("%d orders are listed as leaked", n)
	}
	b.wantOnce(t, 2, 1, 1)
}

// An ICCID that was imported after it was ordered is the order's: it leaves the stock.
func TestNamed_AfterItWasImported(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.smdp.breaks(t, partnertest.Fault{Match: es2plus + "downloadOrder", Kind: partnertest.DropAfter, Times: 1})
	b.after(time.Hour, func() {
		b.imports(t, mobile.ICCID(b.iccid(t)))
		b.decide(t, mobile.ResolutionDone, b.iccid(t))
	})

	b.succeed(t)

	b.wantOnce(t, 1, 1, 1)
}
