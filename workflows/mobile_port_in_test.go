package workflows_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

const day = 24 * time.Hour

func TestPortIn(t *testing.T) {
	t.Parallel()
	b := setupPort(t, "+12125550100", order{})
	b.whenAsked(t, 1, func() { b.gives(t, given) })

	result := b.run(t, workflows.Policies{})

	a, sub := b.now(t), b.subscription(t)
	if diff := cmp.Diff(succeeded, result); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]mobile.StepState{done, done, done, done, done, done, done, done, done}, states(a)); diff != "" {
		t.Error(diff)
	}
	if a.Port.State != mobile.PortCompleted || a.PhoneNumber != "+12125550100" || a.Live.IsZero() || len(a.OpenItems()) != 0 {
		t.Errorf("the port is %s, the number %s, live %v, items %v", a.Port.State, a.PhoneNumber, a.Live, a.Items)
	}
	if sub.Status != mobile.SubscriptionActive || sub.PhoneNumber != "+12125550100" {
		t.Errorf("the subscription is %+v", sub)
	}
	if n := b.orders(t); n != 1 {
		t.Errorf("%d orders went out", n)
	}
}

// What a donor refuses once, and the customer mends.
func TestPortIn_Refused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		number string
		reason mobile.PortReason
		kind   mobile.PromptKind
		mends  func(*testing.T, *bundle)
		taken  int // orders and corrections that the carrier took
	}{
		"PIN": {"+12125550101", mobile.PortPINInvalid, mobile.PromptCorrectInfo, func(t *testing.T, b *bundle) {
			b.gives(t, mobile.PortingInfo{PIN: "778899"})
		}, 2},
		"AccountNumber": {"+12125550102", mobile.PortAccountNumberInvalid, mobile.PromptCorrectInfo, func(t *testing.T, b *bundle) {
			b.gives(t, mobile.PortingInfo{AccountNumber: "998877665544"})
		}, 2},
		"ZIP": {"+12125550103", mobile.PortZIPInvalid, mobile.PromptCorrectInfo, func(t *testing.T, b *bundle) {
			b.gives(t, mobile.PortingInfo{AccountZIP: "10001"})
		}, 2},
		"Locked": {"+12125550104", mobile.PortNumberLocked, mobile.PromptActAtDonor, func(t *testing.T, b *bundle) {
			b.confirms(t, mobile.ActionLockTakenOff)
		}, 2},
		"Inactive": {"+12125550107", mobile.PortNumberInactive, mobile.PromptActAtDonor, func(t *testing.T, b *bundle) {
			b.confirms(t, mobile.ActionLineReactivated)
		}, 2},
		"AtOnce": {"+12125550126", mobile.PortPINInvalid, mobile.PromptCorrectInfo, func(t *testing.T, b *bundle) {
			b.gives(t, mobile.PortingInfo{PIN: "778899"})
		}, 1},
		"NoSupplements": {"+12125550125", mobile.PortPINInvalid, mobile.PromptCorrectInfo, func(t *testing.T, b *bundle) {
			b.gives(t, mobile.PortingInfo{PIN: "778899"})
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupPort(t, c.number, order{})
			b.whenAsked(t, 1, func() { b.gives(t, given) })
			b.whenAsked(t, 2, func() {
				p := b.now(t).Port
				if p.Prompt.Kind != c.kind || p.Prompt.Reason != string(c.reason) || p.State != mobile.PortRefused || p.Reason != c.reason {
					t.Errorf("asked %s because of %s; the port is %s because of %s", p.Prompt.Kind, p.Prompt.Reason, p.State, p.Reason)
				}
				c.mends(t, b)
			})

			result := b.run(t, workflows.Policies{})

			a := b.now(t)
			if diff := cmp.Diff(succeeded, result); diff != "" {
				t.Error(diff)
			}
			if a.Port.State != mobile.PortCompleted || len(a.Port.Refused) != 1 || a.Port.Refused[0].Reason != c.reason {
				t.Errorf("the port is %s, refused %v", a.Port.State, a.Port.Refused)
			}
			if n := b.orders(t); n != c.taken {
				t.Errorf("%d orders and corrections were taken", n)
			}
			if diff := cmp.Diff([]mobile.NoticeKind{mobile.NoticeDetailsNeeded, mobile.NoticeActionRequired, mobile.NoticeActivation}, kinds(a)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// kinds lists what was mailed to the customer, in order.
func kinds(a mobile.Activation) []mobile.NoticeKind {
	var all []mobile.NoticeKind
	for _, n := range a.Notices {
		if !n.Sent.IsZero() {
			all = append(all, n.Kind)
		}
	}
	return all
}

// What goes another way than by asking the customer again.
func TestPortIn_OtherWays(t *testing.T) {
	t.Parallel()
	for name, number := range map[string]string{
		"Delayed": "+12125550115", "Revoked": "+12125550116", "Landline": "+12125550117", "VoIP": "+12125550118",
		"Unconfirmed": "+12125550120", "EventLost": "+12125550122",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupPort(t, number, order{})
			b.whenAsked(t, 1, func() { b.gives(t, given) })

			result := b.run(t, workflows.Policies{})

			a := b.now(t)
			if diff := cmp.Diff(succeeded, result); diff != "" {
				t.Error(diff)
			}
			if a.Port.State != mobile.PortCompleted || len(a.OpenItems()) != 0 {
				t.Errorf("the port is %s, items %v", a.Port.State, a.Items)
			}
			if diff := cmp.Diff([]mobile.NoticeKind{mobile.NoticeDetailsNeeded, mobile.NoticeActivation}, kinds(a)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A number that cannot come is the customer's to decide about.
func TestPortIn_CannotCome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		act    store.Submission
		result workflows.ActivationResult
		number string
		mails  []mobile.NoticeKind
	}{
		"NewNumber": {store.Submission{Act: mobile.ActKeepNewNumber}, succeeded, "", []mobile.NoticeKind{mobile.NoticeActionRequired, mobile.NoticeActivation}},
		"Stop": {
			store.Submission{Act: mobile.ActStopPort},
			workflows.ActivationResult{State: mobile.StateRejected, Reason: "CANCELLED_BY_CUSTOMER"},
			"",
			[]mobile.NoticeKind{mobile.NoticeActionRequired, mobile.NoticeDidNotWorkOut},
		},
		"AnotherNumber": {
			store.Submission{Act: mobile.ActChangeNumber, Number: "+12125550100", Donor: "verizon"},
			succeeded, "+12125550100",
			[]mobile.NoticeKind{mobile.NoticeActionRequired, mobile.NoticeDetailsNeeded, mobile.NoticeActivation},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupPort(t, "+12125550110", order{})
			b.whenAsked(t, 1, func() {
				if p := b.now(t).Port.Prompt; p.Kind != mobile.PromptDecide || p.Reason != "NOT_PORTABLE" {
					t.Errorf("asked %s because of %s", p.Kind, p.Reason)
				}
				if v := b.says(t, c.act); v != mobile.VerdictAccepted {
					t.Errorf("the answer is %s", v)
				}
			})
			b.whenAsked(t, 2, func() { b.gives(t, given) })

			result := b.run(t, workflows.Policies{})

			a := b.now(t)
			if diff := cmp.Diff(c.result, result); diff != "" {
				t.Error(diff)
			}
			if c.number != "" && a.PhoneNumber != c.number || a.PhoneNumber == "+12125550110" {
				t.Errorf("the number is %s", a.PhoneNumber)
			}
			if diff := cmp.Diff(c.mails, kinds(a)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Another phone in the place of one that the network does not take.
func TestPortIn_Device(t *testing.T) {
	t.Parallel()
	b := setupPort(t, "+12125550100", order{imei: carriertest.IMEIBlocked})
	b.whenAsked(t, 1, func() {
		if v := b.says(t, store.Submission{Act: mobile.ActChangeDevice, IMEI: "490154203237518"}); v != mobile.VerdictAccepted {
			t.Errorf("the answer is %s", v)
		}
	})
	b.whenAsked(t, 2, func() { b.gives(t, given) })

	result := b.run(t, workflows.Policies{})

	if diff := cmp.Diff(succeeded, result); diff != "" {
		t.Error(diff)
	}
	if a := b.now(t); a.IMEI != "490154203237518" {
		t.Errorf("the phone is %s", a.IMEI)
	}
}

// A customer who never answers is reminded, and then it ends; what is at the carrier is
// withdrawn first.
func TestPortIn_Silence(t *testing.T) {
	t.Parallel()
	expired := workflows.ActivationResult{State: mobile.StateExpired, Reason: "CUSTOMER_SILENT"}
	for name, answers := range map[string]bool{"FromTheStart": false, "AfterARefusal": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupPort(t, "+12125550102", order{})
			if answers {
				b.whenAsked(t, 1, func() { b.gives(t, given) })
			}
			start := b.env.Now()

			result := b.run(t, workflows.Policies{})

			a := b.now(t)
			if diff := cmp.Diff(expired, result); diff != "" {
				t.Error(diff)
			}
			if a.Port.State == mobile.PortCompleted || !a.Port.State.Closed() || a.Port.Ordered {
				t.Errorf("the port is %s", a.Port.State)
			}
			if took := b.env.Now().Sub(start); took < 30*day-time.Hour || took > 31*day {
				t.Errorf("it took %s", took)
			}
			reminders := 0
			for _, kind := range kinds(a) {
				if kind == mobile.NoticeReminder {
					reminders++
				}
			}
			if last := a.Notices[len(a.Notices)-1]; reminders != 5 || last.Kind != mobile.NoticeDidNotWorkOut {
				t.Errorf("%d reminders, and at last %s", reminders, last.Kind)
			}
			if n := b.carrier.count(t, carriertest.ActCancelPort); answers != (n == 1) {
				t.Errorf("%d cancels at the carrier", n)
			}
			if b.smdp.count(t, "cancel_order") != b.smdp.count(t, "download_order") {
				t.Error("the eSIM was not given back")
			}
		})
	}
}
