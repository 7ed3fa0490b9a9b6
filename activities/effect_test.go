package activities

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// book is a ledger with one activation in it.
type book struct {
	ledger
	activation mobile.Activation
	calls      int
}

func open(t *testing.T) *book {
	t.Helper()
	db := storetest.New(t)
	return &book{ledger: ledger{db}, activation: storetest.Launched(t, db)}
}

func (b *book) effect(settle mobile.Settle) mobile.Effect {
	return mobile.Effect{
		Tenant: b.activation.Tenant, Activation: b.activation.ID, Act: mobile.ActActivateLine,
		Partner: mobile.PartnerCarrier, Settle: settle,
	}
}

// try does the effect once, with this answer from the partner.
func (b *book) try(t *testing.T, settle mobile.Settle, reference string, answer error) (string, error) {
	t.Helper()
	return b.do(t.Context(), deed{effect: b.effect(settle), call: func(context.Context, mobile.Effect) (string, error) {
		b.calls++
		return reference, answer
	}})
}

func answer(verdict mobile.Verdict, reason *fault.Error) error {
	return &mobile.PartnerError{Partner: mobile.PartnerCarrier, Verdict: verdict, Reason: reason, Code: "code"}
}

// What a second attempt does, by how the effect settles and what the first one learned.
func TestLedger_SecondAttempt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settle mobile.Settle
		first  error
		sent   bool
		want   error
	}{
		"Yes/IsToldAgain":          {mobile.SettleBlind, nil, false, nil},
		"Refused/IsToldAgain":      {mobile.SettleKeyed, answer(mobile.VerdictRefused, mobile.ErrZIPNotServed), false, mobile.ErrZIPNotServed},
		"NotNow/Keyed/IsSent":      {mobile.SettleKeyed, answer(mobile.VerdictNotNow, nil), true, nil},
		"NotNow/Blind/IsSent":      {mobile.SettleBlind, answer(mobile.VerdictNotNow, nil), true, nil},
		"Unknown/Keyed/IsSent":     {mobile.SettleKeyed, answer(mobile.VerdictUnknown, nil), true, nil},
		"Unknown/Blind/IsAsked":    {mobile.SettleBlind, answer(mobile.VerdictUnknown, nil), false, ErrOutcomeUnknown},
		"AnErrorOfNoTable/IsAsked": {mobile.SettleBlind, errors.New("odd"), false, ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			_, _ = b.try(t, c.settle, "ref-1", c.first)

			reference, err := b.try(t, c.settle, "ref-2", nil)

			if sent := b.calls == 2; sent != c.sent {
				t.Errorf("sent again: %v, want %v", sent, c.sent)
			}
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if c.first == nil && reference != "ref-1" {
				t.Errorf("the reference was %q, want the first", reference)
			}
		})
	}
}

// An attempt that died between its row and its verdict is as good as one with an unknown
// outcome.
func TestLedger_AnAttemptThatDied(t *testing.T) {
	t.Parallel()
	for settle, want := range map[mobile.Settle]error{mobile.SettleKeyed: nil, mobile.SettleBlind: ErrOutcomeUnknown} {
		t.Run(string(settle), func(t *testing.T) {
			t.Parallel()
			b := open(t)
			if _, _, err := b.begin(t.Context(), deed{effect: b.effect(settle)}); err != nil {
				t.Fatal(err)
			}

			_, err := b.try(t, settle, "ref", nil)

			if !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}

// A zombie that comes back after a later attempt has begun may not write its verdict, and is
// told the later one's.
func TestLedger_FencesAZombie(t *testing.T) {
	t.Parallel()
	b := open(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	var zombie error
	var wait sync.WaitGroup
	wait.Go(func() {
		_, zombie = b.do(t.Context(), deed{effect: b.effect(mobile.SettleKeyed), call: func(context.Context, mobile.Effect) (string, error) {
			close(begun)
			<-goOn
			return "", answer(mobile.VerdictRefused, mobile.ErrZIPNotServed)
		}})
	})
	<-begun
	reference, err := b.try(t, mobile.SettleKeyed, "ref", nil)
	close(goOn)
	wait.Wait()

	if err != nil || reference != "ref" {
		t.Errorf("the later attempt got %q, %v", reference, err)
	}
	if zombie != nil {
		t.Errorf("the zombie got %v instead of what is known now", zombie)
	}
	effect, _, err := b.look(t.Context(), b.effect(mobile.SettleKeyed))
	if err != nil || effect.Verdict != mobile.VerdictYes || effect.Fence != 2 {
		t.Errorf("the row says %+v, %v", effect, err)
	}
}

// Every attempt sends the same key, and another activation another.
func TestLedger_TheKeyIsTheActs(t *testing.T) {
	t.Parallel()
	b := open(t)
	var keys []string
	for range 3 {
		_, _ = b.do(t.Context(), deed{effect: b.effect(mobile.SettleKeyed), call: func(_ context.Context, e mobile.Effect) (string, error) {
			keys = append(keys, e.Key())
			return "", answer(mobile.VerdictUnknown, nil)
		}})
	}

	want := string(b.activation.ID) + "/activate_line/0"
	if diff := cmp.Diff([]string{want, want, want}, keys); diff != "" {
		t.Error(diff)
	}
}

// What happened outside is written down also when the activity was called off meanwhile.
func TestLedger_SettlesAfterACancellation(t *testing.T) {
	t.Parallel()
	b := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	_, err := b.do(ctx, deed{
		effect: b.effect(mobile.SettleBlind),
		call: func(context.Context, mobile.Effect) (string, error) {
			cancel()
			return "ref", nil
		},
		keep: func(ctx context.Context, s *store.Store, e mobile.Effect) error {
			return s.RecordLine(ctx, b.activation.Tenant, b.activation.ID, e.Reference, "+12125550100")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := storetest.Read(t, b.db, b.activation); a.LineReference != "ref" {
		t.Errorf("the record says %q", a.LineReference)
	}
}

// An attempt that stood still between its row and its call sends nothing: whoever gives back
// what may have happened does not wait for it.
func TestLedger_SendsAtOnceOrNotAtAll(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		late time.Duration
		want mobile.Verdict
		sent int
	}{
		"AtOnce":  {0, mobile.VerdictYes, 1},
		"TooLate": {sendWithin + time.Second, mobile.VerdictNotNow, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := 0
			d := deed{call: func(context.Context, mobile.Effect) (string, error) {
				sent++
				return "ref", nil
			}}

			_, err := ledger{}.send(t.Context(), d, mobile.Effect{}, time.Now().Add(-c.late))

			if got := mobile.VerdictOf(err); got != c.want || sent != c.sent {
				t.Errorf("%s after %d calls, want %s after %d", got, sent, c.want, c.sent)
			}
		})
	}
}
