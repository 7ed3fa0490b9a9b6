package server_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/server"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// given answers the first question of an activation.
func given(a mobile.Activation, changes ...func(*dialtonev1.UsPortingInfo)) *dialtonev1.SubmitPortingInfoRequest {
	us := &dialtonev1.UsPortingInfo{
		AccountNumber: "007-31415926", Pin: "0042", AccountZip: "10001", NumberInService: proto.Bool(true),
	}
	for _, change := range changes {
		change(us)
	}
	request := &dialtonev1.SubmitPortingInfoRequest{
		RequestId: uuid.NewString(), ActivationId: string(a.ID), Revision: 1,
		Credentials: &dialtonev1.SubmitPortingInfoRequest_Us{Us: us},
	}
	if a.Port != nil && a.Port.Prompt != nil {
		request.Revision = a.Port.Prompt.Revision
	}
	return request
}

// heldFor reads what the donor is to get.
func (b *bundle) heldFor(t *testing.T, a mobile.Activation) (info mobile.PortingInfo) {
	t.Helper()
	b.record(t, a.Tenant, func(ctx context.Context, s *store.Store) error {
		port, err := s.Port(ctx, a.ID)
		must(t, err)
		info, _, err = s.PortingInfo(ctx, port)
		return err
	})
	return info
}

// The engine is asked nothing: what is said is kept, filed for the relay and answered. The
// same request gets its first verdict for ever.
func TestSubmitPortingInfo(t *testing.T) {
	t.Parallel()
	nudged := make(chan struct{}, 8)
	b := setup(t, func(c *server.Config) { c.Nudge = func() { nudged <- struct{}{} } })
	a := b.askedFirst(t, b.a, 1)
	ctx := as(t.Context(), b.link(t, a))
	request := given(a)
	request.ActivationId = "" // the token says it

	response, err := b.portals.SubmitPortingInfo(ctx, request)
	must(t, err)

	if response.GetVerdict() != isAccepted || response.GetMessage() == "" || response.GetPrompt().GetKind() != none || response.GetPrompt().GetRevision() != 1 {
		t.Errorf("%v", response)
	}
	<-nudged
	if got := b.heldFor(t, a); got.PIN != "0042" || got.AccountNumber != "007-31415926" || got.AccountZIP != "10001" || !*got.NumberInService {
		t.Error("something else is held")
	}
	if got := ask[[]string](t, b, `SELECT array_agg(kind ORDER BY outbox_id) FROM outbox`); !cmp.Equal(got, []string{"START", "INTAKE"}) {
		t.Errorf("filed %v", got)
	}
	got := ask[string](t, b, `SELECT principal || ' ' || actor || ' ' || verdict FROM submissions WHERE request_id = $1`, request.GetRequestId())
	if got != "PORTAL link ACCEPTED" {
		t.Errorf("kept as %q", got)
	}
	if n := ask[int](t, b, `
		SELECT count(*) FROM audit JOIN submissions ON resource_id = submission_id::text
		WHERE method = 'SubmitPortingInfo' AND reason_sealed IS NULL`); n != 1 {
		t.Errorf("%d deeds", n)
	}

	// The backend says the same under the same id; then the donor refuses, and it still is
	// the first verdict.
	same := proto.CloneOf(request)
	same.ActivationId = string(a.ID)
	again, err := b.portals.SubmitPortingInfo(as(t.Context(), b.a.backend()), same)
	must(t, err)
	if !proto.Equal(again, response) {
		t.Errorf("a repeat answers %v", again)
	}
	b.sent(t, a)
	b.said(t, a, store.PortWord{Word: mobile.WordRefused, Reason: mobile.PortPINInvalid}, true)
	again, err = b.portals.SubmitPortingInfo(ctx, request)
	must(t, err)
	if again.GetVerdict() != isAccepted || again.GetPrompt().GetRevision() != 2 {
		t.Errorf("a late repeat answers %v", again)
	}
	request.GetUs().Pin = "0043"
	_, err = b.portals.SubmitPortingInfo(ctx, request)
	wantRefusal(t, err, refusal{Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED"})
	if n := ask[int](t, b, `SELECT count(*) FROM submissions`); n != 1 {
		t.Errorf("%d submissions", n)
	}
}

// The five verdicts, each an answer and none an error.
func TestSubmitPortingInfo_Verdicts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.backend())
	submit := func(t *testing.T, request *dialtonev1.SubmitPortingInfoRequest, want dialtonev1.SubmissionVerdict) {
		t.Helper()
		response, err := b.portals.SubmitPortingInfo(ctx, request)
		must(t, err)
		if response.GetVerdict() != want || response.GetMessage() == "" || response.GetPrompt() == nil {
			t.Errorf("%v, want %s", response, want)
		}
	}

	t.Run("duplicate and stale", func(t *testing.T) {
		a := b.askedFirst(t, b.a, 1)
		submit(t, given(a), isAccepted)
		submit(t, given(a), isDuplicate)
		submit(t, given(a, func(us *dialtonev1.UsPortingInfo) { us.Pin = "9999" }), isStale)
	})
	t.Run("unchanged", func(t *testing.T) {
		a := b.refusedFor(t, b.a, 2, mobile.PortPINInvalid)
		submit(t, given(a), isUnchanged)
		// Nor does another value of what was not refused make it another.
		submit(t, given(a, func(us *dialtonev1.UsPortingInfo) { us.AccountZip = "10002" }), isUnchanged)
		submit(t, given(a, func(us *dialtonev1.UsPortingInfo) { us.Pin = "0043" }), isAccepted)
	})
	t.Run("stale revision", func(t *testing.T) {
		a := b.refusedFor(t, b.a, 3, mobile.PortPINInvalid)
		request := given(a, func(us *dialtonev1.UsPortingInfo) { us.Pin = "0043" })
		request.Revision = 1
		submit(t, request, isStale)
	})
	t.Run("too late", func(t *testing.T) {
		confirmed := b.refusedFor(t, b.a, 4, mobile.PortPINInvalid)
		b.said(t, confirmed, store.PortWord{Word: mobile.WordConfirmed, Due: today().Add(time.Hour)}, false)
		submit(t, given(confirmed), isTooLate)
		ended := b.askedFirst(t, b.a, 5)
		b.move(t, b.a, ended.ID, mobile.StateExpired)
		submit(t, given(ended), isTooLate)
		undoing := b.askedFirst(t, b.a, 6)
		b.move(t, b.a, undoing.ID, mobile.StateUndoing)
		submit(t, given(undoing), isTooLate)
	})
}

