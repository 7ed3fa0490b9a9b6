package activities

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// matter is an activation about which an operator decides.
type matter struct {
	db   *store.DB
	conn *pgx.Conn
	a    mobile.Activation
	f    mobile.FollowUp
	item mobile.Item
	// noticeID is the mail's.
	noticeID string
}

// asked says how far it has come, and what is asked.
type asked struct {
	kind mobile.ItemKind
	step mobile.StepName
	// act and verdict are what the ledger knows; no act: nothing was done.
	act     mobile.Act
	settle  mobile.Settle
	verdict mobile.Verdict
	// stock, held, mail, live, undoing and followUp say what is there besides.
	stock, held, mail, live, undoing, followUp bool
}

func ask(t *testing.T, q asked) *matter {
	t.Helper()
	d := storetest.Make(t, storetest.Config{})
	m := &matter{db: d.DB, conn: d.Connect(t), a: storetest.Launched(t, d.DB), noticeID: uuid.NewString()}
	m.tenant(t, func(ctx context.Context, s *store.Store) (err error) {
		m.move(t, s, mobile.StateRunning)
		if q.followUp {
			m.f, err = s.FileFollowUp(ctx, mobile.FollowUp{Tenant: m.a.Tenant, Activation: m.a.ID, Kind: mobile.FollowUpReplace}, "")
			must(t, err)
		}
		if q.held {
			must(t, reserve(ctx, s, m.a, m.f.ID, "8901000000000000001"))
		}
		if q.live {
			must(t, s.RecordLive(ctx, m.a.Tenant, m.a.ID, time.Now()))
		}
		if q.mail {
			must(t, s.PrepareNotice(ctx, m.a.Tenant, m.a.ID, mobile.Notice{
				ID: m.noticeID, Kind: mobile.NoticeActivation, FollowUp: m.f.ID, MaskedAddress: "a***@example.com",
			}, []byte("mail")))
		}
		if q.undoing {
			m.move(t, s, mobile.StateUndoing)
		}
		return nil
	})
	if q.act != "" {
		m.act(t, q)
	}
	item := mobile.Item{Activation: m.a.ID, FollowUp: m.f.ID, Kind: q.kind, Step: q.step, Undoing: q.undoing}
	m.tenant(t, func(ctx context.Context, s *store.Store) error {
		must(t, s.OpenItem(ctx, m.a.Tenant, item))
		if !q.followUp {
			m.move(t, s, mobile.StateWaitingForOperator)
		}
		return nil
	})
	m.item = storetest.Read(t, m.db, m.a).OpenItems()[0]
	if m.item.Act != q.act {
		t.Fatalf("it asks about %q, want %q", m.item.Act, q.act)
	}
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func reserve(ctx context.Context, s *store.Store, a mobile.Activation, f mobile.FollowUpID, iccid mobile.ICCID) error {
	_, err := s.ReserveProfile(ctx, a.Tenant, mobile.Profile{
		Activation: a.ID, FollowUp: f, ICCID: iccid, ProfileType: storetest.ProfileType, OrderReference: "ordered",
	}, "M")
	return err
}

func (m *matter) tenant(t *testing.T, what func(context.Context, *store.Store) error) {
	t.Helper()
	must(t, m.db.InTenant(t.Context(), m.a.Tenant, func(s *store.Store) error { return what(t.Context(), s) }))
}

func (m *matter) move(t *testing.T, s *store.Store, to mobile.State) {
	t.Helper()
	must(t, s.Move(t.Context(), store.Move{Tenant: m.a.Tenant, Activation: m.a.ID, To: to, At: time.Now()}))
}

// act does an act outside as far as its verdict.
func (m *matter) act(t *testing.T, q asked) {
	t.Helper()
	m.tenant(t, func(ctx context.Context, s *store.Store) error {
		e, err := s.LockEffect(ctx, mobile.Effect{
			Tenant: m.a.Tenant, Activation: m.a.ID, FollowUp: m.f.ID, Act: q.act, Partner: mobile.PartnerSMDPPlus, Settle: q.settle,
		})
		must(t, err)
		if q.stock {
			_, err := s.ImportProfiles(ctx, m.a.Tenant, storetest.ProfileType, []mobile.ICCID{"8901000000000000002"}, "order 7")
			must(t, err)
			taken, _, err := s.TakeProfile(ctx, m.a.Tenant, storetest.ProfileType, m.a.ID, m.f.ID, "M")
			must(t, err)
			e.Subject = taken.ID
		}
		e, err = s.SendEffect(ctx, e)
		must(t, err)
		if e.Verdict = q.verdict; q.verdict == mobile.VerdictRefused {
			e.Reason, e.Code = "PARTNER_REFUSED", "8.2.5/3.7"
		}
		_, err = s.SettleEffect(ctx, e)
		return err
	})
}

// order keeps what an operator has decided.
func (m *matter) order(t *testing.T, choice mobile.Resolution, said string) string {
	t.Helper()
	c := store.Command{
		ID: uuid.NewString(), Tenant: m.a.Tenant, Activation: m.a.ID, ItemID: m.item.ID, Choice: choice, Said: said,
		By: mobile.Doer{Principal: mobile.PrincipalOperator, Actor: "Ann Lee", RequestID: uuid.NewString()},
	}
	m.tenant(t, func(ctx context.Context, s *store.Store) error {
		must(t, s.Audit(ctx, store.Deed{ID: c.ID, Tenant: m.a.Tenant, Method: "ResolveAction", Resource: string(m.a.ID)}))
		return s.FileCommand(ctx, c)
	})
	return c.ID
}

// take carries a command out, as a run does.
func (m *matter) take(t *testing.T, command string) mobile.Resolution {
	t.Helper()
	r := Record{DB: m.db}
	decided, err := r.TakeDecision(t.Context(), DecisionInput{
		Ref: Ref{Tenant: m.a.Tenant, Activation: m.a.ID, FollowUp: m.f.ID}, Command: command, RunID: "run-2", At: time.Now(),
	})
	must(t, err)
	return decided.Resolution
}

// books are what the record says.
type books struct {
	// Acts, Profiles and Mails are a line each.
	Acts, Profiles, Mails []string
	State                 mobile.State
	Cancelled             bool
	// Item says how it was settled; "open" while it is not.
	Item string
	// Outcome is what came of the command.
	Outcome string
}

func (m *matter) read(t *testing.T, command string) books {
	t.Helper()
	a := storetest.Read(t, m.db, m.a)
	b := books{State: a.State, Cancelled: !a.CancelRequested.IsZero(), Item: "open"}
	for _, item := range a.Items {
		if item.ID == m.item.ID && !item.Closed.IsZero() {
			b.Item = strings.TrimSpace(string(item.Resolution) + " " + item.Actor)
		}
	}
	m.lines(t, &b.Acts, `
		SELECT concat_ws(' ', act, generation, CASE verdict WHEN '' THEN 'open' ELSE verdict END, nullif(reference, ''),
		                 nullif(reason, ''), nullif(settled_by, ''))
		FROM effects ORDER BY act, generation`)
	m.lines(t, &b.Profiles, `
		SELECT concat_ws(' ', state, iccid, replace(nullif(order_reference, ''), $1, 'ID'))
		FROM profiles ORDER BY created_at, profile_id`, string(m.a.ID))
	m.lines(t, &b.Mails, `SELECT concat_ws(' ', state, nullif(message_id, '')) FROM notices`)
	var outcome []string
	m.lines(t, &outcome, `SELECT outcome FROM commands WHERE command_id = $1`, command)
	b.Outcome = outcome[0]
	return b
}

func (m *matter) lines(t *testing.T, into *[]string, sql string, args ...any) {
	t.Helper()
	rows, err := m.conn.Query(t.Context(), sql, args...)
	must(t, err)
	*into, err = pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
}

const (
	iccidSaid = "8901000000000000009"
	iccidHeld = "8901000000000000001"
	iccidOwn  = "8901000000000000002"
)

// Questions as they are asked on the way.
var (
	orderLost = asked{
		kind: mobile.ItemOutcomeUnknown, step: mobile.StepReserveESIM, act: mobile.ActOrderProfile,
		settle: mobile.SettleBlind, verdict: mobile.VerdictUnknown,
	}
	stockRefused = asked{
		kind: mobile.ItemStepRefused, step: mobile.StepReserveESIM, act: mobile.ActOrderProfile,
		settle: mobile.SettleKeyed, verdict: mobile.VerdictRefused, stock: true,
	}
	confirmRefused = asked{
		kind: mobile.ItemStepRefused, step: mobile.StepReserveESIM, act: mobile.ActConfirmProfile,
		settle: mobile.SettleKeyed, verdict: mobile.VerdictRefused, held: true,
	}
	mailLost = asked{
		kind: mobile.ItemOutcomeUnknown, step: mobile.StepSendActivationEmail, act: mobile.ActSendMail,
		settle: mobile.SettleEvidenced, verdict: mobile.VerdictUnknown, held: true, mail: true, live: true,
	}
	cancelRefused = asked{
		kind: mobile.ItemStepRefused, step: mobile.StepReserveESIM, act: mobile.ActCancelProfile,
		settle: mobile.SettleKeyed, verdict: mobile.VerdictRefused, held: true, undoing: true,
	}
	lineStuck = asked{
		kind: mobile.ItemStepStuck, step: mobile.StepActivateLine, act: mobile.ActActivateLine,
		settle: mobile.SettleKeyed, verdict: mobile.VerdictNotNow, held: true,
	}
	runLost = asked{kind: mobile.ItemRunLost}
)

func (q asked) with(change func(*asked)) asked {
	change(&q)
	return q
}

func beside(q *asked) {
	q.followUp, q.live = true, true
	switch {
	case q.act == mobile.ActSendMail:
		q.step = mobile.StepResendActivationEmail
	case q.step != "":
		q.step = mobile.StepReplaceProfile
	}
}

// What the record says after each decision, and after the same one once more.
func TestTakeDecision(t *testing.T) {
	t.Parallel()
	const running, undoing, own = mobile.StateRunning, mobile.StateUndoing, "RESERVED " + iccidHeld + " ordered"
	refusedMail := mailLost.with(func(q *asked) { q.kind, q.verdict = mobile.ItemStepRefused, mobile.VerdictRefused })
	lineDown := cancelRefused.with(func(q *asked) { q.step, q.act = mobile.StepActivateLine, mobile.ActDeactivateLine })
	for name, c := range map[string]struct {
		asked  asked
		choice mobile.Resolution
		said   string
		want   books
	}{
		"order lost/done": {orderLost, mobile.ResolutionDone, iccidSaid, books{
			Acts: []string{"order_profile 0 yes " + iccidSaid + " operator"}, Profiles: []string{"RESERVED " + iccidSaid + " ID/order_profile/0"},
			State: running,
		}},
		"order lost/send again": {orderLost, mobile.ResolutionSendAgain, "", books{
			Acts:     []string{"order_profile 0 refused WRITTEN_OFF operator", "order_profile 1 open"},
			Profiles: []string{"LEAKED ID/order_profile/0"}, State: running,
		}},
		"order lost/give up": {orderLost, mobile.ResolutionGiveUp, "", books{
			Acts: []string{"order_profile 0 refused WRITTEN_OFF operator"}, Profiles: []string{"LEAKED ID/order_profile/0"},
			State: running, Cancelled: true,
		}},
		"order died/send again": {orderLost.with(func(q *asked) { q.verdict = "" }), mobile.ResolutionSendAgain, "", books{
			Acts:     []string{"order_profile 0 refused WRITTEN_OFF operator", "order_profile 1 open"},
			Profiles: []string{"LEAKED ID/order_profile/0"}, State: running,
		}},
		"order lost, undoing/give up": {
			orderLost.with(func(q *asked) { q.undoing = true }), mobile.ResolutionGiveUp, "", books{
				Acts: []string{"order_profile 0 refused WRITTEN_OFF operator"}, Profiles: []string{"LEAKED ID/order_profile/0"},
				State: undoing,
			},
		},
		"order lost, beside/give up": {orderLost.with(beside), mobile.ResolutionGiveUp, "", books{
			Acts: []string{"order_profile 0 refused WRITTEN_OFF operator"}, Profiles: []string{"LEAKED ID/order_profile/0"}, State: running,
		}},
		"stock refused/send again": {stockRefused, mobile.ResolutionSendAgain, "", books{
			Acts:     []string{"order_profile 0 refused PARTNER_REFUSED", "order_profile 1 open"},
			Profiles: []string{"RETIRED " + iccidOwn}, State: running,
		}},
		"stock refused/give up": {stockRefused, mobile.ResolutionGiveUp, "", books{
			Acts: []string{"order_profile 0 refused PARTNER_REFUSED"}, Profiles: []string{"RESERVED " + iccidOwn}, State: running, Cancelled: true,
		}},
		// Where no stock was taken there is nothing to retire.
		"order by type refused, beside/send again": {
			stockRefused.with(beside).with(func(q *asked) { q.stock = false }), mobile.ResolutionSendAgain, "", books{
				Acts: []string{"order_profile 0 refused PARTNER_REFUSED", "order_profile 1 open"}, State: running,
			},
		},
		"confirm refused/send again": {confirmRefused, mobile.ResolutionSendAgain, "", books{
			Acts: []string{"confirm_profile 0 refused PARTNER_REFUSED", "confirm_profile 1 open"}, Profiles: []string{own}, State: running,
		}},
		"mail lost/done": {mailLost, mobile.ResolutionDone, "m-7", books{
			Acts: []string{"send_mail 0 yes m-7 operator"}, Profiles: []string{own}, Mails: []string{"SENT m-7"}, State: running,
		}},
		"mail lost/send again": {mailLost, mobile.ResolutionSendAgain, "", books{
			Acts: []string{"send_mail 0 unknown", "send_mail 1 open"}, Profiles: []string{own}, Mails: []string{"PREPARED"}, State: running,
		}},
		"mail refused/done": {refusedMail, mobile.ResolutionDone, "", books{
			Acts:     []string{"send_mail 0 refused PARTNER_REFUSED", "send_mail 1 yes operator"},
			Profiles: []string{own}, Mails: []string{"SENT"}, State: running,
		}},
		"mail refused, beside/give up": {refusedMail.with(beside), mobile.ResolutionGiveUp, "", books{
			Acts: []string{"send_mail 0 refused PARTNER_REFUSED"}, Profiles: []string{own}, Mails: []string{"PREPARED"}, State: running,
		}},
		"cancel refused/done": {cancelRefused, mobile.ResolutionDone, "", books{
			Acts:     []string{"cancel_profile 0 refused PARTNER_REFUSED", "cancel_profile 1 yes operator"},
			Profiles: []string{"RETIRED " + iccidHeld + " ordered"}, State: undoing,
		}},
		"cancel refused/send again": {cancelRefused, mobile.ResolutionSendAgain, "", books{
			Acts: []string{"cancel_profile 0 refused PARTNER_REFUSED", "cancel_profile 1 open"}, Profiles: []string{own}, State: undoing,
		}},
		"cancel refused/end": {cancelRefused, mobile.ResolutionEndAsFailed, "", books{
			Acts: []string{"cancel_profile 0 refused PARTNER_REFUSED"}, Profiles: []string{own}, State: undoing,
		}},
		"cancel stuck/done": {
			cancelRefused.with(func(q *asked) { q.kind, q.verdict = mobile.ItemStepStuck, mobile.VerdictNotNow }), mobile.ResolutionDone, "",
			books{Acts: []string{"cancel_profile 0 yes operator"}, Profiles: []string{"RETIRED " + iccidHeld + " ordered"}, State: undoing},
		},
		"line not down/done": {lineDown, mobile.ResolutionDone, "", books{
			Acts:     []string{"deactivate_line 0 refused PARTNER_REFUSED", "deactivate_line 1 yes operator"},
			Profiles: []string{own}, State: undoing,
		}},
		"line stuck/give up": {lineStuck, mobile.ResolutionGiveUp, "", books{
			Acts: []string{"activate_line 0 not_now"}, Profiles: []string{own}, State: running, Cancelled: true,
		}},
		"SIM refused, beside/send again": {
			confirmRefused.with(beside).with(func(q *asked) { q.act = mobile.ActChangeSIM }), mobile.ResolutionSendAgain, "", books{
				Acts: []string{"change_sim 0 refused PARTNER_REFUSED", "change_sim 1 open"}, Profiles: []string{own}, State: running,
			},
		},
		"run lost/go on":   {runLost, mobile.ResolutionGoOn, "", books{State: running}},
		"run lost/give up": {runLost, mobile.ResolutionGiveUp, "", books{State: running, Cancelled: true}},
		"run lost, undoing/give up": {
			runLost.with(func(q *asked) { q.undoing = true }), mobile.ResolutionGiveUp, "", books{State: undoing, Cancelled: true},
		},
		"run lost, beside/go on": {runLost.with(beside), mobile.ResolutionGoOn, "", books{State: running}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := ask(t, c.asked)
			command := m.order(t, c.choice, c.said)
			c.want.Item, c.want.Outcome = string(c.choice)+" Ann Lee", "DONE"

			for range 2 {
				if got := m.take(t, command); got != c.choice {
					t.Errorf("decided %q", got)
				}
			}

			got := m.read(t, command)
			if diff := cmp.Diff(c.want, got, nilIsEmpty); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// nilIsEmpty compares lists by what is in them.
var nilIsEmpty = cmp.Transformer("count", func(list []string) map[string]string {
	all := make(map[string]string, len(list))
	for i, text := range list {
		all[strconv.Itoa(i)] = text
	}
	return all
})

// Whoever goes on in a lost run's place holds what that held.
func TestTakeDecision_ClaimsTheRun(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]asked{"own": runLost, "beside": runLost.with(beside)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := ask(t, q)
			m.take(t, m.order(t, mobile.ResolutionGoOn, ""))

			var own, besides string
			own = storetest.Read(t, m.db, m.a).RunID
			if q.followUp {
				m.tenant(t, func(ctx context.Context, s *store.Store) error {
					f, err := s.FollowUp(ctx, m.a.Tenant, m.f.ID)
					besides = f.RunID
					return err
				})
			}
			if q.followUp && (own != "" || besides != "run-2") || !q.followUp && own != "run-2" {
				t.Errorf("the run holds %q, the follow-up's %q", own, besides)
			}
		})
	}
}

// What settled itself meanwhile is not decided: nothing is done, and the same command never
// does anything later.
func TestTakeDecision_Overtaken(t *testing.T) {
	t.Parallel()
	witness := func(verdict mobile.Verdict) func(*testing.T, *matter) {
		return func(t *testing.T, m *matter) {
			t.Helper()
			m.tenant(t, func(ctx context.Context, s *store.Store) error {
				e, _, err := s.Effect(ctx, mobile.Effect{Tenant: m.a.Tenant, Activation: m.a.ID, FollowUp: m.f.ID, Act: m.item.Act})
				must(t, err)
				e.Verdict = verdict
				_, err = s.WitnessEffect(ctx, e, store.WitnessEvidence)
				return err
			})
		}
	}
	live := func(t *testing.T, m *matter) {
		t.Helper()
		m.tenant(t, func(ctx context.Context, s *store.Store) error {
			return s.RecordLive(ctx, m.a.Tenant, m.a.ID, time.Now())
		})
	}
	closed := func(t *testing.T, m *matter) {
		t.Helper()
		m.take(t, m.order(t, mobile.ResolutionGiveUp, ""))
	}
	for name, c := range map[string]struct {
		asked    asked
		choice   mobile.Resolution
		meantime func(*testing.T, *matter)
	}{
		"the order was answered after all":   {orderLost, mobile.ResolutionSendAgain, witness(mobile.VerdictYes)},
		"the order was refused after all":    {orderLost, mobile.ResolutionDone, witness(mobile.VerdictRefused)},
		"the mail was delivered":             {mailLost, mobile.ResolutionSendAgain, witness(mobile.VerdictYes)},
		"the line came up":                   {lineStuck, mobile.ResolutionGiveUp, live},
		"the line of a lost run came up":     {runLost, mobile.ResolutionGiveUp, live},
		"somebody else decided before":       {orderLost, mobile.ResolutionSendAgain, closed},
		"the order of a replacement is here": {orderLost.with(beside), mobile.ResolutionGiveUp, witness(mobile.VerdictYes)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := ask(t, c.asked)
			command := m.order(t, c.choice, iccidSaid)
			c.meantime(t, m)
			want := m.read(t, command)
			want.Outcome = "OVERTAKEN"

			for range 2 {
				if got := m.take(t, command); got != "" {
					t.Errorf("decided %q", got)
				}
			}

			if diff := cmp.Diff(want, m.read(t, command), nilIsEmpty); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// An ICCID that another activation holds cannot be ours: nothing changes, the question stays
// open, and another answer is taken.
func TestTakeDecision_ICCIDTaken(t *testing.T) {
	t.Parallel()
	m := ask(t, orderLost)
	other := storetest.Launched(t, m.db)
	must(t, m.db.InTenant(t.Context(), other.Tenant, func(s *store.Store) error {
		return reserve(t.Context(), s, other, "", iccidSaid)
	}))
	command := m.order(t, mobile.ResolutionDone, iccidSaid)
	want := m.read(t, command)
	want.Outcome = "REFUSED"

	for range 2 {
		if got := m.take(t, command); got != "" {
			t.Errorf("decided %q", got)
		}
	}

	if diff := cmp.Diff(want, m.read(t, command), nilIsEmpty); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	again := m.order(t, mobile.ResolutionDone, iccidOwn)
	if got := m.take(t, again); got != mobile.ResolutionDone {
		t.Errorf("the other answer: %q", got)
	}
	if got := m.read(t, again); got.Item != "DONE Ann Lee" {
		t.Errorf("%+v", got)
	}
}

// What is written off is listed for whoever settles it with the SM-DP+'s owner.
func TestTakeDecision_Leaked(t *testing.T) {
	t.Parallel()
	m := ask(t, orderLost)
	m.take(t, m.order(t, mobile.ResolutionSendAgain, ""))

	var detail, leakedFor string
	var held bool
	must(t, m.conn.QueryRow(t.Context(), `
		SELECT detail, leaked_for::text, activation_id IS NOT NULL FROM profiles WHERE state = 'LEAKED'`).Scan(&detail, &leakedFor, &held))
	if leakedFor != string(m.a.ID) || held || !strings.Contains(detail, "wrote it off") {
		t.Errorf("leaked for %s, held %t: %q", leakedFor, held, detail)
	}
	if a := storetest.Read(t, m.db, m.a); a.Profile != nil {
		t.Errorf("the activation holds %+v", a.Profile)
	}
}
