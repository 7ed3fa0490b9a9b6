package store_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// newPort launches an activation that brings this number along.
func newPort(t *testing.T, db *store.DB, tenant mobile.Tenant, number string) mobile.Activation {
	t.Helper()
	a := storetest.NewActivation(storetest.Subscription(t, db, tenant))
	a.Type = mobile.TypePortIn
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
		must(t, s.InsertActivation(ctx, a, ""))
		return s.InsertPort(ctx, mobile.Port{ID: mobile.PortID(newID()), Tenant: tenant.ID, Activation: a.ID, Number: number, Donor: "att"})
	})
	return storetest.Read(t, db, a)
}

// ask asks the customer of a port.
func askPort(t *testing.T, db *store.DB, a mobile.Activation, p mobile.Prompt) mobile.Prompt {
	t.Helper()
	now := storetest.Read(t, db, a)
	p.Activation, p.Port, p.Opened, p.Deadline = a.ID, now.Port.ID, noon, noon.Add(30*24*time.Hour)
	var after int64
	if now.Port.Prompt != nil {
		after = now.Port.Prompt.Revision
	}
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		p, err = s.OpenPrompt(ctx, p, after, store.Move{
			Tenant: a.Tenant, Activation: a.ID, To: mobile.StateWaitingForCustomer, Deadline: p.Deadline, At: noon,
		}, mobile.StepCollectPortingInfo)
		return err
	})
	return p
}

// submit files an act on the prompt that is there.
func submit(t *testing.T, db *store.DB, a mobile.Activation, sub store.Submission) (v mobile.SubmissionVerdict, err error) {
	t.Helper()
	sub.ID, sub.Tenant, sub.Activation = newID(), a.Tenant, a.ID
	if sub.Revision == 0 {
		if p := storetest.Read(t, db, a).Port.Prompt; p != nil {
			sub.Revision = p.Revision
		}
	}
	err = db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		v, err = s.Submit(t.Context(), sub)
		return err
	})
	return v, err
}

var wireless = []mobile.PortingField{mobile.FieldAccountNumber, mobile.FieldPIN, mobile.FieldAccountZIP}

func info(pin string) mobile.PortingInfo {
	return mobile.PortingInfo{AccountNumber: canaryAccount, PIN: pin, AccountZIP: "10001", LastName: canaryHolder}
}

// takenUp has the run take up what the customer said.
func takenUp(t *testing.T, db *store.DB, a mobile.Activation) {
	t.Helper()
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		p, err := s.PortInWork(ctx, a.ID)
		must(t, err)
		answer, err := s.Answer(ctx, p)
		must(t, err)
		return s.TakeAnswer(ctx, a.Tenant, a.ID, answer.ID)
	})
}

// hearPort has the carrier say something of the port that is in work, a minute later each time.
func hearPort(t *testing.T, db *store.DB, a mobile.Activation, w store.PortWord) (p mobile.Port) {
	t.Helper()
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		before, err := s.PortInWork(ctx, a.ID)
		must(t, err)
		w.Tenant, w.Activation, w.Port = a.Tenant, a.ID, before.ID
		if w.ExternalID == "" {
			w.ExternalID = before.ExternalID
		}
		if w.At.IsZero() {
			w.At = before.Word.Add(time.Minute)
		}
		p, err = s.HearOfPort(ctx, w)
		return err
	})
	return p
}

// orderedPort sends what the customer gave to the donor.
func orderedPort(t *testing.T, db *store.DB, a mobile.Activation) {
	t.Helper()
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		p, err := s.PortInWork(ctx, a.ID)
		must(t, err)
		if _, err := s.OrderPort(ctx, a.Tenant, a.ID, p.ID); err != nil {
			return err
		}
		return s.PortSent(ctx, a.Tenant, a.ID, p.ID, "ref-1", noon, noon)
	})
}

// refusedPort makes a port whose PIN was refused in words that repeat it.
func refusedPort(t *testing.T, db *store.DB, tenant mobile.Tenant, number, pin string) mobile.Port {
	t.Helper()
	a := newPort(t, db, tenant, number)
	askPort(t, db, a, mobile.Prompt{Kind: mobile.PromptProvideInfo, Fields: wireless})
	if v, err := submit(t, db, a, store.Submission{Act: mobile.ActSubmitPortingInfo, Said: info(pin)}); err != nil || v != mobile.VerdictAccepted {
		t.Fatalf("%s, %v", v, err)
	}
	takenUp(t, db, a)
	orderedPort(t, db, a)
	hearPort(t, db, a, store.PortWord{Word: mobile.WordRefused, Reason: mobile.PortPINInvalid, Code: "6B", Message: canaryRefusal + " " + pin})
	return *storetest.Read(t, db, a).Port
}

