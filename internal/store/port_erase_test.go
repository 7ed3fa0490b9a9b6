package store_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// toldPort is a port for which the customer has given the details, which the donor has refused, of
// which the carrier has told, and which has ended.
func toldPort(t *testing.T, db *store.DB, tenant mobile.Tenant, number string) mobile.Activation {
	t.Helper()
	a := storetest.NewActivation(storetest.Subscription(t, db, tenant))
	a.Type = mobile.TypePortIn
	port := mobile.PortID(newID())
	move := func(to mobile.State) store.Move {
		return store.Move{Tenant: tenant.ID, Activation: a.ID, To: to, At: noon}
	}
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
		if err := s.InsertActivation(ctx, a, ""); err != nil {
			return err
		}
		return s.InsertPort(ctx, mobile.Port{ID: port, Tenant: tenant.ID, Activation: a.ID, Number: number, Donor: "att"})
	})
	submission := newID()
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
		if err := s.Move(ctx, move(mobile.StateRunning)); err != nil {
			return err
		}
		_, err := s.OpenPrompt(ctx, mobile.Prompt{
			Activation: a.ID, Port: port, Kind: mobile.PromptProvideInfo,
			Fields: []mobile.PortingField{mobile.FieldAccountNumber, mobile.FieldPIN}, Opened: noon, Deadline: noon.Add(time.Hour),
		}, 0, move(mobile.StateWaitingForCustomer), mobile.StepCollectPortingInfo)
		return err
	})
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
		verdict, err := s.Submit(ctx, store.Submission{
			ID: submission, Tenant: tenant.ID, Activation: a.ID, Act: mobile.ActSubmitPortingInfo, Revision: 1,
			Said: mobile.PortingInfo{AccountNumber: "0001234567", PIN: "042086"},
			By:   mobile.Doer{Principal: mobile.PrincipalPortal, RequestID: newID()},
		})
		if verdict != mobile.VerdictAccepted {
			t.Errorf("the details are %s", verdict)
		}
		return err
	})
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
		if err := s.TakeAnswer(ctx, tenant.ID, a.ID, submission); err != nil {
			return err
		}
		if _, err := s.OrderPort(ctx, tenant.ID, a.ID, port); err != nil {
			return err
		}
		return s.PortSent(ctx, tenant.ID, a.ID, port, "port-1", noon, noon)
	})
	systemly(t, db, func(ctx context.Context, s *store.Store) error {
		_, err := s.TakePortEvent(ctx, store.PortEvent{
			PartnerEvent: store.PartnerEvent{
				Partner: mobile.PartnerCarrier, DedupKey: newID(), Kind: "port.refused", Body: []byte(`{"message":"PIN 042086 of Ada"}`), Occurred: noon.Add(time.Minute),
			},
			ExternalID: string(port), Word: mobile.WordRefused, Reason: mobile.PortPINInvalid, Code: "6B", Message: "Not the PIN of Ada",
			Ahead: 100 * 365 * 24 * time.Hour,
		})
		return err
	})
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
		_, err := s.End(ctx, move(mobile.StateCancelled))
		return err
	})
	return storetest.Read(t, db, a)
}

// secretsOf are all that must go of a port, as the database holds it: by where it stands.
func secretsOf(t *testing.T, conn *pgx.Conn, port mobile.PortID) map[string]string {
	t.Helper()
	all := map[string]string{
		"details":    ask[string](t, conn, `SELECT coalesce(string_agg(encode(info_sealed, 'hex'), ','), '') FROM submissions WHERE port_id = $1`, port),
		"digests":    ask[string](t, conn, `SELECT coalesce(string_agg(value, ','), '') FROM submissions, jsonb_each_text(digests) WHERE port_id = $1`, port),
		"content":    ask[string](t, conn, `SELECT coalesce(string_agg(encode(content, 'hex'), ','), '') FROM submissions WHERE port_id = $1`, port),
		"raw events": ask[string](t, conn, `SELECT coalesce(string_agg(encode(body_sealed, 'hex'), ','), '') FROM partner_events WHERE port_id = $1`, port),
		"refusals":   ask[string](t, conn, `SELECT coalesce(string_agg(encode(message_sealed, 'hex'), ','), '') FROM port_refusals WHERE port_id = $1`, port),
		"words":      ask[string](t, conn, `SELECT coalesce(string_agg(encode(message_sealed, 'hex'), ','), '') FROM ports WHERE port_id = $1`, port),
	}
	return all
}

