package workflows_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

// silent is a number about which the donor says nothing by itself.
const silent = "+12125550119"

// turn gives the port a turn by hand at the pretend carrier.
func (b *bundle) turn(t *testing.T, hand carriertest.Hand) {
	t.Helper()
	if err := b.network.TurnPort(b.now(t).Port.ExternalID, hand); err != nil {
		t.Error(err)
	}
}

// whenPort does something once, a minute after the port was first seen in a state.
func (b *bundle) whenPort(t *testing.T, state mobile.PortState, what func()) {
	t.Helper()
	var look func()
	look = func() {
		a := b.now(t)
		switch {
		case a.State.Final():
		case a.Port.State == state:
			b.after(time.Minute, what)
		default:
			b.after(time.Minute, look)
		}
	}
	b.after(time.Minute, look)
}

// notMoved checks what must be so once a port was given up: nothing is left at the carrier, and
// the eSIM is given back.
func (b *bundle) notMoved(t *testing.T) {
	t.Helper()
	a := b.now(t)
	if a.Port.Ordered || !a.Port.State.Closed() || a.Port.State == mobile.PortCompleted {
		t.Errorf("the port is %s, ordered %t", a.Port.State, a.Port.Ordered)
	}
	if n := b.carrier.count(t, carriertest.ActPortCompleted); n != 0 {
		t.Errorf("the number moved %d times", n)
	}
	if a.Profile != nil && a.Profile.State != mobile.ProfileReturned && a.Profile.State != mobile.ProfileRetired {
		t.Errorf("the eSIM is %s", a.Profile.State)
	}
}

// A cancel before the donor has the order is through at once; afterwards the carrier's word is
// waited for.
func TestPortIn_CancelInEveryState(t *testing.T) {
	t.Parallel()
	for state, c := range map[mobile.PortState]struct {
		number  string
		hand    carriertest.Hand
		cancels int
	}{
		mobile.PortAwaitingInfo: {"+12125550100", carriertest.Hand{}, 0},
		mobile.PortSubmitted:    {silent, carriertest.Hand{}, 1},
		mobile.PortDelayed:      {silent, carriertest.Hand{Turn: carriertest.HandDelay}, 1},
		mobile.PortConfirmed:    {silent, carriertest.Hand{Turn: carriertest.HandConfirm}, 1},
		mobile.PortRefused:      {"+12125550101", carriertest.Hand{}, 1},
	} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			b := setupPort(t, c.number, order{})
			if state != mobile.PortAwaitingInfo {
				b.whenAsked(t, 1, func() { b.gives(t, given) })
			}
			if c.hand.Turn != "" {
				b.whenPort(t, mobile.PortSubmitted, func() {
					if c.hand.Turn == carriertest.HandConfirm {
						c.hand.Due = b.env.Now().Add(day)
					}
					b.turn(t, c.hand)
				})
			}
			b.whenPort(t, state, func() { b.cancel(t) })

			result := b.run(t, workflows.Policies{})

			if diff := cmp.Diff(cancelled, result); diff != "" {
				t.Error(diff)
			}
			if n := b.carrier.count(t, carriertest.ActCancelPort); n != c.cancels {
				t.Errorf("%d cancels at the carrier, want %d", n, c.cancels)
			}
			b.notMoved(t)
			if a := b.now(t); !slices.Contains(kinds(a), mobile.NoticeDidNotWorkOut) || len(a.OpenItems()) != 0 {
				t.Errorf("mailed %v, items %v", kinds(a), a.OpenItems())
			}
			if sub := b.subscription(t); sub.Status != mobile.SubscriptionPending {
				t.Errorf("the subscription is %s", sub.Status)
			}
		})
	}
}

