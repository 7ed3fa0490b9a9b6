package store_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// saidAt is SendGrid's time of an event.
var saidAt = noon.Add(-time.Minute)

// hear takes an event of SendGrid's about a notice.
func hear(t *testing.T, db *store.DB, id string, state mobile.NoticeState) {
	t.Helper()
	var why string
	if state == mobile.NoticeBounced {
		why = "BOUNCE 5.1.1"
	}
	systemly(t, db, func(ctx context.Context, s *store.Store) error {
		known, err := s.HearOfNotice(ctx, store.NoticeWord{Notice: id, State: state, Reason: why, MessageID: "m-1", At: saidAt})
		if !known {
			t.Errorf("%s: the notice is not known", state)
		}
		return err
	})
}

// accepted writes SendGrid's 202.
func accepted(t *testing.T, db *store.DB, a mobile.Activation, id string) {
	t.Helper()
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		return s.NoticeSent(ctx, a, noticeOf(id), "m-1")
	})
}

// noWord lets a time pass without a word.
func noWord(t *testing.T, d *storetest.Database, after time.Duration) (found int) {
	t.Helper()
	db := d.Open(t, storetest.Config{Now: func() time.Time { return time.Now().Add(after) }})
	systemly(t, db, func(ctx context.Context, s *store.Store) (err error) {
		found, err = s.NoWord(ctx, 24*time.Hour, 100)
		return err
	})
	return found
}

// mailItems are what operators are asked about mail, open ones first.
func mailItems(t *testing.T, db *store.DB, a mobile.Activation) []mobile.Item {
	t.Helper()
	return slices.DeleteFunc(storetest.Read(t, db, a).Items, func(i mobile.Item) bool {
		return i.Kind != mobile.ItemMailNotDelivered
	})
}

func openOnes(items []mobile.Item) (open int) {
	for _, i := range items {
		if i.Closed.IsZero() {
			open++
		}
	}
	return open
}

// What SendGrid says arrives in any order, more than once, and before its own 202 is written.
// The feed tells "sent" first, and each thing once.
func TestNotice_Story(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	conn := d.Connect(t)
	const sent, processed, delivered, bounced, silence = mobile.NoticeSent, "", mobile.NoticeDelivered, mobile.NoticeBounced, mobile.NoticeNoWord
	const tSent, tDelivered, tBounced, tNoWord = mobile.EventNoticeSent, mobile.EventNoticeDelivered, mobile.EventNoticeBounced, mobile.EventNoticeNoWord
	const tOpened, tClosed = mobile.EventItemOpened, mobile.EventItemClosed
	type words []mobile.NoticeState
	type told []mobile.EventType
	for name, c := range map[string]struct {
		story words
		want  mobile.NoticeState
		told  told
	}{
		"sent":                       {words{sent}, sent, told{tSent}},
		"sent twice":                 {words{sent, sent}, sent, told{tSent}},
		"processed":                  {words{sent, processed}, sent, told{tSent}},
		"processed before sent":      {words{processed, sent}, sent, told{tSent}},
		"delivered":                  {words{sent, delivered}, delivered, told{tSent, tDelivered}},
		"delivered twice":            {words{sent, delivered, delivered}, delivered, told{tSent, tDelivered}},
		"bounced":                    {words{sent, bounced}, bounced, told{tSent, tBounced, tOpened}},
		"bounced twice":              {words{sent, bounced, bounced}, bounced, told{tSent, tBounced, tOpened}},
		"bounced after delivery":     {words{sent, delivered, bounced}, bounced, told{tSent, tDelivered, tBounced, tOpened}},
		"delivered after a bounce":   {words{sent, bounced, delivered, bounced}, bounced, told{tSent, tBounced, tOpened}},
		"delivered before sent":      {words{delivered, sent}, delivered, told{tSent, tDelivered}},
		"bounced before sent":        {words{bounced, sent, delivered}, bounced, told{tSent, tBounced, tOpened}},
		"no word":                    {words{sent, silence, silence}, silence, told{tSent, tNoWord, tOpened}},
		"no word, then delivered":    {words{sent, silence, delivered}, delivered, told{tSent, tNoWord, tOpened, tDelivered, tClosed}},
		"no word, then bounced":      {words{sent, silence, bounced}, bounced, told{tSent, tNoWord, tOpened, tBounced}},
		"no word, then still trying": {words{sent, silence, processed}, silence, told{tSent, tNoWord, tOpened}},
		"never sent":                 {words{silence}, mobile.NoticePrepared, nil},
		"a word in time":             {words{sent, delivered, silence}, delivered, told{tSent, tDelivered}},
	} {
		t.Run(name, func(t *testing.T) {
			a := storetest.Activation(t, d.DB, storetest.Subscription(t, d.DB, tenant))
			id := prepare(t, d.DB, a, "a message")
			before := len(feed(t, conn, a.ID))

			for _, word := range c.story {
				switch word {
				case sent:
					accepted(t, d.DB, a, id)
				case silence:
					noWord(t, d, 25*time.Hour)
				default:
					hear(t, d.DB, id, word)
				}
			}

			got := storetest.Read(t, d.DB, a)
			if len(got.Notices) != 1 || got.Notices[0].State != c.want {
				t.Errorf("notices %v, want one that is %s", got.Notices, c.want)
			}
			var heard told
			for _, kind := range feed(t, conn, a.ID)[before:] {
				heard = append(heard, mobile.EventType(kind))
			}
			if diff := cmp.Diff(c.told, heard); diff != "" {
				t.Errorf("the feed: -want +got\n%s", diff)
			}
			checkAsked(t, d.DB, a, c.want)
		})
	}
}

