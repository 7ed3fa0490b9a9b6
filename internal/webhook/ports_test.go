package webhook_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

const number = "+12125550123"

// porting is an open door, with a port whose order is at the carrier.
type porting struct {
	bundle
	a    mobile.Activation
	conn *pgx.Conn
}

// openPort opens the door on a record whose clock stands where the door's does.
func openPort(t *testing.T) *porting {
	t.Helper()
	d := storetest.Make(t, storetest.Config{Now: func() time.Time { return now }})
	b := openOn(t, d, d.DB, plainly)
	p := &porting{bundle: b, conn: b.Connect(t)}
	sub := storetest.Subscription(t, b.DB, storetest.Tenant(t, b.DB))
	a := storetest.NewActivation(sub)
	a.Type = mobile.TypePortIn
	p.record(t, a.Tenant, func(ctx context.Context, s *store.Store) error {
		if err := s.InsertActivation(ctx, a, ""); err != nil {
			return err
		}
		return s.InsertPort(ctx, mobile.Port{
			ID: mobile.PortID(uuid.Must(uuid.NewV7()).String()), Tenant: a.Tenant, Activation: a.ID, Number: number, Donor: "att",
		})
	})
	p.a = storetest.Read(t, b.DB, a)
	b.held(t, p.a, iccid)
	p.record(t, a.Tenant, func(ctx context.Context, s *store.Store) error {
		if _, err := s.OrderPort(ctx, a.Tenant, a.ID, p.a.Port.ID); err != nil {
			return err
		}
		return s.PortSent(ctx, a.Tenant, a.ID, p.a.Port.ID, "port-1", now.Add(-time.Hour), now.Add(-time.Hour))
	})
	return p
}

func (p *porting) record(t *testing.T, tenant mobile.TenantID, what func(context.Context, *store.Store) error) {
	t.Helper()
	must(t, p.InTenant(t.Context(), tenant, func(s *store.Store) error { return what(t.Context(), s) }))
}

// portEvent is an event about a port. Its zero fields are what a well-behaved carrier sends
// about this one.
type portEvent struct {
	id, kind, state      string
	of, number, iccid    string
	at, since            time.Time
	due, reason, message string
}

func (p *porting) call(e portEvent) call {
	at := cmp.Or(e.at.Unix(), now.Unix())
	if e.at.IsZero() {
		at = now.Unix()
	}
	since := e.since
	if since.IsZero() {
		since = time.Unix(at, 0)
	}
	more := ""
	if e.due != "" {
		more += fmt.Sprintf(`,"due_at":%q`, e.due)
	}
	if e.reason != "" {
		more += fmt.Sprintf(`,"reason":{"code":%q,"message":%q}`, e.reason, e.message)
	}
	of := cmp.Or(e.of, string(p.a.Port.ID))
	body := fmt.Appendf(nil, `{"id":%q,"type":%q,"external_id":%q,"created_at":%q,"port":{"external_id":%q,"line_external_id":%q,
		"port_id":"port-1","number":%q,"iccid":%q,"state":%q,"state_since":%q%s}}`,
		cmp.Or(e.id, "evt-1"), e.kind, of, time.Unix(at, 0).UTC().Format(time.RFC3339), of, p.a.ID,
		cmp.Or(e.number, number), cmp.Or(e.iccid, string(iccid)), e.state, since.UTC().Format(time.RFC3339), more)
	return signedCarrierCall(secret, now, body)
}

func (p *porting) completed() portEvent {
	return portEvent{kind: carrier.EventPortCompleted, state: "COMPLETED"}
}

func (p *porting) read(t *testing.T) mobile.Activation {
	t.Helper()
	return storetest.Read(t, p.DB, p.a)
}

// wakes counts how often the run was told to look.
func (p *porting) wakes(t *testing.T) int {
	t.Helper()
	return count(t, p.conn, `outbox WHERE kind = 'INTAKE'`)
}