// What a carrier says freely is kept without what the customer gave.
func TestHearOfPort_Redacts(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})

	p := refusedPort(t, d.DB, storetest.Tenant(t, d.DB), "+12125550101", canaryPIN)

	if want := canaryRefusal + " •••"; p.Message != want || p.Refused[0].Message != want {
		t.Errorf("%q and %q are kept", p.Message, p.Refused[0].Message)
	}
	if p.State != mobile.PortRefused || p.Refusals != 1 || p.PINRefusals != 1 || p.Reason != mobile.PortPINInvalid {
		t.Errorf("the port is %+v", p)
	}
}

// One open port for a number and tenant; another tenant's is its own business until one of the
// two goes to the carrier.
func TestInsertPort_OncePerNumber(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	mine, other := storetest.Tenant(t, d.DB), storetest.Tenant(t, d.DB)
	first := newPort(t, d.DB, mine, "+12125550100")
	theirs := newPort(t, d.DB, other, "+12125550100")

	again := storetest.NewActivation(storetest.Subscription(t, d.DB, mine))
	again.Type = mobile.TypePortIn
	err := d.InTenant(t.Context(), mine.ID, func(s *store.Store) error {
		must(t, s.InsertActivation(t.Context(), again, ""))
		return s.InsertPort(t.Context(), mobile.Port{ID: mobile.PortID(newID()), Tenant: mine.ID, Activation: again.ID, Number: "+12125550100", Donor: "att"})
	})
	if !errors.Is(err, store.ErrNumberBeingPorted) {
		t.Errorf("a second port of a number: %v", err)
	}
	orderedPort(t, d.DB, first)
	err = d.InTenant(t.Context(), other.ID, func(s *store.Store) error {
		_, err := s.OrderPort(t.Context(), other.ID, theirs.ID, theirs.Port.ID)
		return err
	})
	if !errors.Is(err, store.ErrNumberOrderedElsewhere) {
		t.Errorf("a second order of a number: %v", err)
	}
}

// Each word in each state, as the record takes it: by the table, once, and never an older one.
func TestHearOfPort_InOrder(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := newPort(t, d.DB, storetest.Tenant(t, d.DB), "+12125550100")
	orderedPort(t, d.DB, a)
	due := noon.Add(time.Hour)

	confirmed := hearPort(t, d.DB, a, store.PortWord{Word: mobile.WordConfirmed, Due: due, At: noon.Add(2 * time.Minute)})
	late := hearPort(t, d.DB, a, store.PortWord{Word: mobile.WordRefused, At: noon.Add(time.Minute)})
	same := hearPort(t, d.DB, a, store.PortWord{Word: mobile.WordConfirmed, Due: due, At: noon.Add(3 * time.Minute)})
	foreign := hearPort(t, d.DB, a, store.PortWord{Word: mobile.WordRefused, ExternalID: "another", At: noon.Add(4 * time.Minute)})
	moved := hearPort(t, d.DB, a, store.PortWord{Word: mobile.WordCompleted, At: noon.Add(time.Minute)})

	var got []mobile.PortState
	for _, p := range []mobile.Port{confirmed, late, same, foreign, moved} {
		got = append(got, p.State)
	}
	want := []mobile.PortState{mobile.PortConfirmed, mobile.PortConfirmed, mobile.PortConfirmed, mobile.PortConfirmed, mobile.PortCompleted}
	if diff := cmp.Diff(want, got); diff != "" || same.Version != confirmed.Version {
		t.Errorf("versions %d and %d\n%s", confirmed.Version, same.Version, diff)
	}
}

// A number that moves after it was given up is kept, and a person must look.
func TestHearOfPort_MovedAfterTheEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]mobile.State{"Cancelled": mobile.StateCancelled, "Expired": mobile.StateExpired} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := storetest.Make(t, storetest.Config{})
			a := newPort(t, d.DB, storetest.Tenant(t, d.DB), "+12125550100")
			orderedPort(t, d.DB, a)
			tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
				must(t, s.GoOn(ctx, a.Tenant, a.ID, "on", noon))
				_, err := s.End(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: end, At: noon})
				return err
			})

			hearPort(t, d.DB, a, store.PortWord{Word: mobile.WordCompleted, At: noon.Add(time.Minute)})

			now := storetest.Read(t, d.DB, a)
			items := now.OpenItems()
			if now.State != end || now.Port.State != mobile.PortCompleted || len(items) != 1 || items[0].Kind != mobile.ItemNumberAtRisk {
				t.Errorf("it is %s, the port %s, items %v", now.State, now.Port.State, items)
			}
		})
	}
}

// A cancel comes too late once the number has moved.
func TestCancel_AfterTheNumberMoved(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := newPort(t, d.DB, storetest.Tenant(t, d.DB), "+12125550100")
	orderedPort(t, d.DB, a)
	hearPort(t, d.DB, a, store.PortWord{Word: mobile.WordCompleted})

	err := d.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		return s.CancelActivation(t.Context(), store.Cancel{Tenant: a.Tenant, Activation: a.ID})
	})

	if !errors.Is(err, store.ErrTooLateToCancel) {
		t.Errorf("it is %v", err)
	}
}