// checkAsked: an operator is asked about what bounced, or is silent, and about nothing else.
func checkAsked(t *testing.T, db *store.DB, a mobile.Activation, state mobile.NoticeState) {
	t.Helper()
	why := map[mobile.NoticeState]string{
		mobile.NoticeBounced: "BOUNCE 5.1.1",
		mobile.NoticeNoWord:  "No word for 24 h: SendGrid has not said whether it was delivered.",
	}[state]
	items := mailItems(t, db, a)
	if why == "" {
		if openOnes(items) != 0 {
			t.Errorf("an operator is asked: %v", items)
		}
		if got := storetest.Read(t, db, a); len(items) == 0 && got.Revision != a.Revision {
			t.Errorf("delivery moved the revision to %d", got.Revision)
		}
		return
	}
	if openOnes(items) != 1 || items[0].Detail != why {
		t.Errorf("an operator is asked %v, want %q", items, why)
	}
}

// What the events of the feed say of the notice agrees with their place.
func TestNotice_FeedSaysItsState(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	id := prepare(t, d.DB, a, "a message")

	hear(t, d.DB, id, mobile.NoticeDelivered)
	accepted(t, d.DB, a, id)
	hear(t, d.DB, id, mobile.NoticeBounced)

	got := ask[[]string](t, d.Connect(t), `
		SELECT array_agg(type || ' ' || (data->>'notice_state') ORDER BY position)
		FROM events
		WHERE activation_id = $1 AND type LIKE 'notice.%'`, a.ID)
	want := []string{"notice.sent SENT", "notice.delivered DELIVERED", "notice.bounced BOUNCED"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if n := storetest.Read(t, d.DB, a).Notices[0]; !n.Sent.Equal(saidAt) {
		t.Errorf("sent at %s, want the event's own time", n.Sent)
	}
}

// A mail may bounce, or stay silent, days after the activation has ended.
func TestNotice_AfterTheEnd(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	for name, happens := range map[string]func(string){
		"bounced": func(id string) { hear(t, d.DB, id, mobile.NoticeBounced) },
		"no word": func(string) { noWord(t, d, 25*time.Hour) },
	} {
		a := storetest.Launched(t, d.DB)
		id := prepare(t, d.DB, a, "a message")
		accepted(t, d.DB, a, id)
		end(t, d.DB, a)

		happens(id)

		if got := storetest.Read(t, d.DB, a); got.State != mobile.StateFailed || openOnes(got.Items) != 1 {
			t.Errorf("%s: %s with items %v", name, got.State, got.Items)
		}
	}
}

// Of several mails the last one sent decides whether an operator is asked.
func TestNotice_Resent(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	for name, c := range map[string]struct {
		// Each word is of the first mail or of the second, as "1 BOUNCED" and "2 SENT".
		story []string
		open  int
		items int
	}{
		"a resend deals with a bounce":             {[]string{"1 SENT", "1 BOUNCED", "2 SENT"}, 0, 1},
		"and arrives":                              {[]string{"1 SENT", "1 BOUNCED", "2 SENT", "2 DELIVERED"}, 0, 1},
		"and bounces too":                          {[]string{"1 SENT", "1 BOUNCED", "2 SENT", "2 BOUNCED"}, 1, 2},
		"a resend that is not accepted yet":        {[]string{"1 SENT", "1 BOUNCED"}, 1, 1},
		"the first arrives after all":              {[]string{"1 SENT", "2 SENT", "2 BOUNCED", "1 DELIVERED"}, 1, 1},
		"the first bounces while the second flies": {[]string{"1 SENT", "2 SENT", "1 BOUNCED"}, 0, 0},
		"the first bounces, the second arrived":    {[]string{"1 SENT", "2 SENT", "2 DELIVERED", "1 BOUNCED"}, 0, 0},
		"the first is found out late":              {[]string{"2 SENT", "2 BOUNCED", "1 SENT"}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			a := storetest.Activation(t, d.DB, storetest.Subscription(t, d.DB, tenant))
			ids := map[byte]string{
				'1': prepare(t, d.DB, a, "a message"), '2': prepareFor(t, d.DB, a, resend(t, d.DB, a).ID, "a message"),
			}

			for _, word := range c.story {
				if state := mobile.NoticeState(word[2:]); state == mobile.NoticeSent {
					accepted(t, d.DB, a, ids[word[0]])
				} else {
					hear(t, d.DB, ids[word[0]], state)
				}
			}

			items := mailItems(t, d.DB, a)
			if openOnes(items) != c.open || len(items) != c.items {
				t.Errorf("asked %v, want %d, %d of them open", items, c.items, c.open)
			}
		})
	}
}

