package workflows_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.temporal.io/sdk/testsuite"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

var (
	succeeded = workflows.ActivationResult{State: mobile.StateSucceeded}
	cancelled = workflows.ActivationResult{State: mobile.StateCancelled}
)

const (
	done    = mobile.StepDone
	undone  = mobile.StepUndone
	refused = mobile.StepRefused
	skipped = mobile.StepSkipped
)

func TestNewLine(t *testing.T) {
	t.Parallel()

	t.Run("BringsASubscriptionOnTheAir", func(t *testing.T) {
		t.Parallel()
		b := setup(t, order{})

		result := b.run(t, workflows.Policies{})

		a, sub := b.now(t), b.subscription(t)
		if diff := cmp.Diff(succeeded, result); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]mobile.StepState{done, done, done, done, done, done}, states(a)); diff != "" {
			t.Error(diff)
		}
		if a.State != mobile.StateSucceeded || a.Live.IsZero() || a.Ended.IsZero() || len(a.OpenItems()) != 0 {
			t.Errorf("the record says %s, live %v, ended %v, items %v", a.State, a.Live, a.Ended, a.Items)
		}
		if sub.Status != mobile.SubscriptionActive || sub.PhoneNumber == "" || sub.PhoneNumber != a.PhoneNumber || !sub.Activated.Equal(a.Live) {
			t.Errorf("the subscription is %+v", sub)
		}
		b.wantOnce(t, 1, 1, 1)
	})

	for name, imei := range map[string]mobile.IMEI{
		"ComesUpLater/WithoutAnEvent": carriertest.IMEIComesUpSilently,
		"ComesUpLater/PolledOnly":     carriertest.IMEIComesUpLater,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, order{imei: imei})

			result := b.run(t, workflows.Policies{})

			if diff := cmp.Diff(succeeded, result); diff != "" {
				t.Error(diff)
			}
			b.wantOnce(t, 1, 1, 1)
		})
	}
}

// A carrier's event makes the run look at once instead of at its next poll.
func TestNewLine_LooksAtOnceWhenTheCarrierSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t, order{imei: carriertest.IMEIComesUpLater})
	event := store.PartnerEvent{
		Partner: mobile.PartnerCarrier, DedupKey: uuid.NewString(), Kind: "line.active",
		Activation: b.activation.ID, Body: []byte("{}"), Occurred: time.Now(),
	}
	b.after(time.Minute, func() {
		b.system(t, func(s *store.Store) error {
			_, err := s.KeepPartnerEvent(t.Context(), event)
			return err
		})
		b.env.SignalWorkflow("intake", workflows.Intake{ID: uuid.NewString()})
	})
	start := b.env.Now()

	// Without the event the next look would come after a day.
	day := workflows.Duration(24 * time.Hour)
	result := b.run(t, workflows.Policies{LinePoll: day, LinePatience: 2 * day})

	if diff := cmp.Diff(succeeded, result); diff != "" {
		t.Error(diff)
	}
	if passed := b.env.Now().Sub(start); passed > 2*time.Minute {
		t.Errorf("the run took %s of its time", passed)
	}
}

func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		order                 order
		reason                string
		states                []mobile.StepState
		profiles, lines, back int
	}{
		"DeviceBlocked": {
			order: order{imei: carriertest.IMEIBlocked}, reason: "DEVICE_BLOCKED",
			states: []mobile.StepState{done, refused, skipped, skipped, skipped, skipped},
		},
		"DeviceNotESIMCapable": {
			order: order{imei: carriertest.IMEINotESIMCapable}, reason: "DEVICE_NOT_ESIM_CAPABLE",
			states: []mobile.StepState{done, refused, skipped, skipped, skipped, skipped},
		},
		"ZIPNotServed": {
			order: order{zip: carriertest.ZIPNotServed}, reason: "ZIP_NOT_SERVED",
			states: []mobile.StepState{done, refused, skipped, skipped, skipped, skipped},
		},
		"ZIPNotServedAtActivationOnly": {
			order: order{zip: carriertest.ZIPNotServedAtActivation}, reason: "ZIP_NOT_SERVED", profiles: 1, back: 1,
			states: []mobile.StepState{done, done, undone, refused, skipped, skipped},
		},
		"LineFailsAfterItWasAccepted": {
			order: order{imei: carriertest.IMEIFailsLater}, reason: "DEVICE_NOT_SUPPORTED", profiles: 1, lines: 1, back: 1,
			states: []mobile.StepState{done, done, undone, refused, skipped, skipped},
		},
		"ProfileTypeUnknown": {
			order:  order{plan: mobile.Plan{Name: "odd", Kind: mobile.PlanMobile, CarrierPlan: "MVNO-10GB", ProfileType: "NO_SUCH_TYPE"}},
			reason: "PROFILE_TYPE_UNKNOWN",
			states: []mobile.StepState{done, done, refused, skipped, skipped, skipped},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, c.order)

			result := b.run(t, workflows.Policies{})

			a := b.now(t)
			if diff := cmp.Diff(workflows.ActivationResult{State: mobile.StateRejected, Reason: c.reason}, result); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.states, states(a)); diff != "" {
				t.Error(diff)
			}
			if a.State != mobile.StateRejected || a.Reason != c.reason || b.subscription(t).Status != mobile.SubscriptionPending {
				t.Errorf("the record says %s %s, the subscription is %s", a.State, a.Reason, b.subscription(t).Status)
			}
			if got := b.smdp.count(t, "cancel_order"); got != c.back {
				t.Errorf("%d profiles were given back, want %d", got, c.back)
			}
			b.wantOnce(t, c.profiles, c.lines, 0)
		})
	}
}

