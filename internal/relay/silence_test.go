package relay_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/relay"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// mailed launches an activation whose mail SendGrid has accepted.
func mailed(t *testing.T, db *store.DB, tenant mobile.Tenant) mobile.Activation {
	t.Helper()
	a := storetest.Activation(t, db, storetest.Subscription(t, db, tenant))
	n := mobile.Notice{ID: uuid.Must(uuid.NewV7()).String(), Kind: mobile.NoticeActivation}
	must(t, db.InTenant(t.Context(), tenant.ID, func(s *store.Store) error {
		if err := s.PrepareNotice(t.Context(), tenant.ID, a.ID, n, []byte("mail")); err != nil {
			return err
		}
		return s.NoticeSent(t.Context(), a, n, "m-1")
	}))
	return a
}

// untilSilent returns once the feed has told n times that there is no word.
func untilSilent(t *testing.T, db *store.DB, tenant mobile.Tenant, n int) {
	t.Helper()
	watch := db.NewWatch()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); watch.Run(ctx, nil) }()
	defer func() { cancel(); <-done }()
	changed, stop := watch.Subscribe(store.FeedTopic(tenant.ID))
	defer stop()
	for {
		var page store.FeedPage
		must(t, db.InTenant(ctx, tenant.ID, func(s *store.Store) (err error) {
			page, err = s.ListEvents(ctx, tenant.ID, store.EventFilter{Types: []string{string(mobile.EventNoticeNoWord)}}, 200)
			return err
		}))
		if len(page.Events) >= n {
			return
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatal("the test ended first")
		}
	}
}

// Mails without a word for a day ask an operator, however many they are; younger ones do not.
func TestRelay_NoWord(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(time.Now())
	d := storetest.Make(t, storetest.Config{Now: clock.Now})
	tenant := storetest.Tenant(t, d.DB)
	const many = 60 // more than one transaction takes
	silent := make([]mobile.Activation, many)
	for i := range silent {
		silent[i] = mailed(t, d.DB, tenant)
	}
	clock.Advance(23 * time.Hour)
	young := mailed(t, d.DB, tenant)
	clock.Advance(2 * time.Hour)

	start(t, relay.Config{DB: d.DB, Engine: newEngine(), Every: never})
	untilSilent(t, d.DB, tenant, many)

	for _, a := range silent {
		got := storetest.Read(t, d.DB, a)
		if got.Notices[0].State != mobile.NoticeNoWord || len(got.Items) != 1 || got.Items[0].Kind != mobile.ItemMailNotDelivered {
			t.Fatalf("the mail is %s, and an operator is asked %v", got.Notices[0].State, got.Items)
		}
	}
	if got := storetest.Read(t, d.DB, young); got.Notices[0].State != mobile.NoticeSent || len(got.Items) != 0 {
		t.Errorf("a mail of two hours ago is %s", got.Notices[0].State)
	}
}

// It looks again and again, by itself.
func TestRelay_NoWordLater(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	start(t, relay.Config{DB: d.DB, Engine: newEngine(), Every: never, NoWordAfter: 50 * time.Millisecond})

	for n := range 3 {
		mailed(t, d.DB, tenant)
		untilSilent(t, d.DB, tenant, n+1)
	}
}