// A number that moves all the same takes the activation forward, whoever had called it off.
func TestPortIn_MovedAllTheSame(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]func(*testing.T, *bundle){
		"Cancelled": func(t *testing.T, b *bundle) { b.cancel(t) },
		"Stopped": func(t *testing.T, b *bundle) {
			b.says(t, store.Submission{Act: mobile.ActStopPort})
		},
		"NewNumber": func(t *testing.T, b *bundle) {
			b.says(t, store.Submission{Act: mobile.ActKeepNewNumber})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupPort(t, silent, order{})
			b.whenAsked(t, 1, func() { b.gives(t, given) })
			b.whenPort(t, mobile.PortSubmitted, func() {
				b.turn(t, carriertest.Hand{Turn: carriertest.HandComplete})
				off(t, b)
			})

			result := b.run(t, workflows.Policies{})

			a := b.now(t)
			if diff := cmp.Diff(succeeded, result); diff != "" {
				t.Error(diff)
			}
			if a.PhoneNumber != silent || a.Live.IsZero() || a.Port.State != mobile.PortCompleted {
				t.Errorf("the number is %s, live %v, the port %s", a.PhoneNumber, a.Live, a.Port.State)
			}
			items := a.OpenItems()
			if len(items) != 1 || items[0].Kind != mobile.ItemNumberAtRisk {
				t.Errorf("items %v", items)
			}
			if got := kinds(a); !slices.Contains(got, mobile.NoticeNumberMoved) || !slices.Contains(got, mobile.NoticeActivation) {
				t.Errorf("mailed %v", got)
			}
			if n := b.carrier.count(t, carriertest.ActDeactivateLine); n != 0 {
				t.Errorf("a line was taken down")
			}
		})
	}
}

// A new number instead, also while the donor has the order: on the carrier's word only, and on
// the same eSIM.
func TestPortIn_NewNumberInstead(t *testing.T) {
	t.Parallel()
	for _, state := range []mobile.PortState{mobile.PortAwaitingInfo, mobile.PortSubmitted, mobile.PortRefused} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			number := map[mobile.PortState]string{mobile.PortRefused: "+12125550104"}[state]
			if number == "" {
				number = silent
			}
			b := setupPort(t, number, order{})
			if state != mobile.PortAwaitingInfo {
				b.whenAsked(t, 1, func() { b.gives(t, given) })
			}
			b.whenPort(t, state, func() {
				if v := b.says(t, store.Submission{Act: mobile.ActKeepNewNumber}); v != mobile.VerdictAccepted {
					t.Errorf("the answer is %s", v)
				}
			})

			result := b.run(t, workflows.Policies{})

			a := b.now(t)
			if diff := cmp.Diff(succeeded, result); diff != "" {
				t.Error(diff)
			}
			if a.PhoneNumber == number || a.PhoneNumber == "" || a.Port.State != mobile.PortCancelled || a.Port.Ordered {
				t.Errorf("the number is %s, the port %s", a.PhoneNumber, a.Port.State)
			}
			if n := b.smdp.count(t, "download_order"); n != 1 {
				t.Errorf("%d eSIMs were ordered", n)
			}
			if sub := b.subscription(t); sub.PhoneNumber != a.PhoneNumber {
				t.Errorf("the subscription has %s", sub.PhoneNumber)
			}
			if diff := cmp.Diff([]mobile.StepName{mobile.StepActivateLine}, doneOf(a, mobile.StepActivateLine)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// doneOf lists those of the steps that are done.
func doneOf(a mobile.Activation, names ...mobile.StepName) (all []mobile.StepName) {
	for _, s := range a.Steps {
		if slices.Contains(names, s.Name) && s.State == mobile.StepDone {
			all = append(all, s.Name)
		}
	}
	return all
}

// Another number while the first is refused at its donor: the first is withdrawn, and only then
// the second is ordered.
func TestPortIn_AnotherNumberAfterARefusal(t *testing.T) {
	t.Parallel()
	b := setupPort(t, "+12125550102", order{})
	b.whenAsked(t, 1, func() { b.gives(t, given) })
	b.whenAsked(t, 2, func() {
		b.says(t, store.Submission{Act: mobile.ActChangeNumber, Number: "+13105550100"})
	})
	b.whenAsked(t, 3, func() { b.gives(t, given) })

	result := b.run(t, workflows.Policies{})

	a := b.now(t)
	if diff := cmp.Diff(succeeded, result); diff != "" {
		t.Error(diff)
	}
	if a.PhoneNumber != "+13105550100" || a.Port.State != mobile.PortCompleted {
		t.Errorf("the number is %s, the port %s", a.PhoneNumber, a.Port.State)
	}
	if n := b.carrier.count(t, carriertest.ActPortCancelled); n != 1 {
		t.Errorf("%d orders were cancelled", n)
	}
}

// After five refusals, or three of a PIN, an operator takes over: asks once more, sends again, or
// gives up.
func TestPortIn_TooManyRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		number   string
		refusals int
		choice   mobile.Resolution
		result   workflows.ActivationResult
	}{
		"AccountNumber/AskOnceMore": {"+12125550114", 5, mobile.ResolutionGoOn, succeeded},
		"PIN/SendAgain":             {"+12125550113", 3, mobile.ResolutionSendAgain, succeeded},
		"PIN/GiveUp":                {"+12125550113", 3, mobile.ResolutionGiveUp, workflows.ActivationResult{State: mobile.StateCancelled, Reason: "GIVEN_UP"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupPort(t, c.number, order{})
			b.whenAsked(t, 1, func() { b.gives(t, given) })
			for n := 2; n <= c.refusals+1; n++ {
				b.whenAsked(t, int64(n), func() {
					b.gives(t, mobile.PortingInfo{AccountNumber: fmt.Sprintf("55000%d", n), PIN: fmt.Sprintf("66000%d", n)})
				})
			}
			b.whenItem(t, mobile.ItemTooManyRefusals, func() { b.decide(t, c.choice, "") })

			result := b.run(t, workflows.Policies{})

			a := b.now(t)
			if diff := cmp.Diff(c.result, result); diff != "" {
				t.Error(diff)
			}
			if len(a.Port.Refused) != c.refusals || len(a.OpenItems()) != 0 {
				t.Errorf("refused %d times, items %v", len(a.Port.Refused), a.OpenItems())
			}
		})
	}
}

