package webhook_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// sending prepares a notice and begins to send it; the answer never comes.
func (b bundle) sending(t *testing.T, a mobile.Activation) (notice string) {
	t.Helper()
	notice = b.notice(t, a)
	must(t, b.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		e, err := s.LockEffect(t.Context(), mobile.Effect{
			Tenant: a.Tenant, Activation: a.ID, Act: mobile.ActSendMail, Partner: mobile.PartnerSendGrid,
			Settle: mobile.SettleEvidenced, Subject: notice,
		})
		if err != nil {
			return err
		}
		_, err = s.SendEffect(t.Context(), e)
		return err
	}))
	return notice
}

// Whatever SendGrid tells of a mail, it has accepted it: the sending whose answer was lost is
// settled, the run that waits is woken, and the feed tells "sent" before all else.
func TestSendGrid_Evidence(t *testing.T) {
	t.Parallel()
	b := open(t)
	tenant := storetest.Tenant(t, b.DB)
	conn := b.Connect(t)
	for name, c := range map[string]struct {
		batch []string
		told  []string
	}{
		"processed":                 {[]string{"processed"}, []string{"notice.sent"}},
		"deferred":                  {[]string{"deferred"}, []string{"notice.sent"}},
		"delivered":                 {[]string{"delivered"}, []string{"notice.sent", "notice.delivered"}},
		"processed, then delivered": {[]string{"processed", "delivered"}, []string{"notice.sent", "notice.delivered"}},
		"bounced":                   {[]string{"bounce"}, []string{"notice.sent", "notice.bounced", "item.opened"}},
		"dropped":                   {[]string{"dropped"}, []string{"notice.sent", "notice.bounced", "item.opened"}},
		"reported as spam":          {[]string{"spamreport"}, []string{"notice.sent"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := storetest.Activation(t, b.DB, storetest.Subscription(t, b.DB, tenant))
			notice := b.sending(t, a)
			var events []string
			for i, kind := range c.batch {
				events = append(events, mailEvent(kind, notice, a.ID, time.Duration(i)*time.Second))
			}

			b.want(t, http.StatusAccepted, b.sendGridCall(t, events...))
			b.want(t, http.StatusAccepted, b.sendGridCall(t, events...)) // told twice

			var told []string
			must(t, conn.QueryRow(t.Context(), `
				SELECT array_agg(type ORDER BY position)
				FROM events
				WHERE activation_id = $1 AND type NOT LIKE 'workflow.%'`, a.ID).Scan(&told))
			if diff := cmp.Diff(c.told, told); diff != "" {
				t.Errorf("the feed: -want +got\n%s", diff)
			}
			if n := count(t, conn, `effects WHERE subject_id = $1 AND verdict = 'yes' AND reference = 'm-1' AND settled_by = 'evidence'`, notice); n != 1 {
				t.Error("the sending is not settled")
			}
			if n := count(t, conn, `outbox WHERE kind = 'INTAKE' AND activation_id = $1`, a.ID); n != 1 {
				t.Errorf("the run is woken %d times", n)
			}
			if got := storetest.Read(t, b.DB, a).Notices[0]; !got.Sent.Equal(now) {
				t.Errorf("sent at %s, want the event's time", got.Sent)
			}
		})
	}
}