func TestHearOfNotice_Stranger(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	for _, id := range []string{
		"", "not-a-uuid", newID(), "urn:uuid:" + newID(), "{" + newID() + "}", "01890a5d-ac96-774b-bcce-b302099a805Z",
	} {
		systemly(t, db, func(ctx context.Context, s *store.Store) error {
			known, err := s.HearOfNotice(ctx, store.NoticeWord{Notice: id, State: mobile.NoticeDelivered})
			if known {
				t.Errorf("%q is known", id)
			}
			return err
		})
	}
}

// sending makes the effect that sends a notice, as far as its first attempt.
func sending(t *testing.T, db *store.DB, a mobile.Activation, notice string, of mobile.FollowUpID) (e mobile.Effect) {
	t.Helper()
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		e, err = s.LockEffect(ctx, mobile.Effect{
			Tenant: a.Tenant, Activation: a.ID, FollowUp: of, Act: mobile.ActSendMail,
			Partner: mobile.PartnerSendGrid, Settle: mobile.SettleEvidenced,
		})
		must(t, err)
		e.Subject = notice
		e, err = s.SendEffect(ctx, e)
		return err
	})
	return e
}

// wakes counts the wake-ups that were filed for a run.
func wakes(t *testing.T, conn *pgx.Conn, a mobile.Activation, of mobile.FollowUpID) int {
	t.Helper()
	return ask[int](t, conn, `
		SELECT count(*)
		FROM outbox
		WHERE activation_id = $1 AND kind = 'INTAKE' AND coalesce(follow_up_id::text, '') = $2`, a.ID, of)
}

