package webhook_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/internal/webhook"
)

const iccid mobile.ICCID = "8901410321111851072"

func TestCarrier(t *testing.T) {
	t.Parallel()
	b := open(t)
	a := storetest.Launched(t, b.DB)
	conn := b.Connect(t)

	b.want(t, http.StatusAccepted, carrierCall("evt-1", a.ID))
	<-b.nudges
	b.want(t, http.StatusAccepted, carrierCall("evt-1", a.ID)) // the same again
	<-b.nudges

	if n := count(t, conn, `partner_events WHERE activation_id = $1`, a.ID); n != 1 {
		t.Errorf("%d events are kept", n)
	}
	if n := count(t, conn, `outbox WHERE kind = 'INTAKE'`); n != 1 {
		t.Errorf("the run is woken %d times", n)
	}
	if facts := b.facts(t, a); facts.LineEvents != 1 {
		t.Errorf("the run is told %+v", facts)
	}
}

// The same event, delivered many times at one moment, is one.
func TestCarrier_AtOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	a := storetest.Launched(t, b.DB)

	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			if status, _, text := b.post(t, carrierCall("evt-1", a.ID)); status != http.StatusAccepted {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	all.Wait()

	conn := b.Connect(t)
	if events, wakes := count(t, conn, `partner_events`), count(t, conn, `outbox WHERE kind = 'INTAKE'`); events != 1 || wakes != 1 {
		t.Errorf("%d events, %d wake-ups", events, wakes)
	}
}

// An event that is about nothing of ours, or about what has ended, is kept and wakes nobody:
// the carrier could not mend it by repeating it.
func TestCarrier_Unmatched(t *testing.T) {
	t.Parallel()
	b := open(t)
	ended := storetest.Launched(t, b.DB)
	must(t, b.InTenant(t.Context(), ended.Tenant, func(s *store.Store) error {
		_, err := s.End(t.Context(), store.Move{Tenant: ended.Tenant, Activation: ended.ID, To: mobile.StateFailed, At: now})
		return err
	}))

	for i, of := range []mobile.ActivationID{ended.ID, mobile.ActivationID(uuid.NewString()), "port-77"} {
		b.want(t, http.StatusAccepted, carrierCall("evt-"+string(rune('a'+i)), of))
	}

	conn := b.Connect(t)
	if n := count(t, conn, `partner_events`); n != 3 {
		t.Errorf("%d events are kept", n)
	}
	if n := count(t, conn, `outbox WHERE kind = 'INTAKE'`); n != 0 {
		t.Errorf("%d runs are woken", n)
	}
}

func TestSendGrid(t *testing.T) {
	t.Parallel()
	b := open(t)
	tenant := storetest.Tenant(t, b.DB)
	for name, c := range map[string]struct {
		batches [][]string // kinds, in the order of their arrival
		want    mobile.NoticeState
		reason  string
	}{
		"delivered":                    {[][]string{{"processed", "delivered"}}, mobile.NoticeDelivered, ""},
		"delivered, told twice":        {[][]string{{"delivered"}, {"delivered"}}, mobile.NoticeDelivered, ""},
		"bounced":                      {[][]string{{"processed"}, {"bounce"}}, mobile.NoticeBounced, "BOUNCE 5.1.1"},
		"dropped":                      {[][]string{{"dropped"}}, mobile.NoticeBounced, "DROPPED 5.1.1"},
		"out of order":                 {[][]string{{"delivered"}, {"processed", "deferred"}}, mobile.NoticeDelivered, ""},
		"bounced after delivery":       {[][]string{{"delivered", "bounce"}}, mobile.NoticeBounced, "BOUNCE 5.1.1"},
		"delivered after a bounce":     {[][]string{{"bounce"}, {"delivered"}}, mobile.NoticeBounced, "BOUNCE 5.1.1"},
		"what proves that it was sent": {[][]string{{"processed", "deferred", "open", "spamreport", "newkind"}}, mobile.NoticeSent, ""},
		"only trying":                  {[][]string{{"deferred"}}, mobile.NoticeSent, ""},
		"an empty batch is a success":  {[][]string{{}}, mobile.NoticePrepared, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := storetest.Activation(t, b.DB, storetest.Subscription(t, b.DB, tenant))
			notice := b.notice(t, a)

			for _, batch := range c.batches {
				var events []string
				for i, kind := range batch {
					events = append(events, mailEvent(kind, notice, a.ID, time.Duration(i)*time.Second))
				}
				b.want(t, http.StatusAccepted, b.sendGridCall(t, events...))
			}

			got := storetest.Read(t, b.DB, a).Notices[0]
			if got.State != c.want || got.Reason != c.reason {
				t.Errorf("%s because of %q, want %s because of %q", got.State, got.Reason, c.want, c.reason)
			}
		})
	}
}