// whenItem does something once, a minute after an item was first seen.
func (b *bundle) whenItem(t *testing.T, kind mobile.ItemKind, what func()) {
	t.Helper()
	var look func()
	look = func() {
		a := b.now(t)
		switch {
		case a.State.Final():
		case slices.ContainsFunc(a.OpenItems(), func(i mobile.Item) bool { return i.Kind == kind }):
			b.after(time.Minute, what)
		default:
			b.after(10*time.Minute, look)
		}
	}
	b.after(10*time.Minute, look)
}

// What the customer cannot mend is an operator's at once.
func TestPortIn_ForOperators(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		number string
		choice mobile.Resolution
		result workflows.ActivationResult
	}{
		"UnknownCode": {"+12125550109", mobile.ResolutionSendAgain, succeeded},
		"Duplicate":   {"+12125550112", mobile.ResolutionGiveUp, workflows.ActivationResult{State: mobile.StateCancelled, Reason: "GIVEN_UP"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupPort(t, c.number, order{})
			b.whenAsked(t, 1, func() { b.gives(t, given) })
			b.whenItem(t, mobile.ItemPortRefused, func() { b.decide(t, c.choice, "") })

			result := b.run(t, workflows.Policies{})

			if diff := cmp.Diff(c.result, result); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A carrier that says nothing is an operator's, while it is still being asked.
func TestPortIn_CarrierSilent(t *testing.T) {
	t.Parallel()
	t.Run("AnswersAfterAll", func(t *testing.T) {
		t.Parallel()
		b := setupPort(t, silent, order{})
		b.whenAsked(t, 1, func() { b.gives(t, given) })
		b.whenItem(t, mobile.ItemCarrierSilent, func() {
			if s := b.now(t).State; s != mobile.StateWaitingForOperator {
				t.Errorf("it is %s", s)
			}
			b.turn(t, carriertest.Hand{Turn: carriertest.HandConfirm})
		})

		result := b.run(t, workflows.Policies{})

		if diff := cmp.Diff(succeeded, result); diff != "" {
			t.Error(diff)
		}
		if items := b.now(t).OpenItems(); len(items) != 0 {
			t.Errorf("items %v", items)
		}
	})
	t.Run("GivenUp", func(t *testing.T) {
		t.Parallel()
		b := setupPort(t, silent, order{})
		b.whenAsked(t, 1, func() { b.gives(t, given) })
		b.whenItem(t, mobile.ItemCarrierSilent, func() { b.decide(t, mobile.ResolutionGiveUp, "") })

		result := b.run(t, workflows.Policies{})

		if result.State != mobile.StateCancelled {
			t.Errorf("it ended %v", result)
		}
		b.notMoved(t)
	})
}

// A PIN that has lapsed is not sent: the customer is asked for a new one first.
func TestPortIn_PINLapsed(t *testing.T) {
	t.Parallel()
	b := setupPort(t, "+12125550104", order{}) // locked once
	b.whenAsked(t, 1, func() { b.gives(t, given) })
	b.whenAsked(t, 2, func() {
		// AT&T's PIN lasts four days: the lock is taken off after six.
		b.after(6*day, func() { b.confirms(t, mobile.ActionLockTakenOff) })
	})
	b.whenAsked(t, 3, func() {
		if p := b.now(t).Port.Prompt; p.Kind != mobile.PromptCorrectInfo || p.Reason != "PIN_EXPIRED" {
			t.Errorf("asked %s because of %s", p.Kind, p.Reason)
		}
		if v := b.says(t, store.Submission{Act: mobile.ActSubmitPortingInfo, Said: mobile.PortingInfo{PIN: given.PIN}}); v != mobile.VerdictUnchanged {
			t.Errorf("the lapsed PIN again is %s", v)
		}
		b.gives(t, mobile.PortingInfo{PIN: "909090"})
	})

	result := b.run(t, workflows.Policies{})

	if diff := cmp.Diff(succeeded, result); diff != "" {
		t.Error(diff)
	}
	if n := b.orders(t); n != 2 {
		t.Errorf("%d orders and corrections", n)
	}
}

// A customer who says that the number is out of service is not sent to the donor with it.
func TestPortIn_OutOfService(t *testing.T) {
	t.Parallel()
	b := setupPort(t, "+12125550100", order{})
	dead := given
	dead.NumberInService = new(false)
	b.whenAsked(t, 1, func() { b.gives(t, dead) })
	b.whenAsked(t, 2, func() {
		p := b.now(t).Port
		if p.Prompt.Kind != mobile.PromptActAtDonor || p.Prompt.Reason != "NUMBER_INACTIVE" || b.orders(t) != 0 {
			t.Errorf("asked %s because of %s, after %d orders", p.Prompt.Kind, p.Prompt.Reason, b.orders(t))
		}
		b.confirms(t, mobile.ActionLineReactivated)
	})

	result := b.run(t, workflows.Policies{})

	if diff := cmp.Diff(succeeded, result); diff != "" {
		t.Error(diff)
	}
}

// The mail with the question comes back: an operator learns of it, and the question stands.
func TestPortIn_PromptBounces(t *testing.T) {
	t.Parallel()
	b := setupPort(t, "+12125550100", order{})
	b.after(time.Minute, func() {
		notice := b.now(t).Notices[0]
		b.system(t, func(s *store.Store) error {
			_, err := s.HearOfNotice(context.WithoutCancel(t.Context()), store.NoticeWord{
				Notice: notice.ID, State: mobile.NoticeBounced, Reason: "MAILBOX_FULL", At: time.Now(),
			})
			return err
		})
	})
	b.after(time.Hour, func() {
		a := b.now(t)
		if a.State != mobile.StateWaitingForCustomer || len(a.OpenItems()) != 1 || a.OpenItems()[0].Kind != mobile.ItemMailNotDelivered {
			t.Errorf("it is %s, items %v", a.State, a.OpenItems())
		}
		b.gives(t, given)
	})

	result := b.run(t, workflows.Policies{})

	if diff := cmp.Diff(succeeded, result); diff != "" {
		t.Error(diff)
	}
}