func (p *porting) told(t *testing.T, kind mobile.EventType) int {
	t.Helper()
	return count(t, p.conn, `events WHERE type = $1`, kind)
}

// What the carrier says of a port is heard, told to the feed, and the run is woken, once.
func TestPort(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event portEvent
		want  mobile.Port
	}{
		"confirmed":         {portEvent{kind: carrier.EventPortConfirmed, state: "CONFIRMED", due: "2031-03-15T09:00:00Z"}, mobile.Port{State: mobile.PortConfirmed, Due: time.Date(2031, 3, 15, 9, 0, 0, 0, time.UTC)}},
		"delayed":           {portEvent{kind: carrier.EventPortDelayed, state: "DELAYED"}, mobile.Port{State: mobile.PortDelayed, Reason: mobile.PortDonorDelay}},
		"refused":           {portEvent{kind: carrier.EventPortRefused, state: "REFUSED", reason: "6B", message: "Transfer PIN incorrect."}, mobile.Port{State: mobile.PortRefused, Reason: mobile.PortPINInvalid, Code: "6B", Message: "Transfer PIN incorrect.", Refusals: 1, PINRefusals: 1}},
		"completed":         {portEvent{kind: carrier.EventPortCompleted, state: "COMPLETED"}, mobile.Port{State: mobile.PortCompleted, Completed: now}},
		"a new word for it": {portEvent{kind: "port.moved_along", state: "DELAYED"}, mobile.Port{State: mobile.PortDelayed, Reason: mobile.PortDonorDelay}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := openPort(t)

			for range 2 { // the same again
				p.want(t, http.StatusAccepted, p.call(c.event))
				<-p.nudges
			}

			got := p.read(t).Port
			shown := mobile.Port{
				State: got.State, Reason: got.Reason, Code: got.Code, Message: got.Message, Due: got.Due.UTC(), Completed: got.Completed.UTC(),
				Refusals: got.Refusals, PINRefusals: got.PINRefusals,
			}
			if fmt.Sprint(shown) != fmt.Sprint(c.want) {
				t.Errorf("got %+v, want %+v", shown, c.want)
			}
			if n := count(t, p.conn, `partner_events WHERE port_id = $1 AND odd = ''`, got.ID); n != 1 {
				t.Errorf("%d events are kept", n)
			}
			// One for the order, one for the word.
			if n := p.told(t, mobile.EventPortStateChanged); n != 2 {
				t.Errorf("the feed tells %d moves", n)
			}
			if n := p.wakes(t); n != 1 {
				t.Errorf("the run is woken %d times", n)
			}
		})
	}
}