// wantOnce looks into the partners' journals for what was really done.
func (b *bundle) wantOnce(t *testing.T, profiles, lines, mails int) {
	t.Helper()
	got := map[string]int{
		"profiles": b.smdp.count(t, "download_order"),
		"lines":    b.carrier.count(t, "activate_line"),
		"mails":    b.sendgrid.count(t, "mail_accepted"),
	}
	if diff := cmp.Diff(map[string]int{"profiles": profiles, "lines": lines, "mails": mails}, got); diff != "" {
		t.Errorf("outside was done: %s", diff)
	}
}

func TestPartnerDown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at   func(*bundle) partner
		step mobile.StepName
	}{
		"Carrier":  {func(b *bundle) partner { return b.carrier }, mobile.StepCheckDevice},
		"SMDPPlus": {func(b *bundle) partner { return b.smdp }, mobile.StepReserveESIM},
		"SendGrid": {func(b *bundle) partner { return b.sendgrid }, mobile.StepSendActivationEmail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, order{})
			down := c.at(b).breaks(t, partnertest.Fault{Kind: partnertest.Status, Status: 503})
			var during mobile.Activation
			b.after(time.Hour, func() {
				during = b.now(t)
				c.at(b).faults.Clear(down.ID)
			})

			result := b.run(t, workflows.Policies{})

			// An operator was asked, the steps showed why, and then it went on by itself.
			if during.State != mobile.StateWaitingForOperator || len(during.OpenItems()) != 1 || during.OpenItems()[0].Step != c.step || during.Deadline.IsZero() {
				t.Errorf("after an hour's outage the record said %s, items %+v, deadline %v", during.State, during.OpenItems(), during.Deadline)
			}
			for _, step := range during.Steps {
				if step.Name == c.step && (step.State != mobile.StepRetrying || step.Attempts < 5 || step.Reason != "PARTNER_UNAVAILABLE" || step.NextTry.IsZero()) {
					t.Errorf("the step said %+v", step)
				}
			}
			if a := b.now(t); a.State != mobile.StateSucceeded || len(a.OpenItems()) != 0 {
				t.Errorf("in the end the record said %s, items %v", a.State, a.Items)
			}
			if diff := cmp.Diff(succeeded, result); diff != "" {
				t.Error(diff)
			}
			b.wantOnce(t, 1, 1, 1)
		})
	}
}

// A keyed act whose answer was lost is sent again under the same key, and happens once.
func TestAnswerLost_KeyedActsAreRepeated(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]partnertest.Kind{
		"ConnectionDropped": partnertest.DropAfter, "HalfAReply": partnertest.Partial, "BadJSON": partnertest.BadJSON, "Empty": partnertest.Empty2xx,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, order{})
			b.carrier.breaks(t, partnertest.Fault{Match: "POST /v1/lines", Kind: kind, Times: 2})
			b.smdp.breaks(t, partnertest.Fault{Match: "POST /gsma/rsp2/es2plus/confirmOrder", Kind: kind, Times: 2})

			result := b.run(t, workflows.Policies{})

			if diff := cmp.Diff(succeeded, result); diff != "" {
				t.Error(diff)
			}
			b.wantOnce(t, 1, 1, 1)
		})
	}
}