// A code is a string: what people copy is put into one form, and leading zeros count.
func TestSubmitPortingInfo_Codes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for n, c := range []struct{ pin, account, wantPIN, wantAccount string }{
		{"0042", "000123", "0042", "000123"},
		{" 12 34 56 ", "12 34-56", "123456", "1234-56"},
		{"abCD12", "A-1", "abCD12", "A-1"},
		{"7", "1", "7", "1"},
		{"００４２", "１２３–４", "0042", "123-4"},
		{strings.Repeat("9", 20), strings.Repeat("8", 30), strings.Repeat("9", 20), strings.Repeat("8", 30)},
	} {
		a := b.askedFirst(t, b.a, n)
		_, err := b.portals.SubmitPortingInfo(as(t.Context(), b.a.backend()), given(a, func(us *dialtonev1.UsPortingInfo) {
			us.Pin, us.AccountNumber = c.pin, c.account
		}))
		must(t, err)
		if got := b.heldFor(t, a); got.PIN != c.wantPIN || got.AccountNumber != c.wantAccount {
			t.Errorf("case %d is held as something else", n)
		}
	}
}

func TestSubmitPortingInfo_Refusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, others, line := b.askedFirst(t, b.a, 1), b.askedFirst(t, b.b, 2), b.launched(t, b.a)
	decide := b.asked(t, b.bringing(t, b.a, 3), mobile.Prompt{Kind: mobile.PromptDecide, Reason: string(mobile.PortNotPortable)})
	with := func(change func(*dialtonev1.SubmitPortingInfoRequest)) *dialtonev1.SubmitPortingInfoRequest {
		request := given(a)
		change(request)
		return request
	}
	filled := func(change func(*dialtonev1.UsPortingInfo)) *dialtonev1.SubmitPortingInfoRequest {
		return given(a, change)
	}
	notOffered := func(a mobile.Activation) refusal {
		return refusal{Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE", Meta: map[string]string{"activation_id": string(a.ID)}}
	}

	for name, c := range map[string]struct {
		request *dialtonev1.SubmitPortingInfoRequest
		want    refusal
	}{
		"another's":           {given(others), refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}},
		"nobody's":            {given(mobile.Activation{ID: mobile.ActivationID(uuid.NewString())}), refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}},
		"a new line":          {given(line), notOffered(line)},
		"another question":    {given(decide), notOffered(decide)},
		"of the future":       {with(func(r *dialtonev1.SubmitPortingInfoRequest) { r.Revision = 2 }), invalid(map[string]string{"revision": "REVISION_UNKNOWN"})},
		"to no question":      {with(func(r *dialtonev1.SubmitPortingInfoRequest) { r.Revision = 0 }), invalid(map[string]string{"revision": "FIELD_REQUIRED"})},
		"a negative revision": {with(func(r *dialtonev1.SubmitPortingInfoRequest) { r.Revision = -1 }), invalid(map[string]string{"revision": "FIELD_MALFORMED"})},
		"nothing": {&dialtonev1.SubmitPortingInfoRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "activation_id": "FIELD_REQUIRED", "revision": "FIELD_REQUIRED", "us": "FIELD_REQUIRED",
		})},
		"nothing filled in": {
			with(func(r *dialtonev1.SubmitPortingInfoRequest) {
				r.Credentials = &dialtonev1.SubmitPortingInfoRequest_Us{Us: &dialtonev1.UsPortingInfo{}}
			}),
			invalid(map[string]string{
				"us.account_number": "FIELD_REQUIRED", "us.pin": "FIELD_REQUIRED", "us.account_zip": "FIELD_REQUIRED", "us.number_in_service": "FIELD_REQUIRED",
			}),
		},
		"a blank PIN":      {filled(func(us *dialtonev1.UsPortingInfo) { us.Pin = "   " }), invalid(map[string]string{"us.pin": "FIELD_REQUIRED"})},
		"a long PIN":       {filled(func(us *dialtonev1.UsPortingInfo) { us.Pin = strings.Repeat("1", 64) }), invalid(map[string]string{"us.pin": "PIN_NOT_VALID"})},
		"a PIN in Thai":    {filled(func(us *dialtonev1.UsPortingInfo) { us.Pin = "๑๒๓๔" }), invalid(map[string]string{"us.pin": "PIN_NOT_VALID"})},
		"a PIN on 2 lines": {filled(func(us *dialtonev1.UsPortingInfo) { us.Pin = "12\n34" }), invalid(map[string]string{"us.pin": "FIELD_CONTROL_CHARACTER"})},
		"all wrong": {
			filled(func(us *dialtonev1.UsPortingInfo) {
				us.AccountNumber, us.AccountZip, us.Region, us.PinMakeDate = strings.Repeat("1", 31), "1000", "Quebec", "yesterday"
				us.FirstName, us.LastName, us.AddressLine, us.City = strings.Repeat("x", 51), "...", "a\u202eb", strings.Repeat("y", 51)
			}),
			invalid(map[string]string{
				"us.account_number": "ACCOUNT_NUMBER_NOT_VALID", "us.account_zip": "ZIP_NOT_VALID", "us.region": "REGION_NOT_VALID",
				"us.pin_make_date": "PIN_MAKE_DATE_NOT_VALID", "us.first_name": "FIELD_TOO_LONG", "us.last_name": "FIELD_BLANK",
				"us.address_line": "FIELD_INVISIBLE_CHARACTER", "us.city": "FIELD_TOO_LONG",
			}),
		},
		"a day to come": {
			filled(func(us *dialtonev1.UsPortingInfo) { us.PinMakeDate = today().AddDate(0, 0, 2).Format(time.DateOnly) }),
			invalid(map[string]string{"us.pin_make_date": "PIN_MAKE_DATE_IN_FUTURE"}),
		},
		"a day long ago": {
			filled(func(us *dialtonev1.UsPortingInfo) { us.PinMakeDate = today().AddDate(-2, 0, 0).Format(time.DateOnly) }),
			invalid(map[string]string{"us.pin_make_date": "PIN_MAKE_DATE_TOO_OLD"}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.portals.SubmitPortingInfo(as(t.Context(), b.a.backend()), c.request)
			wantRefusal(t, err, c.want)
		})
	}
	for _, table := range []string{"requests", "audit", "submissions"} {
		if n := ask[int](t, b, `SELECT count(*) FROM `+table); n != 0 {
			t.Errorf("%d refusals are in %s", n, table)
		}
	}
	// None of that closed the question.
	response, err := b.portals.SubmitPortingInfo(as(t.Context(), b.a.backend()), given(a))
	must(t, err)
	if response.GetVerdict() != isAccepted {
		t.Errorf("%v", response)
	}
}