// Any event about a mail proves that SendGrid has it: a sending whose answer was lost is
// settled, the run that waits for that is woken, and the attempt's own word comes too late.
func TestHearOfNotice_SettlesTheSending(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	for name, c := range map[string]struct {
		followUp, ended, followUpEnded, unnamed bool
		verdict                                 mobile.Verdict
		woken                                   int
	}{
		"under way":                              {woken: 1},
		"unknown":                                {verdict: mobile.VerdictUnknown, woken: 1},
		"not now":                                {verdict: mobile.VerdictNotNow, woken: 1},
		"made before effects named their notice": {unnamed: true, woken: 1},
		"after the end":                          {ended: true},
		"of a follow-up":                         {followUp: true, ended: true, verdict: mobile.VerdictUnknown, woken: 1},
		"of a follow-up that has ended":          {followUp: true, followUpEnded: true},
	} {
		t.Run(name, func(t *testing.T) {
			a := storetest.Launched(t, d.DB)
			var f mobile.FollowUp
			if c.followUp {
				f = resend(t, d.DB, a)
			}
			notice := prepareFor(t, d.DB, a, f.ID, "a message")
			about := notice
			if c.unnamed {
				about = ""
			}
			effect := sending(t, d.DB, a, about, f.ID)
			settle := func(verdict mobile.Verdict) (ours bool) {
				tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) (err error) {
					late := effect
					late.Verdict = verdict
					ours, err = s.SettleEffect(ctx, late)
					return err
				})
				return ours
			}
			if c.verdict != "" {
				settle(c.verdict)
			}
			if c.ended {
				end(t, d.DB, a)
			}
			if c.followUpEnded {
				tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
					return s.EndFollowUp(ctx, f, mobile.FollowUpGivenUp, noon)
				})
			}

			hear(t, d.DB, notice, "")
			hear(t, d.DB, notice, mobile.NoticeDelivered)

			got := ask[string](t, conn, `SELECT verdict || ' ' || reference || ' ' || settled_by FROM effects WHERE effect_id = $1`, effect.ID)
			if got != "yes m-1 evidence" {
				t.Errorf("the effect is %q", got)
			}
			if settle(mobile.VerdictUnknown) {
				t.Error("the attempt's own word counted after the evidence")
			}
			if n := wakes(t, conn, a, f.ID); n != c.woken {
				t.Errorf("the run is woken %d times, want %d", n, c.woken)
			}
		})
	}
}

// What is settled is not settled again, and nobody is woken for it.
func TestHearOfNotice_SettledBefore(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	notice := prepare(t, d.DB, a, "a message")
	effect := sending(t, d.DB, a, notice, "")
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		effect.Verdict, effect.Reference = mobile.VerdictYes, "m-0"
		_, err := s.SettleEffect(ctx, effect)
		must(t, err)
		return s.NoticeSent(ctx, a, noticeOf(notice), "m-0")
	})

	hear(t, d.DB, notice, mobile.NoticeDelivered)

	conn := d.Connect(t)
	if got := ask[string](t, conn, `SELECT reference || settled_by FROM effects WHERE effect_id = $1`, effect.ID); got != "m-0" {
		t.Errorf("the effect is %q", got)
	}
	if n := wakes(t, conn, a, ""); n != 0 {
		t.Errorf("the run is woken %d times", n)
	}
}

