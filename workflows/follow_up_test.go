package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

// file files a follow-up of the activation as the front does, and prepares its run.
func (b *bundle) file(t *testing.T, kind mobile.FollowUpKind, prepare func(context.Context, *store.Store, mobile.FollowUp) error) mobile.FollowUp {
	t.Helper()
	var filed mobile.FollowUp
	b.tenant(t, b.activation.Tenant, func(s *store.Store) (err error) {
		ctx := context.WithoutCancel(t.Context())
		filed, err = s.FileFollowUp(ctx, mobile.FollowUp{Tenant: b.activation.Tenant, Activation: b.activation.ID, Kind: kind}, "")
		if err != nil || prepare == nil {
			return err
		}
		return prepare(ctx, s, filed)
	})
	b.engine(t, filed.WorkflowID)
	return filed
}

// runFollowUp runs a follow-up to its end and gives its result.
func (b *bundle) runFollowUp(t *testing.T, f mobile.FollowUp) workflows.FollowUpResult {
	t.Helper()
	b.env.ExecuteWorkflow(string(mobile.TypeFollowUp), workflows.ActivationInput{
		Tenant: f.Tenant, Activation: f.Activation, FollowUp: f.ID,
	})
	if !b.env.IsWorkflowCompleted() {
		t.Fatal("the follow-up did not end")
	}
	fatal(t, b.env.GetWorkflowError())
	var result workflows.FollowUpResult
	fatal(t, b.env.GetWorkflowResult(&result))
	return result
}

// succeed runs the activation to its end.
func (b *bundle) succeed(t *testing.T) mobile.Profile {
	t.Helper()
	if diff := cmp.Diff(succeeded, b.run(t, workflows.Policies{})); diff != "" {
		t.Fatal(diff)
	}
	return *b.now(t).Profile
}

// line reads the ICCID that the carrier has on the line.
func (b *bundle) line(t *testing.T) mobile.ICCID {
	t.Helper()
	c := b.collaborators(t)
	line, err := c.Carrier.ReadLine(t.Context(), string(b.activation.ID))
	fatal(t, err)
	return mobile.ICCID(line.ICCID)
}

var followUpDone = workflows.FollowUpResult{State: mobile.FollowUpDone}

func TestReplaceProfile(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	old := b.succeed(t)

	result := b.runFollowUp(t, b.file(t, mobile.FollowUpReplace, nil))

	if diff := cmp.Diff(followUpDone, result); diff != "" {
		t.Error(diff)
	}
	a := b.now(t)
	switch {
	case a.State != mobile.StateSucceeded:
		t.Errorf("the activation is %s", a.State)
	case a.Profile.ICCID == old.ICCID || a.Profile.State != mobile.ProfileReleased || a.Profile.Generation != 1:
		t.Errorf("the profile is %+v", a.Profile)
	case b.line(t) != a.Profile.ICCID:
		t.Error("the line is not on the new eSIM")
	case len(a.Notices) != 2 || a.Notices[1].State != mobile.NoticeSent:
		t.Errorf("the notices are %+v", a.Notices)
	}
	if before := b.profile(t, old.ID); before.State != mobile.ProfileRetired {
		t.Errorf("the old eSIM is %s", before.State)
	}
	b.wantOnce(t, 2, 1, 2)
	if n := b.carrier.count(t, "change_sim"); n != 1 {
		t.Errorf("the SIM was changed %d times", n)
	}
}

func (b *bundle) profile(t *testing.T, id string) (p mobile.Profile) {
	t.Helper()
	b.tenant(t, b.activation.Tenant, func(s *store.Store) (err error) {
		p, err = s.ProfileByID(context.WithoutCancel(t.Context()), id)
		return err
	})
	return p
}

// Whatever answer is lost while an eSIM is replaced, one is reserved, put on the line and
// mailed; the blind order waits for a person.
func TestReplaceProfile_AnswersLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at     func(*bundle) partner
		match  string
		decide bool
	}{
		"Order":   {func(b *bundle) partner { return b.smdp }, "POST /gsma/rsp2/es2plus/downloadOrder", true},
		"Confirm": {func(b *bundle) partner { return b.smdp }, "POST /gsma/rsp2/es2plus/confirmOrder", false},
		"Change":  {func(b *bundle) partner { return b.carrier }, "PUT /v1/lines/*/sim", false},
		"Retire":  {func(b *bundle) partner { return b.smdp }, "POST /gsma/rsp2/es2plus/cancelOrder", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, order{})
			b.succeed(t)
			f := b.file(t, mobile.FollowUpReplace, nil)
			c.at(b).breaks(t, partnertest.Fault{Match: c.match, Kind: partnertest.DropAfter, Times: 1})
			if c.decide {
				b.after(time.Hour, func() { b.decide(t, mobile.ResolutionDone, b.iccid(t)) })
			}

			result := b.runFollowUp(t, f)

			if diff := cmp.Diff(followUpDone, result); diff != "" {
				t.Error(diff)
			}
			if a := b.now(t); b.line(t) != a.Profile.ICCID || len(a.OpenItems()) != 0 {
				t.Errorf("the profile is %+v, items %+v", a.Profile, a.Items)
			}
			b.wantOnce(t, 2, 1, 2)
		})
	}
}

