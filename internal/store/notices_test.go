package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// prepare keeps a notice of an activation and gives its id.
func prepare(t *testing.T, db *store.DB, a mobile.Activation, message string) string {
	t.Helper()
	id := newID()
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		return s.PrepareNotice(ctx, a.Tenant, a.ID, noticeOf(id), []byte(message))
	})
	return id
}

func TestPrepareNotice_FirstMessageStays(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	err := db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		_, _, err := s.Notice(t.Context(), a.Tenant, a.ID, mobile.NoticeActivation)
		return err
	})
	if !errors.Is(err, store.ErrNoticeNotFound) {
		t.Errorf("before: %v", err)
	}

	first := prepare(t, db, a, "the first bytes")
	prepare(t, db, a, "other bytes")

	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		got, message, err := s.Notice(ctx, a.Tenant, a.ID, mobile.NoticeActivation)
		if got.ID != first || got.State != mobile.NoticePrepared || string(message) != "the first bytes" {
			t.Errorf("notice %s %s says %q", got.ID, got.State, message)
		}
		return err
	})
}

// What SendGrid says arrives in any order and more than once.
func TestNotice_Story(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	conn := d.Connect(t)
	const sent, delivered, bounced = mobile.NoticeSent, mobile.NoticeDelivered, mobile.NoticeBounced
	for name, c := range map[string]struct {
		story []mobile.NoticeState
		want  mobile.NoticeState
		told  []mobile.EventType
	}{
		"sent":                     {[]mobile.NoticeState{sent}, sent, []mobile.EventType{mobile.EventNoticeSent}},
		"sent twice":               {[]mobile.NoticeState{sent, sent}, sent, []mobile.EventType{mobile.EventNoticeSent}},
		"delivered":                {[]mobile.NoticeState{sent, delivered}, delivered, []mobile.EventType{mobile.EventNoticeSent, mobile.EventNoticeDelivered}},
		"delivered twice":          {[]mobile.NoticeState{sent, delivered, delivered}, delivered, []mobile.EventType{mobile.EventNoticeSent, mobile.EventNoticeDelivered}},
		"bounced":                  {[]mobile.NoticeState{sent, bounced}, bounced, []mobile.EventType{mobile.EventNoticeSent, mobile.EventNoticeBounced, mobile.EventItemOpened}},
		"bounced after delivery":   {[]mobile.NoticeState{sent, delivered, bounced}, bounced, []mobile.EventType{mobile.EventNoticeSent, mobile.EventNoticeDelivered, mobile.EventNoticeBounced, mobile.EventItemOpened}},
		"delivered after a bounce": {[]mobile.NoticeState{sent, bounced, delivered, bounced}, bounced, []mobile.EventType{mobile.EventNoticeSent, mobile.EventNoticeBounced, mobile.EventItemOpened}},
		"delivered before sent":    {[]mobile.NoticeState{delivered, sent}, delivered, []mobile.EventType{mobile.EventNoticeDelivered, mobile.EventNoticeSent}},
		"bounced before sent":      {[]mobile.NoticeState{bounced, sent, delivered}, bounced, []mobile.EventType{mobile.EventNoticeBounced, mobile.EventItemOpened, mobile.EventNoticeSent}},
	} {
		t.Run(name, func(t *testing.T) {
			a := storetest.Activation(t, d.DB, storetest.Subscription(t, d.DB, tenant))
			id := prepare(t, d.DB, a, "a message")
			before := len(feed(t, conn, a.ID))

			for _, word := range c.story {
				systemly(t, d.DB, func(ctx context.Context, s *store.Store) error {
					if word == sent {
						return s.NoticeSent(ctx, a, noticeOf(id), "message-1")
					}
					known, err := s.SettleNotice(ctx, id, word, "BOUNCE 5.1.1")
					if !known {
						t.Errorf("%s: the notice is not known", word)
					}
					return err
				})
			}

			got := storetest.Read(t, d.DB, a)
			if len(got.Notices) != 1 || got.Notices[0].State != c.want {
				t.Errorf("notices %v, want one that is %s", got.Notices, c.want)
			}
			var told []mobile.EventType
			for _, kind := range feed(t, conn, a.ID)[before:] {
				told = append(told, mobile.EventType(kind))
			}
			if diff := cmp.Diff(c.told, told); diff != "" {
				t.Errorf("the feed: -want +got\n%s", diff)
			}
			asked := 0
			if c.want == bounced {
				asked = 1
			}
			if len(got.Items) != asked || asked == 1 && (got.Items[0].Kind != mobile.ItemMailNotDelivered || got.Items[0].Detail != "BOUNCE 5.1.1") {
				t.Errorf("an operator was asked: %v", got.Items)
			}
			if asked == 0 && got.Revision != a.Revision {
				t.Errorf("delivery moved the revision to %d", got.Revision)
			}
		})
	}
}

// A mail may bounce days after the activation has ended.
func TestSettleNotice_AfterTheEnd(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	id := prepare(t, db, a, "a message")
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.End(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateFailed, At: noon})
		return err
	})

	systemly(t, db, func(ctx context.Context, s *store.Store) error {
		_, err := s.SettleNotice(ctx, id, mobile.NoticeBounced, "BOUNCE")
		return err
	})

	if got := storetest.Read(t, db, a); got.State != mobile.StateFailed || len(got.Items) != 1 {
		t.Errorf("%s with items %v", got.State, got.Items)
	}
}

func TestSettleNotice_Stranger(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	for _, id := range []string{
		"", "not-a-uuid", newID(), "urn:uuid:" + newID(), "{" + newID() + "}", "01890a5d-ac96-774b-bcce-b302099a805Z",
	} {
		systemly(t, db, func(ctx context.Context, s *store.Store) error {
			known, err := s.SettleNotice(ctx, id, mobile.NoticeDelivered, "")
			if known {
				t.Errorf("%q is known", id)
			}
			return err
		})
	}
}

func TestOpenItem_AsksOnce(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	ask := func(kind mobile.ItemKind, step mobile.StepName) {
		tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
			return s.OpenItem(ctx, a.Tenant, mobile.Item{Activation: a.ID, Kind: kind, Step: step, Detail: "look"})
		})
	}

	ask(mobile.ItemStepStuck, mobile.StepReserveESIM)
	ask(mobile.ItemStepStuck, mobile.StepReserveESIM)
	ask(mobile.ItemStepStuck, mobile.StepActivateLine)
	ask(mobile.ItemNumberAtRisk, "")

	got := storetest.Read(t, db, a)
	if len(got.Items) != 3 || got.Revision != a.Revision+3 {
		t.Errorf("%d items at revision %d", len(got.Items), got.Revision)
	}
	if last := got.Items[2]; last.Severity != mobile.SeverityAtRisk {
		t.Errorf("a number at risk is %s", last.Severity)
	}
}