// An act that cannot simply be repeated is never sent again: an operator is asked.
func TestAnswerLost_OthersAskAnOperator(t *testing.T) {
	t.Parallel()

	t.Run("Profile", func(t *testing.T) {
		t.Parallel()
		b := setup(t, order{})
		b.smdp.breaks(t, partnertest.Fault{Match: "POST /gsma/rsp2/es2plus/downloadOrder", Kind: partnertest.DropAfter})
		b.stopAfterADay(t)

		a := b.now(t)
		if a.State != mobile.StateWaitingForOperator || a.Reason != "OUTCOME_UNKNOWN" || a.Live.IsZero() == false {
			t.Errorf("the record says %s %s", a.State, a.Reason)
		}
		b.wantOnce(t, 1, 0, 0)
	})

	t.Run("Mail", func(t *testing.T) {
		t.Parallel()
		b := setup(t, order{})
		b.sendgrid.breaks(t, partnertest.Fault{Kind: partnertest.DropAfter})
		b.stopAfterADay(t)

		a := b.now(t)
		if a.State != mobile.StateWaitingForOperator || a.Reason != "OUTCOME_UNKNOWN" || b.subscription(t).Status != mobile.SubscriptionActive {
			t.Errorf("the record says %s %s", a.State, a.Reason)
		}
		b.wantOnce(t, 1, 1, 1)
	})
}

// stopAfterADay runs a workflow that waits for an operator, and leaves it after a day.
func (b *bundle) stopAfterADay(t *testing.T) {
	t.Helper()
	stop := "left waiting"
	b.after(24*time.Hour, func() { panic(stop) })
	defer func() {
		if r := recover(); r != nil && r != any(stop) {
			panic(r)
		}
	}()
	b.env.ExecuteWorkflow(string(b.activation.Type), workflows.ActivationInput{Tenant: b.activation.Tenant, Activation: b.activation.ID})
}

func TestCancel(t *testing.T) {
	t.Parallel()

	t.Run("BeforeTheRunBegan", func(t *testing.T) {
		t.Parallel()
		b := setup(t, order{})
		b.tenant(t, b.activation.Tenant, func(s *store.Store) error {
			return s.CancelActivation(t.Context(), store.Cancel{Tenant: b.activation.Tenant, Activation: b.activation.ID})
		})

		result := b.run(t, workflows.Policies{})

		if diff := cmp.Diff(cancelled, result); diff != "" {
			t.Error(diff)
		}
		b.wantOnce(t, 0, 0, 0)
	})

	t.Run("WhileAPartnerIsDown", func(t *testing.T) {
		t.Parallel()
		b := setup(t, order{})
		b.carrier.breaks(t, partnertest.Fault{Match: "POST /v1/lines", Kind: partnertest.Status, Status: 503})
		b.after(30*time.Minute, func() { b.cancel(t) })

		result := b.run(t, workflows.Policies{})

		if diff := cmp.Diff(cancelled, result); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]mobile.StepState{done, done, undone, undone, skipped, skipped}, states(b.now(t))); diff != "" {
			t.Error(diff)
		}
		if a, sub := b.now(t), b.subscription(t); a.State != mobile.StateCancelled || sub.Status != mobile.SubscriptionPending {
			t.Errorf("the record says %s, the subscription is %s", a.State, sub.Status)
		}
		if got := b.smdp.count(t, "cancel_order"); got != 1 {
			t.Errorf("%d profiles were given back", got)
		}
	})

	t.Run("WhileTheLineComesUp", func(t *testing.T) {
		t.Parallel()
		b := setup(t, order{imei: carriertest.IMEIComesUpSilently, comesUpAfter: time.Hour})
		day := workflows.Duration(24 * time.Hour)
		b.after(time.Minute, func() { b.cancel(t) })

		result := b.run(t, workflows.Policies{LinePoll: day, LinePatience: 2 * day})

		if diff := cmp.Diff(cancelled, result); diff != "" {
			t.Error(diff)
		}
		if got := b.carrier.count(t, "deactivate_line"); got != 1 {
			t.Errorf("%d lines were taken down", got)
		}
		b.wantOnce(t, 1, 1, 0)
	})

	t.Run("FromTheTemporalUI", func(t *testing.T) {
		t.Parallel()
		b := setup(t, order{})
		b.carrier.breaks(t, partnertest.Fault{Match: "POST /v1/lines", Kind: partnertest.Status, Status: 503})
		b.after(time.Minute, b.env.CancelWorkflow)

		result := b.run(t, workflows.Policies{})

		if diff := cmp.Diff(cancelled, result); diff != "" {
			t.Error(diff)
		}
		if a := b.now(t); a.Cancelled.Actor != "the Temporal UI" {
			t.Errorf("cancelled by %+v", a.Cancelled)
		}
	})

	t.Run("TooLateOnceLive", func(t *testing.T) {
		t.Parallel()
		b := setup(t, order{})
		down := b.sendgrid.breaks(t, partnertest.Fault{Kind: partnertest.Status, Status: 503})
		b.after(time.Minute, b.env.CancelWorkflow)
		b.after(time.Hour, func() { b.sendgrid.faults.Clear(down.ID) })

		result := b.run(t, workflows.Policies{})

		if diff := cmp.Diff(succeeded, result); diff != "" {
			t.Error(diff)
		}
		b.wantOnce(t, 1, 1, 1)
	})
}