// SendGrid's answer and its events are written at the same moment, in every order.
func TestHearOfNotice_RacesTheAnswer(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	tenant := storetest.Tenant(t, d.DB)
	for range 15 {
		a := storetest.Activation(t, d.DB, storetest.Subscription(t, d.DB, tenant))
		notice := prepare(t, d.DB, a, "a message")
		effect := sending(t, d.DB, a, notice, "")
		effect.Verdict, effect.Reference = mobile.VerdictYes, "m-1"

		var all sync.WaitGroup
		all.Go(func() {
			err := d.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
				ours, err := s.SettleEffect(t.Context(), effect)
				if err != nil || !ours {
					return err
				}
				return s.NoticeSent(t.Context(), a, noticeOf(notice), "m-1")
			})
			if err != nil {
				t.Error(err)
			}
		})
		for _, state := range []mobile.NoticeState{"", mobile.NoticeDelivered} {
			all.Go(func() {
				err := d.InSystem(t.Context(), func(s *store.Store) error {
					_, err := s.HearOfNotice(t.Context(), store.NoticeWord{Notice: notice, State: state, MessageID: "m-1", At: saidAt})
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()

		told := slices.DeleteFunc(feed(t, conn, a.ID), func(kind string) bool { return kind[:6] != "notice" })
		if diff := cmp.Diff([]string{"notice.sent", "notice.delivered"}, told); diff != "" {
			t.Fatalf("the feed: -want +got\n%s", diff)
		}
		if got := ask[string](t, conn, `SELECT verdict FROM effects WHERE effect_id = $1`, effect.ID); got != "yes" {
			t.Fatalf("the effect is %q", got)
		}
	}
}

// Only what is old enough and silent is moved, the oldest first, in batches.
func TestNoWord(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	var ids []string
	for range 3 {
		id := prepareFor(t, d.DB, a, resend(t, d.DB, a).ID, "a message")
		accepted(t, d.DB, a, id)
		ids = append(ids, id)
	}
	prepared := prepareFor(t, d.DB, a, resend(t, d.DB, a).ID, "a message")

	if n := noWord(t, d, 23*time.Hour); n != 0 {
		t.Errorf("%d moved within the day", n)
	}
	db := d.Open(t, storetest.Config{Now: func() time.Time { return time.Now().Add(25 * time.Hour) }})
	var moved []int
	for range 3 {
		systemly(t, db, func(ctx context.Context, s *store.Store) error {
			n, err := s.NoWord(ctx, 24*time.Hour, 2)
			moved = append(moved, n)
			return err
		})
	}

	if diff := cmp.Diff([]int{2, 1, 0}, moved); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	states := map[string]mobile.NoticeState{}
	for _, n := range storetest.Read(t, d.DB, a).Notices {
		states[n.ID] = n.State
	}
	for _, id := range ids {
		if states[id] != mobile.NoticeNoWord {
			t.Errorf("%s is %s", id, states[id])
		}
	}
	if states[prepared] != mobile.NoticePrepared {
		t.Errorf("one that was never sent is %s", states[prepared])
	}
}

// Two relays look at the same moment, while words arrive: each notice is moved once.
func TestNoWord_AtOnce(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	late := d.Open(t, storetest.Config{Now: func() time.Time { return time.Now().Add(25 * time.Hour) }})
	tenant := storetest.Tenant(t, d.DB)
	sent := map[string]mobile.Activation{}
	for range 6 {
		a := storetest.Activation(t, d.DB, storetest.Subscription(t, d.DB, tenant))
		id := prepare(t, d.DB, a, "a message")
		accepted(t, d.DB, a, id)
		sent[id] = a
	}
	var all sync.WaitGroup
	for id := range sent {
		all.Go(func() {
			err := late.InSystem(t.Context(), func(s *store.Store) error {
				_, err := s.HearOfNotice(t.Context(), store.NoticeWord{Notice: id, State: mobile.NoticeDelivered, At: saidAt})
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range 2 {
		all.Go(func() {
			err := late.InSystem(t.Context(), func(s *store.Store) error {
				_, err := s.NoWord(t.Context(), 24*time.Hour, 100)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	conn := d.Connect(t)
	for id, a := range sent {
		if got := storetest.Read(t, d.DB, a).Notices[0]; got.ID != id || got.State != mobile.NoticeDelivered {
			t.Errorf("the mail is %s", got.State)
		}
		if openOnes(mailItems(t, d.DB, a)) != 0 {
			t.Error("an operator is asked about a mail that arrived")
		}
		if n := ask[int](t, conn, `SELECT count(*) FROM events WHERE activation_id = $1 AND type = 'notice.no_word'`, a.ID); n > 1 {
			t.Errorf("the feed says %d times that there is no word", n)
		}
	}
}