// Of answers that come at once one counts; what is the same is known for the same.
func TestSubmit_AtOnce(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := newPort(t, d.DB, storetest.Tenant(t, d.DB), "+12125550100")
	p := askPort(t, d.DB, a, mobile.Prompt{Kind: mobile.PromptProvideInfo, Fields: wireless})

	verdicts := make([]mobile.SubmissionVerdict, 10)
	var all sync.WaitGroup
	for i := range verdicts {
		all.Go(func() {
			var err error
			pin := []string{"111111", "222222"}[i%2]
			if verdicts[i], err = submit(t, d.DB, a, store.Submission{Act: mobile.ActSubmitPortingInfo, Said: info(pin), Revision: p.Revision}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	count := make(map[mobile.SubmissionVerdict]int)
	for _, v := range verdicts {
		count[v]++
	}
	want := map[mobile.SubmissionVerdict]int{mobile.VerdictAccepted: 1, mobile.VerdictDuplicate: 4, mobile.VerdictStale: 5}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Error(diff)
	}
}

// What was refused is not sent again as it was, in whatever order it comes back.
func TestSubmit_Unchanged(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	p := refusedPort(t, d.DB, tenant, "+12125550101", "111111")
	a := mobile.Activation{ID: p.Activation, Tenant: p.Tenant}
	correct := mobile.Prompt{Kind: mobile.PromptCorrectInfo, Reason: string(mobile.PortPINInvalid), Fields: wireless}
	askPort(t, d.DB, a, correct)

	for _, c := range []struct {
		said mobile.PortingInfo
		want mobile.SubmissionVerdict
	}{
		{mobile.PortingInfo{}, mobile.VerdictUnchanged},
		{mobile.PortingInfo{PIN: "111111"}, mobile.VerdictUnchanged},
		{mobile.PortingInfo{AccountZIP: "10002"}, mobile.VerdictUnchanged},
		{mobile.PortingInfo{PIN: "222222"}, mobile.VerdictAccepted},
	} {
		if v, err := submit(t, d.DB, a, store.Submission{Act: mobile.ActSubmitPortingInfo, Said: c.said}); err != nil || v != c.want {
			t.Errorf("%s, %v; want %s", v, err, c.want)
		}
	}
	takenUp(t, d.DB, a)
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		return s.PortSent(ctx, a.Tenant, a.ID, p.ID, "ref-1", noon, noon.Add(time.Hour))
	})
	hearPort(t, d.DB, a, store.PortWord{Word: mobile.WordRefused, Reason: mobile.PortPINInvalid})
	askPort(t, d.DB, a, correct)
	if v, err := submit(t, d.DB, a, store.Submission{Act: mobile.ActSubmitPortingInfo, Said: mobile.PortingInfo{PIN: "111111"}}); err != nil || v != mobile.VerdictUnchanged {
		t.Errorf("the first PIN again is %s, %v", v, err)
	}
}

// Every table that a port fills is in the tenancy test; this one says which acts the prompt
// does not offer, and what comes too late.
func TestSubmit_NotNow(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	a := newPort(t, d.DB, tenant, "+12125550100")
	askPort(t, d.DB, a, mobile.Prompt{Kind: mobile.PromptProvideInfo, Fields: wireless})

	if _, err := submit(t, d.DB, a, store.Submission{Act: mobile.ActConfirmDonorAction, Action: mobile.ActionLockTakenOff}); !errors.Is(err, store.ErrNotOffered) {
		t.Errorf("a donor action without its refusal: %v", err)
	}
	if _, err := submit(t, d.DB, a, store.Submission{Act: mobile.ActSubmitPortingInfo, Said: info("1"), Revision: 7}); err == nil {
		t.Error("a revision of the future is taken")
	}
	orderedPort(t, d.DB, a)
	hearPort(t, d.DB, a, store.PortWord{Word: mobile.WordConfirmed, Due: noon.Add(time.Hour)})
	for _, act := range []mobile.CustomerAct{mobile.ActKeepNewNumber, mobile.ActStopPort, mobile.ActSubmitPortingInfo} {
		if v, err := submit(t, d.DB, a, store.Submission{Act: act, Said: info("1")}); err != nil || v != mobile.VerdictTooLate {
			t.Errorf("%s of a confirmed port is %s, %v", act, v, err)
		}
	}
	line := storetest.Launched(t, d.DB)
	err := d.InTenant(t.Context(), line.Tenant, func(s *store.Store) error {
		_, err := s.Submit(t.Context(), store.Submission{ID: newID(), Tenant: line.Tenant, Activation: line.ID, Act: mobile.ActStopPort})
		return err
	})
	if !errors.Is(err, store.ErrNoPort) {
		t.Errorf("of a new line: %v", err)
	}
	if !slices.Contains(mobile.CustomerActs(mobile.PromptNone, mobile.PortSubmitted), mobile.ActKeepNewNumber) {
		t.Error("a submitted port cannot be given up")
	}
}