// The same event is one, however often it is delivered and in whatever batches.
func TestSendGrid_OnceHoweverOften(t *testing.T) {
	t.Parallel()
	b := open(t)
	a := storetest.Launched(t, b.DB)
	notice := b.notice(t, a)
	delivered, bounced := mailEvent("delivered", notice, a.ID, 0), mailEvent("bounce", notice, a.ID, time.Hour)

	var all sync.WaitGroup
	for i := range 10 {
		batch := [][]string{{delivered, bounced}, {bounced, delivered}, {bounced}, {delivered, delivered}}[i%4]
		all.Go(func() {
			if status, _, text := b.post(t, b.sendGridCall(t, batch...)); status != http.StatusAccepted {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	all.Wait()

	conn := b.Connect(t)
	if n := count(t, conn, `partner_events`); n != 2 {
		t.Errorf("%d events are kept", n)
	}
	if n := count(t, conn, `events WHERE type = 'notice.bounced'`); n != 1 {
		t.Errorf("billing is told %d times", n)
	}
	if got := storetest.Read(t, b.DB, a); got.Notices[0].State != mobile.NoticeBounced || len(got.Items) != 1 {
		t.Errorf("%s with %d items", got.Notices[0].State, len(got.Items))
	}
}

// Mail that others send through the same account, notices that we do not know, and entries
// that cannot be read spoil nothing.
func TestSendGrid_Strangers(t *testing.T) {
	t.Parallel()
	b := open(t)
	a := storetest.Launched(t, b.DB)
	notice := b.notice(t, a)

	b.want(t, http.StatusAccepted, b.sendGridCall(t,
		`{"event":"delivered","timestamp":1,"email":"other@example.com","sg_message_id":"other"}`,
		`{"event":"delivered","timestamp":"yesterday"}`, `null`, `"text"`,
		mailEvent("delivered", uuid.NewString(), a.ID, 0),
		mailEvent("delivered", "not-a-uuid", "not-a-uuid", 0),
		mailEvent("bounce", "urn:uuid:"+notice, a.ID, 0),
		mailEvent("delivered", notice, mobile.ActivationID(uuid.NewString()), 0),
	))

	if got := storetest.Read(t, b.DB, a).Notices[0].State; got != mobile.NoticeDelivered {
		t.Errorf("the notice is %s", got)
	}
	if n := count(t, b.Connect(t), `partner_events WHERE activation_id IS NULL`); n != 2 {
		t.Errorf("%d events are kept unmatched, want that of a malformed and that of an unknown activation", n)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	b := open(t)
	a := storetest.Launched(t, b.DB)
	b.held(t, a, iccid)
	state := func() mobile.InstallState { return storetest.Read(t, b.DB, a).Profile.InstallState }

	for _, c := range []struct {
		point  int
		status string
		want   mobile.InstallState
	}{
		{3, "Executed-Success", mobile.InstallDownloaded},
		{3, "Executed-Success", mobile.InstallDownloaded}, // the same again
		{4, "Executed-Success", mobile.InstallInstalled},
		{1, "Executed-Success", mobile.InstallInstalled}, // late
		{3, "Failed", mobile.InstallInstalled},           // a second phone
	} {
		status, _, text := b.post(t, progressCall(iccid+"F", c.point, c.status))
		if status != http.StatusNoContent || text != "" {
			t.Fatalf("%d %q", status, text)
		}
		if got := state(); got != c.want {
			t.Errorf("%s after point %d %s, want %s", got, c.point, c.status, c.want)
		}
	}
	b.want(t, http.StatusNoContent, progressCall("8901410321111851080", 3, "Executed-Success")) // nobody's

	conn := b.Connect(t)
	if n := count(t, conn, `partner_events WHERE activation_id = $1`, a.ID); n != 4 {
		t.Errorf("%d notifications are kept with the activation, want 4", n)
	}
	if n := count(t, conn, `events WHERE type = 'profile.installed'`); n != 1 {
		t.Errorf("billing is told %d times", n)
	}
	if got := storetest.Read(t, b.DB, a); got.State != mobile.StateAccepted || got.Revision != a.Revision {
		t.Errorf("the activation moved to %s, revision %d", got.State, got.Revision)
	}
}

// What is not proved to be the partner's is refused, counted, and leaves no trace.
func TestRefused(t *testing.T) {
	t.Parallel()
	b := open(t)
	a := storetest.Launched(t, b.DB)
	notice := b.notice(t, a)
	good, batch := carrierCall("evt-1", a.ID), b.sendGridCall(t, mailEvent("delivered", notice, a.ID, 0))
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	with := func(c call, change func(*call)) call {
		c.header = c.header.Clone()
		change(&c)
		return c
	}
	const carrierIs, sendGridIs, smdpIs = "carrier", "sendgrid", "smdp+"

	for name, c := range map[string]struct {
		call    call
		status  int
		partner string
		outcome string
	}{
		"unsigned":                {with(good, func(c *call) { c.header.Del(carrier.SignatureHeader) }), 401, carrierIs, "not_signed"},
		"signed by another":       {signedCarrierCall("another-secret-of-16", now, good.body), 401, carrierIs, "not_signed"},
		"another body":            {with(good, func(c *call) { c.body = bytes.Replace(c.body, []byte("ACTIVE"), []byte("FAILED"), 1) }), 401, carrierIs, "not_signed"},
		"stale":                   {signedCarrierCall(secret, now.Add(-6*time.Minute), good.body), 401, carrierIs, "not_signed"},
		"from the future":         {signedCarrierCall(secret, now.Add(6*time.Minute), good.body), 401, carrierIs, "not_signed"},
		"signed nonsense":         {signedCarrierCall(secret, now, []byte(`{"id":1}`)), 400, carrierIs, "malformed"},
		"not JSON":                {with(good, func(c *call) { c.contentType = "text/plain" }), 415, carrierIs, "not_json"},
		"a form":                  {with(good, func(c *call) { c.contentType = "application/x-www-form-urlencoded" }), 415, carrierIs, "not_json"},
		"too large":               {with(good, func(c *call) { c.body = bytes.Repeat([]byte(" "), 1<<20+1) }), 413, carrierIs, "too_large"},
		"mail, unsigned":          {with(batch, func(c *call) { c.header.Del(mail.SignatureHeader) }), 401, sendGridIs, "not_signed"},
		"mail, signed by another": {sendGridCall(t, stranger, now, batch.body), 401, sendGridIs, "not_signed"},
		"mail, stale":             {sendGridCall(t, b.key, now.Add(-26*time.Hour), batch.body), 401, sendGridIs, "not_signed"},
		"mail, another time":      {with(batch, func(c *call) { c.header.Set(mail.TimestampHeader, "1") }), 401, sendGridIs, "not_signed"},
		"mail, signed nonsense":   {sendGridCall(t, b.key, now, []byte(`{}`)), 400, sendGridIs, "malformed"},
		"progress, nonsense":      {call{path: webhook.ProgressPath, body: []byte(`{"iccid":"12"}`)}, 400, smdpIs, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			before := b.counted(t, c.partner, c.outcome)

			status, _, _ := b.post(t, c.call)

			if status != c.status {
				t.Errorf("%d, want %d", status, c.status)
			}
			if n := b.counted(t, c.partner, c.outcome) - before; n != 1 {
				t.Errorf("%v calls counted as %s of %s", n, c.outcome, c.partner)
			}
		})
	}
	if n := count(t, b.Connect(t), `partner_events`); n != 0 {
		t.Errorf("%d events are kept", n)
	}
	if len(b.nudges) != 0 {
		t.Error("the relay was nudged")
	}
	for _, hidden := range []string{secret, "ada@example.com", "550 "} {
		if strings.Contains(b.log.String(), hidden) {
			t.Errorf("the log tells %q", hidden)
		}
	}
}

func TestMethodsAndPaths(t *testing.T) {
	t.Parallel()
	b := open(t)
	for name, c := range map[string]struct {
		call call
		want int
	}{
		"GET":           {call{method: http.MethodGet, path: webhook.CarrierPath}, http.StatusMethodNotAllowed},
		"PUT":           {call{method: http.MethodPut, path: webhook.SendGridPath}, http.StatusMethodNotAllowed},
		"DELETE":        {call{method: http.MethodDelete, path: webhook.ProgressPath}, http.StatusMethodNotAllowed},
		"another path":  {call{path: "/webhooks/other"}, http.StatusNotFound},
		"the root":      {call{path: "/"}, http.StatusNotFound},
		"a longer path": {call{path: webhook.CarrierPath + "/more"}, http.StatusNotFound},
		"metrics":       {call{method: http.MethodGet, path: "/metrics"}, http.StatusNotFound},
	} {
		if status, _, _ := b.post(t, c.call); status != c.want {
			t.Errorf("%s: %d, want %d", name, status, c.want)
		}
	}
}

// While the database is down, partners are asked to repeat, and what they repeat is taken.
func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	proxy := d.Proxy(t)
	b := openOn(t, d, d.OpenThrough(t, proxy.Address(), storetest.Config{}), plainly)
	a := storetest.Launched(t, d.DB)
	notice := b.notice(t, a)
	b.held(t, a, iccid)
	calls := map[string]call{
		"carrier":  carrierCall("evt-1", a.ID),
		"sendgrid": b.sendGridCall(t, mailEvent("delivered", notice, a.ID, 0)),
		"smdp+":    progressCall(iccid, 3, "Executed-Success"),
	}

	proxy.Cut()
	for partner, c := range calls {
		status, header, text := b.post(t, c)
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
			t.Errorf("%s: %d, Retry-After %q", partner, status, header.Get("Retry-After"))
		}
		if strings.Contains(text, "127.0.0.1") || b.counted(t, partner, "not_stored") != 1 {
			t.Errorf("%s: said %q, counted %v", partner, text, b.counted(t, partner, "not_stored"))
		}
	}
	if len(b.nudges) != 0 {
		t.Error("the relay was nudged for what is not stored")
	}
	proxy.Mend()
	for _, c := range calls {
		if status, _, text := b.post(t, c); status/100 != 2 {
			t.Errorf("once mended: %d %s", status, text)
		}
	}

	if n := count(t, d.Connect(t), `partner_events`); n != 3 {
		t.Errorf("%d events are kept", n)
	}
}

// A record that cannot be written within the time is answered in time, too.
func TestDatabaseStuck(t *testing.T) {
	t.Parallel()
	b := open(t)
	a := storetest.Launched(t, b.DB)
	holder := b.Connect(t)
	_, err := holder.Exec(t.Context(), `BEGIN; LOCK TABLE partner_events IN ACCESS EXCLUSIVE MODE`)
	must(t, err)

	status, _, _ := b.post(t, carrierCall("evt-1", a.ID))

	if status != http.StatusServiceUnavailable {
		t.Errorf("%d, want to be asked again", status)
	}
	_, err = holder.Exec(t.Context(), `ROLLBACK`)
	must(t, err)
	b.want(t, http.StatusAccepted, carrierCall("evt-1", a.ID))
}