// A repeat is not refused because its PIN has grown old since.
func TestSubmitPortingInfo_RepeatedLater(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(today())
	b := setup(t, func(c *server.Config) { c.Now = clock.Now })
	a := b.askedFirst(t, b.a, 1)
	request := given(a, func(us *dialtonev1.UsPortingInfo) { us.PinMakeDate = today().Format(time.DateOnly) })
	ctx := as(t.Context(), b.a.backend())
	first, err := b.portals.SubmitPortingInfo(ctx, request)
	must(t, err)

	clock.Advance(2 * 365 * 24 * time.Hour)
	again, err := b.portals.SubmitPortingInfo(ctx, request)

	must(t, err)
	if again.GetVerdict() != first.GetVerdict() {
		t.Errorf("%v", again)
	}
}

// Of five different answers at one moment one is taken.
func TestSubmitPortingInfo_AtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.askedFirst(t, b.a, 1)
	verdicts := make([]string, 5)
	var all sync.WaitGroup
	for i := range verdicts {
		all.Go(func() {
			response, err := b.portals.SubmitPortingInfo(as(t.Context(), b.a.backend()), given(a, func(us *dialtonev1.UsPortingInfo) {
				us.Pin = []string{"0042", "0042", "0043", "0044", "0045"}[i]
			}))
			if err != nil {
				t.Error(err)
			}
			verdicts[i] = strings.TrimPrefix(response.GetVerdict().String(), "SUBMISSION_VERDICT_")
		})
	}
	all.Wait()

	count := map[string]int{}
	for _, verdict := range verdicts {
		count[verdict]++
	}
	if count["ACCEPTED"] != 1 || count["DUPLICATE"]+count["STALE"] != 4 || ask[int](t, b, `SELECT count(*) FROM outbox WHERE kind = 'INTAKE'`) != 1 {
		t.Errorf("%v", verdicts)
	}
}

// One request, sent by many at one moment, is one act with one verdict.
func TestSubmitPortingInfo_SameAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.askedFirst(t, b.a, 1)
	request := given(a)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			response, err := b.portals.SubmitPortingInfo(as(t.Context(), b.a.backend()), request)
			if err != nil || response.GetVerdict() != isAccepted {
				t.Errorf("%v, %v", response, err)
			}
		})
	}
	all.Wait()

	if n := ask[int](t, b, `SELECT count(*) FROM submissions`); n != 1 {
		t.Errorf("%d submissions", n)
	}
}

// A token of one activation cannot speak for another, nor another tenant's backend.
func TestSubmitPortingInfo_Whose(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, other := b.askedFirst(t, b.a, 1), b.askedFirst(t, b.a, 2)
	for name, token := range map[string]string{"another link": b.link(t, other), "another tenant": b.b.backend()} {
		_, err := b.portals.SubmitPortingInfo(as(t.Context(), token), given(a))
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}) })
	}
	if p := b.page(t, b.a, a).GetPrompt(); p.GetKind() == none {
		t.Errorf("the question is closed: %v", p)
	}
}