// The same event at the same moment is one, and of two words the later one counts, in whatever
// order they come.
func TestPort_OrderAndRepeats(t *testing.T) {
	t.Parallel()
	p := openPort(t)
	delayed := portEvent{id: "evt-1", kind: carrier.EventPortDelayed, state: "DELAYED", at: now.Add(-2 * time.Minute)}
	confirmed := portEvent{id: "evt-2", kind: carrier.EventPortConfirmed, state: "CONFIRMED", at: now.Add(-time.Minute), due: "2031-03-15T09:00:00Z"}

	p.want(t, http.StatusAccepted, p.call(confirmed))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if status, _, text := p.post(t, p.call(delayed)); status != http.StatusAccepted {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	all.Wait()

	if got := p.read(t).Port; got.State != mobile.PortConfirmed {
		t.Errorf("the port is %s", got.State)
	}
	if n := count(t, p.conn, `partner_events`); n != 2 {
		t.Errorf("%d events are kept", n)
	}
}

// What is about no port of ours, or says nothing of a port, is kept and moves nothing.
func TestPort_Unmatched(t *testing.T) {
	t.Parallel()
	p := openPort(t)
	strange := fmt.Appendf(nil, `{"id":"evt-3","type":"number.recycled","external_id":%q,"created_at":%q}`, p.a.Port.ID, now.Format(time.RFC3339))

	for i, of := range []string{uuid.NewString(), "port-77"} {
		e := p.completed()
		e.id, e.of = fmt.Sprint("evt-", i+1), of
		p.want(t, http.StatusAccepted, p.call(e))
	}
	p.want(t, http.StatusAccepted, signedCarrierCall(secret, now, strange))

	if n := count(t, p.conn, `partner_events WHERE port_id IS NULL AND activation_id IS NULL`); n != 3 {
		t.Errorf("%d events are kept unmatched", n)
	}
	if got := p.read(t); got.Port.State != mobile.PortSubmitted || len(got.Items) != 0 || p.wakes(t) != 0 {
		t.Errorf("%s, %v, woken %d times", got.Port.State, got.Items, p.wakes(t))
	}
}

// What does not fit its port is kept, not heeded, and asks an operator, once.
func TestPort_Odd(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*portEvent){
		"another number":          func(e *portEvent) { e.number = "+12125550199" },
		"another state":           func(e *portEvent) { e.state = "REFUSED" },
		"another eSIM":            func(e *portEvent) { e.iccid = "8901410321111851080" },
		"said in the future":      func(e *portEvent) { e.at = now.Add(carrier.EventTolerance + time.Second) },
		"became so in the future": func(e *portEvent) { e.since = now.Add(carrier.EventTolerance + time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := openPort(t)
			e := p.completed()
			change(&e)

			p.want(t, http.StatusAccepted, p.call(e))
			p.want(t, http.StatusAccepted, p.call(e))

			got := p.read(t)
			// It is not heard, but the run looks at the carrier what is so.
			if got.Port.State != mobile.PortSubmitted || p.wakes(t) != 1 {
				t.Errorf("it was heeded: %s, woken %d times", got.Port.State, p.wakes(t))
			}
			if len(got.Items) != 1 || got.Items[0].Kind != mobile.ItemOddEvent || got.Items[0].Detail == "" {
				t.Errorf("an operator is asked %v", got.Items)
			}
			if n := count(t, p.conn, `partner_events WHERE odd <> '' AND port_id = $1`, got.Port.ID); n != 1 {
				t.Errorf("%d events are kept as odd", n)
			}
		})
	}
	t.Run("a clock that is a little ahead is not", func(t *testing.T) {
		t.Parallel()
		p := openPort(t)
		e := p.completed()
		e.at = now.Add(carrier.EventTolerance)

		p.want(t, http.StatusAccepted, p.call(e))

		if got := p.read(t); got.Port.State != mobile.PortCompleted || len(got.Items) != 0 {
			t.Errorf("%s, %v", got.Port.State, got.Items)
		}
	})
}

// A number that has moved has moved, whatever was agreed before: it is written down, nobody is
// woken who is gone, the feed is told, and an operator is asked. Once, however often it is said.
func TestPort_CompletedAfterItsEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end     func(*porting, *testing.T)
		tooLate int
	}{
		"withdrawn": {func(p *porting, t *testing.T) {
			p.record(t, p.a.Tenant, func(ctx context.Context, s *store.Store) error {
				return s.ClosePort(ctx, p.a.Tenant, p.a.ID, p.a.Port.ID, mobile.PortCancelled)
			})
		}, 0},
		"lapsed": {func(p *porting, t *testing.T) {
			p.record(t, p.a.Tenant, func(ctx context.Context, s *store.Store) error {
				return s.ClosePort(ctx, p.a.Tenant, p.a.ID, p.a.Port.ID, mobile.PortExpired)
			})
		}, 0},
		"the activation is over": {func(p *porting, t *testing.T) { p.end(t, mobile.StateFailed) }, 0},
		"it was cancelled": {func(p *porting, t *testing.T) {
			p.record(t, p.a.Tenant, func(ctx context.Context, s *store.Store) error {
				return s.CancelActivation(ctx, store.Cancel{Tenant: p.a.Tenant, Activation: p.a.ID})
			})
			p.end(t, mobile.StateCancelled)
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := openPort(t)
			c.end(p, t)
			before := p.read(t)
			wakes, moves := p.wakes(t), p.told(t, mobile.EventPortStateChanged)

			p.want(t, http.StatusAccepted, p.call(p.completed()))
			again := p.completed()
			again.id = "evt-2"
			p.want(t, http.StatusAccepted, p.call(again))

			got := p.read(t)
			if got.Port.State != mobile.PortCompleted || !got.Port.Completed.Equal(now) || got.State != before.State {
				t.Errorf("the port is %s, the activation %s", got.Port.State, got.State)
			}
			if len(got.Items) != 1 || got.Items[0].Kind != mobile.ItemNumberAtRisk || got.Items[0].Severity != mobile.SeverityAtRisk {
				t.Errorf("an operator is asked %v", got.Items)
			}
			if n := p.told(t, mobile.EventPortStateChanged) - moves; n != 1 {
				t.Errorf("the feed tells %d moves", n)
			}
			if n := p.told(t, mobile.EventCancelTooLate); n != c.tooLate {
				t.Errorf("the feed tells %d times that it was too late to cancel", n)
			}
			if n := p.wakes(t) - wakes; before.State.Final() && n != 0 {
				t.Errorf("%d runs are woken that are gone", n)
			}
		})
	}
}