// A run that follows another one does nothing before an operator has looked; a cancel then
// gives back what the ledger says was taken, whoever took it.
func TestLostRun(t *testing.T) {
	t.Parallel()
	b := setup(t, order{imei: carriertest.IMEIComesUpSilently, comesUpAfter: time.Hour})
	b.leaveHalfDone(t)
	var during mobile.Activation
	b.after(time.Hour, func() {
		during = b.now(t)
		b.cancel(t)
	})

	result := b.run(t, workflows.Policies{})

	if during.State != mobile.StateWaitingForOperator || during.Reason != "RUN_LOST" || len(during.OpenItems()) != 1 {
		t.Errorf("meanwhile the record said %s %s, items %v", during.State, during.Reason, during.OpenItems())
	}
	if diff := cmp.Diff(cancelled, result); diff != "" {
		t.Error(diff)
	}
	if back, down := b.smdp.count(t, "cancel_order"), b.carrier.count(t, "deactivate_line"); back != 1 || down != 1 {
		t.Errorf("%d profiles were given back and %d lines taken down", back, down)
	}
	b.wantOnce(t, 1, 1, 0)
}

// leaveHalfDone lets another run order the eSIM and the line, and vanish.
func (b *bundle) leaveHalfDone(t *testing.T) {
	t.Helper()
	b.tenant(t, b.activation.Tenant, func(s *store.Store) error {
		_, err := s.OpenRun(t.Context(), b.activation.Tenant, b.activation.ID, "another-run")
		return err
	})
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	activities.Register(env, b.collaborators(t))
	ref := activities.Ref{Tenant: b.activation.Tenant, Activation: b.activation.ID}
	for _, act := range []any{(*activities.Profiles)(nil).ReserveProfile, (*activities.Lines)(nil).ActivateLine} {
		_, err := env.ExecuteActivity(act, ref)
		fatal(t, err)
	}
}

// A cancel that is accepted while a refused activation gives back ends it as CANCELLED, as
// the caller was promised.
func TestCancel_WhileARefusalGivesBack(t *testing.T) {
	t.Parallel()
	b := setup(t, order{zip: carriertest.ZIPNotServedAtActivation})
	down := b.smdp.breaks(t, partnertest.Fault{Match: "POST /gsma/rsp2/es2plus/cancelOrder", Kind: partnertest.Status, Status: 503})
	b.after(time.Minute, func() {
		b.cancel(t)
		b.smdp.faults.Clear(down.ID)
	})

	result := b.run(t, workflows.Policies{})

	if result.State != mobile.StateCancelled || b.now(t).State != mobile.StateCancelled {
		t.Errorf("the run ended %s, the record says %s", result.State, b.now(t).State)
	}
}

// A step that a cancel overtakes is not shown as being tried for ever.
func TestCancel_LeavesNoStepTrying(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.carrier.breaks(t, partnertest.Fault{Kind: partnertest.Status, Status: 503})
	b.after(time.Minute, func() { b.cancel(t) })

	b.run(t, workflows.Policies{})

	a := b.now(t)
	if diff := cmp.Diff([]mobile.StepState{done, skipped, skipped, skipped, skipped, skipped}, states(a)); diff != "" {
		t.Error(diff)
	}
	if !a.Steps[1].NextTry.IsZero() {
		t.Errorf("the step would be tried again at %s", a.Steps[1].NextTry)
	}
}

// A look at the line that fails counts as a try; one that finds it coming up does not.
func TestLooks_CountWhenTheyFail(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	down := b.carrier.breaks(t, partnertest.Fault{Match: "GET /v1/lines/*", Kind: partnertest.Status, Status: 503})
	var during mobile.Activation
	b.after(10*time.Minute, func() {
		during = b.now(t)
		b.carrier.faults.Clear(down.ID)
	})

	b.run(t, workflows.Policies{})

	if step := during.Steps[3]; step.Name != mobile.StepActivateLine || step.Attempts < 3 {
		t.Errorf("after ten minutes the step said %+v", step)
	}
}

// What SendGrid refuses for good once the line is live waits for an operator, as refused and
// not as unknown; the line stays.
func TestMailRefused_OnceLive(t *testing.T) {
	t.Parallel()
	b := setup(t, order{})
	b.sendgrid.breaks(t, partnertest.Fault{Kind: partnertest.Status, Status: 400})
	b.stopAfterADay(t)

	a := b.now(t)
	if len(a.OpenItems()) != 1 || a.OpenItems()[0].Kind != mobile.ItemStepRefused || a.Reason != "MAIL_REFUSED" {
		t.Errorf("the record says %s %s, items %v", a.State, a.Reason, a.Items)
	}
	if got := b.carrier.count(t, "deactivate_line"); got != 0 {
		t.Errorf("%d lines were taken down", got)
	}
}