func TestErasePorts(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(noon)
	d := storetest.Make(t, storetest.Config{Now: clock.Now})
	tenant := storetest.Tenant(t, d.DB)
	conn := d.Connect(t)
	old := toldPort(t, d.DB, tenant, "+12125550123")
	requests := ask[int](t, conn, `SELECT count(*)::int FROM requests`)
	clock.Advance(time.Hour)
	young := toldPort(t, d.DB, tenant, "+12125550124")
	before, keep := secretsOf(t, conn, old.Port.ID), secretsOf(t, conn, young.Port.ID)
	whole := strings.Join(slices.Collect(maps.Values(dump(t, conn))), "\n")
	for what, secret := range before {
		if secret == "" {
			t.Fatalf("there are no %s to erase", what)
		}
		for part := range strings.SplitSeq(secret, ",") {
			if !strings.Contains(whole, part) {
				t.Fatalf("the dump does not show the %s", what)
			}
		}
	}
	erase := func() (n int) {
		systemly(t, d.DB, func(ctx context.Context, s *store.Store) (err error) {
			n, err = s.ErasePorts(ctx, 24*time.Hour, 10)
			return err
		})
		return n
	}

	clock.Set(noon.Add(24 * time.Hour))
	if n := erase(); n != 0 {
		t.Errorf("%d are erased before their time", n)
	}
	clock.Set(noon.Add(24*time.Hour + time.Second))
	if n := erase(); n != 1 {
		t.Errorf("%d are erased, want the old one", n)
	}
	if n := erase(); n != 0 {
		t.Errorf("%d are erased again", n)
	}

	whole = strings.Join(slices.Collect(maps.Values(dump(t, conn))), "\n")
	for what, secret := range before {
		for part := range strings.SplitSeq(secret, ",") {
			if strings.Contains(whole, part) {
				t.Errorf("the dump shows the %s still", what)
			}
		}
	}
	for what, left := range secretsOf(t, conn, old.Port.ID) {
		if left != "" {
			t.Errorf("%s are left", what)
		}
	}
	if got := secretsOf(t, conn, young.Port.ID); len(got) != len(keep) || got["details"] != keep["details"] || got["raw events"] != keep["raw events"] || got["refusals"] != keep["refusals"] {
		t.Error("a younger port has lost something")
	}
	// What is not secret stays: that the donor refused, when and why; and the requests' own HMACs.
	got := storetest.Read(t, d.DB, old)
	if got.Port.InfoPresent || len(got.Port.Refused) != 1 || got.Port.Refused[0].Code != "6B" || got.Port.Refused[0].Message != "" || got.Port.Message != "" {
		t.Errorf("%+v", got.Port)
	}
	if n := ask[int](t, conn, `SELECT count(*)::int FROM requests`); n < requests {
		t.Errorf("%d requests are forgotten", requests-n)
	}
	tenantly(t, d.DB, tenant.ID, func(ctx context.Context, s *store.Store) error {
		if answer, err := s.Answer(ctx, *got.Port); err != nil || answer != nil {
			t.Errorf("%v %v", answer, err)
		}
		return nil
	})
}

// An open port keeps what was given, however long it takes, and of many only so many are taken
// at once.
func TestErasePorts_OpenOnesAndMany(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(noon)
	d := storetest.Make(t, storetest.Config{Now: clock.Now})
	tenant := storetest.Tenant(t, d.DB)
	conn := d.Connect(t)
	for range 3 {
		toldPort(t, d.DB, tenant, "+12125550123")
	}
	open := toldPort(t, d.DB, tenant, "+12125550123")
	_, err := conn.Exec(t.Context(), `UPDATE ports SET state = 'REFUSED', closed_at = NULL WHERE port_id = $1`, open.Port.ID)
	must(t, err)
	clock.Advance(365 * 24 * time.Hour)

	var taken []int
	for range 3 {
		systemly(t, d.DB, func(ctx context.Context, s *store.Store) error {
			n, err := s.ErasePorts(ctx, 24*time.Hour, 2)
			taken = append(taken, n)
			return err
		})
	}

	if taken[0] != 2 || taken[1] != 1 || taken[2] != 0 {
		t.Errorf("erased %v", taken)
	}
	if !storetest.Read(t, d.DB, open).Port.InfoPresent {
		t.Error("an open port has lost what was given")
	}
}
