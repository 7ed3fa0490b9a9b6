package mailtest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/partnertest"
)

func TestEvents(t *testing.T) {
	t.Parallel()

	for address, want := range map[string][]string{
		"ada@example.com":     {"processed", "delivered"},
		"bounce@example.com":  {"processed", "bounced BOUNCE 5.1.1 INVALID_ADDRESS"},
		"dropped@example.com": {"dropped DROPPED 5.0.0 BOUNCED_ADDRESS"},
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			b := setup(t)

			id := b.send(t, address)

			var got []string
			for _, e := range <-b.events {
				if e.MessageID != id || e.NoticeID != "notice-1" || e.ActivationID != "activation-1" || !e.At.Equal(noon) {
					t.Errorf("got %+v", e)
				}
				got = append(got, strings.TrimSpace(string(e.Kind)+" "+e.ReasonCode))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}

	t.Run("NoneForASilentOne", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.send(t, "silent@example.com")
		loud := b.send(t, "ada@example.com")
		b.delivered(t, 1)
		b.stop()
		close(b.events)
		for events := range b.events {
			if events[0].MessageID != loud {
				t.Errorf("got events of %s", events[0].MessageID)
			}
		}
	})
}

// TestEventsWhoseReceiverIsDown: they are brought until they are taken.
func TestEventsWhoseReceiverIsDown(t *testing.T) {
	t.Parallel()

	t.Run("ComeWhenItIsUpAgain", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.refuse.Store(true)
		id := b.send(t, "ada@example.com")
		for range 3 {
			<-b.tries
		}

		b.refuse.Store(false)

		if events := <-b.events; events[0].MessageID != id {
			t.Errorf("got events of %s, want %s", events[0].MessageID, id)
		}
	})

	t.Run("ComeAfterARestart", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		taken := b.send(t, "ada@example.com")
		<-b.events
		b.delivered(t, 1)
		b.refuse.Store(true)
		open := b.send(t, "bounce@example.com")
		<-b.tries
		before := b.sendgrid.Mails()

		b.stop()
		b.refuse.Store(false)
		b.start(t)

		if events := <-b.events; events[0].MessageID != open {
			t.Errorf("got events of %s, want %s and nothing of %s again", events[0].MessageID, open, taken)
		}
		if diff := cmp.Diff(before, b.sendgrid.Mails()); diff != "" {
			t.Errorf("the inbox changed (-before +after):\n%s", diff)
		}
	})
}

// delivered waits until the journal says that n deliveries were taken.
func (b *bundle) delivered(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := b.config.Journal.Wait(ctx, func(entries []partnertest.Entry) bool {
		count := 0
		for _, e := range entries {
			if e.Act == partnertest.ActDelivered {
				count++
			}
		}
		return count >= n
	})
	if err != nil {
		t.Fatal(err)
	}
}