func (p *porting) end(t *testing.T, to mobile.State) {
	t.Helper()
	p.record(t, p.a.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.End(ctx, store.Move{Tenant: p.a.Tenant, Activation: p.a.ID, To: to, At: now})
		return err
	})
}

// What the carrier has not signed, or not now, says nothing about a port.
func TestPort_Refused(t *testing.T) {
	t.Parallel()
	p := openPort(t)
	good := p.call(p.completed())
	unsigned := good
	unsigned.header = good.header.Clone()
	unsigned.header.Del(carrier.SignatureHeader)
	for name, c := range map[string]struct {
		call   call
		status int
	}{
		"unsigned":          {unsigned, http.StatusUnauthorized},
		"signed by another": {signedCarrierCall("another-secret-of-16", now, good.body), http.StatusUnauthorized},
		"signed long ago":   {signedCarrierCall(secret, now.Add(-carrier.EventTolerance-time.Second), good.body), http.StatusUnauthorized},
		"without its port":  {signedCarrierCall(secret, now, fmt.Appendf(nil, `{"id":"e","type":"port.completed","external_id":%q,"created_at":%q}`, p.a.Port.ID, now.Format(time.RFC3339))), http.StatusBadRequest},
		"of another port":   {signedCarrierCall(secret, now, fmt.Appendf(nil, `{"id":"e","type":"port.completed","external_id":"port-7","created_at":%q,"port":{"external_id":%q,"line_external_id":"l","port_id":"p","number":%q,"iccid":%q,"state":"COMPLETED","state_since":%[1]q}}`, now.Format(time.RFC3339), p.a.Port.ID, number, iccid)), http.StatusBadRequest},
	} {
		if status, _, text := p.post(t, c.call); status != c.status {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if got := p.read(t); got.Port.State != mobile.PortSubmitted || count(t, p.conn, `partner_events`) != 0 {
		t.Errorf("the port is %s", got.Port.State)
	}
}

// While the record is away the carrier is asked to come again; then it is heard.
func TestPort_DatabaseDown(t *testing.T) {
	t.Parallel()
	p := openPort(t)
	proxy := p.Proxy(t)
	behind := openOn(t, p.Database, p.OpenThrough(t, proxy.Address(), storetest.Config{Now: func() time.Time { return now }}), plainly)

	proxy.Cut()
	behind.want(t, http.StatusServiceUnavailable, p.call(p.completed()))
	proxy.Mend()
	for status := http.StatusServiceUnavailable; status == http.StatusServiceUnavailable; {
		status, _, _ = behind.post(t, p.call(p.completed()))
	}

	if got := p.read(t).Port.State; got != mobile.PortCompleted {
		t.Errorf("the port is %s", got)
	}
}