// Given up before the line is on the new eSIM, it leaves everything as it was.
func TestReplaceProfile_GivenUp(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	old := b.succeed(t)
	f := b.file(t, mobile.FollowUpReplace, nil)
	down := b.smdp.breaks(t, partnertest.Fault{Match: "POST /gsma/rsp2/es2plus/confirmOrder", Kind: partnertest.Status, Status: 503})
	b.after(time.Hour, func() {
		if a := b.now(t); a.State != mobile.StateSucceeded || a.Profile.ICCID != old.ICCID {
			t.Errorf("meanwhile the activation is %s on %s", a.State, a.Profile.ICCID)
		}
		b.decide(t, mobile.ResolutionGiveUp, "")
		b.smdp.faults.Clear(down.ID)
	})

	result := b.runFollowUp(t, f)

	if diff := cmp.Diff(workflows.FollowUpResult{State: mobile.FollowUpGivenUp}, result); diff != "" {
		t.Error(diff)
	}
	if a := b.now(t); a.Profile.ICCID != old.ICCID || a.Profile.State != mobile.ProfileReleased || b.line(t) != old.ICCID {
		t.Errorf("the profile is %+v", a.Profile)
	}
	if n := b.smdp.count(t, "cancel_order"); n != 1 {
		t.Errorf("%d profiles were given back", n)
	}
}

// A resend is the same mail once more, once however often its answer is lost and told.
func TestResend(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.succeed(t)
	f := b.file(t, mobile.FollowUpResend, b.prepareResend)

	result := b.runFollowUp(t, f)

	if diff := cmp.Diff(followUpDone, result); diff != "" {
		t.Error(diff)
	}
	if a := b.now(t); len(a.Notices) != 2 || a.Notices[1].Generation != 1 || a.Notices[1].State != mobile.NoticeSent {
		t.Errorf("the notices are %+v", a.Notices)
	}
	b.wantOnce(t, 1, 1, 2)
}

// prepareResend prepares the second notice as the front does.
func (b *bundle) prepareResend(ctx context.Context, s *store.Store, f mobile.FollowUp) error {
	_, message, err := s.Notice(ctx, f.Tenant, f.Activation, mobile.NoticeActivation, "")
	if err != nil {
		return err
	}
	notice := mobile.Notice{
		ID: "0199c2e4-7a1b-7c3d-8e4f-0123456789ab", Kind: mobile.NoticeActivation, FollowUp: f.ID, MaskedAddress: "a•••@example.com",
	}
	first, err := mail.ParseMessage(message)
	if err != nil {
		return err
	}
	second, err := first.Again(notice.ID, "")
	if err != nil {
		return err
	}
	return s.PrepareNotice(ctx, f.Tenant, f.Activation, notice, second.Bytes())
}

// A stock of imported profiles is ordered from by ICCID, so that no lost answer needs a person.
func TestStock_LostAnswersNeedNobody(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	stock := b.stock(t, 2)
	b.smdp.breaks(t, partnertest.Fault{Match: "POST /gsma/rsp2/es2plus/downloadOrder", Kind: partnertest.DropAfter, Times: 2})

	got := b.succeed(t)

	if got.ICCID != stock[0] || got.Imported.IsZero() {
		t.Errorf("the profile is %+v, want the oldest of the stock", got)
	}
	b.wantOnce(t, 1, 1, 1)
}

// What the SM-DP+ does not give us of our stock is for an operator, who may take the next.
func TestStock_Refused(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.imports(t, "89440000000000000000")
	next := b.stock(t, 1)
	b.after(time.Hour, func() {
		if a := b.now(t); a.Reason != "STOCK_PROFILE_REFUSED" {
			t.Errorf("the reason is %s", a.Reason)
		}
		b.decide(t, mobile.ResolutionSendAgain, "")
	})

	got := b.succeed(t)

	if got.ICCID != next[0] {
		t.Errorf("the profile is %+v", got)
	}
	b.wantOnce(t, 1, 1, 1)
}

// What was taken of the stock comes back to it when nobody outside has seen it.
func TestStock_ComesBack(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.stock(t, 1)
	b.carrier.breaks(t, partnertest.Fault{Match: "POST /v1/lines", Kind: partnertest.DropBefore})
	b.smdp.breaks(t, partnertest.Fault{Match: "POST /gsma/rsp2/es2plus/confirmOrder", Kind: partnertest.Status, Status: 503})
	b.after(time.Minute, func() { b.cancel(t) })

	if diff := cmp.Diff(cancelled, b.run(t, workflows.Policies{})); diff != "" {
		t.Error(diff)
	}

	b.tenant(t, b.activation.Tenant, func(s *store.Store) error {
		free, err := s.ListProfiles(context.WithoutCancel(t.Context()), b.activation.Tenant,
			store.ProfileFilter{States: []mobile.ProfileState{mobile.ProfileAvailable}}, store.Cursor{}, 10)
		if len(free) != 1 {
			t.Errorf("%d profiles are in the stock again", len(free))
		}
		return err
	})
}

// stock imports profiles that the SM-DP+ has assigned to us.
func (b *bundle) stock(t *testing.T, n int) []mobile.ICCID {
	t.Helper()
	assigned, err := b.esim.Assign(b.activation.ProfileType, n)
	fatal(t, err)
	b.imports(t, assigned...)
	return assigned
}

func (b *bundle) imports(t *testing.T, iccids ...mobile.ICCID) {
	t.Helper()
	b.tenant(t, b.activation.Tenant, func(s *store.Store) error {
		_, err := s.ImportProfiles(context.WithoutCancel(t.Context()), b.activation.Tenant, b.activation.ProfileType, iccids, "test")
		return err
	})
}
